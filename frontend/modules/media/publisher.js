// What this device sends: one m-line a source that has a track, so that the node never announces a picture nobody makes.
// Another device in a source's place needs no new offer; a source that comes or goes does.

import { awake, encodings, hint, START, worth } from "./budgets.js";
import { preferVideo, startAt, withPtime } from "./codecs.js";
import { Peer } from "./peer.js";

/**
 * @typedef {import("../protocol/messages.js").Source} Source
 * @typedef {import("./peer.js").PeerState} PeerState
 * @typedef {import("../protocol/messages.js").LayersMessage} LayersMessage
 * @typedef {import("../protocol/messages.js").AudioBudgetMessage} AudioBudgetMessage
 */

/** What browsers send by themselves. */
const USUAL_PTIME_MS = 20;

export class Publisher {
  /**
   * @param {object} options
   * @param {"teacher" | "class"} options.role
   * @param {(sdp: string, sources: Record<string, Source>) => Promise<string>} options.offer
   * @param {(state: PeerState) => void} options.changed
   * @param {() => boolean} options.may
   * @param {() => RTCIceServer[]} [options.relays]
   */
  constructor({ role, offer, changed, may, relays }) {
    this.#role = role;
    this.#may = may;
    const hinted = async (/** @type {string} */ sdp, /** @type {Record<string, Source>} */ sources) =>
      withPtime(startAt(await offer(sdp, sources), START[role]), this.#ptime);
    this.#peer = new Peer({ offer: hinted, changed, may, relays, prepare: (pc) => this.#prepare(pc), sources: () => this.#sources() });
  }

  #role;
  #may;
  #peer;
  /** @type {Map<Source, MediaStreamTrack>} */
  #tracks = new Map();
  /** @type {Map<Source, RTCRtpTransceiver>} */
  #lines = new Map();
  /** How long a packet of sound is; only an answer can change it. */
  #ptime = USUAL_PTIME_MS;
  #tuning = Promise.resolve();

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
    if (line && track && this.#fits(line, source, track)) {
      await line.sender.replaceTrack(track);
      return false;
    }
    if (line) {
      line.stop();
      this.#lines.delete(source);
    }
    if (track && this.#peer.pc) this.#add(this.#peer.pc, source, track);
    return line !== undefined || track !== null;
  }

  /** @param {RTCPeerConnection} pc */
  #prepare(pc) {
    this.#lines.clear();
    this.#ptime = USUAL_PTIME_MS;
    for (const [source, track] of this.#tracks) this.#add(pc, source, track);
  }

  /** A camera whose picture is worth as many layers takes the other's place without an offer. @param {RTCRtpTransceiver} line @param {Source} source @param {MediaStreamTrack} track */
  #fits(line, source, track) {
    if (source !== "camera") return true;
    return line.sender.getParameters().encodings.length === encodings(this.#role, source, worth(track.getSettings())).length;
  }

  /** @param {RTCPeerConnection} pc @param {Source} source @param {MediaStreamTrack} track */
  #add(pc, source, track) {
    const content = hint(source);
    if (content) track.contentHint = content;
    const sent = encodings(this.#role, source, worth(track.getSettings()));
    const line = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: sent });
    if (track.kind === "video") preferVideo(line);
    this.#lines.set(source, line);
  }

  // --- what the node asks for ----------------------------------------------------------------------------------------------

  /** Layers that nobody takes rest: they cost this computer an encoder each, and its line their bits. @param {LayersMessage} message */
  async layers({ source, rids }) {
    await this.#tune(source, (now) => awake(now, rids));
  }

  /** A thin line at one end: less sound in longer packets, for everybody gets the same. @param {AudioBudgetMessage} message */
  async audioBudget({ source, bitrate, ptime_ms }) {
    const most = encodings(this.#role, source)[0].maxBitrate ?? bitrate;
    await this.#tune(source, (now) => now.map((one) => ({ ...one, maxBitrate: Math.min(bitrate, most) })));
    if (ptime_ms === this.#ptime) return;
    this.#ptime = ptime_ms;
    if (this.#peer.pc) await this.#peer.negotiate();
  }

  /** One change at a time: parameters are only good for the turn in which they were read. @param {Source} source @param {(now: RTCRtpEncodingParameters[]) => RTCRtpEncodingParameters[]} change */
  #tune(source, change) {
    this.#tuning = this.#tuning.then(() => this.#set(source, change));
    return this.#tuning;
  }

  /** @param {Source} source @param {(now: RTCRtpEncodingParameters[]) => RTCRtpEncodingParameters[]} change */
  async #set(source, change) {
    const sender = this.#lines.get(source)?.sender;
    if (!sender) return;
    const parameters = sender.getParameters();
    if (parameters.encodings.length === 0) return;
    parameters.encodings = change(parameters.encodings);
    // A connection that closes meanwhile refuses: the next one begins with everything awake.
    await sender.setParameters(parameters).catch(() => {});
  }

  #sources() {
    /** @type {Record<string, Source>} */
    const sources = {};
    for (const [source, line] of this.#lines) if (line.mid !== null) sources[line.mid] = source;
    return sources;
  }
}
