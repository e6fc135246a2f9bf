// Plays all tracks of a replay on one clock, room time. Sound leads where there is sound; pictures follow it; slides, chat and
// chapters follow `room_ms`. Where nothing at all was recorded the player jumps on and says so.

import { TrackSource, endsSoon } from "./source.js";

/**
 * @typedef {import("./source.js").Track} Track
 * @typedef {import("./source.js").Gap} Gap
 * @typedef {import("../room/state.js").Op} Op
 * @typedef {{id: string, title: string, urls: string[]}} Deck
 * @typedef {object} Replay
 * @property {string} lesson
 * @property {string} title
 * @property {"none" | "recording" | "closed"} state
 * @property {number} opened_at_ms
 * @property {number} from_ms
 * @property {number} to_ms
 * @property {Track[]} tracks
 * @property {Op[]} ops
 * @property {Record<string, string>} names
 * @property {Deck[]} decks
 * @property {boolean} may_erase
 */

export const RATES = [0.75, 1, 1.25, 1.5, 2];
/** Who leads, best first. */
const LEADERS = ["mic", "camera", "screen-audio", "screen"];
const TICK_MS = 50;
/** Media elements stop shortly before the end of what they hold; from there on the player's own clock leads. */
const TAIL_MS = 300;
/** A follower this far off is put in place; less is made good by playing a little faster or slower. */
const JUMP_MS = 200;
const NEAR_MS = 15;
/** A picture this old may stay where nothing newer was recorded. */
const LINGER_MS = 2000;
/** Nobody sees a picture a third faster for a moment; sound is bent gently. @type {Record<string, number>} */
const MAX_BEND = { video: 0.3, audio: 0.1 };
/** In about this time what is off is made good, as far as the bend allows. */
const SOON_MS = 400;

