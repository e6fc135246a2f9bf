// What the stage shows, from the room's state alone. Pure, so that every screen of a lesson shows the same thing.

/**
 * @typedef {import("../room/state.js").RoomState} RoomState
 * @typedef {import("../protocol/messages.js").Source} Source
 * @typedef {{seat: string, source: Source}} View
 * @typedef {{main: "waiting" | "closed" | "blank" | "slide" | "screen" | "camera", side: View[]}} Plan
 */

/**
 * @param {RoomState} state
 * @param {string} teacher the lead teacher's seat
 * @param {boolean} screen whether the teacher shares a screen
 * @returns {Plan}
 */
export function plan(state, teacher, screen) {
  const rooms = state.floor.map((seat) => /** @type {View} */ ({ seat, source: "camera" }));
  const withTeacher = [/** @type {View} */ ({ seat: teacher, source: "camera" }), ...rooms];
  if (state.phase === "waiting") return { main: "waiting", side: withTeacher.slice(0, 1) };
  if (state.phase === "closed") return { main: "closed", side: [] };
  if (state.blank) return { main: "blank", side: rooms };
  if (screen) return { main: "screen", side: withTeacher };
  if (state.deck) return { main: "slide", side: withTeacher };
  return { main: "camera", side: rooms };
}
