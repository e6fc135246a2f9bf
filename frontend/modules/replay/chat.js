// What had been said in writing by the moment being shown; a click on a line goes to when it was said. Text only, never markup.
// The lesson's teacher may take a line back; its words go from the store too.

import { el } from "../live/dom.js";
import { duration } from "../live/texts.js";

/** @typedef {import("../room/state.js").RoomState} RoomState */
/** @typedef {import("../room/state.js").Line} Line */

export class Chat {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} empty
   * @param {{nameOf: (seat: string) => string, erased: string, from_ms: number, seek: (ms: number) => void, erase: string, onErase: ((line: Line) => void) | null}} given
   */
  constructor(list, empty, given) {
    this.#list = list;
    this.#empty = empty;
    this.#given = given;
  }

  #list;
  #empty;
  #given;
  #shown = "";

  /** @param {RoomState} state */
  show(state) {
    const key = state.chat.map((line) => `${line.seq}${line.erased || line.text === "" ? "x" : ""}`).join(" ");
    if (key === this.#shown) return;
    this.#shown = key;
    this.#list.replaceChildren(...state.chat.map((line) => this.#item(line)));
    this.#empty.hidden = state.chat.length > 0;
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** @param {Line} line */
  #item(line) {
    const { nameOf, erased, from_ms, seek, erase, onErase } = this.#given;
    const gone = line.erased || line.text === "";
    return el(
      "li",
      { class: onErase ? "replay-said" : null },
      el("button", { type: "button", class: "replay-line", onclick: () => seek(line.t) },
        el("span", { class: "replay-line-time num", text: duration(line.t - from_ms) }),
        el("b", { text: nameOf(line.by) }),
        el("span", { class: gone ? "muted" : "", text: gone ? erased : line.text })),
      onErase && !gone
        ? el("button", { type: "button", class: "button quiet small", text: erase, onclick: () => onErase(line) })
        : null,
    );
  }
}
