// /kiosk: a device, not a person. It asks the web every five seconds what to do: show a binding code, wait for the bell, or
// be in a lesson. It never needs a click, comes back by itself after a power cut, and a web that is away for a while
// changes nothing on its screen.

import { Classroom } from "./classroom.js";
import { need, needAs, setText, show } from "./dom.js";
import { page as thisPage, stayAwake } from "./page.js";
import { SelfTest } from "./selftest.js";
import { dayOf, duration, shortTime } from "./texts.js";

/**
 * The answer of GET /api/v1/kiosk (server/lessons/schemas.py: KioskOut).
 * @typedef {{id: string, title: string, role: "class" | "lead", teacher: string, school: string, starts_at_ms: number,
 *            ends_at_ms: number}} KioskLesson
 * @typedef {{bound: boolean, code: string | null, room: {id: string, name: string, school: string} | null,
 *            lesson: KioskLesson | null, next: KioskLesson | null, signin_code: string | null, signin_url: string | null,
 *            signin_qr: string | null, now_ms: number}} KioskState
 */

const POLL_MS = 5000;
/** One lost answer is nothing; a quarter of a minute is worth a word. */
const MISSES = 3;
/** A lesson further away than this has a date, not a countdown. */
const SOON_MS = 6 * 3600 * 1000;
const RELOAD_MS = 30_000;
const OLD_MS = 12 * 3600 * 1000;

const page = thisPage();
const { t } = page;
/** @type {KioskState | null} */
let state = null;
/** @type {Classroom | null} */
let classroom = null;
let offset = 0;
let missed = 0;
let codeShown = "";
let reloading = false;

const now = () => Date.now() + offset;
const selftest = new SelfTest(page, () => classroom !== null);

async function poll() {
  try {
    const response = await fetch("/api/v1/kiosk", { credentials: "same-origin", cache: "no-store" });
    if (response.status === 401 || response.status === 404) {
      // The device was taken out of its room: the page gives it a new identity and shows a code.
      startAnew();
      return;
    }
    if (!response.ok) throw new Error(String(response.status));
    state = /** @type {KioskState} */ (await response.json());
    offset = state.now_ms - Date.now();
    missed = 0;
    follow(state);
  } catch {
    missed += 1;
  }
  render();
  setTimeout(poll, POLL_MS);
}

/** Nobody is there to press a key: a page that cannot go on is loaded again, at most every half minute. */
function startAnew() {
  if (reloading) return;
  reloading = true;
  setTimeout(() => location.reload(), performance.now() < RELOAD_MS ? RELOAD_MS : 0);
}

/** A lesson whose line ended for a reason only a fresh page mends (signed out, an update). @param {Classroom} room */
function stuck(room) {
  const { phase, reason } = room.session.status;
  return phase === "stopped" && !["ended", "elsewhere", "left", "revoked"].includes(reason ?? "");
}

/** Be in the lesson the web names; stay in one that still runs, whatever the plan says. @param {KioskState} state */
function follow({ lesson }) {
  if (classroom && classroom.lesson !== lesson?.id && !running(classroom)) {
    classroom.close();
    classroom = null;
  }
  if (classroom && stuck(classroom)) startAnew();
  // Between lessons, once in half a day, the page takes up the newest version of itself.
  if (!lesson && !classroom && performance.now() > OLD_MS) startAnew();
  // The lead room's own screen waits: its teacher teaches from the desk.
  if (lesson && lesson.role === "class" && !classroom) classroom = new Classroom(page, lesson.id);
}

/** @param {Classroom} room */
function running(room) {
  return room.session.joined && room.session.state.phase === "live";
}

function render() {
  const inLesson = classroom !== null;
  show(need("room"), inLesson);
  show(need("idle"), !inLesson && state?.bound === true);
  show(need("unbound"), !inLesson && state !== null && !state.bound);
  show(need("starting"), state === null);
  show(need("away"), missed >= MISSES && !inLesson);
  if (!state) return;
  if (state.bound) selftest.start();
  if (!state.bound) setText(need("bind-code"), spaced(state.code ?? ""));
  else renderIdle(state);
  renderSignin(state);
}

/** Six digits as two groups: read out across a room. @param {string} code */
function spaced(code) {
  return code.replace(/^(...)(...)$/, "$1 $2");
}

/** @param {KioskState} state */
function renderIdle({ room, lesson, next }) {
  setText(need("idle-room"), room ? `${room.school} · ${room.name}` : "");
  setText(need("idle-clock"), shortTime(now()));
  const lead = lesson !== null && lesson.role === "lead";
  show(need("idle-lead"), lead);
  show(need("idle-next"), next !== null && !lead);
  show(need("idle-none"), next === null && !lead);
  if (!next) return;
  setText(need("next-title"), next.title);
  setText(need("next-teacher"), [next.school, next.teacher].filter(Boolean).join(" · "));
  const left = next.starts_at_ms - now();
  const soon = left < SOON_MS;
  const times = `${shortTime(next.starts_at_ms)}–${shortTime(next.ends_at_ms)}`;
  setText(need("next-time"), soon ? times : `${dayOf(next.starts_at_ms, page.data.locale)} ${times}`);
  show(need("next-count"), soon);
  setText(need("next-left"), left > 0 ? duration(left) : t("kiosk_now"));
  setText(need("next-hint"), t(next.role === "lead" ? "kiosk_lead_how" : "kiosk_auto"));
}

/** The code for the companion: large before the bell, in a corner until somebody signed in. @param {KioskState} state */
function renderSignin({ lesson, signin_code: code, signin_qr: picture, signin_url: address }) {
  const session = classroom?.session;
  const signed = session ? session.state.signins[session.roomSeat] !== undefined : false;
  const live = session?.state.phase === "live";
  const shown = classroom !== null && lesson !== null && code !== null && !signed && session?.state.phase !== "closed";
  show(need("signin"), shown);
  need("signin").dataset.size = live ? "small" : "large";
  document.body.dataset.lobby = String(classroom !== null && session?.state.phase === "waiting");
  if (!shown || !lesson) return;
  const left = lesson.starts_at_ms - now();
  setText(need("lobby-title"), lesson.title);
  setText(need("lobby-teacher"), `${lesson.school} · ${lesson.teacher}`);
  setText(need("lobby-left"), left > 0 ? t("kiosk_bell_in", { left: duration(left) }) : t("kiosk_wait_teacher"));
  setText(need("signin-code"), spaced(code));
  setText(need("signin-address"), (address ?? `${location.host}/companion/${lesson.id}`).replace(/^https?:\/\//, ""));
  if (picture !== null && codeShown !== code) {
    codeShown = code;
    needAs("signin-qr", HTMLImageElement).src = picture;
  }
}

need("full").addEventListener("click", () => void document.documentElement.requestFullscreen?.());
setInterval(render, 1000);
stayAwake();
void poll();
