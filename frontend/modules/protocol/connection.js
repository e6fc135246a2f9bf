// One page's line to its room: a seat from the web, a WebSocket to the node, and coming back after every kind of cut.
// Rules it keeps:
//   - a wish ("do") is sent again after a cut under the same id, so it happens once; it fails aloud after 20 s;
//   - the node is tried again with the resume token first, so that a dead web locks nobody out; the web is asked for another
//     seat, and told which epoch cannot be reached, only from the second failed attempt on;
//   - "ended", "elsewhere", "revoked" and "full" are the end; "moved", "epoch" and "shutdown" ask for a new seat;
//   - a room that goes to another node ("moved") is followed while the old connections still carry sound and picture.
// No DOM here; clock, timers, socket and the asking are given, so tests run it without waiting.

import { Backoff } from "./backoff.js";
import { NodeClock } from "./clock.js";
import { randomId } from "./ids.js";
import { PROTOCOL_VERSION } from "./messages.js";
import { SeatRefused } from "./seat.js";
import { RefusedError, Wishes } from "./wishes.js";
import { realWorld } from "./world.js";

/**
 * @typedef {import("./messages.js").Grant} Grant
 * @typedef {import("./messages.js").Welcome} Welcome
 * @typedef {import("./messages.js").LastSeen} LastSeen
 * @typedef {import("./messages.js").ClientMessage} ClientMessage
 * @typedef {import("./messages.js").ServerMessage} ServerMessage
 * @typedef {import("./messages.js").PeerName} PeerName
 * @typedef {import("./messages.js").Source} Source
 * @typedef {import("./world.js").World} World
 * @typedef {import("./world.js").SocketLike} SocketLike
 *
 * @typedef {"idle" | "seat" | "connecting" | "joined" | "waiting" | "stopped"} Phase
 * @typedef {{phase: Phase, reason: string | null, message: string, attempt: number}} Status
 *   reason: why it waits or stopped, a key of the page's texts ("live.why_<reason>")
 *
 * @typedef {object} Listener
 * @property {(status: Status) => void} status
 * @property {(welcome: Welcome, grant: Grant) => void} welcome
 * @property {(message: ServerMessage) => void} message
 * @property {() => LastSeen | null} last what the page has applied already
 *
 * @typedef {{resolve: (sdp: string) => void, reject: (e: Error) => void}} Asked
 */

export const OPEN_MS = 6000;
export const WELCOME_MS = 8000;
export const PING_MS = 2000;
/** Four pings without a word: the line is dead although nobody said so (a pulled cable). */
export const SILENCE_MS = 8500;
/** From this failed attempt on the web is asked whether the room lives elsewhere now. */
const ASK_AFTER = 2;

const FINAL_REASONS = new Set(["ended", "elsewhere", "revoked", "full"]);
/** Errors before "welcome" that waiting does not mend (signaling/README.md), and the end they mean. @type {Record<string, string>} */
const FINAL_ERRORS = { room_over: "ended", seat_revoked: "revoked", version: "version" };

export class Connection {
  /**
   * @param {object} options
   * @param {string} options.lesson
   * @param {(unreachable: number | null) => Promise<Grant>} options.ask
   * @param {Listener} options.listener
   * @param {World} [options.world]
   * @param {string} [options.device]
   */
  constructor({ lesson, ask, listener, world = realWorld(), device = randomId() }) {
    this.lesson = lesson;
    this.device = device;
    this.clock = new NodeClock();
    /** @type {Status} */
    this.status = { phase: "idle", reason: null, message: "", attempt: 0 };
    this.#ask = ask;
    this.#listener = listener;
    this.#world = world;
    this.#backoff = new Backoff(world.random);
    this.#wishes = new Wishes(world, (message) => this.tell(message));
  }

  #ask;
  #listener;
  #world;
  #backoff;
  /** @type {Grant | null} */
  #grant = null;
  /** @type {string | null} */
  #resume = null;
  /** @type {SocketLike | null} */
  #socket = null;
  /** @type {any} */
  #timer = null;
  /** @type {any} */
  #pinger = null;
  #heardAt = 0;
  #failures = 0;
  #turn = 0;
  #wishes;
  /** @type {Map<string, Asked>} */
  #offers = new Map();

  // --- for the page --------------------------------------------------------------------------------------------------

  start() {
    this.#failures = 0;
    this.#backoff.reset();
    this.#grant = null;
    this.#resume = null;
    this.#step();
  }

