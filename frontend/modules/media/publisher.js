// What this device sends: always a microphone and a camera m-line, in this order, filled or empty, so that unplugging,
// muting or choosing another device never needs a new offer; screen and its sound are added as further m-lines.

import { preferVideo } from "./codecs.js";
import { Peer } from "./peer.js";

/**
 * @typedef {import("../protocol/messages.js").Source} Source
 * @typedef {import("./peer.js").PeerState} PeerState
 */

/** What a track may cost. The teacher's picture fills a wall; a classroom's is a tile. Screens need sharpness, not motion.
 * @type {Record<string, Record<Source, {kind: "audio" | "video", bitrate: number, fps?: number}>>} */
const BUDGET = {
  teacher: {
    mic: { kind: "audio", bitrate: 48_000 },
    camera: { kind: "video", bitrate: 1_500_000, fps: 25 },
    screen: { kind: "video", bitrate: 1_500_000, fps: 15 },
    "screen-audio": { kind: "audio", bitrate: 64_000 },
  },
  class: {
    mic: { kind: "audio", bitrate: 40_000 },
    camera: { kind: "video", bitrate: 500_000, fps: 20 },
    screen: { kind: "video", bitrate: 0 },
    "screen-audio": { kind: "audio", bitrate: 0 },
  },
};

/** @type {Source[]} */
const ALWAYS = ["mic", "camera"];

export class Publisher {
  /**
   * @param {object} options
   * @param {"teacher" | "class"} options.role
   * @param {(sdp: string, sources: Record<string, Source>) => Promise<string>} options.offer
   * @param {(state: PeerState) => void} options.changed
   * @param {() => boolean} options.may
   */
  constructor({ role, offer, changed, may }) {
    this.#role = role;
    this.#peer = new Peer({ offer, changed, may, prepare: (pc) => this.#prepare(pc), sources: () => this.#sources() });
  }

  #role;
  #peer;
  /** @type {Map<Source, MediaStreamTrack>} */
  #tracks = new Map();
  /** @type {Map<Source, RTCRtpTransceiver>} */
  #lines = new Map();

  get state() {
    return this.#peer.state;
  }

  get pc() {
    return this.#peer.pc;
  }

  open() {
    return this.#peer.open();
  }

  close() {
    this.#peer.close();
    this.#lines.clear();
  }

  /** @param {Source} source @returns {MediaStreamTrack | null} */
  track(source) {
    return this.#tracks.get(source) ?? null;
  }

  /** Send this track as this source from now on; null sends nothing. @param {Source} source @param {MediaStreamTrack | null} track */
  async show(source, track) {
    if (track) this.#tracks.set(source, track);
    else this.#tracks.delete(source);
    const line = this.#lines.get(source);
    if (line) await line.sender.replaceTrack(track);
    else if (track && this.#peer.pc) {
      this.#add(this.#peer.pc, source);
      await this.#peer.negotiate();
    }
  }

  /** @param {RTCPeerConnection} pc */
  #prepare(pc) {
    this.#lines.clear();
    for (const source of ALWAYS) this.#add(pc, source);
    for (const source of this.#tracks.keys()) if (!ALWAYS.includes(source)) this.#add(pc, source);
  }

  /** @param {RTCPeerConnection} pc @param {Source} source */
  #add(pc, source) {
    const budget = BUDGET[this.#role][source];
    /** @type {RTCRtpEncodingParameters} */
    const encoding = { maxBitrate: budget.bitrate };
    if (budget.fps) encoding.maxFramerate = budget.fps;
    const track = this.#tracks.get(source) ?? null;
    const init = /** @type {RTCRtpTransceiverInit} */ ({ direction: "sendonly", sendEncodings: [encoding] });
    const line = pc.addTransceiver(track ?? budget.kind, init);
    if (budget.kind === "video") preferVideo(line);
    this.#lines.set(source, line);
  }

  #sources() {
    /** @type {Record<string, Source>} */
    const sources = {};
    for (const [source, line] of this.#lines) if (line.mid !== null) sources[line.mid] = source;
    return sources;
  }
}
