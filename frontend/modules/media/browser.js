// What a browser says of itself, and what a lesson would miss in it. Pure: what it looks at is handed in.

/** @typedef {"webrtc" | "insecure" | "wakelock"} Lack */

/**
 * Chromium's major version, in every one of its Chinese forks too; null: another browser.
 * @param {string} agent navigator.userAgent
 */
export function chromiumOf(agent) {
  const found = agent.match(/Chrom(?:e|ium)\/(\d{1,3})/);
  return found ? Number(found[1]) : null;
}

/**
 * @param {{RTCPeerConnection?: unknown}} world the page's window
 * @param {{mediaDevices?: unknown, wakeLock?: unknown}} navigator
 * @returns {Lack[]}
 */
export function lacksOf(world, navigator) {
  /** @type {Lack[]} */
  const lacks = [];
  if (!world.RTCPeerConnection) lacks.push("webrtc");
  if (!navigator.mediaDevices) lacks.push("insecure");
  if (!navigator.wakeLock) lacks.push("wakelock");
  return lacks;
}

/** A picture with a lens cover on it. @param {Uint8ClampedArray | number[]} rgba */
export function isDark(rgba) {
  let most = 0;
  for (let n = 0; n < rgba.length; n += 4) most = Math.max(most, rgba[n], rgba[n + 1], rgba[n + 2]);
  return most < DARK;
}

/** Of 255; sensors behind a cover say 16 (video black) and a little noise. */
const DARK = 32;
