// A submit button with data-confirm="question" asks in a dialog first. The safe answer (body data-cancel) has the focus.

/** @param {Document} page */
export function enhanceConfirm(page) {
  page.addEventListener("submit", (event) => {
    const by = event.submitter;
    const form = event.target;
    if (!(by instanceof HTMLButtonElement) || !(form instanceof HTMLFormElement)) return;
    const question = by.dataset.confirm;
    if (!question || by.dataset.confirmed) return;
    event.preventDefault();
    ask(page, question, by, (by.textContent || "").trim(), () => {
      by.dataset.confirmed = "yes";
      form.requestSubmit(by);
    });
  });
}

/**
 * @param {Document} page
 * @param {string} question
 * @param {HTMLElement} by what the focus returns to
 * @param {string} words what the button that acts says
 * @param {() => void} act
 */
export function ask(page, question, by, words, act) {
  const dialog = page.createElement("dialog");
  const body = page.createElement("p");
  body.className = "dialog-body";
  body.id = "confirm-question";
  body.textContent = question;
  const foot = page.createElement("div");
  foot.className = "dialog-foot";
  const no = button(page, page.body.dataset.cancel || "×", "button");
  const yes = button(page, words, "button danger");
  foot.append(no, yes);
  dialog.setAttribute("aria-labelledby", body.id);
  dialog.append(body, foot);
  page.body.append(dialog);
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => {
    dialog.close();
    act();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    by.focus();
  });
  dialog.showModal();
  no.focus();
}

/**
 * @param {Document} page
 * @param {string} text
 * @param {string} kind
 */
function button(page, text, kind) {
  const made = page.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = text;
  return made;
}