  /** Leave for good (the page goes away, or the kiosk returns to waiting). */
  stop() {
    this.#drop(true);
    this.#end("left");
  }

  /** Try at once: the network is back, or somebody pressed the button. */
  poke() {
    if (this.status.phase === "waiting") this.#step();
  }

  /** Rejoin from a fresh snapshot: an op was missed. */
  rejoin() {
    if (this.status.phase !== "joined") return;
    this.#drop(false);
    this.#step();
  }

  get joined() {
    return this.status.phase === "joined";
  }

  /** @param {string} kind @param {import("./messages.js").Body} [body] @returns {Promise<number>} the op's seq, once it is durable */
  do(kind, body = {}) {
    return this.#wishes.make(kind, body);
  }

  /** @param {PeerName} pc @param {string} sdp @param {Record<string, Source>} [sources] @returns {Promise<string>} the answer's SDP */
  offer(pc, sdp, sources = {}) {
    if (!this.joined) return Promise.reject(new RefusedError("cut"));
    const id = randomId();
    return new Promise((resolve, reject) => {
      this.#offers.set(id, { resolve, reject });
      this.#send({ type: "offer", id, pc, sdp, sources });
    });
  }

  /** Ephemeral: lost when there is no line. @param {ClientMessage} message @returns {boolean} */
  tell(message) {
    if (this.joined) this.#send(message);
    return this.joined;
  }

  // --- getting in ----------------------------------------------------------------------------------------------------

  async #step() {
    this.#cancel();
    const turn = ++this.#turn;
    try {
      await this.#haveSeat(turn);
    } catch (error) {
      if (turn !== this.#turn) return;
      if (this.#seatRefused(error)) return;
    }
    if (turn !== this.#turn) return;
    if (this.#grant) this.#connect(this.#grant);
    else this.#wait("web_unreachable");
  }

  /** A seat, asked for when there is none or when its node does not answer. @param {number} turn */
  async #haveSeat(turn) {
    const old = this.#grant;
    if (old && this.#failures < ASK_AFTER) return;
    this.#say(old ? "waiting" : "seat", old ? "node_unreachable" : null);
    const fresh = await this.#ask(old ? old.epoch : null);
    if (turn !== this.#turn) return;
    if (!old || fresh.epoch !== old.epoch) this.#resume = null;
    this.#grant = fresh;
  }

  /** @param {unknown} error @returns {boolean} true: nothing more to do in this turn */
  #seatRefused(error) {
    const refused = error instanceof SeatRefused ? error : new SeatRefused("web_unreachable", false);
    if (refused.final) {
      this.#end(refused.key, refused.sentence);
      return true;
    }
    // The web is away, but the node may be there: go on with the seat we hold.
    if (this.#grant) return false;
    this.#wait(refused.key, refused.sentence);
    return true;
  }

  /** @param {Grant} grant */
  #connect(grant) {
    this.#say("connecting", this.status.reason);
    /** @type {SocketLike} */
    let socket;
    try {
      socket = this.#world.socket(grant.ws);
    } catch {
      this.#cut("node_unreachable");
      return;
    }
    this.#socket = socket;
    this.#timer = this.#world.later(() => this.#cut("node_unreachable"), OPEN_MS);
    socket.onopen = () => this.#opened(socket, grant);
    socket.onmessage = (event) => this.#received(socket, event.data);
    socket.onclose = () => socket === this.#socket && this.#cut("node_unreachable");
    socket.onerror = null;
  }

  /** @param {SocketLike} socket @param {Grant} grant */
  #opened(socket, grant) {
    if (socket !== this.#socket) return;
    this.#cancel();
    this.#timer = this.#world.later(() => this.#cut("node_silent"), WELCOME_MS);
    const last = this.#listener.last();
    this.#send({
      type: "join",
      v: PROTOCOL_VERSION,
      lesson: this.lesson,
      token: this.#resume ?? grant.token,
      last: last && last.epoch === grant.epoch ? last : null,
      device: this.device,
    });
  }

  // --- what the node says --------------------------------------------------------------------------------------------

  /** @param {SocketLike} socket @param {any} data */
  #received(socket, data) {
    if (socket !== this.#socket || typeof data !== "string") return;
    this.#heardAt = this.#world.now();
    const message = /** @type {ServerMessage} */ (JSON.parse(data));
    if (message.type === "welcome") this.#welcomed(message);
    else if (message.type === "closed") this.#closed(message.reason);
    else if (message.type === "moved") void this.#follow(message.epoch);
    else if (message.type === "pong") this.clock.pong(message.t, this.#heardAt, message.room_ms, message.at_ms);
    else if (message.type === "answer") this.#answered(message);
    else if (message.type === "done") this.#wishes.done(message.id, message.seq);
    else if (message.type === "error") this.#refused(message);
    if (message.type !== "welcome" && message.type !== "closed" && message.type !== "moved") this.#listener.message(message);
  }

  /** @param {Welcome} welcome */
  #welcomed(welcome) {
    this.#cancel();
    this.#failures = 0;
    this.#backoff.reset();
    this.#resume = welcome.resume;
    this.clock.start(this.#heardAt, welcome.room_ms, welcome.at_ms);
    this.#say("joined", null);
    this.#listener.welcome(welcome, /** @type {Grant} */ (this.#grant));
    this.#wishes.sendAgain();
    this.#ping();
  }

  /** @param {import("./messages.js").ClosedReason} reason */
  #closed(reason) {
    this.#drop(false);
    if (FINAL_REASONS.has(reason)) {
      this.#end(reason);
      return;
    }
    this.#grant = null;
    this.#resume = null;
    this.#wait(reason);
  }

  /** The room goes on elsewhere: a seat there first, then let go here. Without one, the node will say "closed". @param {number} epoch */
  async #follow(epoch) {
    const turn = this.#turn;
    let fresh;
    try {
      fresh = await this.#ask(null);
    } catch {
      return;
    }
    if (turn !== this.#turn || !this.joined || fresh.epoch < epoch) return;
    this.#drop(false);
    this.#grant = fresh;
    this.#resume = null;
    this.#connect(fresh);
  }

  /** @param {import("./messages.js").ErrorMessage} message */
  #refused(message) {
    const error = new RefusedError(message.code, message.params);
    if (message.id !== null) {
      this.#wishes.refused(message.id, error);
      this.#offers.get(message.id)?.reject(error);
      this.#offers.delete(message.id);
      return;
    }
    if (this.joined) return;
    this.#drop(false);
    if (message.code in FINAL_ERRORS) {
      this.#end(FINAL_ERRORS[message.code]);
      return;
    }
    // Whatever else was wrong with how we came in (a stale seat, a node without the room): a fresh seat mends it.
    this.#grant = null;
    this.#resume = null;
    this.#wait(message.code, "", message.retry_ms ?? undefined);
  }

