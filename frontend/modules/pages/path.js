// 路径检查: one button, six ways, one verdict, and a report for whoever runs the school's network.

import { askGrant, doorOf } from "../media/door.js";
import { trySocket, tryWay, verdict, WAYS } from "../media/ways.js";

const csrf = document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "";
/** A classroom's screen returns to its lessons by itself: long enough to read the verdict and to take a picture of it. */
const BACK_MS = 180_000;
/** @type {import("../media/ways.js").Way[]} without signalling no picture and no sound is ever asked for */
const ALL = ["ws", ...WAYS];

/** @type {{texts: Record<string, string>, screen: boolean}} */
const data = JSON.parse(document.getElementById("page-data")?.textContent ?? "{}");

/** @param {string} key @param {Record<string, string | number>} [params] */
function say(key, params = {}) {
  const sentence = data.texts[`paths.${key}`] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
}

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(id);
  return found;
}

/** @param {import("../media/ways.js").Result} result */
function show(result) {
  const cell = document.querySelector(`tr[data-way="${result.way}"] td[role="status"]`);
  if (cell) cell.textContent = say(`outcome_${result.outcome}`, { ms: result.ms });
}

/** @param {import("../media/ways.js").Result[]} results @param {string[]} open @param {string} means @param {string} node */
function report(results, open, means, node) {
  const lines = [say("title"), `${new Date().toISOString()}  ${location.origin}`, navigator.userAgent, ""];
  for (const one of results) lines.push(`${say(`way_${one.way}`)}: ${say(`outcome_${one.outcome}`, { ms: one.ms })}`);
  lines.push("", say(`verdict_${means}`), advice(means, open, node));
  if (open.length) lines.push("", say("doors"), ...open.map((door) => `  ${door}`));
  return lines.join("\n");
}

/** @param {string} means @param {string[]} open @param {string} node */
function advice(means, open, node) {
  return say(`advice_${means}`, { doors: open.join("、") || "–", node });
}

function back() {
  if (window.opener) window.close();
  else location.assign("/kiosk");
}

let leaving = 0;

function leaveLater() {
  clearTimeout(leaving);
  if (data.screen) leaving = setTimeout(back, BACK_MS);
}

async function run() {
  clearTimeout(leaving);
  const button = element("path-start", HTMLButtonElement);
  button.disabled = true;
  for (const cell of document.querySelectorAll('tr[data-way] td[role="status"]')) cell.textContent = "…";
  /** @type {import("../media/ways.js").Result[]} */
  const results = [];
  /** @type {string[]} */
  let open = [];
  let node = location.host;
  try {
    const held = await askGrant(csrf);
    node = new URL(held.url).host;
    for (const way of ALL) {
      const one = way === "ws" ? await trySocket(held) : await tryWay(way, held, doorOf(held));
      results.push(one);
      open = [...new Set([...open, ...one.doors])];
      show(one);
    }
  } catch {
    for (const way of ALL.slice(results.length)) {
      results.push({ way, outcome: "refused", ms: 0 });
      show(results[results.length - 1]);
    }
  }
  const means = verdict(results);
  element("path-verdict", HTMLElement).textContent = say(`verdict_${means}`);
  element("path-advice", HTMLElement).textContent = advice(means, open, node);
  element("path-report", HTMLTextAreaElement).value = report(results, open, means, node);
  element("path-outcome", HTMLElement).hidden = false;
  element("path-verdict", HTMLElement).focus();
  button.disabled = false;
  leaveLater();
}

async function copy() {
  const text = element("path-report", HTMLTextAreaElement);
  text.select();
  // The clipboard wants a secure origin; a plain school network has none, and the old command still works there.
  if (navigator.clipboard) await navigator.clipboard.writeText(text.value);
  else document.execCommand("copy");
  const button = element("path-copy", HTMLButtonElement);
  button.textContent = say("copied");
  setTimeout(() => (button.textContent = say("copy")), 2000);
}

element("path-start", HTMLButtonElement).addEventListener("click", () => void run());
element("path-copy", HTMLButtonElement).addEventListener("click", () => void copy());
// Opened from a lesson's banner this is a window of its own; a person who came from the desk has the page's head.
element("path-back", HTMLButtonElement).hidden = !data.screen && !window.opener;
element("path-back", HTMLButtonElement).addEventListener("click", back);
leaveLater();
