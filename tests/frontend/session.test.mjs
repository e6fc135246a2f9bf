// A page's view of its room: snapshot, tail, a missed op, names that outlive their bearers, one call a turn.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Session } from "../../frontend/modules/room/session.js";
import { emptyState } from "../../frontend/modules/room/state.js";

const spec = {
  lesson: "L", epoch: 1, title: "茉莉花", subject: "music", grade: 4, kind: "formal", teacher: "王慧敏", teacher_seat: "t-9",
  school: "昆明路小学", starts_at_ms: 0, ends_at_ms: 0,
  rooms: [
    { id: "0", seat: "t-0", name: "录播教室", school: "昆明路小学", lead: true, expected: 40 },
    { id: "1", seat: "r-1", name: "四1班", school: "下营小学", lead: false, expected: 38 },
  ],
};
const op = (seq, kind, body = {}, by = "t-9") => ({ seq, epoch: 1, t: seq * 1000, kind, by, body, v: 1 });

function begin(role = "class") {
  const sockets = [];
  const world = {
    socket: () => {
      const socket = { readyState: 1, sent: [], send: (text) => socket.sent.push(JSON.parse(text)), close: () => {} };
      sockets.push(socket);
      return socket;
    },
    now: () => 5000, later: () => 0, cancel: () => {}, random: () => 0.5,
  };
  const seat = role === "assistant" ? "a-1" : "r-1";
  const grant = { token: "t", lesson: "L", epoch: 1, seat, role, ws: "ws://n/ws", whip: "", whep: "", decks: [] };
  const session = new Session({ lesson: "L", role, ask: async () => grant, world });
  session.start();
  const say = (message) => sockets[sockets.length - 1].onmessage({ data: JSON.stringify(message) });
  const welcome = (more) => say({
    type: "welcome", v: 1, lesson: "L", epoch: 1, seat, role, rights: [], resume: "r", seq: 0, room_ms: 9000, at_ms: 1e12,
    state: emptyState(), people: [], spec, ops: [], transports: [], ...more,
  });
  return { session, sockets, say, welcome };
}

const settle = () => new Promise((done) => setTimeout(done, 0));

test("a snapshot, then ops in order", async () => {
  const { session, sockets, say, welcome } = begin();
  await settle();
  sockets[0].onopen({});
  welcome({ state: { ...emptyState(), seq: 4, epoch: 1, phase: "live", opened_ms: 0 } });
  say({ type: "ops", ops: [op(5, "floor.give", { seat: "r-1" })] });
  assert.equal(session.state.seq, 5);
  assert.equal(session.hasFloor, true);
});

test("a tail is applied to the state that was held", async () => {
  const { session, sockets, welcome } = begin();
  await settle();
  sockets[0].onopen({});
  welcome({ state: { ...emptyState(), seq: 4, epoch: 1, phase: "live" } });
  welcome({ state: null, ops: [op(5, "stage.blank", { on: true })] });
  assert.deepEqual([session.state.seq, session.state.blank], [5, true]);
});

test("a missed op is never papered over: the page joins again and says what it has", async () => {
  const { session, sockets, say, welcome } = begin();
  await settle();
  sockets[0].onopen({});
  welcome({ state: { ...emptyState(), seq: 4, epoch: 1 } });
  say({ type: "ops", ops: [op(6, "stage.blank", { on: true })] });
  await settle();
  assert.equal(session.state.seq, 4);
  assert.equal(sockets.length, 2);
  sockets[1].onopen({});
  assert.deepEqual(sockets[1].sent[0].last, { epoch: 1, seq: 4 });
});

test("an assistant's hand and floor are the room's", async () => {
  const { session, sockets, say, welcome } = begin("assistant");
  await settle();
  sockets[0].onopen({});
  welcome({ state: { ...emptyState(), seq: 1, epoch: 1, phase: "live" } });
  say({ type: "ops", ops: [op(2, "hand.raise", { seat: "r-1", pupil: 12 }, "a-1")] });
  assert.deepEqual([session.roomSeat, session.handUp, session.room.expected], ["r-1", true, 38]);
});

test("names come from the plan and from everybody seen, and stay when people go", async () => {
  const { session, sockets, say, welcome } = begin();
  await settle();
  sockets[0].onopen({});
  welcome({});
  const visitor = { seat: "w-5", role: "watch", name: "刘洋", school: "", room: null, light: "green", rtt_ms: null, loss: null, heard: true, publishing: [] };
  say({ type: "people", people: [visitor] });
  say({ type: "people", people: [] });
  assert.deepEqual(["t-9", "r-1", "w-5", "w-6"].map((seat) => session.nameOf(seat)), ["王慧敏", "下营小学", "刘洋", ""]);
});

test("two rooms of one school are told apart", async () => {
  const { session, sockets, welcome } = begin();
  await settle();
  sockets[0].onopen({});
  const [lead, first] = spec.rooms;
  welcome({ spec: { ...spec, rooms: [lead, first, { ...first, id: "2", seat: "r-2", name: "四2班" }, { ...first, seat: "r-3", school: "" }] } });
  assert.deepEqual(["r-1", "r-2", "r-3"].map((seat) => session.nameOf(seat)), ["下营小学 四1班", "下营小学 四2班", "四1班"]);
});

test("many changes in one turn are told once", async () => {
  const { session, sockets, say, welcome } = begin();
  const told = [];
  session.watch((parts) => told.push([...parts].sort()));
  await settle();
  sockets[0].onopen({});
  told.length = 0;
  welcome({});
  say({ type: "slots", slots: [] });
  await settle();
  assert.deepEqual(told, [["decks", "people", "slots", "speaking", "state", "status"]]);
});

test("what a socket of the past says is not heard", async () => {
  const { session, sockets, welcome } = begin();
  await settle();
  const [old] = sockets;
  const late = old.onmessage;
  old.onopen({});
  welcome({ state: { ...emptyState(), seq: 4, epoch: 1 } });
  session.line.rejoin();
  await settle();
  late({ data: JSON.stringify({ type: "ops", ops: [op(5, "stage.blank", { on: true })] }) });
  assert.equal(session.state.blank, false);
});
