// The banner: what is wrong and the one thing to do, announced to screen readers when it changes; and short notices that go
// by themselves.

import { el } from "./dom.js";
import { errorText, whyText } from "./texts.js";

/**
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("./troubles.js").Trouble} Trouble
 * @typedef {import("./troubles.js").Action} Action
 */

const ICONS = { bad: "error", caution: "warning", note: "info", good: "mic" };
const NOTICE_MS = 6000;

export class Banner {
  /**
   * @param {HTMLElement} root
   * @param {Page} page
   * @param {Partial<Record<NonNullable<Action>, () => void>>} actions
   * @param {number} [most] troubles shown at once
   */
  constructor(root, page, actions, most = 2) {
    this.#root = root;
    this.#page = page;
    this.#actions = actions;
    this.#most = most;
    root.setAttribute("aria-live", "assertive");
  }

  #root;
  #page;
  #actions;
  #most;
  #shown = "";

  /** @param {Trouble[]} troubles */
  render(troubles) {
    const first = troubles.slice(0, this.#most);
    // A counting clock inside a sentence must not be announced every second: its text alone is replaced.
    const shape = first.map((one) => `${one.key}/${one.level}/${one.action}`).join(" ");
    if (shape !== this.#shown) {
      this.#shown = shape;
      this.#root.replaceChildren(...first.map((one) => this.#element(one)));
    }
    first.forEach((one, index) => this.#text(one, index));
    this.#root.hidden = first.length === 0;
  }

  /** @param {Trouble} trouble */
  #element({ level, action }) {
    const { t, icon } = this.#page;
    const run = action ? this.#actions[action] : undefined;
    const button = run ? el("button", { class: "button", type: "button", text: t(`do_${action}`), onclick: run }) : null;
    return el("div", { class: `banner ${level}` }, icon(ICONS[level]), el("p", { class: "banner-body" }), button);
  }

  /** @param {Trouble} trouble @param {number} index */
  #text({ key, params, sentence }, index) {
    const { t } = this.#page;
    const text = key.startsWith("why_") ? whyText(t, key.slice(4), sentence) : t(key, params);
    const body = this.#root.children[index].querySelector(".banner-body");
    if (body && body.textContent !== text) body.textContent = text;
  }
}

export class Notices {
  /** @param {HTMLElement} root @param {Page} page */
  constructor(root, page) {
    this.#root = root;
    this.#page = page;
    root.setAttribute("role", "status");
  }

  #root;
  #page;

  /** @param {string} text @param {"bad" | "caution" | "note" | "good"} [level] */
  say(text, level = "note") {
    const banner = el("div", { class: `banner ${level}` }, this.#page.icon(ICONS[level] === "mic" ? "check-circle" : ICONS[level]), el("p", { text }));
    this.#root.replaceChildren(banner);
    setTimeout(() => banner.remove(), NOTICE_MS);
  }

  /** For the catch of a wish. @param {unknown} error */
  failed = (error) => {
    const code = /** @type {any} */ (error)?.code;
    this.say(errorText(this.#page.t, typeof code === "string" ? code : "other"), "bad");
  };
}
