// The network light: bars, colour and a word, the same on every page.

import { setIcon, setText } from "./dom.js";

/**
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("../protocol/messages.js").Presence} Presence
 * @typedef {"green" | "yellow" | "red" | "deaf" | "away"} Light
 */

/** @type {Record<Light, string>} */
const BARS = { green: "signal-4", yellow: "signal-2", red: "signal-1", deaf: "speaker-off", away: "signal-0" };
/** From here on the node calls a line slow or lossy (signaling/participant.py); a yellow light below both means: no sound. */
const SLOW_MS = 250;
const LOSSY = 0.03;

/** @param {Presence | undefined} present @returns {Light} */
export function lightOf(present) {
  if (!present) return "away";
  const clean = (present.rtt_ms ?? 0) <= SLOW_MS && (present.loss ?? 0) <= LOSSY;
  return present.light === "yellow" && clean && !present.heard ? "deaf" : present.light;
}

/** What of the teacher's picture reaches a seat now, in a word: nothing to say before it is known. @param {Page} page @param {Presence | undefined} present @returns {string[]} */
export function getsText({ t }, present) {
  return present?.gets ? [t(`gets_${present.gets}`)] : [];
}

/** @param {HTMLElement} element an icon and a span @param {Page} page @param {Presence | undefined} present @param {string} [away] what to say of somebody absent @param {string[]} [more] */
export function showLight(element, { t }, present, away = t("light_away"), more = []) {
  const light = lightOf(present);
  element.dataset.light = light === "deaf" ? "yellow" : light;
  setIcon(element, BARS[light]);
  const words = element.querySelector("span");
  if (words) setText(words, [light === "away" ? away : t(`light_${light}`), ...more].join(" · "));
}
