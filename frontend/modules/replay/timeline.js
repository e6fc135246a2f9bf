// The seek bar: a range input (so that keyboards and screen readers work by themselves) over a drawing of what is there:
// recorded parts, marked gaps, chapters. And the list of chapters, made of page turns.

import { el } from "../live/dom.js";
import { duration } from "../live/texts.js";

/**
 * @typedef {import("./player.js").Replay} Replay
 * @typedef {{ms: number, deck: string, page: number, title: string}} Chapter
 */

const SVG = "http://www.w3.org/2000/svg";
/** A page shown for less was only leafed past. */
export const LEAFED_MS = 3000;

/**
 * Page turns that lasted, in order.
 * @param {Replay} replay
 * @returns {Chapter[]}
 */
export function chapters(replay) {
  /** @type {Chapter[]} */
  const all = [];
  let deck = "";
  let title = "";
  for (const op of replay.ops) {
    if (op.kind === "deck.open") {
      deck = op.body.deck;
      title = op.body.title;
      all.push({ ms: op.t, deck, page: 1, title });
    } else if (op.kind === "deck.close") {
      deck = "";
    } else if (op.kind === "page.turn" && deck) {
      all.push({ ms: op.t, deck, page: op.body.page, title });
    }
  }
  const lasted = all.filter((one, i) => i === all.length - 1 || all[i + 1].ms - one.ms >= LEAFED_MS);
  return lasted
    .filter((one, i) => i === 0 || one.deck !== lasted[i - 1].deck || one.page !== lasted[i - 1].page)
    .map((one) => ({ ...one, ms: Math.max(one.ms, replay.from_ms) }));
}

export class Timeline {
  /**
   * @param {{range: HTMLInputElement, drawing: SVGSVGElement, list: HTMLElement, empty: HTMLElement}} parts
   * @param {{t: (key: string, params?: Record<string, string | number>) => string, seek: (ms: number) => void}} given
   */
  constructor(parts, given) {
    this.#parts = parts;
    this.#given = given;
    parts.range.addEventListener("input", () => this.#given.seek(Number(parts.range.value)));
  }

  #parts;
  #given;
  /** @type {Chapter[]} */
  chapters = [];
  #from = 0;
  /** @type {HTMLElement[]} */
  #items = [];
  #current = -1;

  /** @param {Replay} replay */
  draw(replay) {
    const { range, drawing, list, empty } = this.#parts;
    this.#from = replay.from_ms;
    this.chapters = chapters(replay);
    range.min = String(replay.from_ms);
    range.max = String(replay.to_ms);
    drawing.setAttribute("viewBox", `0 0 ${Math.max(1, replay.to_ms - replay.from_ms)} 10`);
    drawing.replaceChildren(...this.#gaps(replay), ...this.chapters.map((one) => this.#bar("chapter", one.ms, one.ms)));
    this.#items = this.chapters.map((chapter) => this.#item(chapter));
    list.replaceChildren(...this.#items);
    empty.hidden = this.#items.length > 0;
    this.#current = -1;
  }

  /** @param {Replay} replay */
  #gaps(replay) {
    // A shared screen and its sound come and go: the teacher's voice tells what is missing.
    const voice = replay.tracks.find((track) => track.track === "mic" && track.fragments.length > 0);
    const from = voice ?? replay.tracks[0];
    return from ? from.gaps.map((gap) => this.#bar("gap", gap.from_ms, gap.to_ms, this.cause(gap.cause))) : [];
  }

  /** @param {string} cause */
  cause(cause) {
    return this.#given.t(`cause_${cause}`);
  }

  /** @param {string} kind @param {number} from @param {number} to @param {string} [title] */
  #bar(kind, from, to, title = "") {
    const bar = document.createElementNS(SVG, "rect");
    const least = Number(this.#parts.range.max) - Number(this.#parts.range.min);
    bar.setAttribute("class", kind);
    bar.setAttribute("x", String(from - this.#from));
    bar.setAttribute("width", String(Math.max(to - from, least / 400)));
    bar.setAttribute("height", "10");
    if (title) {
      const text = document.createElementNS(SVG, "title");
      text.textContent = title;
      bar.append(text);
    }
    return bar;
  }

  /** @param {Chapter} chapter */
  #item(chapter) {
    const text = this.#given.t("chapter", { page: chapter.page, title: chapter.title });
    return el(
      "li",
      {},
      el("button", { type: "button", class: "replay-line", onclick: () => this.#given.seek(chapter.ms) },
        el("span", { class: "replay-line-time num", text: duration(chapter.ms - this.#from) }),
        el("span", { text })),
    );
  }

  /** @param {number} ms @param {boolean} dragging */
  show(ms, dragging) {
    const { range } = this.#parts;
    if (!dragging) range.value = String(ms);
    const text = this.#given.t("position", { at: duration(ms - this.#from), of: duration(Number(range.max) - this.#from) });
    if (range.getAttribute("aria-valuetext") !== text) range.setAttribute("aria-valuetext", text);
    const current = this.chapters.reduce((found, one, i) => (one.ms <= ms ? i : found), -1);
    if (current === this.#current) return;
    this.#items[this.#current]?.querySelector("button")?.removeAttribute("aria-current");
    this.#items[current]?.querySelector("button")?.setAttribute("aria-current", "true");
    this.#current = current;
  }

  /** The chapter before or after `ms`. @param {number} ms @param {-1 | 1} way */
  neighbour(ms, way) {
    if (way > 0) return this.chapters.find((one) => one.ms > ms + 500)?.ms ?? null;
    const before = this.chapters.filter((one) => one.ms < ms - 2000);
    return before.length ? before[before.length - 1].ms : this.#from;
  }
}
