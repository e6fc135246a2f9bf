// One peer connection and its returns, with a scripted RTCPeerConnection.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { configuration, onNetworkChange } from "../../frontend/modules/media/ice.js";
import { Peer } from "../../frontend/modules/media/peer.js";

/** @type {FakePc[]} */
let made = [];

class FakePc {
  constructor() {
    this.connectionState = "new";
    this.closed = false;
    this.restarts = 0;
    made.push(this);
  }
  async createOffer() {
    return { type: "offer", sdp: `offer ${made.indexOf(this)}` };
  }
  async setLocalDescription(description) {
    this.localDescription = description;
  }
  async setRemoteDescription(description) {
    this.remote = description.sdp;
    this.remoteDescription = description;
  }
  restartIce() {
    this.restarts += 1;
  }
  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
  close() {
    this.closed = true;
  }
}

async function begin({ offer = async (sdp) => `answer to ${sdp}`, may = () => true } = {}) {
  made = [];
  globalThis.RTCPeerConnection = /** @type {any} */ (FakePc);
  const states = [];
  const peer = new Peer({ offer, may, prepare: () => {}, changed: (state) => states.push(state) });
  await peer.open();
  return { peer, states };
}

test.beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
test.afterEach(() => mock.timers.reset());

const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

test("offers, takes the answer, is connected", async () => {
  const { peer, states } = await begin();
  assert.equal(made[0].remote, "answer to offer 0");
  made[0].become("connected");
  assert.deepEqual(states, ["connecting", "connected"]);
  assert.equal(peer.pc, made[0]);
});

test("one that never connects is replaced", async () => {
  await begin();
  mock.timers.tick(8000);
  await settle();
  assert.deepEqual([made.length, made[0].closed], [2, true]);
});

test("a short break is waited for, a longer one restarts ICE, only a long one is the end", async () => {
  await begin();
  made[0].become("connected");
  made[0].become("disconnected");
  mock.timers.tick(900);
  made[0].become("connected");
  mock.timers.tick(10_000);
  assert.deepEqual([made.length, made[0].restarts], [1, 0]);
  made[0].become("disconnected");
  mock.timers.tick(1000);
  await settle();
  assert.deepEqual([made.length, made[0].restarts], [1, 1]);
  made[0].become("connected");
  mock.timers.tick(10_000);
  await settle();
  assert.equal(made.length, 1, "the way back was found");
  made[0].become("disconnected");
  mock.timers.tick(1000);
  await settle();
  mock.timers.tick(8000);
  await settle();
  assert.equal(made.length, 2);
});

test("a page that changes its network looks for a new way at once", async () => {
  const line = new EventTarget();
  let asked = 0;
  const end = onNetworkChange(() => (asked += 1), line);
  line.dispatchEvent(new Event("online"));
  line.dispatchEvent(new Event("online"));
  mock.timers.tick(600);
  assert.equal(asked, 1, "a burst of events is one change");
  end();
  line.dispatchEvent(new Event("online"));
  mock.timers.tick(600);
  assert.equal(asked, 1);
});

test("relays are handed to the browser", () => {
  const relays = [{ urls: ["turn:relay.test:3478"], username: "1:a", credential: "x" }];
  assert.deepEqual(configuration(relays).iceServers, relays);
  assert.equal(configuration(relays).iceTransportPolicy, "all");
});

test("a refused offer on a connection that stands replaces it all the same", async () => {
  let refuse = false;
  const { peer, states } = await begin({
    offer: async (sdp) => {
      if (refuse) throw new Error("sdp_sources");
      return `answer to ${sdp}`;
    },
  });
  made[0].become("connected");
  refuse = true;
  await peer.negotiate();
  refuse = false;
  made[0].become("connected");
  assert.equal(states.at(-1), "lost");
  mock.timers.tick(2000);
  await settle();
  made[1].become("connected");
  assert.deepEqual([made.length, states.at(-1)], [2, "connected"]);
});

test("without a line nothing is offered; a connection that recovers by itself is kept", async () => {
  let line = true;
  const { states } = await begin({ may: () => line });
  made[0].become("connected");
  line = false;
  made[0].become("disconnected");
  mock.timers.tick(3000);
  assert.deepEqual([made.length, states.at(-1)], [1, "lost"]);
  made[0].become("connected");
  assert.equal(states.at(-1), "connected");
});

test("what an older connection was told, or refused, is no business of the next", async () => {
  made = [];
  globalThis.RTCPeerConnection = /** @type {any} */ (FakePc);
  const answers = [];
  const offer = () => new Promise((resolve, reject) => answers.push({ resolve, reject }));
  const peer = new Peer({ offer, may: () => true, prepare: () => {}, changed: () => {} });
  void peer.open();
  await settle();
  void peer.open();
  await settle();
  void peer.open();
  await settle();
  answers[0].resolve("late");
  answers[1].reject(new Error("late"));
  answers[2].resolve("right");
  await settle();
  assert.deepEqual(made.map((pc) => pc.remote), [undefined, undefined, "right"]);
  assert.equal(peer.state, "connecting");
});
