// Puts the replay of one lesson together on the lesson's page: asks for it, makes the player, keeps every part at its time.

import { setText, show } from "../live/dom.js";
import { duration } from "../live/texts.js";
import { ask } from "../pages/confirm.js";
import { Chat } from "./chat.js";
import { Controls } from "./controls.js";
import { Player } from "./player.js";
import { Log, Slides } from "./slides.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("./player.js").Replay} Replay */

/** A lesson still being recorded grows; the manifest is asked for again this often. */
const EXTEND_MS = 5000;
const REMEMBER_MS = 3000;
const NOTE_MS = 5000;
/** Nearer to the beginning or the end nobody wants to be taken back to. */
const WORTH_RESUMING_MS = 10_000;

class Page {
  /** @param {HTMLElement} root @param {Record<string, string>} texts */
  constructor(root, texts) {
    this.root = root;
    this.#texts = texts;
    this.lesson = root.dataset.lesson ?? "";
  }

  #texts;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #noteTimer;

  /** @param {string} key @param {Record<string, string | number>} [params] */
  t = (key, params = {}) => {
    const sentence = this.#texts[`replay.${key}`];
    if (sentence === undefined) return key;
    return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
  };

  /** @template {Element} T @param {string} name @param {{new (): T}} type @returns {T} */
  part(name, type) {
    const found = this.root.querySelector(`[data-replay="${name}"]`);
    if (!(found instanceof type)) throw new Error(`the player has no ${name}`);
    return found;
  }

