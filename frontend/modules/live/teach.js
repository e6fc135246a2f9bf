// The lead teacher's page: device check, then the console. It resumes by itself: a teacher who comes back into a running
// lesson is on stage again without a question.

import { Banner, Notices } from "./banner.js";
import { Chat } from "./chat.js";
import { Check } from "./check.js";
import { Decks } from "./decks.js";
import { need, needAs, setIcon, setText, show } from "./dom.js";
import { Hands } from "./hands.js";
import { listenKeys } from "./keys.js";
import { checkPath, openSession, page as thisPage, stayAwake } from "./page.js";
import { Slides } from "./slides.js";
import { Stage } from "./stage.js";
import { clockTime, duration } from "./texts.js";
import { Tiles } from "./tiles.js";
import { factsOf, troubles } from "./troubles.js";
import { Endpoint } from "../media/endpoint.js";
import { REOPEN_WITHIN_MS } from "../room/state.js";

const page = thisPage();
const { t } = page;
const session = openSession(page, page.data.lesson, "teacher");
const endpoint = new Endpoint(session, { publishes: "teacher", changed: () => soon(), onAir: false });
const slides = new Slides(session.lesson, () => session.decks);
const notices = new Notices(need("notices"), page);
const check = new Check(page, session, endpoint);
const stage = new Stage(need("stage"), page, session, endpoint, slides);
const tiles = new Tiles(need("tiles"), page, session, endpoint, notices.failed);
const decks = new Decks(page, session, slides, notices.failed);
const hands = new Hands(need("hands"), page, session, notices.failed);
const chat = new Chat(need("chat"), page, session, notices.failed);
const banner = new Banner(need("banner"), page, {
  retry: () => session.start(),
  here: () => session.start(),
  reload: () => location.reload(),
  unlock: () => void endpoint.unlock(),
  devices: () => void endpoint.openDevices(),
  path: checkPath,
  reopen: () => wish("lesson.reopen"),
});
const closing = needAs("closing", HTMLDialogElement);

/** The console is shown: after the check, or at once in a running lesson. */
let inside = false;
let waiting = false;
let readTo = 0;

/** @param {string} kind @param {import("../protocol/messages.js").Body} [body] */
function wish(kind, body = {}) {
  session.do(kind, body).catch(notices.failed);
}

/** Many things change at once; one drawing a frame is enough. */
function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    render();
  });
}

function enter() {
  if (inside) return;
  inside = true;
  check.close();
  endpoint.goOnAir();
  show(need("check"), false);
  show(need("console"), true);
  need("stage").focus();
}

function render() {
  if (session.state.phase !== "waiting") enter();
  banner.render(troubles(factsOf(session, endpoint, REOPEN_WITHIN_MS)));
  if (!inside) {
    check.render();
    renderRooms();
    return;
  }
  stage.render();
  tiles.render();
  decks.render();
  hands.render();
  chat.render();
  renderHead();
  renderBar();
}

/** The check also says who is there already. */
function renderRooms() {
  const here = session.receivingRooms.filter((room) => session.presence(room.seat)).length;
  setText(need("check-rooms"), t("check_rooms", { here, all: session.receivingRooms.length }));
  need("check-start").toggleAttribute("disabled", !session.joined);
}

function renderHead() {
  const { state, saved } = session;
  const running = state.phase === "live" && state.opened_ms !== null;
  setText(need("elapsed"), running ? duration(session.roomMs() - (state.opened_ms ?? 0)) : t(`phase_${state.phase}`));
  const recorded = saved !== null && (state.recording.on || state.phase === "closed");
  const stalled = recorded && saved.stalled;
  need("saved").dataset.state = !recorded ? "off" : stalled ? "stalled" : "good";
  setText(need("saved-text"), recorded ? t(stalled ? "saved_late" : "saved_until", { time: clockTime(saved.at_ms) }) : t("saved_none"));
}

/** @param {string} id @param {boolean} pressed @param {string} icon @param {string} text */
function toggle(id, pressed, icon, text) {
  const button = need(id);
  button.setAttribute("aria-pressed", String(pressed));
  setIcon(button, icon);
  const label = button.querySelector("span");
  if (label) setText(label, text);
}

