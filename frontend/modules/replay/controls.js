// Buttons and keys of the player. Keys work wherever the player has the focus, and never while somebody types.

import { setText, show } from "../live/dom.js";
import { duration } from "../live/texts.js";
import { RATES } from "./player.js";

/**
 * @typedef {import("./player.js").Player} Player
 * @typedef {import("./timeline.js").Timeline} Timeline
 * @typedef {(key: string, params?: Record<string, string | number>) => string} Translate
 */

const STEP_MS = 5000;
const LEAP_MS = 10_000;

export class Controls {
  /** @param {HTMLElement} root @param {Player} player @param {Timeline} timeline @param {Translate} t */
  constructor(root, player, timeline, t) {
    this.#root = root;
    this.#player = player;
    this.#timeline = timeline;
    this.#t = t;
    this.#play = this.#button("play", () => this.toggle());
    this.#mute = this.#button("mute", () => player.setVolume(Number(this.#volume.value), !player.muted));
    this.#button("back", () => this.#by(-LEAP_MS));
    this.#button("on", () => this.#by(LEAP_MS));
    this.#button("full", () => this.#full());
    this.#volume = /** @type {HTMLInputElement} */ (this.#find("volume"));
    this.#volume.addEventListener("input", () => player.setVolume(Number(this.#volume.value), false));
    this.#rate = /** @type {HTMLSelectElement} */ (this.#find("rate"));
    this.#rate.addEventListener("change", () => player.setRate(Number(this.#rate.value)));
    root.addEventListener("keydown", (event) => this.#key(event));
    player.addEventListener("state", () => this.render());
  }

  #root;
  #player;
  #timeline;
  #t;
  #play;
  #mute;
  #volume;
  #rate;

  /** @param {string} name @returns {HTMLElement} */
  #find(name) {
    const found = this.#root.querySelector(`[data-replay="${name}"]`);
    if (!(found instanceof HTMLElement)) throw new Error(`the player has no ${name}`);
    return found;
  }

  /** @param {string} name @param {() => void} work */
  #button(name, work) {
    const button = this.#find(name);
    button.addEventListener("click", work);
    return button;
  }

  toggle() {
    if (this.#player.playing) this.#player.pause();
    else this.#player.play();
  }

  /** @param {number} ms */
  #by(ms) {
    this.#player.seek(this.#player.room_ms + ms);
  }

  /** @param {-1 | 1} way */
  #faster(way) {
    const at = RATES.findIndex((rate) => rate >= this.#player.rate);
    this.#player.setRate(RATES[Math.min(Math.max(at + way, 0), RATES.length - 1)]);
  }

  /** @param {-1 | 1} way */
  #chapter(way) {
    const ms = this.#timeline.neighbour(this.#player.room_ms, way);
    if (ms !== null) this.#player.seek(ms);
  }

  #full() {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.#root.requestFullscreen?.().catch(() => {});
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    const onRange = target instanceof HTMLInputElement;
    const onButton = target instanceof HTMLButtonElement || target instanceof HTMLSelectElement;
    /** @type {Record<string, (() => void) | undefined>} */
    const keys = {
      " ": onButton ? undefined : () => this.toggle(),
      k: () => this.toggle(),
      ArrowLeft: target === this.#volume || target === this.#rate ? undefined : () => this.#by(-STEP_MS),
      ArrowRight: target === this.#volume || target === this.#rate ? undefined : () => this.#by(STEP_MS),
      j: () => this.#by(-LEAP_MS),
      l: () => this.#by(LEAP_MS),
      Home: onRange ? () => this.#player.seek(this.#player.replay.from_ms) : undefined,
      m: () => this.#player.setVolume(Number(this.#volume.value), !this.#player.muted),
      f: () => this.#full(),
      "[": () => this.#chapter(-1),
      "]": () => this.#chapter(1),
      ",": () => this.#faster(-1),
      ".": () => this.#faster(1),
    };
    const work = keys[event.key];
    if (!work) return;
    event.preventDefault();
    work();
  }

  /** Buttons say what they would do now. */
  render() {
    const { playing, muted, rate, waiting } = this.#player;
    this.#face(this.#play, playing, playing ? "pause" : "play");
    this.#face(this.#mute, muted, muted ? "unmute" : "mute");
    this.#rate.value = String(rate);
    this.#root.dataset.state = waiting ? "waiting" : playing ? "playing" : "paused";
  }

  /** @param {HTMLElement} button @param {boolean} second @param {string} key */
  #face(button, second, key) {
    const [first, other] = button.querySelectorAll("svg");
    first?.toggleAttribute("hidden", second);
    other?.toggleAttribute("hidden", !second);
    button.setAttribute("aria-label", this.#t(key));
    button.title = this.#t(key);
  }

  /** @param {number} ms */
  showTime(ms) {
    const { from_ms, to_ms } = this.#player.replay;
    setText(this.#find("time"), `${duration(ms - from_ms)} / ${duration(to_ms - from_ms)}`);
    show(this.#find("waiting"), this.#player.waiting);
  }
}
