// A part of a page with data-refresh="5000" is asked for again every so many milliseconds, while somebody looks at it.
// Only that part is replaced: a form beside it, and the place where one reads, stay.

for (const part of document.querySelectorAll("[data-refresh]")) {
  if (!(part instanceof HTMLElement)) continue;
  setInterval(() => void renew(part), Number(part.dataset.refresh) || 5000);
}

/** @param {HTMLElement} part */
async function renew(part) {
  if (document.hidden || part.contains(document.activeElement)) return;
  try {
    const response = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-refresh]");
    if (fresh) part.replaceChildren(...fresh.childNodes);
  } catch {
    // The web is away for a moment: what is shown stays.
  }
}
