// Random ids. Not crypto.randomUUID: that one is missing on pages served over plain HTTP, as some schools have them.

/** @param {number} [bytes] @returns {string} lower-case hex */
export function randomId(bytes = 9) {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (value) => value.toString(16).padStart(2, "0")).join("");
}
