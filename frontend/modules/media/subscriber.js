// What this device receives: a fixed number of slots by role, offered once. What a slot shows is a message, never SDP.

import { preferVideo } from "./codecs.js";
import { Peer } from "./peer.js";

/**
 * @typedef {import("../protocol/messages.js").Role} Role
 * @typedef {import("./peer.js").PeerState} PeerState
 */

/** Audio and video m-lines by role, in this order (the same table as signaling/stage.py). @type {Partial<Record<Role, [number, number]>>} */
export const SLOTS = { teacher: [3, 8], class: [3, 6], watch: [3, 6], inspector: [3, 6] };

/** The slot that carries the lead teacher's voice, for everybody but the teacher: what "heard" is measured on. */
export const TEACHER_VOICE = "0";

export class Subscriber {
  /**
   * @param {object} options
   * @param {Role} options.role
   * @param {(sdp: string) => Promise<string>} options.offer
   * @param {(state: PeerState) => void} options.changed
   * @param {() => boolean} options.may
   * @param {() => RTCIceServer[]} [options.relays]
   */
  constructor({ role, offer, changed, may, relays }) {
    this.#slots = SLOTS[role] ?? [0, 0];
    this.#peer = new Peer({ offer, changed, may, relays, prepare: (pc) => this.#prepare(pc) });
  }

  #slots;
  #peer;

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
  }

  /** @param {string} mid @returns {MediaStreamTrack | null} */
  track(mid) {
    const line = this.#peer.pc?.getTransceivers()[Number(mid)];
    return line ? line.receiver.track : null;
  }

  /** @param {RTCPeerConnection} pc */
  #prepare(pc) {
    const [audio, video] = this.#slots;
    for (let i = 0; i < audio; i++) pc.addTransceiver("audio", { direction: "recvonly" });
    for (let i = 0; i < video; i++) preferVideo(pc.addTransceiver("video", { direction: "recvonly" }));
  }
}
