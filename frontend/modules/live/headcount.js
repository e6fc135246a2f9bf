// 应到 / 实到: tap the seat numbers that are empty. Pupils are seat numbers here, never names.

import { el, need, setText, show } from "./dom.js";

/**
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("../room/session.js").Session} Session
 * @typedef {import("./banner.js").Notices} Notices
 */

const MOST = 99;

export class Headcount {
  /** @param {Page} page @param {Session} session @param {Notices} notices */
  constructor(page, session, notices) {
    this.#page = page;
    this.#session = session;
    this.#notices = notices;
    need("count-more").addEventListener("click", () => this.#expect(1));
    need("count-fewer").addEventListener("click", () => this.#expect(-1));
    need("count-send").addEventListener("click", () => this.#send());
  }

  #page;
  #session;
  #notices;
  /** @type {number | null} null until the lesson said how many are on the roll */
  #expected = null;
  /** @type {Set<number>} */
  #absent = new Set();
  #drawn = -1;
  #touched = false;

  render() {
    const sent = this.#session.state.headcounts[this.#session.roomSeat];
    if (this.#expected === null && this.#session.room) {
      this.#expected = sent ? sent.expected : this.#session.room.expected;
      this.#absent = new Set(sent ? sent.absent_seats : []);
    }
    if (this.#expected === null) return;
    if (this.#drawn !== this.#expected) this.#draw(this.#expected);
    const { t } = this.#page;
    setText(need("count-expected"), String(this.#expected));
    setText(need("count-present"), String(this.#expected - this.#absent.size));
    show(need("count-sent"), sent !== undefined && !this.#touched);
    if (sent) setText(need("count-sent-text"), t("count_sent", { present: sent.present, expected: sent.expected }));
    need("count-send").toggleAttribute("disabled", !this.#session.joined || (sent !== undefined && !this.#touched));
  }

  /** @param {number} expected */
  #draw(expected) {
    this.#drawn = expected;
    const seats = [];
    for (let seat = 1; seat <= expected; seat++) {
      const absent = this.#absent.has(seat);
      const label = this.#page.t("count_seat", { seat });
      seats.push(el("button", { class: "seat", type: "button", "aria-pressed": String(absent), "aria-label": label, text: seat, onclick: (event) => this.#tap(event.currentTarget, seat) }));
    }
    need("count-seats").replaceChildren(...seats);
  }

  /** @param {HTMLElement} button @param {number} seat */
  #tap(button, seat) {
    if (!this.#absent.delete(seat)) this.#absent.add(seat);
    button.setAttribute("aria-pressed", String(this.#absent.has(seat)));
    this.#touched = true;
    this.render();
  }

  /** @param {number} step */
  #expect(step) {
    this.#expected = Math.min(MOST, Math.max(0, (this.#expected ?? 0) + step));
    for (const seat of this.#absent) if (seat > this.#expected) this.#absent.delete(seat);
    this.#touched = true;
    this.render();
  }

  async #send() {
    const expected = this.#expected ?? 0;
    const absent = [...this.#absent].sort((a, b) => a - b);
    try {
      await this.#session.do("headcount", { expected, present: expected - absent.length, absent_seats: absent });
      this.#touched = false;
      this.#notices.say(this.#page.t("count_thanks"), "good");
    } catch (error) {
      this.#notices.failed(error);
    }
    this.render();
  }
}
