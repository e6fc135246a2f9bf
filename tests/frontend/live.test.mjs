// What a lesson's screens show and say, from facts alone: stage plan, troubles and their order, times, texts, slides.

import assert from "node:assert/strict";
import { test } from "node:test";

import { lightOf } from "../../frontend/modules/live/light.js";
import { plan } from "../../frontend/modules/live/plan.js";
import { Slides } from "../../frontend/modules/live/slides.js";
import { clockTime, duration, errorText, translator, whyText } from "../../frontend/modules/live/texts.js";
import { troubles } from "../../frontend/modules/live/troubles.js";
import { emptyState } from "../../frontend/modules/room/state.js";

const live = (more = {}) => ({ ...emptyState(), phase: "live", opened_ms: 0, ...more });
const deck = { id: "d", title: "茉莉花", pages: 6 };

test("the stage shows slides before the camera, a shared screen before slides, and nothing while blanked", () => {
  assert.equal(plan(live(), "t-1", false).main, "camera");
  assert.equal(plan(live({ deck, page: 1 }), "t-1", false).main, "slide");
  assert.equal(plan(live({ deck, page: 1 }), "t-1", true).main, "screen");
  assert.equal(plan(live({ deck, page: 1, blank: true }), "t-1", true).main, "blank");
});

test("beside the stage stand the teacher, unless in the middle, and the rooms with the floor", () => {
  const seats = (state) => plan(state, "t-1", false).side.map((view) => view.seat);
  assert.deepEqual(seats(live({ floor: ["r-2"] })), ["r-2"]);
  assert.deepEqual(seats(live({ floor: ["r-2"], deck, page: 1 })), ["t-1", "r-2"]);
  assert.deepEqual(seats({ ...emptyState(), phase: "closed" }), []);
});

const facts = (more = {}) => ({
  status: { phase: "joined", reason: null, message: "", attempt: 0 },
  role: "class", state: live(), teacherHere: true, devices: [], blocked: false, sub: "connected", pub: "connected",
  saved: null, hasFloor: false, reopenLeft: 0, upLoss: 0, ...more,
});
const keys = (more) => troubles(facts(more)).map((one) => one.key);

test("all well says nothing", () => {
  assert.deepEqual(keys({}), []);
});

test("a line that is being restored is said only after it was cut, and hides what depends on it", () => {
  assert.deepEqual(keys({ status: { phase: "connecting", reason: null, message: "", attempt: 0 } }), []);
  const waiting = { phase: "waiting", reason: "node_unreachable", message: "", attempt: 1 };
  assert.deepEqual(keys({ status: waiting, sub: "lost", teacherHere: false }), ["why_node_unreachable"]);
});

test("another device offers to go on here; the end of the lesson is no fault", () => {
  const stopped = (reason) => troubles(facts({ status: { phase: "stopped", reason, message: "", attempt: 0 } }))[0];
  assert.deepEqual([stopped("elsewhere").action, stopped("elsewhere").level], ["here", "bad"]);
  assert.deepEqual([stopped("ended").action, stopped("ended").level], [null, "note"]);
  assert.equal(stopped("left"), undefined);
});

test("the worst stands first", () => {
  const found = keys({ hasFloor: true, teacherHere: false, blocked: true, devices: [{ code: "lost", kind: "camera" }] });
  assert.deepEqual(found, ["sound_blocked", "device_lost_camera", "teacher_away", "floor_ours"]);
});

test("the teacher hears that a recording device sends in place of the camera", () => {
  assert.ok(keys({ role: "teacher", encoder: true }).includes("encoder_on"));
  assert.ok(!keys({ encoder: true }).includes("encoder_on"));
});

test("a line that does not carry the lesson leads to the path test, a cable that was touched does not", () => {
  const action = (more) => troubles(facts(more))[0].action;
  const away = (attempt) => ({ status: { phase: "waiting", reason: "node_unreachable", message: "", attempt } });
  assert.deepEqual([action(away(1)), action(away(2))], [null, "path"]);
  assert.equal(action({ status: { phase: "waiting", reason: "rate", message: "", attempt: 5 } }), null);
  assert.deepEqual([action({ sub: "lost" }), action({ pub: "lost" })], ["path", "path"]);
  assert.deepEqual([action({ gets: "stills" }), action({ gets: "sound" })], ["path", "path"]);
});

test("a picture that stands still by intent is explained to those who look at it, not to the teacher", () => {
  assert.ok(keys({ gets: "stills" }).includes("line_stills"));
  assert.ok(keys({ gets: "sound" }).includes("line_sound"));
  assert.ok(!keys({ gets: "low" }).some((key) => key.startsWith("line_")));
  assert.ok(!keys({ gets: "sound", role: "teacher" }).includes("line_sound"));
});

