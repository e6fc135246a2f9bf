// What is counted as heard and seen, which codecs are offered, how loud a meter shows, and where errors of devices lead.

import assert from "node:assert/strict";
import { test } from "node:test";

import { awake, encodings, hint, worth } from "../../frontend/modules/media/budgets.js";
import { preferred, startAt, withPtime } from "../../frontend/modules/media/codecs.js";
import { loudness, troubleOf } from "../../frontend/modules/media/devices.js";
import { inbound, route } from "../../frontend/modules/media/stats.js";
import { Tally } from "../../frontend/modules/media/tally.js";

const sample = (now, more = {}) => ({
  now, connected: true, playing: true, voice: 0, frames: 0, freezes: 0, received: 0, lost: 0, rtt: 20, jitter: null, ...more,
});

test("heard is sound that came over the network while it played", () => {
  const tally = new Tally();
  tally.add(sample(0, { voice: 0 }));
  tally.add(sample(2000, { voice: 48 * 1500 }));
  tally.add(sample(4000, { voice: 48 * 3500, playing: false }));
  const figures = tally.take();
  assert.equal(figures.connected_ms, 4000);
  assert.equal(figures.heard_ms, 1500);
});

test("a jitter buffer that catches up never makes more sound than time", () => {
  const tally = new Tally();
  tally.add(sample(0));
  tally.add(sample(1000, { voice: 48 * 5000 }));
  assert.equal(tally.take().heard_ms, 1000);
});

test("an empty slot is not heard, and a teacher who returns counts from then on", () => {
  const tally = new Tally();
  tally.add(sample(0, { voice: null }));
  tally.add(sample(2000, { voice: 48 * 90_000 }));
  tally.add(sample(4000, { voice: 48 * 92_000 }));
  assert.equal(tally.take().heard_ms, 2000);
});

test("counters of a new peer connection start anew", () => {
  const tally = new Tally();
  tally.add(sample(0, { voice: 48 * 60_000, frames: 500, received: 900 }));
  tally.add(sample(2000, { voice: 48 * 800, frames: 10, received: 40 }));
  const figures = tally.take();
  assert.equal(figures.heard_ms, 800);
  assert.equal(figures.saw_ms, 2000);
});

test("frozen pictures are not seen", () => {
  const tally = new Tally();
  tally.add(sample(0, { frames: 10 }));
  tally.add(sample(2000, { frames: 60 }));
  tally.add(sample(4000, { frames: 60 }));
  assert.equal(tally.take().saw_ms, 2000);
});

test("time without a line is not connected, but what was heard in it counts", () => {
  const tally = new Tally();
  tally.add(sample(0));
  tally.add(sample(2000, { voice: 48 * 2000, connected: false }));
  const figures = tally.take();
  assert.deepEqual([figures.connected_ms, figures.heard_ms], [0, 2000]);
});

test("loss is of this report's packets", () => {
  const tally = new Tally();
  tally.add(sample(0, { received: 1000, lost: 50 }));
  tally.add(sample(2000, { received: 1090, lost: 60 }));
  assert.equal(tally.take().loss, 0.1);
  assert.equal(tally.take().loss, null);
});

test("a page that slept reports no more than the node takes", () => {
  const tally = new Tally();
  tally.add(sample(0));
  tally.add(sample(500_000, { voice: 48 * 500_000, frames: 1 }));
  const figures = tally.take();
  assert.deepEqual([figures.connected_ms, figures.heard_ms, figures.saw_ms], [60_000, 60_000, 60_000]);
});

test("only the teacher's slot is the teacher's voice", () => {
  const report = new Map([
    ["a", { type: "inbound-rtp", kind: "audio", mid: "0", packetsReceived: 10, totalSamplesReceived: 4800, concealedSamples: 800 }],
    ["b", { type: "inbound-rtp", kind: "audio", mid: "1", packetsReceived: 10, totalSamplesReceived: 9600, concealedSamples: 0 }],
    ["c", { type: "inbound-rtp", kind: "video", mid: "3", packetsReceived: 5, packetsLost: 1, framesDecoded: 7, freezeCount: 2 }],
  ]);
  assert.deepEqual(inbound(report), { voice: 4000, frames: 7, freezes: 2, received: 25, lost: 1, jitter: null });
});

test("the way packets travel is that of the selected pair", () => {
  const report = new Map([
    ["T", { type: "transport", selectedCandidatePairId: "P" }],
    ["P", { type: "candidate-pair", localCandidateId: "L", currentRoundTripTime: 0.05 }],
    ["L", { type: "local-candidate", protocol: "tcp" }],
  ]);
  assert.deepEqual(route(report), { path: "tcp", rtt: 50 });
  assert.deepEqual(route(new Map()), { path: null, rtt: null });
});

