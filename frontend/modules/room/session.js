// A page's view of its room: the line, the state every op has led to, who is here, what the slots show. No DOM.
// Rule: the state only ever comes from the reducer; a page never guesses what its own wish will do.

import { Connection } from "../protocol/connection.js";
import { emptyState, reduce } from "./state.js";

/**
 * @typedef {import("../protocol/messages.js").Role} Role
 * @typedef {import("../protocol/messages.js").Presence} Presence
 * @typedef {import("../protocol/messages.js").SlotShows} SlotShows
 * @typedef {import("../protocol/messages.js").RoomSpec} RoomSpec
 * @typedef {import("../protocol/messages.js").Deck} Deck
 * @typedef {import("../protocol/messages.js").Grant} Grant
 * @typedef {import("../protocol/messages.js").Op} Op
 * @typedef {import("../protocol/connection.js").Status} Status
 * @typedef {import("./state.js").RoomState} RoomState
 * @typedef {import("../protocol/messages.js").LayersMessage | import("../protocol/messages.js").AudioBudgetMessage} Advice
 * @typedef {{at_ms: number, room_ms: number, stalled: boolean}} SavedUntil
 * @typedef {"status" | "state" | "people" | "slots" | "speaking" | "saved" | "decks"} Part what changed
 */

export class Session {
  /**
   * @param {object} options
   * @param {string} options.lesson
   * @param {Role} options.role
   * @param {(unreachable: number | null) => Promise<Grant>} options.ask
   * @param {import("../protocol/world.js").World} [options.world]
   */
  constructor({ lesson, role, ask, world }) {
    this.lesson = lesson;
    this.role = role;
    this.#ask = ask;
    this.#now = world ? world.now : () => performance.now();
    this.line = new Connection({
      lesson,
      ask,
      world,
      listener: {
        status: (status) => this.#changed("status", () => (this.status = status)),
        welcome: (welcome, grant) => this.#welcomed(welcome, grant),
        message: (message) => this.#heard(message),
        last: () => (this.state.seq > 0 ? { epoch: this.state.epoch, seq: this.state.seq } : null),
      },
    });
  }

  #ask;
  #now;
  /** @type {Set<(parts: Set<Part>) => void>} */
  #watchers = new Set();
  /** @type {Set<(live: import("../protocol/messages.js").PeerName[]) => void>} */
  #joiners = new Set();
  /** @type {Set<(advice: Advice) => void>} */
  #advised = new Set();
  /** @type {Set<Part>} */
  #parts = new Set();

  /** @type {Status} */
  status = { phase: "idle", reason: null, message: "", attempt: 0 };
  /** @type {RoomState} */
  state = emptyState();
  /** @type {Presence[]} */
  people = [];
  /** @type {SlotShows[]} */
  slots = [];
  /** @type {string[]} seats that speak now */
  speaking = [];
  /** @type {SavedUntil | null} */
  saved = null;
  /** @type {RoomSpec | null} */
  spec = null;
  /** @type {Deck[]} */
  decks = [];
  seat = "";
  /** @type {RTCIceServer[]} relays for networks that let nothing else through, with a login of this seat */
  relays = [];
  /** @type {Map<string, string>} everybody ever seen here: chat outlives its writers */
  #names = new Map();

  // --- for the page ------------------------------------------------------------------------------------------------------

  start() {
    this.line.start();
  }

  stop() {
    this.line.stop();
  }

  /** Called with the parts that changed, once per turn of the event loop. @param {(parts: Set<Part>) => void} watcher */
  watch(watcher) {
    this.#watchers.add(watcher);
  }

  /** Called on every welcome with the peer connections the node still holds. @param {(live: import("../protocol/messages.js").PeerName[]) => void} joiner */
  joins(joiner) {
    this.#joiners.add(joiner);
  }

  /** Called with what the node wants a publisher to send. @param {(advice: Advice) => void} advised */
  advises(advised) {
    this.#advised.add(advised);
  }

  /** @param {string} kind @param {import("../protocol/messages.js").Body} [body] */
  do(kind, body = {}) {
    return this.line.do(kind, body);
  }

  get joined() {
    return this.status.phase === "joined";
  }

