// What a room's log means: the browser's mirror of signaling/room.py. Both run on tests/vectors/*.json: change both or neither.
// Pure: no DOM, no clock. An op already applied, of an older epoch, of an unknown kind or a newer version changes nothing
// but `seq`; an op that the state does not allow is ignored.

/** @typedef {{seq: number, epoch: number, t: number, kind: string, by: string, body: any, v: number}} Op */
/** @typedef {{id: string, title: string, pages: number}} Deck */
/** @typedef {{seat: string, pupil: number | null, t: number}} Hand */
/** @typedef {{seq: number, t: number, by: string, text: string, erased: boolean}} Line */
/** @typedef {{expected: number, present: number, absent_seats: number[], t: number}} Headcount */
/**
 * @typedef {object} RoomState
 * @property {number} seq
 * @property {number} epoch
 * @property {"waiting" | "live" | "closed"} phase
 * @property {number | null} opened_ms
 * @property {number | null} closed_ms
 * @property {Deck | null} deck
 * @property {number} page
 * @property {boolean} blank
 * @property {Hand[]} hands
 * @property {string[]} floor
 * @property {Line[]} chat
 * @property {Record<string, Headcount>} headcounts
 * @property {Record<string, {person: string | null, t: number}>} signins
 * @property {Record<string, {what: string, t: number}>} signals
 * @property {{on: boolean, reason: string | null, t: number}} recording
 */

export const OPS_VERSION = 1;
/** 下课 can be undone for five minutes. */
export const REOPEN_WITHIN_MS = 5 * 60 * 1000;
/** Lines in a snapshot. */
export const CHAT_KEPT = 200;

/** @returns {RoomState} */
export function emptyState() {
  return {
    seq: 0,
    epoch: 0,
    phase: "waiting",
    opened_ms: null,
    closed_ms: null,
    deck: null,
    page: 0,
    blank: false,
    hands: [],
    floor: [],
    chat: [],
    headcounts: {},
    signins: {},
    signals: {},
    recording: { on: false, reason: null, t: 0 },
  };
}

/**
 * The state after an op; the given state is never changed.
 * @param {RoomState} state
 * @param {Op} op
 * @returns {RoomState}
 */
export function reduce(state, op) {
  if (op.seq <= state.seq || op.epoch < state.epoch) return state;
  const apply = op.v <= OPS_VERSION && Object.prototype.hasOwnProperty.call(KINDS, op.kind) ? KINDS[op.kind] : null;
  return { ...state, ...(apply ? apply(state, op) : null), seq: op.seq, epoch: op.epoch };
}

/**
 * @param {RoomState} state
 * @param {string} seat
 */
function withoutHand(state, seat) {
  return state.hands.filter((hand) => hand.seat !== seat);
}

/** What each kind changes. "room" (the lesson's data) and "epoch" (a new node) change only `seq` and `epoch`.
 * @type {Record<string, (state: RoomState, op: Op) => Partial<RoomState>>} */
const KINDS = {
  "lesson.open": (state, op) => (state.phase === "waiting" ? { phase: "live", opened_ms: op.t } : {}),
  "lesson.close": (state, op) =>
    state.phase === "live" ? { phase: "closed", closed_ms: op.t, hands: [], floor: [], blank: false } : {},
  "lesson.reopen": (state, op) => {
    const late = state.closed_ms === null || op.t - state.closed_ms > REOPEN_WITHIN_MS;
    return state.phase !== "closed" || late ? {} : { phase: "live", closed_ms: null };
  },
  "deck.open": (state, op) => ({ deck: { id: op.body.deck, title: op.body.title, pages: op.body.pages }, page: 1 }),
  "deck.close": () => ({ deck: null, page: 0 }),
  "page.turn": (state, op) => {
    const page = op.body.page;
    return state.deck && page >= 1 && page <= state.deck.pages ? { page } : {};
  },
  "stage.blank": (state, op) => ({ blank: op.body.on }),
  "hand.raise": (state, op) => {
    const { seat, pupil } = op.body;
    if (!state.hands.some((hand) => hand.seat === seat)) return { hands: [...state.hands, { seat, pupil, t: op.t }] };
    return { hands: state.hands.map((hand) => (hand.seat === seat ? { ...hand, pupil } : hand)) };
  },
  "hand.lower": (state, op) => ({ hands: withoutHand(state, op.body.seat) }),
  "floor.give": (state, op) => {
    const seat = op.body.seat;
    const floor = state.floor.includes(seat) ? state.floor : [...state.floor, seat];
    return { floor, hands: withoutHand(state, seat) };
  },
  "floor.take": (state, op) => {
    const seat = op.body.seat;
    return { floor: seat === null ? [] : state.floor.filter((one) => one !== seat) };
  },
  "chat.say": (state, op) => {
    const line = { seq: op.seq, t: op.t, by: op.by, text: op.body.text, erased: false };
    return { chat: [...state.chat, line].slice(-CHAT_KEPT) };
  },
  "chat.erase": (state, op) => ({
    chat: state.chat.map((line) => (line.seq === op.body.seq ? { ...line, text: "", erased: true } : line)),
  }),
  headcount: (state, op) => {
    const { seat, expected, present, absent_seats } = op.body;
    return { headcounts: { ...state.headcounts, [seat]: { expected, present, absent_seats, t: op.t } } };
  },
  signal: (state, op) => ({ signals: { ...state.signals, [op.body.seat]: { what: op.body.what, t: op.t } } }),
  signin: (state, op) => ({ signins: { ...state.signins, [op.body.seat]: { person: op.body.person, t: op.t } } }),
  recording: (state, op) => {
    const reason = op.body.reason === undefined ? null : op.body.reason;
    return { recording: { on: op.body.on, reason, t: op.t } };
  },
};