test("a relayed way is told by the leg to the relay, whose own leg to the node is always UDP", () => {
  const by = (/** @type {string | undefined} */ relayProtocol) => route(/** @type {any} */ (new Map(/** @type {any} */ ([
    ["P", { type: "candidate-pair", selected: true, localCandidateId: "L" }],
    ["L", { type: "local-candidate", candidateType: "relay", protocol: "udp", relayProtocol }],
  ])))).path;
  assert.deepEqual(["udp", "tcp", "tls", undefined].map(by), ["relay_udp", "relay_tcp", "relay_tls", "relay_udp"]);
});

test("H.264 constrained baseline first, then VP8, then repair; nothing the node would not forward", () => {
  const all = [
    { mimeType: "video/VP8" },
    { mimeType: "video/rtx" },
    { mimeType: "video/VP9", sdpFmtpLine: "profile-id=0" },
    { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f" },
    { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f" },
    { mimeType: "video/H264", sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f" },
  ];
  assert.deepEqual(preferred(all).map((one) => one.mimeType), ["video/H264", "video/VP8", "video/rtx"]);
});

test("the meter is even in decibels", () => {
  assert.equal(loudness(new Float32Array(64)), 0);
  assert.ok(Math.abs(loudness(new Float32Array(64).fill(1)) - 1) < 1e-6);
  assert.ok(Math.abs(loudness(new Float32Array(64).fill(0.0316)) - 0.5) < 0.01);
});

for (const [name, code] of [["NotAllowedError", "denied"], ["NotFoundError", "missing"], ["NotReadableError", "busy"], ["OddError", "failed"]]) {
  test(`${name} of a device is "${code}"`, () => {
    assert.deepEqual(troubleOf(new DOMException("", name), "mic"), { code, kind: "mic" });
  });
}

test("the start hint joins what is there, stands alone where nothing is, and touches no sound", () => {
  const sdp = [
    "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 useinbandfec=1",
    "m=video 9 UDP/TLS/RTP/SAVPF 102 96 103", "a=rtpmap:102 H264/90000", "a=fmtp:102 profile-level-id=42e01f",
    "a=rtpmap:96 VP8/90000", "a=rtpmap:103 rtx/90000", "a=fmtp:103 apt=102", "",
  ].join("\r\n");
  assert.deepEqual(startAt(sdp, 900).split("\r\n"), [
    "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 useinbandfec=1",
    "m=video 9 UDP/TLS/RTP/SAVPF 102 96 103", "a=rtpmap:102 H264/90000",
    "a=fmtp:102 profile-level-id=42e01f;x-google-start-bitrate=900",
    "a=rtpmap:96 VP8/90000", "a=fmtp:96 x-google-start-bitrate=900", "a=rtpmap:103 rtx/90000", "a=fmtp:103 apt=102", "",
  ]);
});

test("cameras go out in as many layers as their picture is worth, the smallest first", () => {
  const rids = (/** @type {"teacher" | "class"} */ role, /** @type {number} */ width, /** @type {number} */ height) =>
    encodings(role, "camera", worth({ width, height })).map((one) => [one.rid, one.scaleResolutionDownBy, one.maxBitrate]);
  assert.deepEqual(rids("teacher", 1280, 720), [["q", 4, 150_000], ["h", 2, 500_000], ["f", 1, 2_500_000]]);
  assert.deepEqual(rids("teacher", 640, 480), [["q", 2, 150_000], ["f", 1, 900_000]]);
  assert.deepEqual(rids("class", 640, 360), [["q", 2, 150_000], ["f", 1, 500_000]]);
  assert.deepEqual(rids("class", 320, 180), [[undefined, undefined, 250_000]]);
  assert.equal(worth({}), 1);
});

test("a screen keeps its letters and its size", () => {
  assert.deepEqual(encodings("teacher", "screen", 3), [{ maxBitrate: 1_500_000, maxFramerate: 15 }]);
  assert.equal(hint("screen"), "detail");
  assert.deepEqual(encodings("class", "screen"), [{ maxBitrate: 0 }]);
});

test("layers that nobody takes rest, and wake again", () => {
  const active = (/** @type {string[] | null} */ rids) => awake(encodings("teacher", "camera", 3), rids).map((one) => one.active);
  assert.deepEqual(active(["q", "f"]), [true, false, true]);
  assert.deepEqual(active([]), [false, false, false]);
  assert.deepEqual(active(null), [true, true, true]);
  assert.deepEqual(awake([{}], []).map((one) => one.active), [false]);
  assert.deepEqual(awake([{}], ["x"]).map((one) => one.active), [true]);
});

test("longer packets of sound are asked for in the answer, the usual ones need no word", () => {
  const sdp = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n";
  assert.equal(withPtime(sdp, 20), sdp);
  assert.equal(withPtime(sdp, 60), sdp.replace("opus/48000/2\r\n", "opus/48000/2\r\na=ptime:60\r\n"));
});
