// The slides dialog of the teacher: which deck, which page. Page pictures are small copies of the same images.

import { el, needAs, setText } from "./dom.js";

/**
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("../room/session.js").Session} Session
 * @typedef {import("./slides.js").Slides} Slides
 */

/** @param {import("../protocol/messages.js").Deck} deck */
function ready(deck) {
  return deck.state === undefined || deck.state === "ready";
}

export class Decks {
  /** @param {Page} page @param {Session} session @param {Slides} slides @param {(error: unknown) => void} failed */
  constructor(page, session, slides, failed) {
    this.#page = page;
    this.#session = session;
    this.#slides = slides;
    this.#failed = failed;
  }

  #page;
  #session;
  #slides;
  #failed;
  #dialog = needAs("decks", HTMLDialogElement);
  #drawn = "";

  open() {
    this.#session.refreshDecks().catch(() => {});
    this.#drawn = "";
    this.render();
    this.#dialog.showModal();
  }

  /** One page on (+1) or back (-1); the first key opens the only deck there is. @param {number} step */
  turn(step) {
    const { deck, page, phase } = this.#session.state;
    const decks = this.#session.decks.filter(ready);
    if (phase !== "live") return;
    if (!deck) {
      if (decks.length === 1 && step > 0) this.#open(decks[0]);
      return;
    }
    const next = page + step;
    if (next >= 1 && next <= deck.pages) this.#go(next);
  }

  render() {
    if (!this.#dialog.open && this.#drawn !== "") return;
    const { deck, page } = this.#session.state;
    const shape = `${deck?.id}/${page}/${this.#session.decks.map((one) => `${one.id}${one.state}`).join()}`;
    if (shape === this.#drawn) return;
    this.#drawn = shape;
    const body = this.#dialog.querySelector(".dialog-body");
    body?.replaceChildren(this.#list(), ...(deck ? [this.#pages(deck, page)] : []));
  }

  #list() {
    const { t, icon } = this.#page;
    const { decks } = this.#session;
    if (decks.length === 0) return el("p", { class: "muted", text: t("decks_none") });
    const openNow = this.#session.state.deck?.id;
    const items = decks.map((deck) => {
      const now = deck.id === openNow;
      const title = el("span", { class: "grow", text: deck.title });
      if (!ready(deck)) {
        const why = deck.state === "refused" ? deck.message || t("decks_refused") : t("decks_rendering");
        return el("li", { class: "deck-row" }, icon("slides"), title, el("span", { class: "muted", text: why }));
      }
      const pages = el("span", { class: "muted num", text: t("decks_pages", { pages: deck.pages }) });
      const button = el("button", { class: "button", type: "button", text: t(now ? "decks_close" : "decks_open"), onclick: () => (now ? this.#close() : this.#open(deck)) });
      return el("li", { class: "deck-row" }, icon("slides"), title, pages, button);
    });
    return el("ul", { class: "deck-list" }, ...items);
  }

  /** @param {import("../room/state.js").Deck} deck @param {number} page */
  #pages(deck, page) {
    const { t } = this.#page;
    const buttons = [];
    for (let number = 1; number <= deck.pages; number++) {
      const picture = el("img", { src: this.#slides.source(deck.id, number), alt: "", loading: "lazy" });
      const label = t("page_of", { page: number, pages: deck.pages });
      const current = number === page ? "true" : null;
      buttons.push(el("button", { class: "page-thumb", type: "button", "aria-label": label, "aria-current": current, onclick: () => this.#go(number) }, picture, el("span", { class: "num", text: number })));
    }
    return el("div", { class: "page-thumbs" }, ...buttons);
  }

  /** @param {HTMLElement} prev @param {HTMLElement} next @param {HTMLElement} number the bar's page controls */
  pager(prev, next, number) {
    const { deck, page, phase } = this.#session.state;
    const usable = deck !== null && phase === "live";
    for (const [button, allowed] of /** @type {[HTMLElement, boolean][]} */ ([[prev, page > 1], [next, page < (deck?.pages ?? 0)]])) {
      button.toggleAttribute("disabled", !usable || !allowed);
    }
    setText(number, deck ? `${page} / ${deck.pages}` : "–");
  }

  /** @param {import("../protocol/messages.js").Deck} deck */
  #open(deck) {
    this.#session.do("deck.open", { deck: deck.id, pages: deck.pages, title: deck.title }).catch(this.#failed);
    this.#dialog.close();
  }

  #close() {
    this.#session.do("deck.close").catch(this.#failed);
    this.#dialog.close();
  }

  /** @param {number} page */
  #go(page) {
    this.#session.do("page.turn", { page }).catch(this.#failed);
  }
}
