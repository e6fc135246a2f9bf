// What every live page starts from: its data, its sentences, its icons, its session.

import { icons } from "./dom.js";
import { translator } from "./texts.js";
import { seatAsker } from "../protocol/seat.js";
import { Session } from "../room/session.js";

/**
 * @typedef {import("../protocol/messages.js").Role} Role
 * @typedef {{lesson: string, locale: string, texts: Record<string, string>, icons: string, [more: string]: any}} PageData
 * @typedef {object} Page
 * @property {PageData} data
 * @property {ReturnType<typeof translator>} t
 * @property {import("./dom.js").Icons} icon
 * @property {string} csrf
 */

/** @returns {Page} */
export function page() {
  const data = /** @type {PageData} */ (JSON.parse(document.getElementById("page-data")?.textContent ?? "{}"));
  const csrf = document.querySelector("meta[name=csrf]")?.getAttribute("content") ?? "";
  return { data, t: translator(data.texts), icon: icons(data.icons), csrf };
}

/** @param {Page} page @param {string} lesson @param {Role} role */
export function openSession({ csrf }, lesson, role) {
  const session = new Session({ lesson, role, ask: seatAsker(lesson, role, csrf) });
  const poke = () => session.line.poke();
  addEventListener("online", poke);
  document.addEventListener("visibilitychange", poke);
  addEventListener("pagehide", (event) => {
    // A page kept for "back" may return; one that goes for good says so, and its seat is free at once.
    if (!event.persisted) session.stop();
  });
  return session;
}

/** 路径检查 in a window of its own: in this one the lesson goes on. */
export function checkPath() {
  if (!window.open("/check/path", "path")) location.assign("/check/path");
}

/** The screen stays on while a lesson runs; browsers without wake locks keep their own habit. */
export function stayAwake() {
  const lock = () => {
    if (document.visibilityState === "visible") navigator.wakeLock?.request("screen").catch(() => {});
  };
  lock();
  document.addEventListener("visibilitychange", lock);
}
