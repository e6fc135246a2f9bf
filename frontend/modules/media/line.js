// How much a line carries, measured with few bytes: a small probe says how many more make about a second. No DOM; pure but
// for what is handed in.

/** @typedef {(bytes: number) => Promise<void>} Carry sends or fetches so many bytes */

const PROBE = 32 * 1024;
/** The server takes no more (server/selftests/routes.py). */
export const MOST = 768 * 1024;
const WANTED_MS = 1000;
/** A line that needs longer than this for the probe is narrow enough to be told so without a second try. */
const SLOW_MS = 2000;

/** @param {number} bytes @param {number} ms */
export function kbps(bytes, ms) {
  return Math.round((bytes * 8) / Math.max(ms, 1));
}

/** Bytes that take about a second, given what the probe took. @param {number} ms */
export function second(ms) {
  return Math.min(MOST, Math.max(PROBE, Math.round((PROBE * WANTED_MS) / Math.max(ms, 1))));
}

/**
 * kbit/s; what an empty round trip takes is not the line's.
 * @param {Carry} carry @param {number} rtt milliseconds @param {() => number} clock
 */
export async function measure(carry, rtt, clock) {
  const probe = await took(carry, PROBE, clock);
  if (probe >= SLOW_MS) return kbps(PROBE, probe);
  const bytes = second(Math.max(1, probe - rtt));
  return kbps(bytes, Math.max(1, (await took(carry, bytes, clock)) - rtt));
}

/** @param {Carry} carry @param {number} bytes @param {() => number} clock */
async function took(carry, bytes, clock) {
  const began = clock();
  await carry(bytes);
  return clock() - began;
}

/**
 * A clock's lead over the server's, from when it asked, what it was told, and when it heard. Half the way is the error.
 * @param {number} asked @param {number} told @param {number} heard
 */
export function ahead(asked, told, heard) {
  return Math.round((asked + heard) / 2 - told);
}