export class Player extends EventTarget {
  /**
   * @param {Replay} replay
   * @param {Map<string, HTMLMediaElement>} elements media element of each track
   */
  constructor(replay, elements) {
    super();
    this.replay = replay;
    this.#elements = elements;
    for (const track of replay.tracks) this.#add(track);
    this.#position = replay.from_ms;
    this.seek(replay.from_ms);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #elements;
  /** @type {TrackSource[]} */
  #sources = [];
  #position = 0;
  #anchor = performance.now();
  #timer;
  #wanted = false;
  #running = false;
  #rate = 1;
  #volume = 1;
  #muted = false;

  /** Where the player is, in room time. */
  get room_ms() {
    if (!this.#running) return this.#position;
    const leader = this.#leader();
    const now = leader && !endsSoon(leader.fragments, this.#position, TAIL_MS) ? leader.element.currentTime * 1000 : this.#position + (performance.now() - this.#anchor) * this.#rate;
    return Math.min(Math.max(now, this.replay.from_ms), this.replay.to_ms);
  }

  get playing() {
    return this.#wanted;
  }

  get waiting() {
    return this.#wanted && !this.#running;
  }

  get rate() {
    return this.#rate;
  }

  get muted() {
    return this.#muted;
  }

  play() {
    if (this.#position >= this.replay.to_ms - TICK_MS) this.seek(this.replay.from_ms);
    this.#wanted = true;
    this.#tick();
    this.#say("state");
  }

  pause() {
    this.#hold();
    this.#wanted = false;
    this.#say("state");
  }

  /** @param {number} ms room time */
  seek(ms) {
    this.#hold();
    this.#position = Math.min(Math.max(ms, this.replay.from_ms), this.replay.to_ms);
    for (const source of this.#sources) {
      source.seek(this.#position);
      if (source.covers(this.#position)) source.element.currentTime = this.#position / 1000;
    }
    this.#say("position");
    this.#tick();
  }

  /** @param {number} rate */
  setRate(rate) {
    this.#rate = Math.min(Math.max(rate, RATES[0]), RATES[RATES.length - 1]);
    this.#rebase(this.room_ms);
    for (const { element } of this.#sources) element.playbackRate = this.#rate;
    this.#say("state");
  }

  /** @param {number} volume 0..1 @param {boolean} muted */
  setVolume(volume, muted) {
    this.#volume = volume;
    this.#muted = muted;
    for (const { element, track } of this.#sources) {
      if (track.kind !== "audio") continue;
      element.volume = this.#volume;
      element.muted = this.#muted;
    }
    this.#say("state");
  }

  /** More of a lesson that is still being recorded. A screen may be shared only now: a track more. @param {Replay} replay */
  extend(replay) {
    this.replay = replay;
    for (const track of replay.tracks) {
      const source = this.#sources.find((one) => one.track.track === track.track);
      if (source) source.extend(track);
      else this.#add(track)?.seek(this.#position);
    }
    this.#say("extended");
  }

  /** @param {Track} track @returns {TrackSource | null} */
  #add(track) {
    const element = this.#elements.get(track.track);
    if (!element || !track.fragments.length) return null;
    const source = new TrackSource(track, element, (trouble) => this.#say("trouble", { trouble }));
    this.#sources.push(source);
    this.#sources.sort((a, b) => LEADERS.indexOf(a.track.track) - LEADERS.indexOf(b.track.track));
    if (track.kind === "audio") Object.assign(element, { volume: this.#volume, muted: this.#muted });
    element.playbackRate = this.#rate;
    return source;
  }

  /** Why a track shows nothing now; null when it shows something or never had anything. @param {string} name @returns {Gap | null} */
  gapOf(name) {
    const source = this.#sources.find((one) => one.track.track === name);
    return source && !source.covers(this.room_ms) ? source.gapAt(this.room_ms) : null;
  }

  /** Whether a track has something to show now; over a short hole the last picture stays. @param {string} name */
  shows(name) {
    const ms = this.room_ms;
    const source = this.#sources.find((one) => one.track.track === name);
    if (!source) return false;
    const since = ms - source.element.currentTime * 1000;
    return source.covers(ms) || (since >= 0 && since < LINGER_MS && source.element.readyState >= 2);
  }

  close() {
    clearInterval(this.#timer);
    for (const source of this.#sources) source.close();
  }

  #leader() {
    return this.#sources.find((source) => source.covers(this.#position) && !source.element.seeking) ?? null;
  }

  /** @param {number} ms */
  #rebase(ms) {
    this.#position = ms;
    this.#anchor = performance.now();
  }

  /** Stop everything where it is. */
  #hold() {
    if (!this.#running) return;
    this.#rebase(this.room_ms);
    this.#running = false;
    for (const { element } of this.#sources) element.pause();
  }

  #tick() {
    if (this.#running) this.#rebase(this.room_ms);
    for (const source of this.#sources) source.advance(this.#position);
    if (!this.#wanted) return;
    if (this.#position >= this.replay.to_ms - TICK_MS) return this.#end();
    if (this.#jumpHole()) return;
    const ready = this.#sources.every((source) => source.ready(this.#position));
    if (this.#running && !ready) this.#hold();
    else if (!this.#running && ready) this.#start();
    if (this.#running) this.#follow();
    this.#say("position");
  }

  #end() {
    this.pause();
    this.#say("ended");
  }

  /** Nothing recorded here by any track: go on where there is something again. Without any media the log alone plays. */
  #jumpHole() {
    if (!this.#sources.length || this.#sources.some((source) => source.covers(this.#position))) return false;
    const next = this.#sources
      .map((source) => source.fragments.find((fragment) => fragment.from_ms > this.#position))
      .reduce((least, one) => (one ? Math.min(least, one.from_ms) : least), Infinity);
    const gap = this.#sources.map((source) => source.gapAt(this.#position)).find((one) => one !== null) ?? null;
    if (next === Infinity) {
      this.#end();
      return true;
    }
    this.#say("jump", { from_ms: this.#position, to_ms: next, cause: gap ? gap.cause : "missing" });
    this.seek(next);
    return true;
  }

  #start() {
    if (this.#sources.some((source) => source.covers(this.#position) && source.element.seeking)) return;
    this.#running = true;
    this.#rebase(this.#position);
    this.#follow();
    this.#say("state");
  }

  /** The leader runs at the chosen speed; the others are bent towards it. */
  #follow() {
    const leader = this.#leader();
    for (const source of this.#sources) {
      const { element } = source;
      if (!source.covers(this.#position)) {
        if (!element.paused) element.pause();
        continue;
      }
      const off = element.currentTime * 1000 - this.#position;
      if (source === leader && Math.abs(off) <= JUMP_MS) this.#setRate(element, this.#rate);
      else if (Math.abs(off) > JUMP_MS) {
        if (!element.seeking) element.currentTime = this.#position / 1000;
      } else {
        const most = MAX_BEND[source.track.kind];
        const bend = Math.abs(off) < NEAR_MS ? 0 : Math.min(Math.max(off / SOON_MS, -most), most);
        this.#setRate(element, this.#rate * (1 - bend));
      }
      if (element.paused) element.play().catch((error) => this.#refused(error));
    }
  }

  /** @param {HTMLMediaElement} element @param {number} rate */
  #setRate(element, rate) {
    if (Math.abs(element.playbackRate - rate) > 0.005) element.playbackRate = rate;
  }

  /** The browser wants a click before it plays sound. @param {unknown} error */
  #refused(error) {
    if (error instanceof DOMException && error.name === "NotAllowedError") this.pause();
  }

  /** @param {string} type @param {object} [detail] */
  #say(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
