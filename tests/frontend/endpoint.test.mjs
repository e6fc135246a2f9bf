// One device's media: what a shared screen may do and when it goes. The browser and the session are scripted.

import assert from "node:assert/strict";
import { test } from "node:test";

import { emptyState } from "../../frontend/modules/room/state.js";

const track = (kind, settings = {}) => ({
  kind, settings, enabled: true, stopped: false, contentHint: "",
  getSettings() { return this.settings; },
  stop() { this.stopped = true; },
});

/** What the browser gives for the next share. */
let shared = [];
const media = {
  addEventListener() {}, removeEventListener() {},
  getDisplayMedia: async () => ({
    getTracks: () => shared,
    getVideoTracks: () => shared.filter((one) => one.kind === "video"),
    getAudioTracks: () => shared.filter((one) => one.kind === "audio"),
  }),
};
Object.defineProperty(globalThis, "navigator", { value: { mediaDevices: media, permissions: { query: async () => ({}) } } });
Object.defineProperty(globalThis, "localStorage", { value: { getItem: () => null, setItem() {} } });
const { Endpoint } = await import("../../frontend/modules/media/endpoint.js");

function begin() {
  let tell = () => {};
  const session = /** @type {any} */ ({
    role: "teacher", joined: false, state: { ...emptyState(), phase: "live" }, slots: [], status: {}, relays: [], line: {},
    joins() {}, advises() {}, watch: (watcher) => (tell = watcher),
  });
  const become = (more) => {
    session.state = { ...session.state, ...more };
    tell(new Set(["state"]));
  };
  return { endpoint: new Endpoint(session, { publishes: "teacher", changed: () => {} }), become };
}

test("下课 closes the shared screen too", async () => {
  const { endpoint, become } = begin();
  shared = [track("video"), track("audio")];
  await endpoint.shareScreen();
  assert.equal(endpoint.pub?.track("screen-audio"), shared[1]);
  become({ phase: "closed" });
  assert.deepEqual([endpoint.sharing, shared.map((one) => one.stopped)], [false, [true, true]]);
  await Promise.resolve();
  assert.equal(endpoint.pub?.track("screen"), null);
  endpoint.close();
});

test("a screen chosen only after 下课 is not shared", async () => {
  const { endpoint, become } = begin();
  shared = [track("video")];
  const sharing = endpoint.shareScreen();
  become({ phase: "closed" });
  await sharing;
  assert.deepEqual([endpoint.sharing, shared[0].stopped, endpoint.pub?.track("screen")], [false, true, null]);
  endpoint.close();
});

test("a whole screen's sound waits while a room has the floor, unless it leaves this page out", async () => {
  for (const [surface, kept, heard] of [["monitor", undefined, false], ["monitor", true, true], ["browser", undefined, true]]) {
    const { endpoint, become } = begin();
    shared = [track("video", { displaySurface: surface }), track("audio", { restrictOwnAudio: kept })];
    await endpoint.shareScreen();
    become({ floor: ["r-1"] });
    assert.equal(shared[1].enabled, heard);
    become({ floor: [] });
    assert.equal(shared[1].enabled, true);
    endpoint.close();
  }
});
