// Tables by keyboard: ↑ ↓ Home End move between rows of a table[data-rows], Enter opens the row's link, "/" goes to the search box.

/** @param {Document} page */
export function enhanceTables(page) {
  for (const table of page.querySelectorAll("table[data-rows]")) {
    if (table instanceof HTMLTableElement) enhance(table);
  }
  page.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || writing(event.target)) return;
    const search = page.querySelector('.filters input[type="search"]');
    if (!(search instanceof HTMLInputElement)) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
}

/** @param {EventTarget | null} target */
function writing(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** @param {HTMLTableElement} table */
function enhance(table) {
  table.addEventListener("keydown", (event) => {
    const links = [...table.querySelectorAll("tbody th a")];
    const at = links.findIndex((link) => link === event.target);
    if (at < 0) return;
    const to = next(event.key, at, links.length);
    const link = to === null ? null : links[to];
    if (!(link instanceof HTMLElement)) return;
    event.preventDefault();
    link.focus();
    link.scrollIntoView({ block: "nearest" });
  });
}

/**
 * @param {string} key
 * @param {number} at
 * @param {number} count
 * @returns {number | null}
 */
function next(key, at, count) {
  if (key === "ArrowDown") return Math.min(at + 1, count - 1);
  if (key === "ArrowUp") return Math.max(at - 1, 0);
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return null;
}
