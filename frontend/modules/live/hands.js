// Hands up, oldest first: who waits, since when, and one click to give that classroom the floor or to put the hand down.

import { el } from "./dom.js";
import { duration } from "./texts.js";

/**
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("../room/session.js").Session} Session
 */

export class Hands {
  /** @param {HTMLElement} root @param {Page} page @param {Session} session @param {(error: unknown) => void} failed */
  constructor(root, page, session, failed) {
    this.#root = root;
    this.#page = page;
    this.#session = session;
    this.#failed = failed;
    root.setAttribute("aria-live", "polite");
  }

  #root;
  #page;
  #session;
  #failed;
  #drawn = "";

  render() {
    const { hands } = this.#session.state;
    const shape = hands.map((hand) => `${hand.seat}/${hand.pupil}`).join(" ");
    if (shape !== this.#drawn || hands.length === 0) this.#draw(shape);
    hands.forEach((hand, index) => {
      const since = this.#root.querySelectorAll("time")[index];
      if (since) since.textContent = duration(this.#session.roomMs() - hand.t);
    });
  }

  /** @param {string} shape */
  #draw(shape) {
    if (shape === this.#drawn && this.#root.childElementCount > 0) return;
    this.#drawn = shape;
    const { hands } = this.#session.state;
    const items = hands.map((hand) => this.#item(hand));
    this.#root.replaceChildren(...(items.length > 0 ? items : [el("li", { class: "muted", text: this.#page.t("hands_none") })]));
  }

  /** @param {import("../room/state.js").Hand} hand */
  #item(hand) {
    const { t, icon } = this.#page;
    const who = el("b", { text: this.#session.nameOf(hand.seat) });
    const what = el("span", { text: hand.pupil === null ? t("hand") : t("hand_pupil", { pupil: hand.pupil }) });
    const give = el("button", { class: "button primary", type: "button", text: t("floor_give"), onclick: () => this.#wish("floor.give", hand.seat) });
    const lower = el("button", { class: "button quiet square", type: "button", "aria-label": t("hand_lower"), title: t("hand_lower"), onclick: () => this.#wish("hand.lower", hand.seat) }, icon("close"));
    return el("li", { class: "hand-row" }, icon("hand"), el("span", { class: "grow" }, who, what, el("time", { class: "num" })), give, lower);
  }

  /** @param {string} kind @param {string} seat */
  #wish(kind, seat) {
    this.#session.do(kind, { seat }).catch(this.#failed);
  }
}
