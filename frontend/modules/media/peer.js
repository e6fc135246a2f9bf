// One peer connection that always offers (design.md section 5) and comes back by itself: when ICE fails, stays disconnected,
// or never connects, a new one is built. The node is ICE-lite, so no candidates are waited for or trickled.

import { Backoff } from "../protocol/backoff.js";
import { configuration, onNetworkChange } from "./ice.js";

/**
 * @typedef {import("../protocol/messages.js").Source} Source
 * @typedef {"closed" | "connecting" | "connected" | "lost"} PeerState
 *
 * @typedef {object} PeerOptions
 * @property {(sdp: string, sources: Record<string, Source>) => Promise<string>} offer asks the node, gives its answer
 * @property {(pc: RTCPeerConnection) => void} prepare adds transceivers
 * @property {(pc: RTCPeerConnection) => Record<string, Source>} [sources] mid -> what is sent
 * @property {(state: PeerState) => void} changed
 * @property {() => boolean} may whether the line to the node stands; without it there is nobody to offer to
 * @property {() => RTCIceServer[]} [relays] for networks that let nothing else through
 */

/** Chromium says "disconnected" after about 5 s without answers; most come back within moments. */
const PATIENCE_MS = 1000;
/** ICE over UDP and TCP to a lite peer takes well under a second; eight cover a slow line with losses. */
const CONNECT_MS = 8000;

export class Peer {
  /** @param {PeerOptions} options */
  constructor(options) {
    this.#options = options;
  }

  #options;
  /** @type {RTCPeerConnection | null} */
  pc = null;
  /** @type {PeerState} */
  state = "closed";
  #broken = false;
  #unwatch = () => {};
  #backoff = new Backoff();
  /** @type {any} */
  #timer = null;
  /** @type {Promise<void>} */
  #queue = Promise.resolve();

  /** A new connection, in place of any old one. */
  open() {
    this.#release();
    this.#broken = false;
    const pc = new RTCPeerConnection(configuration(this.#options.relays?.() ?? []));
    this.pc = pc;
    this.#unwatch = onNetworkChange(() => this.#restart(pc));
    pc.onconnectionstatechange = () => this.#moved(pc);
    this.#options.prepare(pc);
    this.#say("connecting");
    this.#after(CONNECT_MS);
    return this.negotiate();
  }

  /** Offer what the transceivers say now. One at a time: an answer must meet its own offer. */
  negotiate() {
    const pc = this.pc;
    this.#queue = this.#queue
      .then(() => this.#negotiate())
      .catch(() => {
        // What an older connection was refused is no business of this one.
        if (pc === this.pc) this.#failed();
      });
    return this.#queue;
  }

  close() {
    this.#release();
    this.#say("closed");
  }

  async #negotiate() {
    const pc = this.pc;
    if (!pc) return;
    await pc.setLocalDescription(await pc.createOffer());
    const sources = this.#options.sources ? this.#options.sources(pc) : {};
    const sdp = await this.#options.offer(pc.localDescription?.sdp ?? "", sources);
    if (pc === this.pc) await pc.setRemoteDescription({ type: "answer", sdp });
  }

  /** @param {RTCPeerConnection} pc */
  #moved(pc) {
    if (pc !== this.pc) return;
    if (pc.connectionState === "connected") {
      if (this.#broken) return;
      this.#backoff.reset();
      clearTimeout(this.#timer);
      this.#say("connected");
    } else if (pc.connectionState === "disconnected") {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#restart(pc), PATIENCE_MS);
    } else if (pc.connectionState === "failed") {
      this.#failed();
    }
  }

  /**
   * Another address, or a way that broke: ICE starts anew and DTLS, slots and pictures go on. Only where that leads nowhere
   * is a new connection built.
   * @param {RTCPeerConnection} pc
   */
  #restart(pc) {
    if (pc !== this.pc || this.#broken) return;
    if (this.#options.may() && pc.remoteDescription) {
      pc.restartIce();
      this.#after(CONNECT_MS);
      void this.negotiate();
    } else if (pc.connectionState !== "connected") {
      this.#say("lost");
    }
  }

  /** The offer was refused, or ICE gave up: this connection is of no more use, even where it still carries something. */
  #failed() {
    if (!this.pc) return;
    this.#broken = true;
    this.#say("lost");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#rebuild(), this.#backoff.next());
  }

  /** @param {number} ms from now it must be connected */
  #after(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.pc && this.pc.connectionState !== "connected") this.#rebuild();
    }, ms);
  }

  /** Without a line this is left to the next welcome, which opens everything that is not connected. */
  #rebuild() {
    if (!this.pc) return;
    this.#say("lost");
    if (this.#options.may()) void this.open();
  }

  #release() {
    clearTimeout(this.#timer);
    this.#unwatch();
    const pc = this.pc;
    this.pc = null;
    if (pc) {
      pc.onconnectionstatechange = null;
      pc.close();
    }
    this.#queue = Promise.resolve();
  }

  /** @param {PeerState} state */
  #say(state) {
    if (state === this.state) return;
    this.state = state;
    this.#options.changed(state);
  }
}
