// A receiving classroom's screen in a lesson, for the kiosk and for a room that came by a link. It captures, so that the
// browser lets it play sound without a click; its microphone opens only with the floor.

import { Banner, Notices } from "./banner.js";
import { need, setText, show } from "./dom.js";
import { getsText, showLight } from "./light.js";
import { checkPath, openSession } from "./page.js";
import { Slides } from "./slides.js";
import { Stage } from "./stage.js";
import { duration } from "./texts.js";
import { factsOf, troubles } from "./troubles.js";
import { Endpoint } from "../media/endpoint.js";
import { REOPEN_WITHIN_MS } from "../room/state.js";

/** @typedef {import("./page.js").Page} Page */

const PATIENCE_MS = 3000;

export class Classroom {
  /** @param {Page} page @param {string} lesson */
  constructor(page, lesson) {
    this.#page = page;
    this.lesson = lesson;
    this.session = openSession(page, lesson, "class");
    this.endpoint = new Endpoint(this.session, { publishes: "class", changed: () => this.#soon() });
    const slides = new Slides(lesson, () => this.session.decks);
    this.#stage = new Stage(need("stage"), page, this.session, this.endpoint, slides);
    this.#notices = new Notices(need("notices"), page);
    this.#banner = new Banner(
      need("banner"),
      page,
      {
        retry: () => this.session.start(),
        here: () => this.session.start(),
        reload: () => location.reload(),
        devices: () => void this.endpoint.openDevices(),
        path: checkPath,
      },
      1,
    );
    this.#clicks = new AbortController();
    this.#onClick("unlock", () => void this.endpoint.unlock());
    this.#onClick("room-hand", () => this.#hand());
    this.#onClick("room-seat", () => this.#wish("floor.take", { seat: this.session.roomSeat }));
    this.#onClick("room-unheard", () => this.#wish("signal", { what: "unheard" }));
    this.session.watch(() => this.#soon());
    this.#timer = setInterval(() => this.#soon(), 1000);
    // The camera is opened before the line, so that sound may play with the first packet; but a browser that still asks for
    // permission must not keep the room out.
    const patience = new Promise((done) => setTimeout(done, PATIENCE_MS));
    void Promise.race([this.endpoint.openDevices(), patience]).finally(() => this.#closed || this.session.start());
  }

  #page;
  #stage;
  #notices;
  #banner;
  #clicks;
  #timer;
  #waiting = false;
  #closed = false;

  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#clicks.abort();
    this.session.stop();
    this.endpoint.close();
    need("stage").replaceChildren();
    this.#banner.render([]);
    show(need("unlock"), false);
  }

  #soon() {
    if (this.#waiting || this.#closed) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      if (!this.#closed) this.#render();
    });
  }

  #render() {
    const { session, endpoint } = this;
    // Blocked sound has a button of its own that nobody can miss.
    const found = troubles(factsOf(session, endpoint, REOPEN_WITHIN_MS)).filter((one) => one.key !== "sound_blocked");
    this.#banner.render(found);
    show(need("unlock"), endpoint.speaker.blocked);
    this.#stage.render();
    this.#head();
    this.#bar();
  }

  #head() {
    const { spec, state } = this.session;
    const { t } = this.#page;
    if (!spec) return;
    document.title = spec.title;
    setText(need("room-title"), spec.title);
    setText(need("room-teacher"), `${spec.school} · ${spec.teacher}`);
    const running = state.phase === "live" && state.opened_ms !== null;
    setText(need("room-elapsed"), running ? duration(this.session.roomMs() - (state.opened_ms ?? 0)) : t(`phase_${state.phase}`));
    const present = this.session.joined ? this.session.presence(this.session.seat) : undefined;
    showLight(need("room-light"), this.#page, present, undefined, getsText(this.#page, present));
  }

  #bar() {
    const { session } = this;
    const { t } = this.#page;
    const live = session.state.phase === "live";
    document.body.dataset.floor = String(session.hasFloor);
    show(need("room-seat"), session.hasFloor);
    show(need("room-hand"), live && !session.hasFloor);
    show(need("room-unheard"), live);
    need("room-hand").setAttribute("aria-pressed", String(session.handUp));
    const label = need("room-hand").querySelector("span");
    if (label) setText(label, t(session.handUp ? "hand_lower" : "hand_raise"));
  }

  #hand() {
    this.#wish(this.session.handUp ? "hand.lower" : "hand.raise", this.session.handUp ? {} : { pupil: null });
  }

  /** @param {string} kind @param {import("../protocol/messages.js").Body} body */
  #wish(kind, body) {
    this.session.do(kind, body).then(() => kind === "signal" && this.#notices.say(this.#page.t("signal_sent"), "good"), this.#notices.failed);
  }

  /** @param {string} id @param {() => void} run */
  #onClick(id, run) {
    need(id).addEventListener("click", run, { signal: this.#clicks.signal });
  }
}