test("a teacher hears that the own line loses what is sent; a classroom does not", () => {
  const [found] = troubles(facts({ role: "teacher", upLoss: 0.08 }));
  assert.deepEqual([found.key, found.params.percent, found.action], ["up_loss", 8, "path"]);
  assert.deepEqual(keys({ role: "teacher", upLoss: 0.05 }), []);
  assert.deepEqual(keys({ upLoss: 0.5 }), []);
  assert.deepEqual(keys({ role: "teacher", upLoss: 0.5, pub: "lost" }), ["media_lost_out"], "one thing at a time");
});

test("a teacher without microphone is in real trouble, a classroom less so", () => {
  const level = (role) => troubles(facts({ role, devices: [{ code: "missing", kind: "mic" }] }))[0].level;
  assert.deepEqual([level("teacher"), level("class")], ["bad", "caution"]);
});

test("下课 can be undone while time is left, and only the teacher is asked", () => {
  const state = { ...emptyState(), phase: "closed", closed_ms: 0 };
  const [undo] = troubles(facts({ role: "teacher", state, reopenLeft: 299 }));
  assert.deepEqual([undo.key, undo.params.left, undo.action], ["closed_undo", "4:59", "reopen"]);
  assert.deepEqual(keys({ state, reopenLeft: 299 }), []);
});

test("saving that stalls is the teacher's business and nobody else's", () => {
  assert.deepEqual(keys({ role: "teacher", saved: { stalled: true } }), ["saved_stalled"]);
  assert.deepEqual(keys({ saved: { stalled: true } }), []);
});

test("a yellow light on a clean line means that no sound arrives", () => {
  const one = { light: "yellow", rtt_ms: 20, loss: 0, heard: false };
  assert.equal(lightOf(one), "deaf");
  assert.equal(lightOf({ ...one, heard: true }), "yellow");
  assert.equal(lightOf({ ...one, rtt_ms: 400 }), "yellow");
  assert.equal(lightOf(undefined), "away");
});

test("times are the city's, durations grow an hour only when they need one", () => {
  assert.equal(clockTime(Date.UTC(2026, 10, 21, 2, 32, 15)), "10:32:15");
  assert.equal(duration(75_000), "01:15");
  assert.equal(duration(4_520_000), "1:15:20");
  assert.equal(duration(-5), "00:00");
});

test("unknown codes still get a sentence, the web's own where it sent one", () => {
  const t = translator({ "live.error_other": "出错 {code}", "live.why_full": "满", "live.hello": "你好 {name}{other}" });
  assert.equal(t("hello", { name: "王" }), "你好 王{other}");
  assert.equal(errorText(t, "odd"), "出错 odd");
  assert.equal(whyText(t, "full", "web"), "满");
  assert.equal(whyText(t, "odd", "网页说"), "网页说");
  assert.equal(whyText(t, "odd"), "出错 odd");
});

test("slides come ahead of their turn, the next ones first, and a lost one is fetched again", async () => {
  const asked = [];
  let fail = true;
  const get = async (url) => {
    asked.push(url);
    if (url.endsWith("/3.webp") && fail) {
      fail = false;
      return { ok: false };
    }
    return { ok: true, blob: async () => new Blob(["x"]) };
  };
  const slides = new Slides("L", () => [], get);
  slides.ahead("d", 2, 4);
  await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual(asked.map((url) => url.slice(-6)), ["2.webp", "3.webp", "4.webp", "1.webp"]);
  assert.match(slides.source("d", 4), /^blob:/);
  assert.equal(slides.source("d", 3), "/api/v1/lessons/L/decks/d/3.webp");
  slides.ahead("d", 3, 4);
  await new Promise((done) => setTimeout(done, 20));
  assert.match(slides.source("d", 3), /^blob:/);
});

test("on a thin line the next slide comes ahead and no other, until the line is well again", async () => {
  const asked = [];
  const get = async (url, priority) => {
    asked.push(`${url.slice(-6, -5)} ${priority}`);
    return { ok: true, blob: async () => new Blob(["x"]) };
  };
  const slides = new Slides("L", () => [], get);
  const settled = () => new Promise((done) => setTimeout(done, 20));
  slides.ahead("d", 2, 5, true);
  await settled();
  assert.deepEqual(asked, ["2 auto", "3 low"], "sound has the rest of the line");
  assert.match(slides.source("d", 3), /^blob:/, "there before its turn");
  slides.ahead("d", 5, 5, true);
  await settled();
  assert.deepEqual(asked.slice(2), ["5 auto"]);
  slides.ahead("d", 3, 5);
  await settled();
  assert.deepEqual(asked.slice(3), ["4 low", "1 low"]);
});
