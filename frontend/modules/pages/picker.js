// A field that is looked up by typing: an input for words, a list below it, a hidden field that keeps what was chosen.
// Keys as in any list box: down, up, Enter, Escape. What was typed and not chosen is no choice, and the field says so.

const WAIT_MS = 200;

/** @typedef {{ id: string, text: string, group: string }} Choice */

/** @param {Document} page */
export function enhancePickers(page) {
  for (const field of page.querySelectorAll("[data-picker]")) {
    if (field instanceof HTMLElement) enhance(field);
  }
}

/** @param {HTMLElement} field */
function enhance(field) {
  const input = field.querySelector('input[role="combobox"]');
  const kept = field.querySelector('input[type="hidden"]');
  const list = field.querySelector('[role="listbox"]');
  if (!(input instanceof HTMLInputElement) || !(kept instanceof HTMLInputElement) || !(list instanceof HTMLElement)) return;
  const state = { at: -1, asked: 0, timer: 0, shown: input.value };

  const close = () => {
    list.hidden = true;
    state.at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  /** @param {string} id @param {string} text */
  const choose = (id, text) => {
    kept.value = id;
    input.value = state.shown = text;
    input.setCustomValidity("");
    close();
    if (input.form?.hasAttribute("data-autosubmit")) input.form.requestSubmit();
  };

  /** @param {number} to */
  const mark = (to) => {
    const rows = list.querySelectorAll('[role="option"]');
    if (!rows.length) return;
    state.at = (to + rows.length) % rows.length;
    rows.forEach((row, place) => row.setAttribute("aria-selected", String(place === state.at)));
    rows[state.at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", rows[state.at].id);
  };

  const look = async () => {
    const turn = ++state.asked;
    const address = new URL(field.dataset.picker ?? "", location.href);
    address.searchParams.set("q", input.value.trim() === state.shown.trim() ? "" : input.value.trim());
    const answer = await fetch(address, { headers: { accept: "application/json" } }).catch(() => null);
    if (turn !== state.asked) return;
    const found = answer?.ok ? await answer.json() : { items: [], more: false };
    show(found.items, found.more);
  };

  /** @param {Choice[]} items @param {boolean} more */
  const show = (items, more) => {
    list.replaceChildren(...items.map((one, place) => row(one, place)));
    if (!items.length) list.append(note(field.dataset.none ?? ""));
    if (more) list.append(note(field.dataset.more ?? ""));
    list.hidden = false;
    state.at = -1;
    input.setAttribute("aria-expanded", "true");
  };

  /** @param {Choice} one @param {number} place */
  const row = (one, place) => {
    const element = document.createElement("li");
    const text = `${one.group} ${one.text}`.trim();
    element.id = `${list.id}-${place}`;
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", "false");
    element.textContent = text;
    element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      choose(one.id, text);
    });
    element.addEventListener("picked", () => choose(one.id, text));
    return element;
  };

  input.addEventListener("input", () => {
    kept.value = "";
    input.setCustomValidity(input.value.trim() ? (field.dataset.unchosen ?? "") : "");
    clearTimeout(state.timer);
    state.timer = window.setTimeout(look, WAIT_MS);
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => list.hidden && look());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) look();
      else mark(state.at + (event.key === "ArrowDown" ? 1 : -1));
    }
    if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      const rows = list.querySelectorAll('[role="option"]');
      (rows[state.at] ?? (rows.length === 1 ? rows[0] : null))?.dispatchEvent(new Event("picked"));
    }
  });
}

/** @param {string} text */
function note(text) {
  const element = document.createElement("li");
  element.className = "picker-note";
  element.setAttribute("role", "presentation");
  element.textContent = text;
  return element;
}
