// The room's state at any moment of the replay, from its log by the same reducer as the live room; and the page it shows.

import { emptyState, reduce } from "../room/state.js";

/**
 * @typedef {import("../room/state.js").Op} Op
 * @typedef {import("../room/state.js").RoomState} RoomState
 * @typedef {import("./player.js").Deck} Deck
 */

/** Walks the log forwards; going back begins anew, which for a lesson's few hundred ops takes no time. */
export class Log {
  /** @param {Op[]} ops in the order in which they held */
  constructor(ops) {
    this.ops = ops;
  }

  #state = emptyState();
  #done = 0;
  #at = -1;

  /** A line of the chat without its words. @param {number} seq */
  forget(seq) {
    this.ops = this.ops.map((op) => (op.kind === "chat.say" && op.seq === seq ? { ...op, body: { ...op.body, text: "" } } : op));
    this.#at = Infinity;
  }

  /** @param {number} ms room time @returns {RoomState} */
  at(ms) {
    if (ms < this.#at) {
      this.#state = emptyState();
      this.#done = 0;
    }
    this.#at = ms;
    while (this.#done < this.ops.length && this.ops[this.#done].t <= ms) {
      this.#state = reduce(this.#state, this.ops[this.#done]);
      this.#done += 1;
    }
    return this.#state;
  }
}

export class Slides {
  /** @param {HTMLImageElement} image @param {Deck[]} decks @param {(deck: string, page: number) => string} describe */
  constructor(image, decks, describe) {
    this.#image = image;
    this.#decks = decks;
    this.#describe = describe;
  }

  #image;
  #decks;
  #describe;
  #shown = "";

  /** Whether there is a page to show; shows it. @param {RoomState} state */
  show(state) {
    const deck = state.deck && !state.blank ? this.#decks.find((one) => one.id === state.deck?.id) : null;
    const url = deck ? deck.urls[state.page - 1] : undefined;
    if (!deck || !url) return false;
    if (url !== this.#shown) {
      this.#shown = url;
      this.#image.src = url;
      this.#image.alt = this.#describe(deck.title, state.page);
      this.#image.dataset.page = String(state.page);
      const next = deck.urls[state.page];
      if (next) new Image().src = next; // so that the turn itself shows no blank
    }
    return true;
  }
}
