// What a browser says of itself, and pictures with a cover on the lens.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOf, isDark, lacksOf } from "../../frontend/modules/media/browser.js";

test("Chromium and its forks tell their version, others none", () => {
  const chrome = "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36";
  assert.equal(chromiumOf(chrome), 109);
  assert.equal(chromiumOf(`${chrome} Edg/109.0.1518.140`), 109);
  assert.equal(chromiumOf("Mozilla/5.0 (X11; Linux x86_64) Chromium/86.0 QQBrowser/11"), 86);
  assert.equal(chromiumOf("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Safari/605.1.15"), null);
});

test("what a lesson would miss is named", () => {
  assert.deepEqual(lacksOf({ RTCPeerConnection: 1 }, { mediaDevices: {}, wakeLock: {} }), []);
  assert.deepEqual(lacksOf({}, {}), ["webrtc", "insecure", "wakelock"]);
});

test("a covered lens is black with a little noise, a dim room is not", () => {
  const covered = Array.from({ length: 400 }, (_, n) => (n % 4 === 3 ? 255 : 16 + (n % 5)));
  assert.equal(isDark(covered), true);
  covered[40] = 90;
  assert.equal(isDark(covered), false);
});