  roomMs() {
    return this.line.clock.roomMs(this.#now());
  }

  /** The node's wall clock: right even where this computer's is an hour off. */
  wallMs() {
    return this.line.clock.wallMs(this.#now());
  }

  /** @param {string} seat */
  nameOf(seat) {
    return this.#names.get(seat) ?? "";
  }

  /** @param {string} seat @returns {Presence | undefined} */
  presence(seat) {
    return this.people.find((one) => one.seat === seat);
  }

  get receivingRooms() {
    return this.spec ? this.spec.rooms.filter((room) => !room.lead) : [];
  }

  /** The receiving room this seat stands for: its own for a classroom, the classroom's for its companion. */
  get roomSeat() {
    if (this.role === "class") return this.seat;
    return this.role === "assistant" ? this.seat.replace(/^a-/, "r-") : "";
  }

  get room() {
    return this.spec?.rooms.find((room) => room.seat === this.roomSeat) ?? null;
  }

  get hasFloor() {
    return this.state.floor.includes(this.roomSeat);
  }

  get handUp() {
    return this.state.hands.some((hand) => hand.seat === this.roomSeat);
  }

  /** Decks uploaded since the seat was given. */
  async refreshDecks() {
    const grant = await this.#ask(null);
    this.#changed("decks", () => (this.decks = grant.decks));
  }

  // --- what the node says ------------------------------------------------------------------------------------------------

  /** @param {import("../protocol/messages.js").Welcome} welcome @param {Grant} grant */
  #welcomed(welcome, grant) {
    this.spec = welcome.spec;
    this.seat = welcome.seat;
    this.decks = grant.decks;
    this.relays = grant.iceServers ?? [];
    this.#nameRooms(welcome.spec.rooms);
    this.#names.set(welcome.spec.teacher_seat, welcome.spec.teacher);
    if (welcome.state) this.state = /** @type {RoomState} */ (/** @type {unknown} */ (welcome.state));
    this.#apply(welcome.ops);
    this.#changed("speaking", () => (this.speaking = []));
    this.#here(welcome.people);
    for (const joiner of this.#joiners) joiner(welcome.transports);
    for (const part of /** @type {Part[]} */ (["state", "decks"])) this.#changed(part);
  }

  /** By their schools; rooms of one school by their own names as well. @param {RoomSpec["rooms"]} rooms */
  #nameRooms(rooms) {
    for (const { seat, school, name } of rooms) {
      const alone = rooms.filter((one) => one.school === school).length === 1;
      this.#names.set(seat, alone && school ? school : `${school} ${name}`.trim());
    }
  }

  /** @param {import("../protocol/messages.js").ServerMessage} message */
  #heard(message) {
    if (message.type === "ops") this.#apply(message.ops);
    else if (message.type === "people") this.#here(message.people);
    else if (message.type === "slots") this.#changed("slots", () => (this.slots = message.slots));
    else if (message.type === "speaking") this.#changed("speaking", () => (this.speaking = message.seats));
    else if (message.type === "layers" || message.type === "audio-budget") for (const advised of this.#advised) advised(message);
    else if (message.type === "saved") this.#changed("saved", () => (this.saved = message));
  }

  /** @param {Op[]} ops */
  #apply(ops) {
    for (const op of ops) {
      // A missing op (never seen in order, but a page must not show a wrong board): take a snapshot instead.
      if (op.epoch === this.state.epoch && op.seq > this.state.seq + 1) {
        this.line.rejoin();
        return;
      }
      this.state = reduce(this.state, op);
    }
    this.#changed("state");
  }

  /** @param {Presence[]} people */
  #here(people) {
    for (const one of people) if (!this.#names.has(one.seat)) this.#names.set(one.seat, one.name);
    this.#changed("people", () => (this.people = people));
  }

  /** @param {Part} part @param {() => void} [apply] */
  #changed(part, apply = () => {}) {
    apply();
    if (this.#parts.size === 0) queueMicrotask(() => this.#tell());
    this.#parts.add(part);
  }

  #tell() {
    const parts = this.#parts;
    this.#parts = new Set();
    for (const watcher of this.#watchers) watcher(parts);
  }
}
