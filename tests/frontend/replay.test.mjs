// What the replay's player computes without a browser: where to start, what can be shown, chapters, the state at a moment.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Player } from "../../frontend/modules/replay/player.js";
import { covers, endsSoon, indexAt, playable, startIndex } from "../../frontend/modules/replay/source.js";
import { Log } from "../../frontend/modules/replay/slides.js";
import { chapters } from "../../frontend/modules/replay/timeline.js";

/** @param {[number, number, boolean?][]} spans */
const made = (spans) =>
  spans.map(([from_ms, to_ms, random_access = true]) => ({ init: "1-0", url: `${from_ms}`, from_ms, to_ms, random_access, size: 1 }));

test("the fragment at a moment", () => {
  const fragments = made([[100, 200], [200, 300], [500, 600]]);
  assert.deepEqual([0, 99, 100, 199, 200, 400, 500, 9999].map((ms) => indexAt(fragments, ms)), [-1, -1, 0, 0, 1, 1, 2, 2]);
  assert.equal(indexAt([], 5), -1);
});

test("starts at a fragment that stands by itself, and behind a hole at the next one", () => {
  const fragments = made([[0, 100], [100, 200, false], [200, 300, false], [300, 400], [900, 1000], [1000, 1100, false]]);
  assert.equal(startIndex(fragments, 250), 0);
  assert.equal(startIndex(fragments, 350), 3);
  assert.equal(startIndex(fragments, 600), 4);
  assert.equal(startIndex(fragments, 1050), 4);
  assert.equal(startIndex(fragments, 5000), 4);
  assert.equal(startIndex(fragments, -5), 0);
});

test("covers recorded parts and seams, not holes", () => {
  const fragments = made([[100, 200], [220, 300], [900, 1000]]);
  assert.deepEqual([50, 150, 210, 299, 500, 950, 1000].map((ms) => covers(fragments, ms)), [true, true, true, true, false, true, false]);
  assert.equal(covers(fragments, -100), false);
  assert.equal(covers([], 1), false);
});

test("sees a hole or the end coming", () => {
  const fragments = made([[0, 1000], [1000, 2000], [5000, 6000]]);
  assert.equal(endsSoon(fragments, 900, 300), false);
  assert.equal(endsSoon(fragments, 1800, 300), true);
  assert.equal(endsSoon(fragments, 5800, 300), true);
});

test("pictures behind a hole play only from the next key frame on", () => {
  const fragments = made([[0, 100, false], [100, 200], [200, 300, false], [900, 1000, false], [1000, 1100], [1100, 1200, false]]);
  assert.deepEqual(playable(fragments).map((one) => one.from_ms), [100, 200, 1000, 1100]);
});

/** @param {[number, string, object][]} rows */
const ops = (rows) => rows.map(([t, kind, body], i) => ({ seq: i + 1, epoch: 1, t, kind, by: "t-1", body, v: 1 }));

test("chapters are page turns that lasted", () => {
  const log = ops([
    [10, "lesson.open", {}],
    [100, "deck.open", { deck: "d", title: "分数", pages: 5 }],
    [5000, "page.turn", { page: 2 }],
    [5500, "page.turn", { page: 3 }],
    [20000, "page.turn", { page: 2 }],
    [30000, "deck.close", {}],
    [31000, "page.turn", { page: 4 }],
  ]);
  const found = chapters(/** @type {any} */ ({ ops: log, from_ms: 1000 }));
  assert.deepEqual(found.map((one) => [one.ms, one.page]), [[1000, 1], [5500, 3], [20000, 2]]);
});

test("the state at any moment, forwards and back", () => {
  const log = new Log(/** @type {any} */ (ops([
    [10, "lesson.open", {}],
    [100, "deck.open", { deck: "d", title: "分数", pages: 5 }],
    [200, "page.turn", { page: 2 }],
    [300, "chat.say", { text: "好" }],
    [400, "chat.erase", { seq: 4 }],
  ])));
  assert.equal(log.at(5).phase, "waiting");
  assert.equal(log.at(250).page, 2);
  assert.deepEqual(log.at(350).chat.map((line) => line.text), ["好"]);
  assert.equal(log.at(1000).chat[0].erased, true);
  assert.equal(log.at(150).page, 1);
  assert.equal(log.at(150).chat.length, 0);
});

test("a screen shared while somebody watches comes in with its sound, as loud as the rest", () => {
  globalThis.MediaSource = class extends EventTarget {};
  URL.createObjectURL = () => "blob:one";
  const element = () => ({ buffered: [], currentTime: 0, volume: 1, muted: false, playbackRate: 1, pause() {}, removeAttribute() {}, load() {} });
  const elements = new Map([["mic", element()], ["screen-audio", element()]]);
  const track = (name, spans) => ({ track: name, kind: "audio", inits: [], fragments: made(spans), gaps: [] });
  const voice = track("mic", [[0, 1500], [1500, 3000]]);
  const replay = { from_ms: 0, to_ms: 3000, tracks: [voice] };
  const player = new Player(/** @type {any} */ (replay), /** @type {any} */ (elements));
  player.setVolume(0.4, true);
  player.setRate(1.5);
  player.extend(/** @type {any} */ ({ ...replay, tracks: [voice, track("screen-audio", [[2000, 3000]])] }));
  const { src, volume, muted, playbackRate } = /** @type {any} */ (elements.get("screen-audio"));
  assert.deepEqual([src, volume, muted, playbackRate], ["blob:one", 0.4, true, 1.5]);
  assert.equal(player.shows("screen-audio"), false);
  player.seek(2500);
  assert.equal(player.shows("screen-audio"), true);
  player.close();
});
