// The loudspeaker test, pure: two rising chirps, and whether a recording holds both at their distance. A clap, speech or a
// fan may look like one of them, but not like both; so no quiet room is taken for a loudspeaker that works.

/** The recording is thinned to this rate before it is searched: an old PC does it in a tenth of a second. */
export const RATE = 12_000;
const LOW_HZ = 900;
const HIGH_HZ = 3600;
const CHIRP_S = 0.2;
/** From the start of one to the start of the other. */
const APART_S = 0.35;
/** From the start of the first to the end of the second, with room for the way through the sound card. */
export const LASTS_S = APART_S + CHIRP_S;
/** Correlation, 0 to 1, of the weaker of the two. A room's noise alone stays below 0.1. */
export const HEARD = 0.22;
export const FAINT = 0.12;
/** Below this a microphone gives nothing at all: muted or unplugged ones say plain zeros. */
const SILENCE = 1e-5;

/** One chirp, faded in and out so that a loudspeaker does not click. @param {number} rate @returns {Float32Array} */
function chirp(rate) {
  const length = Math.round(CHIRP_S * rate);
  return Float32Array.from({ length }, (_, n) => {
    const at = n / rate;
    const phase = 2 * Math.PI * (LOW_HZ * at + ((HIGH_HZ - LOW_HZ) * at * at) / (2 * CHIRP_S));
    return Math.sin(phase) * Math.sin((Math.PI * n) / length);
  });
}

/** What the loudspeaker plays. @param {number} rate @returns {Float32Array} */
export function signal(rate) {
  const one = chirp(rate);
  const all = new Float32Array(Math.round(LASTS_S * rate));
  all.set(one.subarray(0, all.length), 0);
  const second = Math.round(APART_S * rate);
  all.set(one.subarray(0, all.length - second), second);
  return all;
}

/** Fewer samples a second, each the mean of those it stands for. @param {Float32Array} samples @param {number} rate */
export function thinned(samples, rate) {
  const step = rate / RATE;
  if (step <= 1) return samples;
  return Float32Array.from({ length: Math.floor(samples.length / step) }, (_, n) => {
    const from = Math.floor(n * step);
    const to = Math.floor((n + 1) * step);
    let sum = 0;
    for (let at = from; at < to; at += 1) sum += samples[at];
    return sum / (to - from);
  });
}

/**
 * How much like the chirp the sound is from each place on: the absolute normalised correlation. Absolute, because many a
 * cable turns the sign.
 * @param {Float32Array} samples @param {Float32Array} wanted @returns {Float32Array}
 */
function likeness(samples, wanted) {
  const length = wanted.length;
  const places = Math.max(0, samples.length - length + 1);
  const own = Math.sqrt(wanted.reduce((sum, one) => sum + one * one, 0));
  const found = new Float32Array(places);
  let energy = 0;
  for (let n = 0; n < length - 1; n += 1) energy += samples[n] * samples[n];
  for (let place = 0; place < places; place += 1) {
    energy += samples[place + length - 1] ** 2;
    let sum = 0;
    for (let n = 0; n < length; n += 1) sum += samples[place + n] * wanted[n];
    const norm = Math.sqrt(Math.max(energy, 0)) * own;
    found[place] = norm > SILENCE ? Math.abs(sum) / norm : 0;
    energy -= samples[place] ** 2;
  }
  return found;
}

/** @typedef {"heard" | "faint" | "unheard"} Hearing */

/**
 * What the microphone recorded while the loudspeaker played.
 * @param {Float32Array} recorded @param {number} rate
 * @returns {{hearing: Hearing, score: number, silent: boolean}} silent: the microphone gave nothing at all
 */
export function listen(recorded, rate) {
  const samples = thinned(recorded, rate);
  const loudest = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  if (loudest < SILENCE) return { hearing: "unheard", score: 0, silent: true };
  const like = likeness(samples, chirp(Math.min(rate, RATE)));
  const apart = Math.round(APART_S * Math.min(rate, RATE));
  let score = 0;
  for (let place = 0; place + apart < like.length; place += 1) {
    score = Math.max(score, Math.min(like[place], like[place + apart]));
  }
  return { hearing: score >= HEARD ? "heard" : score >= FAINT ? "faint" : "unheard", score, silent: false };
}
