// How much a line carries, on lines whose figures are known.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ahead, kbps, measure, MOST, second } from "../../frontend/modules/media/line.js";

/** A line of so many kbit/s with its round trip; remembers what it carried. */
function line(rate, rtt) {
  let now = 0;
  const carried = [];
  const carry = async (bytes) => {
    carried.push(bytes);
    now += rtt + (bytes * 8) / rate;
  };
  return { carry, clock: () => now, carried };
}

for (const [rate, rtt] of [[300, 60], [1500, 40], [4000, 200], [50_000, 5]]) {
  test(`a line of ${rate} kbit/s with ${rtt} ms is measured so`, async () => {
    const held = line(rate, rtt);
    const found = await measure(held.carry, rtt, held.clock);
    assert.ok(Math.abs(found - rate) < rate * 0.02 + 1, String(found));
    assert.ok(held.carried.every((bytes) => bytes <= MOST));
  });
}

test("a line that is nearly dead is asked once", async () => {
  const held = line(40, 300);
  const found = await measure(held.carry, 300, held.clock);
  assert.equal(held.carried.length, 1);
  assert.ok(found < 45, String(found));
});

test("no measure takes more than its bound", () => {
  assert.equal(second(1), MOST);
  assert.equal(second(1e9), 32 * 1024);
  assert.equal(kbps(1000, 0), 8000);
});

test("a clock's lead is told from the middle of the way", () => {
  assert.equal(ahead(1000, 500, 1200), 600);
  assert.equal(ahead(1000, 61_100, 1200), -60_000);
});
