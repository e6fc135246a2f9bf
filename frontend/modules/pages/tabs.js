// A row of tabs that is wider than a phone shows the one where we are, in the middle of the row.

/** @param {ParentNode} root */
export function enhanceTabs(root) {
  for (const row of root.querySelectorAll(".tabs")) {
    const here = row.querySelector("[aria-current]");
    if (!(here instanceof HTMLElement) || row.scrollWidth <= row.clientWidth) continue;
    const beyond = here.getBoundingClientRect().left - row.getBoundingClientRect().left;
    row.scrollLeft += beyond - (row.clientWidth - here.offsetWidth) / 2;
  }
}
