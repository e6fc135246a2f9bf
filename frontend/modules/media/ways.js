// The ways from this computer to the node, tried one by one with everything else shut: what is blocked shows by itself.
// No DOM here; what a result means is a table.

import { configuration } from "./ice.js";

/**
 * @typedef {"udp" | "tcp" | "turn_udp" | "turn_tcp" | "turn_tls"} MediaWay
 * @typedef {MediaWay | "ws"} Way ws: the lesson's signalling, one WebSocket
 * @typedef {"good" | "blocked" | "absent" | "refused"} Outcome absent: the site has no such relay; refused: the node's web
 *   door itself cannot be reached
 * @typedef {{way: Way, outcome: Outcome, ms: number}} Result
 * @typedef {{url: string, token: string, iceServers: RTCIceServer[]}} Grant
 */

/** @type {MediaWay[]} */
export const WAYS = ["udp", "tcp", "turn_udp", "turn_tcp", "turn_tls"];

/** A way that stands needs well under a second; eight leave room for a slow line that loses packets. */
const PATIENCE_MS = 8000;

/** @param {string} url @returns {Way | null} */
function relayWay(url) {
  if (url.startsWith("turns:")) return "turn_tls";
  if (!url.startsWith("turn:")) return null;
  return url.endsWith("transport=tcp") ? "turn_tcp" : "turn_udp";
}

/**
 * The site's relays, only those of this way.
 * @param {RTCIceServer[]} servers @param {Way} way @returns {RTCIceServer[]}
 */
export function relaysOf(servers, way) {
  return servers
    .map((server) => ({ ...server, urls: [server.urls].flat().filter((url) => relayWay(url) === way) }))
    .filter((server) => server.urls.length > 0);
}

/**
 * The answer with the candidates of one way only; a relay reaches the node by UDP.
 * @param {string} sdp @param {Way} way
 */
export function onlyBy(sdp, way) {
  const kept = way === "tcp" ? " tcp " : " udp ";
  return sdp
    .split("\r\n")
    .filter((line) => !line.startsWith("a=candidate:") || line.includes(kept))
    .join("\r\n");
}

/** Addresses and ports that a firewall would have to let through. @param {string} sdp @returns {string[]} */
export function doors(sdp) {
  const found = [...sdp.matchAll(/^a=candidate:\S+ 1 (udp|tcp) \d+ (\S+) (\d+)/gm)];
  return [...new Set(found.map(([, protocol, address, port]) => `${protocol.toUpperCase()} ${address}:${port}`))];
}

/**
 * One way, tried. The page's relays and the node's answer are all it may use.
 * @param {MediaWay} way
 * @param {Grant} grant
 * @param {(sdp: string) => Promise<string>} ask the node's door
 * @param {number} [patience]
 * @returns {Promise<Result & {doors: string[]}>}
 */
export async function tryWay(way, grant, ask, patience = PATIENCE_MS) {
  const direct = way === "udp" || way === "tcp";
  const relays = direct ? [] : relaysOf(grant.iceServers, way);
  if (!direct && relays.length === 0) return { way, outcome: "absent", ms: 0, doors: [] };
  const pc = new RTCPeerConnection(configuration(relays, direct ? "all" : "relay"));
  const began = Date.now();
  try {
    pc.addTransceiver("audio", { direction: "recvonly" });
    await pc.setLocalDescription(await pc.createOffer());
    let answer = "";
    try {
      answer = await ask(pc.localDescription?.sdp ?? "");
    } catch {
      return { way, outcome: "refused", ms: 0, doors: [] };
    }
    const connected = standing(pc, patience);
    await pc.setRemoteDescription({ type: "answer", sdp: onlyBy(answer, way) });
    const good = await connected;
    return { way, outcome: good ? "good" : "blocked", ms: Date.now() - began, doors: doors(answer) };
  } finally {
    pc.close();
  }
}

/** @param {RTCPeerConnection} pc @param {number} patience @returns {Promise<boolean>} */
function standing(pc, patience) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patience);
    pc.onconnectionstatechange = () => {
      if (pc.connectionState !== "connected" && pc.connectionState !== "failed") return;
      clearTimeout(timer);
      resolve(pc.connectionState === "connected");
    };
  });
}

/**
 * The signalling's WebSocket, as a lesson opens it. Filters often pass pages and cut what is no page: only what comes
 * back shows that frames pass both ways, and the node answers whoever has not joined.
 * @param {Grant} grant @param {number} [patience]
 * @returns {Promise<Result & {doors: string[]}>}
 */
export function trySocket(grant, patience = PATIENCE_MS) {
  const url = new URL(grant.url.replace(/^http/, "ws").replace(/\/way$/, "/ws"));
  const doors = [`TCP ${url.hostname}:${url.port || (url.protocol === "wss:" ? 443 : 80)}`];
  const began = Date.now();
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    /** @param {Outcome} outcome */
    const end = (outcome) => {
      clearTimeout(timer);
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      resolve({ way: "ws", outcome, ms: Date.now() - began, doors });
    };
    const timer = setTimeout(() => end("blocked"), patience);
    socket.onopen = () => socket.send('{"type":"ping","t":0}');
    socket.onmessage = () => end("good");
    socket.onclose = () => end("blocked");
  });
}

/**
 * What the results mean, as the name of a sentence: the first line of the table that fits.
 * @param {Result[]} results
 */
export function verdict(results) {
  const good = new Set(results.filter((one) => one.outcome === "good").map((one) => one.way));
  const media = results.filter((one) => one.way !== "ws");
  if (media.length > 0 && media.every((one) => one.outcome === "refused" || one.outcome === "absent")) return "no_node";
  if (media.length < results.length && !good.has("ws")) return "ws_blocked";
  if (good.has("udp")) return "all_good";
  if (good.has("turn_udp")) return "relay_udp";
  if (good.has("tcp")) return "tcp_only";
  if (good.has("turn_tcp")) return "relay_tcp";
  if (good.has("turn_tls")) return "relay_tls";
  return "all_blocked";
}
