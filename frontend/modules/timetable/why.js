// Why a lesson is moved, asked in the page's own dialog before anything is told to the server. Leaving it moves nothing.

/** @typedef {{reason: string, note: string}} Why */

/**
 * @param {string} question
 * @returns {Promise<Why | null>} null: left, by "Cancel", by the cross or by Escape
 */
export function askWhy(question) {
  const dialog = document.getElementById("why");
  const form = dialog?.querySelector("form");
  const said = document.getElementById("why-question");
  if (!(dialog instanceof HTMLDialogElement) || !form || !said) return Promise.resolve(null);
  form.reset();
  said.textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  form.querySelector("select")?.focus();
  return new Promise((resolve) => {
    const done = () => {
      const given = new FormData(form);
      const why = { reason: String(given.get("reason") || ""), note: String(given.get("note") || "") };
      resolve(dialog.returnValue === "move" ? why : null);
    };
    dialog.addEventListener("close", done, { once: true });
  });
}
