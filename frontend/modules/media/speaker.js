// The loudspeaker: one audio element per slot. A page that captures may play without a click; any other may be blocked by
// the browser, and says so, for one huge button. While a room has the floor its loudspeaker ducks (no echo).

/** Quiet enough that the room's own microphone does not take it up, loud enough to hear "please go on". */
const DUCKED = 0.25;

export class Speaker {
  /** @param {(blocked: boolean) => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  #changed;
  /** @type {Map<string, HTMLAudioElement>} */
  #elements = new Map();
  #ducked = false;
  blocked = false;
  /** @type {string} */
  #sink = "";

  /** @param {string} mid @param {MediaStreamTrack} track */
  play(mid, track) {
    const element = this.#elements.get(mid) ?? new Audio();
    this.#elements.set(mid, element);
    const stream = /** @type {MediaStream | null} */ (element.srcObject);
    if (stream?.getAudioTracks()[0] !== track) element.srcObject = new MediaStream([track]);
    element.volume = this.#ducked ? DUCKED : 1;
    this.#route(element);
    if (element.paused) void this.#start(element);
  }

  /** @param {string} mid */
  playing(mid) {
    const element = this.#elements.get(mid);
    return element !== undefined && !element.paused && !element.muted && element.volume > 0;
  }

  /** @param {boolean} on */
  duck(on) {
    this.#ducked = on;
    for (const element of this.#elements.values()) element.volume = on ? DUCKED : 1;
  }

  /** After a click or a key: everything that was blocked. */
  async unlock() {
    await Promise.all([...this.#elements.values()].filter((e) => e.paused && e.srcObject).map((e) => this.#start(e)));
  }

  /** @param {string} id output device; "" is the computer's choice */
  choose(id) {
    this.#sink = id;
    for (const element of this.#elements.values()) this.#route(element);
  }

  close() {
    for (const element of this.#elements.values()) {
      element.pause();
      element.srcObject = null;
    }
    this.#elements.clear();
  }

  /** @param {any} element setSinkId is missing in Safari */
  #route(element) {
    if (typeof element.setSinkId === "function" && element.sinkId !== this.#sink) element.setSinkId(this.#sink).catch(() => {});
  }

  /** @param {HTMLAudioElement} element */
  async #start(element) {
    try {
      await element.play();
      this.#say(false);
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#say(true);
    }
  }

  /** @param {boolean} blocked */
  #say(blocked) {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.#changed(blocked);
  }
}

/** A short chord for the loudspeaker test: two notes, so that a dead left or right box is heard. @param {() => void} [ended] */
export async function chime(ended = () => {}) {
  const context = new AudioContext();
  await context.resume();
  const start = context.currentTime + 0.05;
  [[523.25, -0.8], [783.99, 0.8]].forEach(([frequency, pan], index) => {
    const tone = new OscillatorNode(context, { frequency });
    const gain = new GainNode(context, { gain: 0 });
    const at = start + index * 0.5;
    gain.gain.linearRampToValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.4, at + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.9);
    tone.connect(gain).connect(new StereoPannerNode(context, { pan })).connect(context.destination);
    tone.start(at);
    tone.stop(at + 1);
  });
  setTimeout(() => void context.close().then(ended), 1800);
}
