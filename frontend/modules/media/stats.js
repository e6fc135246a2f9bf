// Reads getStats of this endpoint's receiving connection every two seconds and reports every ten (design.md section 4).

import { TEACHER_VOICE } from "./subscriber.js";
import { Tally } from "./tally.js";

const SAMPLE_MS = 2000;
const REPORT_MS = 10_000;
/** After the teacher's voice begins, the first word about it comes this soon: the teacher waits for the light. */
const FIRST_MS = 4000;
/** @type {Record<string, Path>} */
const RELAYED = { udp: "relay_udp", tcp: "relay_tcp", tls: "relay_tls" };

/**
 * @typedef {import("./tally.js").Figures} Figures
 * @typedef {"udp" | "tcp" | "relay_udp" | "relay_tcp" | "relay_tls"} Path to the node, or to a relay that passes everything on
 * @typedef {{path: Path | null, rtt: number | null}} Health how packets travel
 *
 * @typedef {object} Watched
 * @property {() => RTCPeerConnection | null} sub
 * @property {() => boolean} teacherSpeaks the teacher's slot shows somebody
 * @property {() => boolean} playing
 * @property {() => boolean} connected
 * @property {(figures: Figures) => void} report
 * @property {(health: Health) => void} health
 */

/** @param {RTCStatsReport} report */
export function inbound(report) {
  let voice = 0;
  let frames = 0;
  let freezes = 0;
  /** @type {number | null} */
  let jitter = null;
  let received = 0;
  let lost = 0;
  report.forEach((entry) => {
    if (entry.type !== "inbound-rtp") return;
    received += entry.packetsReceived ?? 0;
    lost += Math.max(0, entry.packetsLost ?? 0);
    frames += entry.framesDecoded ?? 0;
    freezes += entry.freezeCount ?? 0;
    if (typeof entry.jitter === "number" && entry.packetsReceived > 0) jitter = Math.max(jitter ?? 0, entry.jitter * 1000);
    if (entry.kind === "audio" && entry.mid === TEACHER_VOICE) {
      voice += (entry.totalSamplesReceived ?? 0) - (entry.concealedSamples ?? 0);
    }
  });
  return { voice, frames, freezes, received, lost, jitter };
}

/** Of a relayed candidate "protocol" is the relay's own leg to the node; the leg to the relay stands beside it. @param {any} local @returns {Path} */
function pathOf(local) {
  if (local?.candidateType === "relay") return RELAYED[local.relayProtocol] ?? "relay_udp";
  return local?.protocol === "tcp" ? "tcp" : "udp";
}

/** @param {RTCStatsReport} report @returns {Health} */
export function route(report) {
  /** @type {any} */
  let pair = null;
  report.forEach((entry) => {
    if (entry.type === "transport" && entry.selectedCandidatePairId) pair = report.get(entry.selectedCandidatePairId) ?? pair;
  });
  // Firefox has no transport entry, but marks the pair itself.
  if (!pair) report.forEach((entry) => (pair = entry.type === "candidate-pair" && entry.selected ? entry : pair));
  if (!pair) return { path: null, rtt: null };
  const local = report.get(pair.localCandidateId);
  const rtt = typeof pair.currentRoundTripTime === "number" ? pair.currentRoundTripTime * 1000 : null;
  return { path: pathOf(local), rtt };
}

export class Stats {
  /** @param {Watched} watched @param {() => number} [now] */
  constructor(watched, now = () => performance.now()) {
    this.#watched = watched;
    this.#now = now;
  }

  #watched;
  #now;
  #tally = new Tally();
  #spoke = false;
  #reportedAt = 0;
  /** @type {any} */
  #timer = null;

  /** From the first joining on, over cuts too. */
  start() {
    if (this.#timer !== null) return;
    this.#reportedAt = this.#now();
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  async #sample() {
    const received = await this.#watched.sub()?.getStats();
    if (this.#timer === null || !received) return;
    const now = this.#now();
    const way = route(received);
    const counters = inbound(received);
    const voice = this.#watched.teacherSpeaks() ? counters.voice : null;
    const { connected, playing } = this.#watched;
    this.#tally.add({ ...counters, voice, now, connected: connected(), playing: playing(), rtt: way.rtt });
    this.#watched.health(way);
    if (!this.#watched.connected()) return;
    const begins = this.#watched.teacherSpeaks() && !this.#spoke;
    this.#spoke = this.#watched.teacherSpeaks();
    if (!begins && now - this.#reportedAt < REPORT_MS - SAMPLE_MS / 2) return;
    this.#reportedAt = begins ? now - REPORT_MS + FIRST_MS : now;
    this.#watched.report(this.#tally.take());
  }
}
