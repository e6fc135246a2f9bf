// One track of a replay in one media element: fetches fragments ahead, appends them in order, throws away what lies behind.
// Fragments carry room time, so the element's currentTime IS room time in seconds; nothing is ever shifted.

/** @typedef {{id: string, url: string, mime: string, width: number, height: number}} Init */
/** @typedef {{init: string, url: string, from_ms: number, to_ms: number, random_access: boolean, size: number}} Fragment */
/** @typedef {{from_ms: number, to_ms: number, cause: string}} Gap */
/** @typedef {{track: string, kind: "audio" | "video", inits: Init[], fragments: Fragment[], gaps: Gap[]}} Track */

/** What is fetched before it is needed. */
export const AHEAD_MS = 20_000;
/** What is kept behind: going back ten seconds costs nothing. */
export const BEHIND_MS = 30_000;
/** Neighbouring fragments this close have no hole between them. */
export const JOINT_MS = 120;
/** Enough to start with. */
export const READY_MS = 400;
const AT_ONCE = 4;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

/**
 * Index of the last fragment that begins at or before `ms`; -1 when all begin later.
 * @param {Fragment[]} fragments @param {number} ms
 */
export function indexAt(fragments, ms) {
  let low = 0;
  let high = fragments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fragments[middle].from_ms <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Where to begin appending so that `ms` can be shown: a fragment that can be decoded by itself.
 * @param {Fragment[]} fragments @param {number} ms
 */
export function startIndex(fragments, ms) {
  let at = Math.max(0, indexAt(fragments, ms));
  if (fragments[at] && fragments[at].to_ms <= ms && at + 1 < fragments.length) at += 1;
  while (at > 0 && !fragments[at].random_access) at -= 1;
  return at;
}

/**
 * Whether something was recorded at `ms`.
 * @param {Fragment[]} fragments @param {number} ms
 */
export function covers(fragments, ms) {
  const at = indexAt(fragments, ms);
  if (at < 0) return fragments.length > 0 && fragments[0].from_ms - ms <= JOINT_MS;
  if (ms < fragments[at].to_ms) return true;
  return at + 1 < fragments.length && fragments[at + 1].from_ms - fragments[at].to_ms <= JOINT_MS;
}

/**
 * Whether a hole (or the end) begins within `within` ms after `ms`.
 * @param {Fragment[]} fragments @param {number} ms @param {number} within
 */
export function endsSoon(fragments, ms, within) {
  let at = Math.max(0, indexAt(fragments, ms));
  while (at + 1 < fragments.length && fragments[at + 1].from_ms - fragments[at].to_ms <= JOINT_MS) {
    if (fragments[at].to_ms > ms + within) return false;
    at += 1;
  }
  return fragments[at] === undefined || fragments[at].to_ms <= ms + within;
}

/** Browsers take a hole in the pictures for the end of what belongs together: after it nothing plays before a key frame. */
const SEAM_MS = 60;

/**
 * Fragments that a browser will really show: those behind a hole only from the next one on that stands by itself.
 * @param {Fragment[]} fragments
 */
export function playable(fragments) {
  let end = -Infinity;
  let broken = true;
  return fragments.filter((fragment) => {
    if (fragment.from_ms - end > SEAM_MS) broken = true;
    if (fragment.random_access) broken = false;
    end = fragment.to_ms;
    return !broken;
  });
}

export class TrackSource {
  /**
   * @param {Track} track
   * @param {HTMLMediaElement} element
   * @param {(trouble: boolean) => void} onTrouble
   */
  constructor(track, element, onTrouble) {
    this.track = { ...track, fragments: playable(track.fragments) };
    this.element = element;
    this.#onTrouble = onTrouble;
    this.#source.addEventListener("sourceopen", () => this.#opened(), { once: true });
    element.src = URL.createObjectURL(this.#source);
  }

  #onTrouble;
  #source = new MediaSource();
  /** @type {SourceBuffer | null} */
  #buffer = null;
  #mime = "";
  /** Next fragment to append. */
  #next = 0;
  /** @type {string | null} init in force in the buffer */
  #init = null;
  /** @type {Map<string, Promise<ArrayBuffer>>} */
  #coming = new Map();
  #abort = new AbortController();
  #position = 0;
  #working = false;
  /** Counts seeks: work begun before one must not go on after it. */
  #turn = 0;
  #closed = false;

  get fragments() {
    return this.track.fragments;
  }

  /** @param {number} ms */
  covers(ms) {
    return covers(this.track.fragments, ms);
  }

  /** @param {number} ms */
  gapAt(ms) {
    return this.track.gaps.find((gap) => gap.from_ms <= ms && ms < gap.to_ms) ?? null;
  }

  /** Whether `ms` and a little more can be shown now. @param {number} ms */
  ready(ms) {
    if (!this.covers(ms)) return true;
    const { buffered } = this.element;
    const last = this.track.fragments[this.track.fragments.length - 1];
    for (let i = 0; i < buffered.length; i++) {
      const from = buffered.start(i) * 1000;
      const to = buffered.end(i) * 1000;
      if (from - JOINT_MS <= ms && ms < to) {
        const enough = Math.min(ms + READY_MS, last.to_ms - JOINT_MS);
        return to >= enough || !this.covers(to + JOINT_MS);
      }
    }
    // Appended and yet not there: the browser could not use it. Waiting for it would be waiting for ever.
    return !this.#buffer?.updating && indexAt(this.track.fragments, ms + READY_MS) + 1 < this.#next;
  }

  /** New fragments of a lesson still being recorded. @param {Track} track */
  extend(track) {
    this.track = { ...track, fragments: playable(track.fragments) };
    void this.#work();
  }

  /** Show `ms` next. @param {number} ms */
  seek(ms) {
    this.#position = ms;
    if (!this.ready(ms) || !this.#continues(ms)) this.#restart(ms);
    void this.#work();
  }

  /** The player is at `ms` now. @param {number} ms */
  advance(ms) {
    this.#position = ms;
    void this.#work();
  }

  /** Whether what comes next joins what is buffered at `ms`. @param {number} ms */
  #continues(ms) {
    const before = this.track.fragments[this.#next - 1];
    if (!before) return false;
    const { buffered } = this.element;
    for (let i = 0; i < buffered.length; i++) {
      const inside = buffered.start(i) * 1000 - JOINT_MS <= ms && ms < buffered.end(i) * 1000;
      if (inside) return buffered.end(i) * 1000 >= before.to_ms - JOINT_MS;
    }
    return !this.covers(ms) && indexAt(this.track.fragments, ms) === this.#next - 1;
  }

  /** @param {number} ms */
  #restart(ms) {
    this.#turn += 1;
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#coming.clear();
    this.#next = startIndex(this.track.fragments, ms);
    this.#init = null;
  }

  #opened() {
    const first = this.track.inits[0];
    const last = this.track.fragments[this.track.fragments.length - 1];
    if (!first || !last) return;
    this.#mime = first.mime;
    this.#buffer = this.#source.addSourceBuffer(first.mime);
    this.#source.duration = last.to_ms / 1000 + 3600;
    void this.#work();
  }

  async #work() {
    if (this.#working || !this.#buffer || this.#closed) return;
    this.#working = true;
    try {
      while (this.#wanted()) await this.#step(this.#turn);
      await this.#evict(BEHIND_MS);
    } finally {
      this.#working = false;
    }
  }

  #wanted() {
    const fragment = this.track.fragments[this.#next];
    return !this.#closed && fragment !== undefined && fragment.from_ms < this.#position + AHEAD_MS;
  }

  /** One fragment: fetched, its init put before it where that changes, appended. @param {number} turn */
  async #step(turn) {
    this.#prefetch();
    const fragment = this.track.fragments[this.#next];
    const init = this.track.inits.find((one) => one.id === fragment.init);
    if (!init) {
      this.#next += 1;
      return;
    }
    const parts = fragment.init === this.#init ? [] : [this.#fetch(init.url)];
    const data = await Promise.all([...parts, this.#fetch(fragment.url)]).catch(() => null);
    if (turn !== this.#turn || this.#closed || !data) return;
    const buffer = /** @type {SourceBuffer} */ (this.#buffer);
    if (data.length === 2) {
      if (!buffer.updating) buffer.abort(); // forget half a fragment of before a seek
      if (init.mime !== this.#mime) {
        buffer.changeType(init.mime);
        this.#mime = init.mime;
      }
    }
    for (const part of data) await this.#append(part);
    this.#init = fragment.init;
    if (turn === this.#turn) {
      this.#coming.delete(fragment.url);
      this.#next += 1;
    } else {
      this.#init = null;
    }
  }

  #prefetch() {
    const ahead = this.track.fragments.slice(this.#next, this.#next + AT_ONCE);
    for (const fragment of ahead) {
      if (fragment.from_ms < this.#position + AHEAD_MS) void this.#fetch(fragment.url).catch(() => {});
    }
  }

  /** @param {string} url @returns {Promise<ArrayBuffer>} */
  #fetch(url) {
    const known = this.#coming.get(url);
    if (known) return known;
    const coming = this.#load(url, this.#abort.signal);
    this.#coming.set(url, coming);
    return coming;
  }

  /** For as long as it takes; only a seek or the page's end gives up. @param {string} url @param {AbortSignal} signal @returns {Promise<ArrayBuffer>} */
  async #load(url, signal) {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await fetch(url, { credentials: "same-origin", signal });
        if (response.ok) {
          if (attempt > 0) this.#onTrouble(false);
          return await response.arrayBuffer();
        }
      } catch {
        if (signal.aborted) throw new DOMException("sought elsewhere", "AbortError");
      }
      this.#onTrouble(true);
      await new Promise((wait) => setTimeout(wait, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
      if (signal.aborted) throw new DOMException("sought elsewhere", "AbortError");
    }
  }

  /** @param {ArrayBuffer} data */
  async #append(data) {
    const buffer = /** @type {SourceBuffer} */ (this.#buffer);
    try {
      buffer.appendBuffer(data);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
      await this.#evict(5_000);
      buffer.appendBuffer(data);
    }
    await this.#settled();
  }

  async #settled() {
    const buffer = /** @type {SourceBuffer} */ (this.#buffer);
    if (buffer.updating) await new Promise((done) => buffer.addEventListener("updateend", done, { once: true }));
  }

  /** @param {number} behind */
  async #evict(behind) {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || !buffer.buffered.length) return;
    const until = (this.#position - behind) / 1000;
    if (buffer.buffered.start(0) < until - 5) {
      buffer.remove(0, until);
      await this.#settled();
    }
  }

  close() {
    this.#closed = true;
    this.#turn += 1;
    this.#abort.abort();
    URL.revokeObjectURL(this.element.src);
    this.element.removeAttribute("src");
    this.element.load();
  }
}
