// How much of the lesson this endpoint really rendered, from getStats counters. Pure: samples in, figures out.
// heard: samples of the lead teacher's voice that came over the network (concealment is invention) while the loudspeaker
// really played; saw: time in which new pictures were decoded. Never more than the time that passed.

/**
 * @typedef {object} Sample
 * @property {number} now ms
 * @property {boolean} connected the line to the node stands
 * @property {boolean} playing the audio element of the teacher's voice is not blocked, paused or muted
 * @property {number | null} voice samples received minus concealed, of the teacher's slot; null: the slot shows nobody
 * @property {number} frames decoded, over all video slots
 * @property {number} freezes
 * @property {number | null} jitter ms, of the worst slot
 * @property {number} received packets
 * @property {number} lost packets
 * @property {number | null} rtt ms
 *
 * @typedef {{connected_ms: number, heard_ms: number, saw_ms: number, rtt_ms: number | null, loss: number | null, jitter_ms: number | null,
 *            freezes: number}} Figures
 */

/** The node's limit (signaling/messages.py Report): a page that slept longer reports only this much. */
const MOST_MS = 60_000;
/** Browsers count samples after resampling to this rate. */
const SAMPLES_PER_MS = 48;

/** Counters start anew with a new peer connection. @param {number} before @param {number} after */
function rise(before, after) {
  return after >= before ? after - before : after;
}

export class Tally {
  /** @type {Sample | null} */
  last = null;
  connected = 0;
  heard = 0;
  saw = 0;
  freezes = 0;
  received = 0;
  lost = 0;

  clear() {
    this.connected = 0;
    this.heard = 0;
    this.saw = 0;
    this.freezes = 0;
    this.received = 0;
    this.lost = 0;
  }

  /** @param {Sample} sample */
  add(sample) {
    const last = this.last;
    this.last = sample;
    if (!last) return;
    const passed = Math.max(0, sample.now - last.now);
    if (sample.connected) this.connected += passed;
    if (sample.voice !== null && sample.playing) {
      this.heard += Math.min(passed, rise(last.voice ?? sample.voice, sample.voice) / SAMPLES_PER_MS);
    }
    if (rise(last.frames, sample.frames) > 0) this.saw += passed;
    this.freezes += rise(last.freezes, sample.freezes);
    this.received += rise(last.received, sample.received);
    this.lost += Math.max(0, sample.lost - last.lost);
  }

  /** The figures since the last taking. What was heard while only the line was cut counts: the sound came by another way. @returns {Figures} */
  take() {
    const packets = this.received + this.lost;
    const figures = {
      connected_ms: Math.round(Math.min(MOST_MS, this.connected)),
      heard_ms: Math.round(Math.min(MOST_MS, this.heard)),
      saw_ms: Math.round(Math.min(MOST_MS, this.saw)),
      rtt_ms: this.last ? this.last.rtt : null,
      loss: packets > 0 ? Math.min(1, this.lost / packets) : null,
      jitter_ms: this.last && this.last.jitter !== null ? Math.min(60_000, this.last.jitter) : null,
      freezes: Math.min(10_000, this.freezes),
    };
    this.clear();
    return figures;
  }
}
