// Asking the web for a seat in a lesson. A refusal that waiting cannot mend is "final"; everything else is tried again.

/** @typedef {import("./messages.js").Grant} Grant */

/** The web said no, or did not answer. ``key`` names a sentence of the page's texts; ``message`` is the web's own, if any. */
export class SeatRefused extends Error {
  /** @param {string} key @param {boolean} final @param {string} [message] */
  constructor(key, final, message = "") {
    super(message || key);
    this.key = key;
    this.final = final;
    this.sentence = message;
  }
}

/** Statuses that waiting does not mend: signed out, not allowed, no such lesson, lesson over or cancelled, bad request. */
const FINAL = new Set([400, 401, 403, 404, 409, 410, 422]);

/**
 * @param {Response} response
 * @returns {Promise<{key: string, message: string}>} the web's error, whatever proxy answered in its place
 */
async function reasonOf(response) {
  try {
    const body = await response.json();
    const error = body.error ?? body;
    return { key: String(error.key ?? response.status), message: String(error.message ?? "") };
  } catch {
    return { key: String(response.status), message: "" };
  }
}

/**
 * @param {string} lesson
 * @param {import("./messages.js").Role} role
 * @param {string} csrf
 * @param {typeof fetch} [ask]
 * @returns {(unreachable: number | null) => Promise<Grant>}
 */
export function seatAsker(lesson, role, csrf, ask = fetch.bind(globalThis)) {
  return async (unreachable) => {
    /** @type {Response} */
    let response;
    try {
      response = await ask(`/api/v1/lessons/${encodeURIComponent(lesson)}/seat`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF": csrf },
        credentials: "same-origin",
        cache: "no-store",
        body: JSON.stringify({ role, unreachable }),
      });
    } catch {
      throw new SeatRefused("web_unreachable", false);
    }
    if (response.ok) return /** @type {Promise<Grant>} */ (response.json());
    const { key, message } = await reasonOf(response);
    throw new SeatRefused(key, FINAL.has(response.status), message);
  };
}
