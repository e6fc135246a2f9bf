// The path test's pure parts: which relays, which candidates, what results mean.

import assert from "node:assert/strict";
import { test } from "node:test";

import { doors, onlyBy, relaysOf, trySocket, tryWay, verdict, WAYS } from "../../frontend/modules/media/ways.js";

const SERVERS = [
  {
    urls: ["turn:r.test:3478?transport=udp", "turn:r.test:3478?transport=tcp", "turns:r.test:443?transport=tcp"],
    username: "1:a",
    credential: "x",
  },
];
const ANSWER = [
  "v=0",
  "a=candidate:u0 1 udp 2130706431 192.0.2.1 8002 typ host",
  "a=candidate:t0 1 tcp 1671430143 192.0.2.1 8002 typ host tcptype passive",
  "a=end-of-candidates",
  "",
].join("\r\n");

test("each relay way uses its own address and the site's login", () => {
  assert.deepEqual(relaysOf(SERVERS, "turn_udp"), [{ ...SERVERS[0], urls: ["turn:r.test:3478?transport=udp"] }]);
  assert.deepEqual(relaysOf(SERVERS, "turn_tcp")[0].urls, ["turn:r.test:3478?transport=tcp"]);
  assert.deepEqual(relaysOf(SERVERS, "turn_tls")[0].urls, ["turns:r.test:443?transport=tcp"]);
  assert.deepEqual(relaysOf([{ urls: "turn:r.test" }], "turn_udp")[0].urls, ["turn:r.test"], "UDP is the default");
  assert.deepEqual(relaysOf([{ urls: "turn:r.test" }], "turn_tls"), []);
});

test("an answer is cut to one way", () => {
  assert.match(onlyBy(ANSWER, "udp"), /u0 1 udp/);
  assert.doesNotMatch(onlyBy(ANSWER, "udp"), /tcp/);
  assert.doesNotMatch(onlyBy(ANSWER, "tcp"), / udp /);
  assert.match(onlyBy(ANSWER, "turn_tls"), /u0 1 udp/, "a relay comes by UDP");
  assert.ok(onlyBy(ANSWER, "tcp").endsWith("a=end-of-candidates\r\n"));
});

test("a firewall's owner is told address and port", () => {
  assert.deepEqual(doors(ANSWER), ["UDP 192.0.2.1:8002", "TCP 192.0.2.1:8002"]);
});

const CASES = [
  [["good", "good", "good", "good", "good"], "all_good"],
  [["good", "blocked", "absent", "absent", "absent"], "all_good"],
  [["blocked", "good", "good", "good", "good"], "relay_udp"],
  [["blocked", "good", "absent", "absent", "absent"], "tcp_only"],
  [["blocked", "good", "blocked", "good", "good"], "tcp_only"],
  [["blocked", "blocked", "blocked", "good", "good"], "relay_tcp"],
  [["blocked", "blocked", "blocked", "blocked", "good"], "relay_tls"],
  [["blocked", "blocked", "blocked", "blocked", "blocked"], "all_blocked"],
  [["blocked", "blocked", "absent", "absent", "absent"], "all_blocked"],
  [["refused", "refused", "absent", "absent", "absent"], "no_node"],
];
for (const [outcomes, means] of CASES)
  test(`${outcomes.join(" ")}: ${means}`, () => {
    assert.equal(verdict(WAYS.map((way, i) => ({ way, outcome: outcomes[i], ms: 1 }))), means);
  });

test("signalling that is cut is said before all else, but for a node that is not there", () => {
  const results = (ws, outcome) => [{ way: "ws", outcome: ws, ms: 1 }, ...WAYS.map((way) => ({ way, outcome, ms: 1 }))];
  assert.equal(verdict(results("blocked", "good")), "ws_blocked");
  assert.equal(verdict(results("blocked", "blocked")), "ws_blocked");
  assert.equal(verdict(results("good", "good")), "all_good");
  assert.equal(verdict(results("good", "blocked")), "all_blocked");
  assert.equal(verdict(results("blocked", "refused")), "no_node");
});

/** @param {(socket: any) => void} behaves what the network makes of it */
function sockets(behaves) {
  const made = [];
  globalThis.WebSocket = class {
    constructor(url) {
      made.push(this);
      this.url = String(url);
      queueMicrotask(() => behaves(this));
    }
    send(text) {
      this.sent = text;
      queueMicrotask(() => this.answers && this.onmessage?.({ data: "{}" }));
    }
    close() {
      this.closed = true;
    }
  };
  return made;
}

test("a socket is good when something comes back, not when it opens", async () => {
  const grant = { url: "https://class.test/n/1/way", token: "", iceServers: [] };
  let made = sockets((socket) => ((socket.answers = true), socket.onopen()));
  const good = await trySocket(grant);
  assert.deepEqual([good.way, good.outcome, good.doors], ["ws", "good", ["TCP class.test:443"]]);
  assert.deepEqual([made[0].url, made[0].closed, JSON.parse(made[0].sent).type], ["wss://class.test/n/1/ws", true, "ping"]);
  made = sockets((socket) => socket.onclose());
  assert.equal((await trySocket(grant)).outcome, "blocked", "a filter that refuses");
  made = sockets((socket) => socket.onopen());
  const silent = await trySocket({ ...grant, url: "http://10.0.0.7:8001/way" }, 20);
  assert.deepEqual([silent.outcome, made[0].url, silent.doors], ["blocked", "ws://10.0.0.7:8001/ws", ["TCP 10.0.0.7:8001"]]);
});

test("a relay the site does not have is not tried; a door that does not answer is not a blocked way", async () => {
  globalThis.RTCPeerConnection = class {
    localDescription = { sdp: "offer" };
    addTransceiver() {}
    async createOffer() {}
    async setLocalDescription() {}
    close() {}
  };
  const grant = { url: "", token: "", iceServers: [] };
  assert.equal((await tryWay("turn_udp", grant, async () => "")).outcome, "absent");
  const shut = async () => Promise.reject(new Error("503"));
  assert.equal((await tryWay("udp", grant, shut)).outcome, "refused");
});
