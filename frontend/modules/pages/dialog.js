// Buttons with data-opens="id" / data-closes="id" work a <dialog>. One with data-open on it opens with the page (a form sent back).

/** @param {Document} page */
export function enhanceDialogs(page) {
  for (const dialog of page.querySelectorAll("dialog[data-open]")) {
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
  }
  page.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-opens], [data-closes]") : null;
    if (!(target instanceof HTMLElement)) return;
    const opens = target.dataset.opens ? page.getElementById(target.dataset.opens) : null;
    const closes = target.dataset.closes ? page.getElementById(target.dataset.closes) : null;
    if (opens instanceof HTMLDialogElement) opens.showModal();
    if (closes instanceof HTMLDialogElement) closes.close();
  });
}
