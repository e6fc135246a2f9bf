// Everything that can be wrong in a live lesson, worst first, each with the one thing to do. Pure: facts in, keys out.

/**
 * @typedef {import("../room/session.js").Session} Session
 * @typedef {import("../media/endpoint.js").Endpoint} Endpoint
 * @typedef {"bad" | "caution" | "note" | "good"} Level
 * @typedef {"retry" | "here" | "reload" | "unlock" | "devices" | "reopen" | "path" | null} Action
 * @typedef {{key: string, level: Level, params?: Record<string, string | number>, sentence?: string, action: Action}} Trouble
 *   key: "<key>" is the sentence; the button's word is "do_<action>"
 *
 * @typedef {object} Facts
 * @property {import("../protocol/connection.js").Status} status
 * @property {import("../protocol/messages.js").Role} role
 * @property {import("../room/state.js").RoomState} state
 * @property {boolean} teacherHere
 * @property {import("../media/devices.js").Trouble[]} devices
 * @property {boolean} blocked the browser does not let the page play sound
 * @property {import("../media/peer.js").PeerState | null} sub
 * @property {import("../media/peer.js").PeerState | null} pub
 * @property {{stalled: boolean} | null} saved
 * @property {boolean} hasFloor
 * @property {number} upLoss share of what this page sends that does not arrive at the node
 * @property {import("../protocol/messages.js").Gets | null} gets what of the teacher's picture comes here
 * @property {boolean} encoder a recording host or camera sends the lead room's picture in place of this page's
 * @property {number} reopenLeft seconds in which 下课 can be undone
 */

/** @type {Record<string, Action>} what a stopped line offers */
const STOPPED = { elsewhere: "here", full: "retry", version: "reload", sign_in: "reload", csrf: "reload" };

/** @param {Facts} facts @returns {Trouble | null} */
function ofLine({ status }) {
  if (status.phase === "stopped" && status.reason !== "left") {
    const reason = status.reason ?? "other";
    const level = reason === "ended" ? "note" : "bad";
    return { key: `why_${reason}`, level, sentence: status.message, action: STOPPED[reason] ?? null };
  }
  const away = status.phase === "waiting" || (status.phase === "connecting" && status.attempt > 0);
  if (!away) return null;
  const reason = status.reason ?? "node_unreachable";
  // Once is a cable that was touched; again and again is a network that shuts the way.
  const action = reason === "node_unreachable" && status.attempt > 1 ? "path" : null;
  return { key: `why_${reason}`, level: "caution", sentence: status.message, action };
}

/** @param {Facts} facts @returns {Trouble[]} */
function ofDevices({ devices, role }) {
  return devices.map(({ code, kind }) => ({
    key: `device_${code}_${kind}`,
    level: kind === "mic" && role === "teacher" ? "bad" : "caution",
    action: code === "insecure" ? null : "devices",
  }));
}

/** Beyond it every room hears the teacher break up, whatever its own line is like. */
const UP_LOSS = 0.05;

/** @param {Facts} facts @returns {(Trouble | null)[]} */
function ofMedia({ status, sub, pub, blocked, gets, upLoss, role }) {
  if (status.phase !== "joined") return [];
  return [
    blocked ? { key: "sound_blocked", level: "bad", action: "unlock" } : null,
    sub === "lost" ? { key: "media_lost_in", level: "caution", action: "path" } : null,
    pub === "lost" ? { key: "media_lost_out", level: "caution", action: "path" } : null,
    role === "teacher" && pub !== "lost" && upLoss > UP_LOSS
      ? { key: "up_loss", level: "caution", params: { percent: Math.round(upLoss * 100) }, action: "path" }
      : null,
    // A picture that stands still frightens a class: say that it is meant so, and that the sound goes on.
    role !== "teacher" && (gets === "stills" || gets === "sound") ? { key: `line_${gets}`, level: "caution", action: "path" } : null,
  ];
}

/** @param {Facts} facts @returns {(Trouble | null)[]} */
function ofLesson({ role, state, status, teacherHere, saved, hasFloor, reopenLeft, encoder }) {
  if (status.phase !== "joined") return [];
  const minutes = Math.floor(reopenLeft / 60);
  const seconds = String(reopenLeft % 60).padStart(2, "0");
  const live = state.phase === "live";
  return [
    role === "teacher" && live && saved?.stalled ? { key: "saved_stalled", level: "bad", action: null } : null,
    role === "teacher" && live && state.recording.reason !== null && !state.recording.on
      ? { key: "recording_off", level: "caution", action: null }
      : null,
    role === "teacher" && state.phase === "closed" && reopenLeft > 0
      ? { key: "closed_undo", level: "note", params: { left: `${minutes}:${seconds}` }, action: "reopen" }
      : null,
    role !== "teacher" && live && !teacherHere ? { key: "teacher_away", level: "caution", action: null } : null,
    role === "class" && hasFloor ? { key: "floor_ours", level: "good", action: null } : null,
    role === "teacher" && encoder ? { key: "encoder_on", level: "note", action: null } : null,
  ];
}

/** @param {Facts} facts @returns {Trouble[]} worst first */
export function troubles(facts) {
  const all = [ofLine(facts), ...ofDevices(facts), ...ofMedia(facts), ...ofLesson(facts)];
  const found = all.filter((one) => one !== null);
  const order = ["bad", "caution", "good", "note"];
  return found.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}

/** @param {Session} session @returns {string | undefined} */
function leadRoom({ spec }) {
  return spec?.rooms.find((room) => room.lead)?.id;
}

/** @param {Session} session @param {Endpoint | null} endpoint @param {number} reopenWithinMs @returns {Facts} */
export function factsOf(session, endpoint, reopenWithinMs) {
  const { state, spec } = session;
  const since = state.closed_ms === null ? 0 : session.roomMs() - state.closed_ms;
  return {
    status: session.status,
    role: session.role,
    state,
    teacherHere: !spec || session.presence(spec.teacher_seat) !== undefined,
    devices: endpoint?.troubles ?? [],
    blocked: endpoint?.speaker.blocked ?? false,
    sub: endpoint?.sub.state ?? null,
    pub: endpoint?.pub?.state ?? null,
    saved: session.saved,
    hasFloor: session.hasFloor,
    encoder: session.people.some((one) => one.role === "encoder" && one.room === leadRoom(session) && one.publishing.includes("camera")),
    upLoss: (session.joined && session.presence(session.seat)?.up_loss) || 0,
    gets: (session.joined && session.presence(session.seat)?.gets) || null,
    reopenLeft: state.phase === "closed" ? Math.max(0, Math.floor((reopenWithinMs - since) / 1000)) : 0,
  };
}
