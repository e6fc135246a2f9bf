// Forms: a filter form submits when a choice changes; a sent form cannot be sent twice; the first wrong field has the focus;
// a select with data-narrows="name" hides the options of another whose data-part differs.

/** @param {Document} page */
export function enhanceForms(page) {
  for (const form of page.querySelectorAll("form[data-autosubmit]")) {
    form.addEventListener("change", (event) => {
      if (form instanceof HTMLFormElement && event.target instanceof HTMLSelectElement) form.requestSubmit();
    });
  }
  page.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !(event.target instanceof HTMLFormElement)) return;
    dropEmpty(event.target);
    hold(event.target);
  });
  // Coming back with the browser's button shows the page as it was left: give the buttons free again.
  window.addEventListener("pageshow", () => {
    for (const button of page.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
  });
  const wrong = page.querySelector('[aria-invalid="true"]');
  if (wrong instanceof HTMLElement) wrong.focus();
}

/**
 * Filters left empty stay out of the address.
 * @param {HTMLFormElement} form
 */
function dropEmpty(form) {
  if (form.method !== "get") return;
  for (const field of form.elements) {
    if ((field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && field.value === "") {
      const name = field.name;
      field.name = "";
      setTimeout(() => (field.name = name), 0);
    }
  }
}

/** @param {HTMLFormElement} form */
function hold(form) {
  if (form.method === "get") return;
  for (const button of form.querySelectorAll("button")) {
    if (button.type !== "submit") continue;
    if (button.getAttribute("aria-busy")) continue;
    button.setAttribute("aria-busy", "true");
  }
  form.addEventListener("submit", refuse);
  window.addEventListener("pageshow", () => form.removeEventListener("submit", refuse), { once: true });
}

/** @param {Event} event */
function refuse(event) {
  event.preventDefault();
}
