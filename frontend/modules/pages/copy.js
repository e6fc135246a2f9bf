// A button with data-copy="text" puts the text on the clipboard and says so by its own label for two seconds.

/** @param {Document} page */
export function enhanceCopy(page) {
  for (const button of page.querySelectorAll("button[data-copy]")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    // The clipboard wants a secure context; a plain-HTTP school network has none: the text stays selectable on the page.
    if (!navigator.clipboard) button.hidden = true;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy || "");
      const before = button.textContent;
      button.textContent = button.dataset.copied || before;
      setTimeout(() => (button.textContent = before), 2000);
    });
  }
}
