// What this device sends: one m-line a source that has a track, so that the node never announces a picture nobody makes.
// Another device in a source's place needs no new offer; a source that comes or goes does.

import { preferVideo, startAt } from "./codecs.js";
import { Peer } from "./peer.js";

/**
 * @typedef {import("../protocol/messages.js").Source} Source
 * @typedef {import("./peer.js").PeerState} PeerState
 */

/** What a track may cost. The teacher's picture fills a wall; a classroom's is a tile. Screens need sharpness, not motion.
 * @type {Record<string, Record<Source, {bitrate: number, fps?: number}>>} */
const BUDGET = {
  teacher: {
    mic: { bitrate: 48_000 },
    camera: { bitrate: 1_500_000, fps: 25 },
    screen: { bitrate: 1_500_000, fps: 15 },
    "screen-audio": { bitrate: 64_000 },
  },
  class: {
    mic: { bitrate: 40_000 },
    camera: { bitrate: 500_000, fps: 20 },
    screen: { bitrate: 0 },
    "screen-audio": { bitrate: 0 },
  },
};

/** kbit/s at which the estimate begins: a town school's link against a village's. */
const START = { teacher: 1000, class: 350 };

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
    this.#may = may;
    const hinted = async (/** @type {string} */ sdp, /** @type {Record<string, Source>} */ sources) => startAt(await offer(sdp, sources), START[role]);
    this.#peer = new Peer({ offer: hinted, changed, may, prepare: (pc) => this.#prepare(pc), sources: () => this.#sources() });
  }

  #role;
  #may;
  #peer;
  /** @type {Map<Source, MediaStreamTrack>} */
  #tracks = new Map();
  /** @type {Map<Source, RTCRtpTransceiver>} */
  #lines = new Map();

  get state() {
    return this.#peer.state;
  }

  /** Without anything to send there is nothing to offer. */
  async open() {
    if (this.#tracks.size > 0) await this.#peer.open();
  }

  close() {
    this.#peer.close();
    this.#lines.clear();
  }

  /** @param {Source} source @returns {MediaStreamTrack | null} */
  track(source) {
    return this.#tracks.get(source) ?? null;
  }

  /** Send these tracks as these sources from now on; null ends a source. One offer for all. @param {[Source, MediaStreamTrack | null][]} changes */
  async put(changes) {
    let offer = false;
    for (const [source, track] of changes) offer = (await this.#put(source, track)) || offer;
    if (!offer) return;
    if (this.#tracks.size === 0) this.close();
    else if (this.#peer.pc) await this.#peer.negotiate();
    else if (this.#may()) await this.#peer.open();
  }

  /** @param {Source} source @param {MediaStreamTrack | null} track @returns {Promise<boolean>} whether m-lines change */
  async #put(source, track) {
    if (track) this.#tracks.set(source, track);
    else this.#tracks.delete(source);
    const line = this.#lines.get(source);
    if (line && track) {
      await line.sender.replaceTrack(track);
      return false;
    }
    if (line) {
      line.stop();
      this.#lines.delete(source);
    } else if (track && this.#peer.pc) this.#add(this.#peer.pc, source, track);
    return line !== undefined || track !== null;
  }

  /** @param {RTCPeerConnection} pc */
  #prepare(pc) {
    this.#lines.clear();
    for (const [source, track] of this.#tracks) this.#add(pc, source, track);
  }

  /** @param {RTCPeerConnection} pc @param {Source} source @param {MediaStreamTrack} track */
  #add(pc, source, track) {
    const budget = BUDGET[this.#role][source];
    /** @type {RTCRtpEncodingParameters} */
    const encoding = { maxBitrate: budget.bitrate };
    if (budget.fps) encoding.maxFramerate = budget.fps;
    const line = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: [encoding] });
    if (track.kind === "video") preferVideo(line);
    this.#lines.set(source, line);
  }

  #sources() {
    /** @type {Record<string, Source>} */
    const sources = {};
    for (const [source, line] of this.#lines) if (line.mid !== null) sources[line.mid] = source;
    return sources;
  }
}
