// The line to the room, without a network: a scripted socket, a clock that moves when told, and a web that answers as set.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../../frontend/modules/protocol/backoff.js";
import { Connection, SILENCE_MS } from "../../frontend/modules/protocol/connection.js";
import { SeatRefused } from "../../frontend/modules/protocol/seat.js";
import { WISH_MS } from "../../frontend/modules/protocol/wishes.js";

class FakeSocket {
  constructor(url) {
    this.url = url;
    this.readyState = 0;
    this.sent = [];
  }
  open() {
    this.readyState = 1;
    this.onopen?.({});
  }
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  cut() {
    this.readyState = 3;
    this.onclose?.({ code: 1006 });
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  of(type) {
    return this.sent.filter((m) => m.type === type);
  }
}

class FakeWorld {
  constructor() {
    this.t = 1000;
    this.timers = new Map();
    this.sockets = [];
    this.next = 1;
  }
  world() {
    return {
      socket: (url) => {
        const socket = new FakeSocket(url);
        this.sockets.push(socket);
        return socket;
      },
      now: () => this.t,
      later: (run, ms) => {
        this.timers.set(this.next, { run, at: this.t + ms });
        return this.next++;
      },
      cancel: (id) => this.timers.delete(id),
      random: () => 0.5,
    };
  }
  get socket() {
    return this.sockets[this.sockets.length - 1];
  }
  async settle() {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }
  async advance(ms) {
    const end = this.t + ms;
    for (;;) {
      await this.settle();
      const due = [...this.timers].filter(([, v]) => v.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.t = Math.max(this.t, due[1].at);
      due[1].run();
    }
    this.t = end;
    await this.settle();
  }
}

const grant = (epoch = 1) => ({
  token: `seat-${epoch}`, lesson: "L1", epoch, seat: "r-1", role: "class", ws: `ws://node-${epoch}/ws`, whip: "", whep: "", decks: [],
});

const welcome = (epoch = 1, seq = 5) => ({
  type: "welcome", v: 1, lesson: "L1", epoch, seat: "r-1", role: "class", rights: [], resume: `resume-${epoch}`, seq,
  room_ms: 60_000, at_ms: 1_700_000_000_000, state: {}, people: [], spec: {}, ops: [], transports: [],
});

function begin({ ask, last = () => null } = {}) {
  const fake = new FakeWorld();
  const asked = [];
  const seen = { status: [], welcome: [], message: [] };
  const connection = new Connection({
    lesson: "L1",
    device: "dev",
    world: fake.world(),
    ask: async (unreachable) => {
      asked.push(unreachable);
      return ask ? ask(unreachable, asked.length) : grant();
    },
    listener: {
      status: (s) => seen.status.push(s),
      welcome: (w) => seen.welcome.push(w),
      message: (m) => seen.message.push(m),
      last,
    },
  });
  return { fake, asked, seen, connection };
}

async function joined(options) {
  const all = begin(options);
  all.connection.start();
  await all.fake.settle();
  all.fake.socket.open();
  all.fake.socket.say(welcome());
  return all;
}

test("joins with the seat token and becomes joined on welcome", async () => {
  const { fake, connection, asked } = await joined();
  assert.deepEqual(asked, [null]);
  assert.deepEqual(fake.socket.sent[0], { type: "join", v: 1, lesson: "L1", token: "seat-1", last: null, device: "dev" });
  assert.equal(connection.status.phase, "joined");
});

test("after a cut it returns to the same node with the resume token and the last op, without the web", async () => {
  const { fake, asked } = await joined({ last: () => ({ epoch: 1, seq: 9 }) });
  fake.socket.cut();
  await fake.advance(400);
  assert.equal(fake.sockets.length, 2);
  fake.socket.open();
  assert.equal(fake.socket.sent[0].token, "resume-1");
  assert.deepEqual(fake.socket.sent[0].last, { epoch: 1, seq: 9 });
  assert.deepEqual(asked, [null]);
});

test("a last op of another epoch is not offered", async () => {
  const { fake } = await joined({ last: () => ({ epoch: 0, seq: 9 }) });
  assert.equal(fake.socket.sent[0].last, null);
});

test("a node that stays away is reported to the web, and the new epoch is joined with its own seat", async () => {
  const { fake, asked, connection } = await joined({ ask: (unreachable) => grant(unreachable === null ? 1 : 2) });
  fake.socket.cut();
  await fake.advance(400);
  fake.socket.cut();
  await fake.advance(1000);
  assert.deepEqual(asked, [null, 1]);
  assert.equal(fake.socket.url, "ws://node-2/ws");
  fake.socket.open();
  assert.equal(fake.socket.sent[0].token, "seat-2");
  fake.socket.say(welcome(2));
  assert.equal(connection.status.phase, "joined");
});

test("the same epoch granted again keeps the resume token", async () => {
  const { fake, asked } = await joined();
  fake.socket.cut();
  await fake.advance(400);
  fake.socket.cut();
  await fake.advance(1000);
  fake.socket.open();
  assert.deepEqual(asked, [null, 1]);
  assert.equal(fake.socket.sent[0].token, "resume-1");
});

test("a dead web locks nobody out: the node is tried again all the same", async () => {
  const { fake, connection } = await joined({
    ask: (unreachable) => {
      if (unreachable === null) return grant();
      throw new SeatRefused("web_unreachable", false);
    },
  });
  fake.socket.cut();
  await fake.advance(400);
  fake.socket.cut();
  await fake.advance(1000);
  assert.equal(fake.sockets.length, 3);
  fake.socket.open();
  assert.equal(fake.socket.sent[0].token, "resume-1");
  fake.socket.say(welcome());
  assert.equal(connection.status.phase, "joined");
});

test("a seat refused for good stops with the web's reason", async () => {
  const { fake, connection } = begin({
    ask: () => {
      throw new SeatRefused("forbidden", true, "no");
    },
  });
  connection.start();
  await fake.settle();
  assert.deepEqual([connection.status.phase, connection.status.reason, connection.status.message], ["stopped", "forbidden", "no"]);
  await fake.advance(60_000);
  assert.equal(fake.sockets.length, 0);
});

test("a web that is down at the start is asked again until it answers", async () => {
  const { fake, connection, asked } = begin({
    ask: (_u, count) => {
      if (count < 3) throw new SeatRefused("web_unreachable", false);
      return grant();
    },
  });
  connection.start();
  await fake.advance(2000);
  assert.equal(asked.length, 3);
  assert.equal(connection.status.phase, "connecting");
});

for (const reason of ["ended", "elsewhere", "revoked", "full"]) {
  test(`closed "${reason}" is the end`, async () => {
    const { fake, connection } = await joined();
    fake.socket.say({ type: "closed", reason });
    await fake.advance(60_000);
    assert.deepEqual([connection.status.phase, connection.status.reason], ["stopped", reason]);
    assert.equal(fake.sockets.length, 1);
  });
}

for (const reason of ["moved", "epoch", "shutdown"]) {
  test(`closed "${reason}" asks for a new seat`, async () => {
    const { fake, asked } = await joined({ ask: (_u, count) => grant(count) });
    fake.socket.say({ type: "closed", reason });
    await fake.advance(1000);
    assert.deepEqual(asked, [null, null]);
    fake.socket.open();
    assert.equal(fake.socket.sent[0].token, "seat-2");
  });
}

for (const code of ["seat_expired", "seat_epoch", "room_unknown"]) {
  test(`"${code}" before welcome asks for a new seat`, async () => {
    const { fake, connection, asked } = begin();
    connection.start();
    await fake.settle();
    fake.socket.open();
    fake.socket.say({ type: "error", code, id: null, params: {}, retry_ms: null });
    await fake.advance(1000);
    assert.equal(asked.length, 2);
  });
}

test("a room that is over ends the line", async () => {
  const { fake, connection } = begin();
  connection.start();
  await fake.settle();
  fake.socket.open();
  fake.socket.say({ type: "error", code: "room_over", id: null, params: {}, retry_ms: null });
  assert.deepEqual([connection.status.phase, connection.status.reason], ["stopped", "ended"]);
});

test("a wish is answered by done, refused by error, and fails after its time", async () => {
  const { fake, connection } = await joined();
  const turn = connection.do("page.turn", { page: 2 });
  fake.socket.say({ type: "done", id: fake.socket.of("do")[0].id, seq: 6 });
  assert.equal(await turn, 6);
  const refused = connection.do("floor.give", { seat: "r-9" });
  fake.socket.say({ type: "error", code: "seat", id: fake.socket.of("do")[1].id, params: {}, retry_ms: null });
  await assert.rejects(refused, { code: "seat" });
  const lost = assert.rejects(connection.do("chat.say", { text: "x" }), { code: "timeout" });
  await fake.advance(WISH_MS + 1);
  await lost;
});

test("a wish not yet answered is sent again under the same id after a cut", async () => {
  const { fake, connection } = await joined();
  const turn = connection.do("page.turn", { page: 2 });
  const { id } = fake.socket.of("do")[0];
  fake.socket.cut();
  await fake.advance(400);
  fake.socket.open();
  fake.socket.say(welcome());
  assert.equal(fake.socket.of("do")[0].id, id);
  fake.socket.say({ type: "done", id, seq: 7 });
  assert.equal(await turn, 7);
});

test("an offer does not survive a cut", async () => {
  const { fake, connection } = await joined();
  const offer = assert.rejects(connection.offer("sub", "v=0"), { code: "cut" });
  fake.socket.cut();
  await offer;
});

test("silence is a cut", async () => {
  const { fake, connection } = await joined();
  await fake.advance(SILENCE_MS + 3000);
  assert.notEqual(connection.status.phase, "joined");
  assert.equal(fake.sockets.length > 1, true);
});

test("pongs keep the line and set the clock by the shortest round trip", async () => {
  const { fake, connection } = await joined();
  await fake.advance(2000);
  const [, second] = fake.socket.of("ping");
  assert.ok(second);
  fake.t = second.t + 40;
  fake.socket.say({ type: "pong", t: second.t, room_ms: 70_020, at_ms: 1_700_000_010_020 });
  assert.equal(Math.round(connection.clock.roomMs(fake.t)), 70_040);
  assert.equal(Math.round(connection.clock.wallMs(fake.t)), 1_700_000_010_040);
});

test("leaving says so and stays away", async () => {
  const { fake, connection } = await joined();
  const socket = fake.socket;
  connection.stop();
  assert.equal(socket.of("leave").length, 1);
  await fake.advance(60_000);
  assert.equal(fake.sockets.length, 1);
});

test("attempts come quickly for a quarter of a minute, then every five seconds, and never all at once", () => {
  const even = new Backoff(() => 0.5);
  const waits = Array.from({ length: 20 }, () => Math.round(even.next()));
  assert.deepEqual(waits.slice(0, 3), [300, 600, 1000]);
  assert.deepEqual(waits.slice(15, 18), [1000, 5000, 5000]);
  even.reset();
  assert.equal(Math.round(even.next()), 300);
  assert.equal(new Backoff(() => 0).next() < new Backoff(() => 1).next(), true);
});

test("a room that moves is followed: the seat first, then the other node, wishes again under the same id", async () => {
  let epoch = 1;
  const { fake, connection, seen, asked } = begin({ ask: () => grant(epoch) });
  connection.start();
  await fake.settle();
  fake.socket.open();
  fake.socket.say(welcome(1));
  const old = fake.socket;
  const wish = connection.do("hand.raise", { pupil: null });
  epoch = 2;
  old.say({ type: "moved", epoch: 2 });
  assert.equal(old.readyState, 1, "nothing is let go before there is a seat elsewhere");
  await fake.settle();
  assert.deepEqual(asked, [null, null]);
  assert.equal(fake.socket.url, "ws://node-2/ws");
  assert.equal(old.readyState, 3);
  assert.equal(old.of("leave").length, 0, "the old node forwards until the new connections stand");
  fake.socket.open();
  assert.equal(fake.socket.of("join")[0].token, "seat-2");
  fake.socket.say(welcome(2));
  assert.equal(fake.socket.of("do")[0].id, old.of("do")[0].id);
  fake.socket.say({ type: "done", id: old.of("do")[0].id, seq: 9 });
  assert.equal(await wish, 9);
  assert.equal(seen.status.filter((s) => s.phase === "waiting").length, 0);
});

test("without a seat elsewhere it stays until the node puts it out", async () => {
  const { fake, connection } = begin({
    ask: (_, times) => {
      if (times === 1) return grant(1);
      throw new SeatRefused("web_unreachable", false);
    },
  });
  connection.start();
  await fake.settle();
  fake.socket.open();
  fake.socket.say(welcome(1));
  fake.socket.say({ type: "moved", epoch: 2 });
  await fake.settle();
  assert.equal(connection.status.phase, "joined");
  fake.socket.say({ type: "closed", reason: "moved" });
  assert.equal(connection.status.phase, "waiting");
  connection.stop();
});
