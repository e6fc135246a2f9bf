// Moving lessons on the week grid, with the pointer (drag) and with the keyboard ("Move", arrow keys, Enter; Escape leaves).
// Rule: nothing moves on the page until it is said why and the server has said yes; what it refuses is said in its own words.

import { drop } from "./moving.js";
import { askWhy } from "./why.js";

/** @typedef {{picked: string, sure: string, over: string, dropped: string, left: string, undo: string, undone: string, failed: string}} Texts */

const data = document.getElementById("page-data");
/** @type {Texts} */
const texts = JSON.parse(data?.textContent || "{}").texts;
const table = document.getElementById("week");
const spoken = document.getElementById("moved");

/** @type {HTMLElement | null} */
let held = null;
/** @type {HTMLElement | null} */
let target = null;

/** @param {EventTarget | null} at */
function cellOf(at) {
  const cell = at instanceof Element ? at.closest(".week-cell") : null;
  return cell instanceof HTMLElement && !cell.classList.contains("off") ? cell : null;
}

/** @param {HTMLElement | null} cell */
function aim(cell) {
  target?.classList.remove("aimed");
  target = cell;
  target?.classList.add("aimed");
}

/** @param {string} text */
function say(text) {
  if (!spoken) return;
  const line = document.createElement("p");
  line.className = "banner";
  line.textContent = text;
  spoken.replaceChildren(line);
}

/**
 * @param {string} text
 * @param {Record<string, string>} words
 */
function fill(text, words) {
  return text.replace(/\{(\w+)\}/g, (_, name) => words[name] ?? "");
}

/** @param {HTMLElement} lesson */
function pick(lesson) {
  held = lesson;
  lesson.classList.add("held");
  aim(cellOf(lesson));
  say(fill(texts.picked, { title: lesson.dataset.title || "" }));
}

function leave() {
  const was = held;
  held?.classList.remove("held");
  held = null;
  aim(null);
  return was;
}

async function put() {
  const cell = target;
  const lesson = leave();
  if (!lesson || !cell || cell.contains(lesson)) return;
  const why = await askWhy(fill(texts.sure, { title: lesson.dataset.title || "", when: cell.dataset.label || "" }));
  if (why) {
    await drop(lesson, cell, why, texts, say, fill);
    return;
  }
  say(texts.left);
  lesson.querySelector("button")?.focus();
}

/** @param {KeyboardEvent} event */
function steer(event) {
  if (!held || !target) return;
  const row = target.parentElement;
  if (!(row instanceof HTMLTableRowElement) || !(target instanceof HTMLTableCellElement)) return;
  const next = step(event.key, row, target.cellIndex);
  if (event.key === "Escape") {
    event.preventDefault();
    leave();
    say(texts.left);
  } else if (event.key === "Enter") {
    event.preventDefault();
    void put();
  } else if (next !== undefined) {
    event.preventDefault();
    if (!next) return;
    aim(next);
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
    say(fill(texts.over, { when: next.dataset.label || "" }));
  }
}

/**
 * The next cell that can be aimed at; null at the edge, undefined for other keys.
 * @param {string} key
 * @param {HTMLTableRowElement} row
 * @param {number} column
 * @returns {HTMLElement | null | undefined}
 */
function step(key, row, column) {
  const across = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  const down = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  if (!across && !down) return undefined;
  /** @type {Element | null} */
  let line = row;
  let at = column;
  for (;;) {
    at += across;
    line = down > 0 ? line.nextElementSibling : down < 0 ? line.previousElementSibling : line;
    if (!(line instanceof HTMLTableRowElement) || at < 1 || at >= line.cells.length) return null;
    const found = cellOf(line.cells[at]);
    if (found) return found;
  }
}

if (table) {
  table.addEventListener("dragstart", (event) => {
    const lesson = event.target instanceof Element ? event.target.closest("[data-lesson]") : null;
    if (!(lesson instanceof HTMLElement) || !event.dataTransfer) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", lesson.dataset.lesson || "");
    held = lesson; // no line is put above the grid now: it would slide away under the pointer, and Chromium would end the drag
  });
  table.addEventListener("dragover", (event) => {
    const cell = held && cellOf(event.target);
    if (!cell) return;
    event.preventDefault();
    aim(cell);
  });
  table.addEventListener("drop", (event) => {
    event.preventDefault();
    void put();
  });
  table.addEventListener("dragend", leave);
  table.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-move]") : null;
    const lesson = button?.closest("[data-lesson]");
    if (lesson instanceof HTMLElement) held === lesson ? leave() : pick(lesson);
  });
  table.addEventListener("keydown", steer);
}
