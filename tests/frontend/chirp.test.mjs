// Whether a loudspeaker is heard: in noise, from far, turned around, through 44.1 and 48 kHz; and what is no chirp.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FAINT, HEARD, LASTS_S, listen, RATE, signal, thinned } from "../../frontend/modules/media/chirp.js";

/** The same noise every time. */
function noise(length, level, seed = 7) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return ((state / 2147483648) * 2 - 1) * level;
  });
}

function recording(rate, { level = 0.1, at = 0.6, background = 0.003, seconds = 2, sound = signal(rate) } = {}) {
  const all = noise(Math.round(seconds * rate), background);
  sound.forEach((one, n) => {
    const place = Math.round(at * rate) + n;
    if (place < all.length) all[place] += one * level;
  });
  return all;
}

for (const rate of [16_000, 44_100, 48_000]) {
  test(`a loudspeaker in a quiet room is heard at ${rate} Hz`, () => {
    const found = listen(recording(rate), rate);
    assert.equal(found.hearing, "heard");
    assert.ok(found.score > 0.8, String(found.score));
  });
}

test("a loudspeaker below the noise of a class is still heard", () => {
  assert.equal(listen(recording(48_000, { level: 0.1, background: 0.1 }), 48_000).hearing, "heard");
});

test("a chirp lost in the noise is faint, then not heard", () => {
  const scores = [0.1, 0.012, 0.001].map((level) => listen(recording(48_000, { level, background: 0.1 }), 48_000));
  assert.deepEqual(scores.map((one) => one.hearing), ["heard", "faint", "unheard"]);
  assert.ok(scores[2].score < FAINT && scores[1].score < HEARD);
});

test("noise alone is no loudspeaker", () => {
  for (const seed of [1, 2, 3, 4]) {
    const found = listen(noise(96_000, 0.2, seed), 48_000);
    assert.equal(found.hearing, "unheard", String(found.score));
    assert.equal(found.silent, false);
  }
});

test("one chirp, a clap and a tone are not two chirps", () => {
  const rate = 48_000;
  const whole = signal(rate);
  const one = whole.subarray(0, Math.round(0.2 * rate));
  assert.equal(listen(recording(rate, { sound: one }), rate).hearing, "unheard");
  const clap = Float32Array.from({ length: 200 }, (_, n) => Math.exp(-n / 30));
  assert.equal(listen(recording(rate, { sound: clap, level: 0.9 }), rate).hearing, "unheard");
  const tone = Float32Array.from({ length: rate }, (_, n) => Math.sin((2 * Math.PI * 1000 * n) / rate));
  assert.equal(listen(recording(rate, { sound: tone }), rate).hearing, "unheard");
});

test("an echoing room and a turned cable change nothing", () => {
  const rate = 48_000;
  const dry = recording(rate);
  const wet = Float32Array.from(dry, (one, n) => -one + 0.5 * (dry[n - 1500] ?? 0) + 0.3 * (dry[n - 4100] ?? 0));
  assert.equal(listen(wet, rate).hearing, "heard");
});

test("a muted microphone says zeros, and that is known", () => {
  assert.deepEqual(listen(new Float32Array(96_000), 48_000), { hearing: "unheard", score: 0, silent: true });
});

test("a recording cut short holds nothing", () => {
  assert.equal(listen(recording(48_000, { seconds: 0.1 }), 48_000).hearing, "unheard");
  assert.equal(listen(recording(48_000, { at: 1.6 }), 48_000).hearing, "unheard", "the second chirp is missing");
});

test("thinning keeps the time", () => {
  assert.equal(thinned(new Float32Array(48_000), 48_000).length, RATE);
  assert.equal(thinned(new Float32Array(44_100), 44_100).length, RATE);
  assert.ok(Math.abs(signal(48_000).length / 48_000 - LASTS_S) < 0.001);
});
