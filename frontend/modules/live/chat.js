// The chat: lines of the room's state, newest at the bottom; the teacher may take one back. Text only, never markup.

import { el } from "./dom.js";
import { shortTime } from "./texts.js";

/**
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("../room/session.js").Session} Session
 */

export class Chat {
  /**
   * @param {HTMLElement} root
   * @param {Page} page
   * @param {Session} session
   * @param {(error: unknown) => void} failed
   */
  constructor(root, page, session, failed) {
    this.#page = page;
    this.#session = session;
    this.#failed = failed;
    this.#list = el("ol", { class: "chat-lines", "aria-live": "polite", "aria-label": page.t("chat") });
    this.#empty = el("p", { class: "chat-empty", text: page.t("chat_empty_yet") });
    this.#input = el("input", { class: "input", maxlength: 500, autocomplete: "off", "aria-label": page.t("chat_write"), placeholder: page.t("chat_write") });
    const send = el("button", { class: "button", text: page.t("chat_send") });
    const form = el("form", { class: "chat-form", onsubmit: (event) => this.#say(event) }, this.#input, send);
    root.replaceChildren(this.#empty, this.#list, form);
  }

  #page;
  #session;
  #failed;
  #list;
  #empty;
  #input;
  /** @type {Map<number, {item: HTMLElement, erased: boolean}>} */
  #lines = new Map();

  render() {
    const { chat } = this.#session.state;
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    const kept = new Set(chat.map((line) => line.seq));
    for (const [seq, { item }] of this.#lines) {
      if (kept.has(seq)) continue;
      item.remove();
      this.#lines.delete(seq);
    }
    for (const line of chat) this.#renderLine(line);
    this.#empty.hidden = chat.length > 0;
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** @param {import("../room/state.js").Line} line */
  #renderLine(line) {
    const known = this.#lines.get(line.seq);
    if (known && known.erased === line.erased) return;
    const item = this.#item(line);
    if (known) known.item.replaceWith(item);
    else this.#list.append(item);
    this.#lines.set(line.seq, { item, erased: line.erased });
  }

  /** @param {import("../room/state.js").Line} line */
  #item(line) {
    const { t, icon } = this.#page;
    const at = shortTime(this.#session.wallMs() - this.#session.roomMs() + line.t);
    const who = el("b", { text: this.#session.nameOf(line.by) || t("chat_somebody") });
    const when = el("time", { text: at });
    const text = el("p", { class: line.erased ? "erased" : "", text: line.erased ? t("chat_erased") : line.text });
    const mayErase = this.#session.role === "teacher" && !line.erased;
    const erase = mayErase
      ? el("button", { class: "button quiet square", type: "button", "aria-label": t("chat_erase"), title: t("chat_erase"), onclick: () => this.#erase(line.seq) }, icon("close"))
      : null;
    return el("li", {}, el("div", { class: "chat-who" }, who, when, erase), text);
  }

  /** @param {Event} event */
  async #say(event) {
    event.preventDefault();
    const text = this.#input.value.trim();
    if (!text) return;
    this.#input.value = "";
    try {
      await this.#session.do("chat.say", { text });
    } catch (error) {
      this.#input.value ||= text;
      this.#failed(error);
    }
  }

  /** @param {number} seq */
  #erase(seq) {
    this.#session.do("chat.erase", { seq }).catch(this.#failed);
  }
}