  /** @param {import("./messages.js").Answer} message */
  #answered(message) {
    this.#offers.get(message.id)?.resolve(message.sdp);
    this.#offers.delete(message.id);
  }

  // --- cuts ----------------------------------------------------------------------------------------------------------

  /** @param {string} reason */
  #cut(reason) {
    this.#failures += 1;
    this.#drop(false);
    this.#wait(reason);
  }

  /** @param {string} reason @param {string} [message] @param {number} [ms] */
  #wait(reason, message = "", ms = this.#backoff.next()) {
    this.#say("waiting", reason, message);
    this.#timer = this.#world.later(() => this.#step(), ms);
  }

  /** @param {boolean} polite */
  #drop(polite) {
    this.#cancel();
    this.#turn += 1;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      if (polite && this.joined && socket.readyState === 1) socket.send(JSON.stringify({ type: "leave" }));
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    for (const asked of this.#offers.values()) asked.reject(new RefusedError("cut"));
    this.#offers.clear();
  }

  #cancel() {
    this.#world.cancel(this.#timer);
    this.#world.cancel(this.#pinger);
    this.#timer = this.#pinger = null;
  }

  #ping() {
    const now = this.#world.now();
    if (now - this.#heardAt > SILENCE_MS) {
      this.#cut("node_silent");
      return;
    }
    this.#send({ type: "ping", t: now });
    this.#pinger = this.#world.later(() => this.#ping(), PING_MS);
  }

  // --- small ---------------------------------------------------------------------------------------------------------

  /** @param {ClientMessage} message */
  #send(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  /** @param {string} reason @param {string} [message] */
  #end(reason, message = "") {
    this.#say("stopped", reason, message);
    this.#wishes.end(reason);
  }

  /** @param {Phase} phase @param {string | null} reason @param {string} [message] */
  #say(phase, reason, message = "") {
    this.status = { phase, reason, message, attempt: this.#failures };
    this.#listener.status(this.status);
  }
}