function renderBar() {
  const { state } = session;
  const live = state.phase === "live";
  const { mic, camera } = endpoint.wants;
  toggle("bar-mic", mic, mic ? "mic" : "mic-off", t(mic ? "mic_on" : "mic_off"));
  toggle("bar-camera", camera, camera ? "camera" : "camera-off", t(camera ? "camera_on" : "camera_off"));
  toggle("bar-screen", endpoint.sharing, "screen", t(endpoint.sharing ? "screen_stop" : "screen_share"));
  toggle("bar-blank", state.blank, state.blank ? "eye" : "hide", t(state.blank ? "blank_off" : "blank_on"));
  for (const id of ["bar-screen", "bar-blank", "bar-quiet"]) need(id).toggleAttribute("disabled", !live);
  show(need("bar-open"), state.phase === "waiting");
  show(need("bar-close"), live);
  show(need("bar-leave"), state.phase === "closed");
  decks.pager(need("bar-prev"), need("bar-next"), need("bar-page"));
  renderUnread();
}

function renderUnread() {
  const { chat: lines } = session.state;
  const last = lines.length > 0 ? lines[lines.length - 1].seq : 0;
  const open = !need("panel").hidden;
  if (open) readTo = last;
  const unread = lines.filter((line) => line.seq > readTo && line.by !== session.seat).length;
  const mark = need("bar-unread");
  show(mark, unread > 0);
  setText(mark, String(unread));
  need("bar-panel").setAttribute("aria-expanded", String(open));
}

async function share() {
  try {
    if (endpoint.sharing) await endpoint.stopScreen();
    else await endpoint.shareScreen();
  } catch (error) {
    // Closing the browser's own question is an answer, not a fault.
    if (!(error instanceof DOMException && error.name === "NotAllowedError")) notices.say(t("screen_failed"), "bad");
  }
}

/** @param {"mic" | "camera"} device */
function flip(device) {
  endpoint.wants[device] = !endpoint.wants[device];
  endpoint.applySwitches();
}

function blank() {
  if (session.state.phase === "live") wish("stage.blank", { on: !session.state.blank });
}

function quiet() {
  if (session.state.phase === "live") wish("floor.take", { seat: null });
}

/** @param {string} id @param {() => void} run */
function onClick(id, run) {
  need(id).addEventListener("click", run);
}

onClick("check-start", () => {
  enter();
  wish("lesson.open");
});
onClick("check-enter", () => {
  enter();
  soon();
});
onClick("bar-open", () => wish("lesson.open"));
onClick("bar-mic", () => flip("mic"));
onClick("bar-camera", () => flip("camera"));
onClick("bar-screen", () => void share());
onClick("bar-slides", () => decks.open());
onClick("bar-prev", () => decks.turn(-1));
onClick("bar-next", () => decks.turn(1));
onClick("bar-quiet", quiet);
onClick("bar-blank", blank);
onClick("bar-close", () => closing.showModal());
onClick("bar-panel", () => {
  show(need("panel"), need("panel").hidden);
  soon();
});
onClick("closing-yes", () => {
  closing.close();
  wish("lesson.close");
});
onClick("closing-no", () => closing.close());
for (const button of document.querySelectorAll("dialog .dialog-close")) {
  button.addEventListener("click", () => button.closest("dialog")?.close());
}

const forward = () => decks.turn(1);
const back = () => decks.turn(-1);
/** @type {import("./keys.js").Keys} */
const keys = { PageDown: forward, ArrowRight: forward, ArrowDown: forward, PageUp: back, ArrowLeft: back, ArrowUp: back };
// Clickers send "." or "b" for "black screen".
Object.assign(keys, { b: blank, ".": blank, m: () => flip("mic"), 0: quiet });
for (let number = 1; number <= 9; number++) {
  keys[String(number)] = () => {
    const room = session.receivingRooms[number - 1];
    if (room && session.state.phase === "live") tiles.toggle(room.seat);
  };
}
listenKeys(keys);

session.watch(soon);
setInterval(soon, 1000);
void endpoint.openDevices();
session.start();
stayAwake();
soon();
