// Every message between a page and a node, as types: the mirror of signaling/messages.py, which is the authority.
// Nothing here runs except the constants; a change there is a change here.

export const PROTOCOL_VERSION = 1;

/** The node refuses anything longer (signaling/messages.py MAX_MESSAGE_BYTES). */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/**
 * @typedef {"teacher" | "class" | "assistant" | "watch" | "inspector" | "encoder"} Role
 * @typedef {"camera" | "mic" | "screen" | "screen-audio"} Source
 * @typedef {"pub" | "sub"} PeerName
 * @typedef {{epoch: number, seq: number}} LastSeen
 * @typedef {Record<string, any>} Body
 */

// --- page -> node ------------------------------------------------------------------------------------------------------

/**
 * @typedef {{type: "join", v: number, lesson: string, token: string, last: LastSeen | null, device: string | null}} Join
 * @typedef {{type: "do", id: string, kind: string, body: Body}} Intent
 * @typedef {{type: "offer", id: string, pc: PeerName, sdp: string, sources: Record<string, Source>}} Offer
 * @typedef {{type: "report", connected_ms: number, heard_ms: number, saw_ms: number, rtt_ms: number | null,
 *            loss: number | null, jitter_ms: number | null, freezes: number}} Report
 * @typedef {{type: "ping", t: number}} Ping
 * @typedef {{type: "leave"}} Leave
 * @typedef {Join | Intent | Offer | Report | Ping | Leave} ClientMessage
 */

// --- node -> page ------------------------------------------------------------------------------------------------------

/**
 * @typedef {{seq: number, epoch: number, t: number, kind: string, by: string, body: Body, v: number}} Op
 * @typedef {{id: string, seat: string, name: string, school: string, lead: boolean, expected: number,
 *            robot?: boolean}} RoomPlace
 * @typedef {{lesson: string, epoch: number, title: string, subject: string, grade: number,
 *            kind: "formal" | "trial" | "drill", teacher: string, teacher_seat: string, school: string,
 *            starts_at_ms: number, ends_at_ms: number, rooms: RoomPlace[]}} RoomSpec
 * @typedef {"high" | "mid" | "low" | "stills" | "sound"} Gets what of the teacher's picture reaches a seat
 * @typedef {{seat: string, role: Role, name: string, school: string, room: string | null,
 *            light: "green" | "yellow" | "red", rtt_ms: number | null, loss: number | null, up_loss?: number | null, heard: boolean,
 *            publishing: Source[], gets: Gets | null}} Presence
 * @typedef {{type: "welcome", v: number, lesson: string, epoch: number, seat: string, role: Role, rights: string[],
 *            resume: string, seq: number, room_ms: number, at_ms: number, state: Body | null, people: Presence[],
 *            spec: RoomSpec, ops: Op[], transports: PeerName[]}} Welcome
 * @typedef {{type: "ops", ops: Op[]}} Ops
 * @typedef {{type: "done", id: string, seq: number}} Done
 * @typedef {{type: "error", code: string, id: string | null, params: Body, retry_ms: number | null}} ErrorMessage
 * @typedef {{type: "answer", id: string, pc: PeerName, sdp: string}} Answer
 * @typedef {{mid: string, kind: "audio" | "video", seat: string | null, source: Source | null}} SlotShows
 * @typedef {{type: "slots", slots: SlotShows[]}} Slots
 * @typedef {{type: "people", people: Presence[]}} People
 * @typedef {{type: "speaking", seats: string[]}} Speaking
 * @typedef {{type: "moved", epoch: number}} Moved
 * @typedef {{type: "saved", room_ms: number, at_ms: number, stalled: boolean}} Saved
 * @typedef {{type: "layers", source: Source, rids: string[]}} LayersMessage
 * @typedef {{type: "audio-budget", source: Source, bitrate: number, ptime_ms: number}} AudioBudgetMessage
 * @typedef {{type: "pong", t: number, room_ms: number, at_ms: number}} Pong
 * @typedef {{type: "closed", reason: ClosedReason}} Closed
 * @typedef {"ended" | "elsewhere" | "moved" | "revoked" | "epoch" | "full" | "shutdown"} ClosedReason
 * @typedef {Welcome | Ops | Done | ErrorMessage | Answer | Slots | People | Speaking | Moved | Saved | Pong |
 *            LayersMessage | AudioBudgetMessage | Closed} ServerMessage
 */

// --- web -> page: the seat -----------------------------------------------------------------------------------------------

/**
 * @typedef {{id: string, title: string, pages: number, urls: string[], state?: "rendering" | "ready" | "refused",
 *            message?: string | null}} Deck message: why refused, in the reader's language
 * @typedef {{token: string, lesson: string, epoch: number, seat: string, role: Role, ws: string, whip: string,
 *            whep: string, iceServers?: RTCIceServer[], decks: Deck[]}} Grant
 */
