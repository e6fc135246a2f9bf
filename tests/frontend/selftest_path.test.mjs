// The self-test's path: signalling and the first way that stands, in the words of server/selftests/checks.py.

import assert from "node:assert/strict";
import { test } from "node:test";

import { path } from "../../frontend/modules/live/probes.js";

/** @param {{socket: boolean, door: boolean, ways: number}} network ways: so many connections fail before one stands */
function network({ socket, door, ways }) {
  const tried = { sockets: 0, ways: 0 };
  globalThis.fetch = async (url) => {
    if (String(url).endsWith("/api/v1/way"))
      return Response.json({ url: "https://class.test/n/1/way", token: "t", iceServers: [] });
    if (!door) throw new TypeError("failed to fetch");
    return new Response("v=0\r\na=candidate:u0 1 udp 1 192.0.2.1 8002 typ host\r\n", { status: 201 });
  };
  globalThis.WebSocket = class {
    constructor() {
      tried.sockets += 1;
      queueMicrotask(() => (socket ? this.onmessage({ data: "{}" }) : this.onclose()));
    }
    send() {}
    close() {}
  };
  globalThis.RTCPeerConnection = class {
    localDescription = { sdp: "offer" };
    connectionState = "new";
    addTransceiver() {}
    async createOffer() {}
    async setLocalDescription() {}
    async setRemoteDescription() {
      this.connectionState = tried.ways++ < ways ? "failed" : "connected";
      this.onconnectionstatechange();
    }
    close() {}
  };
  return tried;
}

test("the first way that stands is enough", async () => {
  const tried = network({ socket: true, door: true, ways: 0 });
  assert.equal(await path("csrf"), "all_good");
  assert.deepEqual(tried, { sockets: 1, ways: 1 });
});

test("what a filter makes of it", async () => {
  network({ socket: true, door: true, ways: 1 });
  assert.equal(await path("csrf"), "tcp_only");
  network({ socket: true, door: true, ways: 9 });
  assert.equal(await path("csrf"), "all_blocked");
  network({ socket: false, door: true, ways: 0 });
  assert.equal(await path("csrf"), "ws_blocked", "though sound and picture would pass");
  network({ socket: false, door: false, ways: 0 });
  assert.equal(await path("csrf"), "no_node");
  globalThis.fetch = async () => Promise.reject(new TypeError("failed to fetch"));
  assert.equal(await path("csrf"), "no_node");
});