  /** @param {string} text */
  note(text) {
    const note = this.part("note", HTMLElement);
    setText(note, text);
    note.hidden = false;
    clearTimeout(this.#noteTimer);
    this.#noteTimer = setTimeout(() => (note.hidden = true), NOTE_MS);
  }

  /** Instead of the player: one sentence. @param {string} key */
  empty(key) {
    show(this.part("player", HTMLElement), false);
    show(this.part("extras", HTMLElement), false);
    setText(this.part("empty-text", HTMLElement), this.t(key));
    show(this.part("empty", HTMLElement), true);
  }

  /** @returns {Promise<Replay | null>} */
  async ask() {
    try {
      const response = await fetch(`/api/v1/lessons/${this.lesson}/replay`, { credentials: "same-origin" });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }
}

/** @param {Page} page */
async function start(page) {
  const replay = await page.ask();
  if (!replay) return page.empty("unavailable");
  if (replay.to_ms <= replay.from_ms) return page.empty("nothing");
  if (!("MediaSource" in window)) return page.empty("old_browser");
  show(page.part("empty", HTMLElement), false);
  show(page.part("player", HTMLElement), true);
  show(page.part("extras", HTMLElement), true);
  run(page, replay);
}

/** @param {Page} page @param {Replay} replay */
function run(page, replay) {
  const { t } = page;
  const camera = page.part("camera", HTMLVideoElement);
  const screen = page.part("screen", HTMLVideoElement);
  const elements = new Map(
    /** @type {[string, HTMLMediaElement][]} */ ([
      ["camera", camera],
      ["screen", screen],
      ["mic", page.part("mic", HTMLAudioElement)],
      ["screen-audio", page.part("screen-audio", HTMLAudioElement)],
    ]),
  );
  const player = new Player(replay, elements);
  const log = new Log(replay.ops);
  const image = page.part("slide", HTMLImageElement);
  const slides = new Slides(image, replay.decks, (title, number) => t("chapter", { title, page: number }));
  const seek = (/** @type {number} */ ms) => player.seek(ms);
  const timeline = new Timeline(
    {
      range: page.part("range", HTMLInputElement),
      drawing: page.part("drawing", SVGSVGElement),
      list: page.part("chapters", HTMLElement),
      empty: page.part("chapters-empty", HTMLElement),
    },
    { t, seek },
  );
  const nameOf = (/** @type {string} */ seat) => replay.names[seat] ?? t("somebody");
  const chat = new Chat(page.part("chat", HTMLElement), page.part("chat-empty", HTMLElement), {
    nameOf,
    erased: t("erased"),
    from_ms: replay.from_ms,
    seek,
    erase: t("erase"),
    onErase: replay.may_erase ? (line) => takeBack(page, line, () => {
      log.forget(line.seq);
      render();
    }) : null,
  });
  const controls = new Controls(page.part("player", HTMLElement), player, timeline, t);
  timeline.draw(replay);

  const render = () => {
    const ms = player.room_ms;
    const state = log.at(ms);
    timeline.show(ms, false);
    controls.showTime(ms);
    chat.show(state);
    layOut(page, player, slides.show(state));
  };
  player.addEventListener("position", render);
  player.addEventListener("state", render);
  player.addEventListener("jump", (event) => {
    const { from_ms, to_ms, cause } = /** @type {CustomEvent} */ (event).detail;
    const seconds = Math.max(1, Math.round((to_ms - from_ms) / 1000));
    page.note(t("jumped", { seconds, cause: t(`cause_${cause}`) }));
  });
  player.addEventListener("trouble", (event) => {
    if (/** @type {CustomEvent} */ (event).detail.trouble) page.note(t("trouble"));
  });
  page.part("stage", HTMLElement).addEventListener("click", () => controls.toggle());
  if (replay.state === "recording") keepGrowing(page, player, log, timeline);
  remember(page, player);
  controls.render();
  render();
  Object.assign(page.root, { player });
  page.root.dataset.ready = "true";
}

/** A line's words, for everybody and for good: asked for once more, because it cannot be undone.
 * @param {Page} page @param {import("../room/state.js").Line} line @param {() => void} done */
function takeBack(page, line, done) {
  const by = document.activeElement;
  if (!(by instanceof HTMLElement)) return;
  ask(document, page.t("erase_sure", { text: line.text }), by, page.t("erase"), async () => {
    const answer = await fetch(`/api/v1/lessons/${page.lesson}/replay/chat/${line.seq}`, {
      method: "DELETE",
      headers: { Accept: "application/json", "X-CSRF": document.querySelector("meta[name=csrf]")?.getAttribute("content") ?? "" },
    }).catch(() => null);
    if (answer?.ok) done();
    else page.note(page.t("erase_failed"));
  });
}

/** Slides take the middle, then the shared screen, then the camera; the camera stands aside while it is not the middle.
 * @param {Page} page @param {Player} player @param {boolean} slide */
function layOut(page, player, slide) {
  const screen = player.shows("screen");
  const camera = player.shows("camera");
  const main = screen ? "screen" : slide ? "slide" : camera ? "camera" : "none";
  const stage = page.part("stage", HTMLElement);
  if (stage.dataset.main !== main) stage.dataset.main = main;
  stage.toggleAttribute("data-camera", camera && main !== "camera");
  const gap = player.gapOf("camera") ?? player.gapOf("mic");
  const label = page.part("gap", HTMLElement);
  show(label, gap !== null);
  if (gap) setText(label, page.t("gap", { cause: page.t(`cause_${gap.cause}`) }));
  show(page.part("no-picture", HTMLElement), main === "none");
}

/** @param {Page} page @param {Player} player @param {Log} log @param {Timeline} timeline */
function keepGrowing(page, player, log, timeline) {
  const timer = setInterval(async () => {
    const replay = await page.ask();
    if (!replay || replay.to_ms < player.replay.to_ms) return;
    player.extend(replay);
    log.ops = replay.ops;
    timeline.draw(replay);
    if (replay.state === "closed") clearInterval(timer);
  }, EXTEND_MS);
}

/** Where somebody stopped, in this browser only. @param {Page} page @param {Player} player */
function remember(page, player) {
  const key = `replay:${page.lesson}`;
  const { from_ms, to_ms } = player.replay;
  const stopped = Number(read(key) ?? NaN);
  if (stopped > from_ms + WORTH_RESUMING_MS && stopped < to_ms - WORTH_RESUMING_MS) {
    player.seek(stopped);
    page.note(page.t("resumed", { at: duration(stopped - from_ms) }));
  }
  const note = () => write(key, String(Math.round(player.room_ms)));
  let last = 0;
  player.addEventListener("position", () => {
    if (!player.playing || Date.now() - last < REMEMBER_MS) return;
    last = Date.now();
    note();
  });
  player.addEventListener("state", () => {
    if (!player.playing && last > 0) note();
  });
  player.addEventListener("ended", () => write(key, String(from_ms)));
}

/** Storage may be forbidden; then nothing is remembered. @param {string} key */
function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}

const root = document.getElementById("replay");
const texts = JSON.parse(document.getElementById("replay-texts")?.textContent ?? "{}");
if (root) void start(new Page(root, texts));
