// What a track may cost, and in which sizes it is sent. Pure: a table, and what the node's advice makes of it.
// Cameras go out in layers, the smallest first (browsers hand the line's capacity out in that order); the node gives every
// receiver the one its line carries, and tells the publisher to rest those that nobody takes.

/**
 * @typedef {import("../protocol/messages.js").Source} Source
 * @typedef {"teacher" | "class"} Publishes
 * @typedef {{rid?: string, bitrate: number, scale?: number, fps?: number}} Layer
 */

/** Screens need sharpness, not motion: one size, so that no letter is ever blurred.
 * @type {Record<Publishes, Partial<Record<Source, Layer>>>} */
const BUDGET = {
  teacher: { mic: { bitrate: 48_000 }, screen: { bitrate: 1_500_000, fps: 15 }, "screen-audio": { bitrate: 64_000 } },
  class: { mic: { bitrate: 40_000 } },
};

/** Chromium sends no more layers than a picture of this size is worth, and leaves out the largest: so no more are asked for.
 * Pixels from which on there are three, and two. */
const THREE = 960 * 540;
const TWO = 480 * 270;

/** The teacher's picture fills a wall; a classroom's is a tile, or half a wall while it has the floor. By number of layers.
 * @type {Record<Publishes, Layer[][]>} */
const CAMERA = {
  teacher: [
    [{ bitrate: 500_000, fps: 25 }],
    [{ rid: "q", bitrate: 150_000, scale: 2, fps: 15 }, { rid: "f", bitrate: 900_000, scale: 1, fps: 25 }],
    [
      { rid: "q", bitrate: 150_000, scale: 4, fps: 15 },
      { rid: "h", bitrate: 500_000, scale: 2, fps: 25 },
      { rid: "f", bitrate: 2_500_000, scale: 1, fps: 25 },
    ],
  ],
  class: [
    [{ bitrate: 250_000, fps: 20 }],
    [{ rid: "q", bitrate: 150_000, scale: 2, fps: 15 }, { rid: "f", bitrate: 500_000, scale: 1, fps: 20 }],
    [{ rid: "q", bitrate: 150_000, scale: 4, fps: 15 }, { rid: "f", bitrate: 500_000, scale: 2, fps: 20 }],
  ],
};

/** kbit/s at which the estimate begins: a town school's link against a village's. @type {Record<Publishes, number>} */
export const START = { teacher: 1000, class: 350 };

/** How many layers a picture of this size is worth, 1 to 3. @param {{width?: number, height?: number}} size */
export function worth({ width = 0, height = 0 }) {
  const pixels = width * height;
  return pixels >= THREE ? 3 : pixels >= TWO ? 2 : 1;
}

/**
 * For addTransceiver.
 * @param {Publishes} role
 * @param {Source} source
 * @param {number} layers what a camera's picture is worth
 * @returns {RTCRtpEncodingParameters[]}
 */
export function encodings(role, source, layers = 1) {
  const sent = source === "camera" ? CAMERA[role][layers - 1] : [BUDGET[role][source] ?? { bitrate: 0 }];
  return sent.map(({ rid, bitrate, scale, fps }) => ({
    maxBitrate: bitrate,
    ...(rid ? { rid, scaleResolutionDownBy: scale ?? 1, active: true } : {}),
    ...(fps ? { maxFramerate: fps } : {}),
  }));
}

/** Letters first: a browser short of bits shows fewer pictures a second, never smaller ones. @param {Source} source @returns {"motion" | "detail" | null} */
export function hint(source) {
  if (source === "screen") return "detail";
  return source === "camera" ? "motion" : null;
}

/**
 * The encodings with only these layers awake. One without layers sleeps when nobody looks at all.
 * @param {RTCRtpEncodingParameters[]} now
 * @param {string[] | null} rids null: everything
 * @returns {RTCRtpEncodingParameters[]}
 */
export function awake(now, rids) {
  return now.map((one) => ({ ...one, active: rids === null || (one.rid ? rids.includes(one.rid) : rids.length > 0) }));
}
