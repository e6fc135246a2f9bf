// What a person wants, on its way to the node: sent again after a cut under the same id, so that it happens once, and
// failing aloud when it did not get through in time.

import { randomId } from "./ids.js";

/**
 * @typedef {import("./messages.js").Body} Body
 * @typedef {import("./messages.js").Intent} Intent
 * @typedef {import("./world.js").World} World
 * @typedef {{message: Intent, resolve: (seq: number) => void, reject: (error: Error) => void}} Wish
 */

export const WISH_MS = 20_000;

/** A wish or an offer the node refused, or that never got through. ``code`` names a sentence of the page's texts. */
export class RefusedError extends Error {
  /** @param {string} code @param {Body} [params] */
  constructor(code, params = {}) {
    super(code);
    this.code = code;
    this.params = params;
  }
}

export class Wishes {
  /** @param {World} world @param {(message: Intent) => void} send drops the message when there is no line */
  constructor(world, send) {
    this.#world = world;
    this.#send = send;
  }

  #world;
  #send;
  /** @type {Map<string, Wish>} */
  #waiting = new Map();

  /** @param {string} kind @param {Body} body @returns {Promise<number>} the op's seq, once it is durable */
  make(kind, body) {
    /** @type {Intent} */
    const message = { type: "do", id: randomId(), kind, body };
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { message, resolve, reject });
      this.#world.later(() => this.refused(message.id, new RefusedError("timeout")), WISH_MS);
      this.#send(message);
    });
  }

  /** The line stands again. */
  sendAgain() {
    for (const wish of this.#waiting.values()) this.#send(wish.message);
  }

  /** @param {string} id @param {number} seq */
  done(id, seq) {
    this.#take(id)?.resolve(seq);
  }

  /** @param {string} id @param {Error} error */
  refused(id, error) {
    this.#take(id)?.reject(error);
  }

  /** The line ended for good. @param {string} code */
  end(code) {
    for (const id of [...this.#waiting.keys()]) this.refused(id, new RefusedError(code));
  }

  /** @param {string} id */
  #take(id) {
    const wish = this.#waiting.get(id);
    this.#waiting.delete(id);
    return wish;
  }
}
