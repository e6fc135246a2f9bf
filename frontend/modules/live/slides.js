// Page images of a deck: fetched ahead of their turn and kept in memory, so that a weak link or a cut loses no page.

/** @typedef {import("../protocol/messages.js").Deck} Deck */

/** Pictures kept at most; a page of 1600 px is about 150 KB. */
const KEPT = 120;
const RETRY_MS = 3000;

export class Slides {
  /**
   * @param {string} lesson
   * @param {() => Deck[]} decks
   * @param {(url: string, priority: "auto" | "low") => Promise<Response>} [get]
   */
  constructor(lesson, decks, get = (url, priority) => fetch(url, /** @type {RequestInit} */ ({ credentials: "same-origin", priority }))) {
    this.#lesson = lesson;
    this.#decks = decks;
    this.#get = get;
  }

  #lesson;
  #decks;
  #get;
  /** @type {Map<string, string>} address -> object URL */
  #held = new Map();
  /** @type {string[]} */
  #wanted = [];
  #busy = false;
  #now = "";

  /** @param {string} deck @param {number} number from 1 */
  address(deck, number) {
    const known = this.#decks().find((one) => one.id === deck)?.urls[number - 1];
    return known ?? `/api/v1/lessons/${this.#lesson}/decks/${deck}/${number}.webp`;
  }

  /** Something an <img> can show now: the picture kept, or its address. @param {string} deck @param {number} number */
  source(deck, number) {
    const address = this.address(deck, number);
    return this.#held.get(address) ?? address;
  }

  /**
   * Fetch ahead, behind this page: those after it, then those before. On a thin line the next one alone: a whole deck would
   * take the line from the sound for minutes.
   * @param {string} deck @param {number} number @param {number} pages @param {boolean} [thin]
   */
  ahead(deck, number, pages, thin = false) {
    const order = [];
    for (let page = number; page <= (thin ? Math.min(number + 1, pages) : pages); page++) order.push(page);
    for (let page = number - 1; page >= 1 && !thin; page--) order.push(page);
    this.#now = this.address(deck, number);
    this.#wanted = order.map((page) => this.address(deck, page)).filter((address) => !this.#held.has(address)).slice(0, KEPT);
    if (!this.#busy) void this.#work();
  }

  async #work() {
    this.#busy = true;
    for (let address = this.#wanted.shift(); address !== undefined; address = this.#wanted.shift()) {
      if (!this.#held.has(address)) await this.#fetch(address);
    }
    this.#busy = false;
  }

  /** @param {string} address */
  async #fetch(address) {
    try {
      const response = await this.#get(address, address === this.#now ? "auto" : "low");
      if (!response.ok) return;
      this.#keep(address, URL.createObjectURL(await response.blob()));
    } catch {
      // No network: come back to this page later, after the others.
      await new Promise((wait) => setTimeout(wait, RETRY_MS));
      this.#wanted.push(address);
    }
  }

  /** @param {string} address @param {string} url */
  #keep(address, url) {
    this.#held.set(address, url);
    if (this.#held.size <= KEPT) return;
    const [oldest] = this.#held.keys();
    URL.revokeObjectURL(this.#held.get(oldest) ?? "");
    this.#held.delete(oldest);
  }
}
