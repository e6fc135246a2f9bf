// The stage: slide, shared screen or teacher in the middle, teacher and rooms with the floor beside it. The same on every
// page; what it shows is plan.js, who can be seen is the endpoint.

import { el, setText, show, showTrack, videoElement } from "./dom.js";
import { plan } from "./plan.js";

/**
 * @typedef {import("./plan.js").View} View
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("../room/session.js").Session} Session
 * @typedef {import("../media/endpoint.js").Endpoint} Endpoint
 * @typedef {import("./slides.js").Slides} Slides
 * @typedef {{figure: HTMLElement, video: HTMLVideoElement, caption: HTMLElement, note: HTMLElement, speaks: HTMLElement}} Shown
 */

export class Stage {
  /**
   * @param {HTMLElement} root an empty section
   * @param {Page} page
   * @param {Session} session
   * @param {Endpoint} endpoint
   * @param {Slides} slides
   */
  constructor(root, page, session, endpoint, slides) {
    this.#root = root;
    this.#page = page;
    this.#session = session;
    this.#endpoint = endpoint;
    this.#slides = slides;
    this.#picture = el("img", { class: "stage-slide", alt: "", hidden: true });
    // A page that did not come (no network just now) is asked for again; until then the one before stays.
    this.#picture.onerror = () => setTimeout(() => this.#again(), 1500);
    this.#video = videoElement();
    this.#video.className = "stage-video";
    show(this.#video, false);
    this.#note = el("p", { class: "stage-note" });
    setText(this.#note, page.t("stage_entering")); // until the room has answered: no black page without a word
    this.#speaksName = el("span");
    this.#speaks = el("p", { class: "speaks", hidden: true }, page.icon("mic"), this.#speaksName);
    this.#main = el("div", { class: "stage-main" }, this.#picture, this.#video, this.#note, this.#speaks);
    this.#side = el("div", { class: "stage-side" });
    root.replaceChildren(this.#main, this.#side);
  }

  #root;
  #page;
  #session;
  #endpoint;
  #slides;
  #picture;
  #video;
  #note;
  #speaks;
  #speaksName;
  #main;
  #side;
  /** @type {Map<string, Shown>} */
  #shown = new Map();
  #prefetched = "";
  #ahead = "";

  render() {
    const { state, spec } = this.#session;
    if (!spec) return;
    this.#prefetch();
    const screen = this.#endpoint.track(spec.teacher_seat, "screen") !== null;
    const { main, side } = plan(state, spec.teacher_seat, screen);
    this.#root.dataset.main = main;
    this.#root.dataset.side = side.length > 0 ? "some" : "none";
    this.#renderMain(main, spec.teacher_seat);
    this.#renderSide(side);
    this.#renderSpeaker(side);
  }

  /** Who speaks and has no picture at the side: the teacher in full size, or a room whose picture this page does not show. @param {View[]} side */
  #renderSpeaker(side) {
    const seat = this.#session.speaking.find((one) => one !== this.#session.seat && !side.some((view) => view.seat === one));
    show(this.#speaks, seat !== undefined);
    if (seat !== undefined) setText(this.#speaksName, this.#page.t("speaks", { name: this.#session.nameOf(seat) }));
  }

  /** Before any is opened, the first deck: the minutes before the bell are a weak link's best time. */
  #prefetch() {
    const first = this.#session.decks.find((deck) => deck.pages > 0 && deck.urls.length > 0);
    if (this.#session.state.deck || !first || this.#prefetched === first.id) return;
    this.#prefetched = first.id;
    this.#slides.ahead(first.id, 1, first.pages, this.#thin);
  }

  /** @param {import("./plan.js").Plan["main"]} main @param {string} teacher */
  #renderMain(main, teacher) {
    const moving = main === "camera" ? "camera" : main === "screen" ? "screen" : null;
    const track = moving ? this.#endpoint.track(teacher, moving) : null;
    showTrack(this.#video, track);
    show(this.#video, track !== null);
    show(this.#picture, main === "slide");
    if (main === "slide") this.#renderSlide();
    const note = this.#noteFor(main, track);
    setText(this.#note, note);
    show(this.#note, note !== "");
  }

  #renderSlide() {
    const { deck, page } = this.#session.state;
    if (!deck) return;
    const source = this.#slides.source(deck.id, page);
    if (this.#picture.dataset.page !== `${deck.id}/${page}`) {
      this.#picture.dataset.page = `${deck.id}/${page}`;
      this.#picture.src = source;
      this.#picture.alt = this.#page.t("slide_alt", { title: deck.title, page, pages: deck.pages });
    }
    const ahead = `${deck.id}/${page}/${this.#thin}`;
    if (this.#ahead === ahead) return;
    this.#ahead = ahead;
    this.#slides.ahead(deck.id, page, deck.pages, this.#thin);
  }

  /** No moving picture fits on this line any more. */
  get #thin() {
    const gets = this.#session.joined ? this.#session.presence(this.#session.seat)?.gets : undefined;
    return gets === "stills" || gets === "sound";
  }

  #again() {
    delete this.#picture.dataset.page;
    this.render();
  }

  /** @param {import("./plan.js").Plan["main"]} main @param {MediaStreamTrack | null} track */
  #noteFor(main, track) {
    const { t } = this.#page;
    if (main === "waiting") return t(this.#session.role === "teacher" ? "stage_waiting_teacher" : "stage_waiting");
    if (main === "closed") return t("stage_closed");
    if (main === "blank") return t("stage_blank");
    return main === "camera" && !track ? t("stage_no_camera") : "";
  }

  /** @param {View[]} views */
  #renderSide(views) {
    const keys = new Set(views.map((view) => `${view.seat} ${view.source}`));
    for (const [key, shown] of this.#shown) {
      if (keys.has(key)) continue;
      showTrack(shown.video, null);
      shown.figure.remove();
      this.#shown.delete(key);
    }
    for (const view of views) this.#renderView(view);
  }

  /** @param {View} view */
  #renderView(view) {
    const key = `${view.seat} ${view.source}`;
    const shown = this.#shown.get(key) ?? this.#newView(view);
    if (!this.#shown.has(key)) {
      this.#shown.set(key, shown);
      this.#side.append(shown.figure);
    }
    const track = this.#endpoint.track(view.seat, view.source);
    showTrack(shown.video, track);
    setText(shown.caption, this.#nameOf(view.seat));
    const speaks = this.#session.speaking.includes(view.seat);
    shown.figure.dataset.speaks = String(speaks);
    show(shown.speaks, speaks);
    show(shown.note, track === null);
    setText(shown.note, this.#page.t(this.#session.presence(view.seat) ? "tile_no_camera" : "tile_away"));
  }

  /** @param {View} view @returns {Shown} */
  #newView(view) {
    const video = videoElement();
    const caption = el("figcaption");
    const note = el("p", { class: "tile-away", hidden: true });
    const onFloor = this.#session.state.floor.includes(view.seat);
    const speaks = el("span", { class: "speaks", hidden: true }, this.#page.icon("mic"), el("span", { text: this.#page.t("speaking") }));
    const figure = el("figure", { class: onFloor ? "view floor" : "view" }, video, note, speaks, caption);
    return { figure, video, caption, note, speaks };
  }

  /** @param {string} seat */
  #nameOf(seat) {
    const name = this.#session.nameOf(seat);
    if (seat === this.#session.seat && this.#session.role !== "teacher") return this.#page.t("view_own", { name });
    return name;
  }
}
