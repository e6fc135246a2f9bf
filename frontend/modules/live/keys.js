// Keys of a lesson: a clicker turns pages and darkens the stage without anybody at the keyboard. Letters typed into a field
// are text, never commands.

/** @typedef {Record<string, () => void>} Keys by KeyboardEvent.key */

/** @param {EventTarget | null} target */
function writes(target) {
  return target instanceof HTMLElement && (target.matches("input:not([type=checkbox]), textarea, select") || target.isContentEditable);
}

/** @param {Keys} keys */
export function listenKeys(keys) {
  document.addEventListener("keydown", (event) => {
    const run = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!run || event.ctrlKey || event.altKey || event.metaKey || event.repeat || writes(event.target)) return;
    // Inside a dialog the arrows move the focus there.
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    run();
  });
}
