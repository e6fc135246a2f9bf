// The assistant's phone: sign in by the code on the room's own screen, count heads, raise a hand for a seat number, say that
// something was not heard. It never captures and never plays sound: no second echo in the room.

import { Banner, Notices } from "./banner.js";
import { Chat } from "./chat.js";
import { Headcount } from "./headcount.js";
import { need, needAs, setText, show } from "./dom.js";
import { showLight } from "./light.js";
import { openSession, page as thisPage } from "./page.js";
import { duration, whyText } from "./texts.js";
import { factsOf, troubles } from "./troubles.js";
import { REOPEN_WITHIN_MS } from "../room/state.js";

const page = thisPage();
const { t } = page;
const session = openSession(page, page.data.lesson, "assistant");
const notices = new Notices(need("notices"), page);
const headcount = new Headcount(page, session, notices);
const chat = new Chat(need("chat"), page, session, notices.failed);
const banner = new Banner(need("banner"), page, {
  retry: () => session.start(),
  here: () => session.start(),
  reload: () => location.reload(),
});
const code = needAs("code", HTMLInputElement);
let waiting = false;

function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    render();
  });
}

/** @param {string} kind @param {import("../protocol/messages.js").Body} body @param {string} [thanks] */
function wish(kind, body, thanks) {
  session.do(kind, body).then(() => thanks && notices.say(t(thanks), "good"), notices.failed);
}

// --- signing in ------------------------------------------------------------------------------------------------------------

/** @param {Event} event */
async function signIn(event) {
  event.preventDefault();
  const digits = code.value.replace(/\D/g, "");
  if (digits.length !== 6) {
    wrong(t("code_six"));
    return;
  }
  try {
    const response = await fetch(`/api/v1/lessons/${encodeURIComponent(session.lesson)}/companion`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF": page.csrf },
      credentials: "same-origin",
      body: JSON.stringify({ code: digits }),
    });
    if (response.ok) enter();
    else wrong(await refusal(response));
  } catch {
    wrong(whyText(t, "web_unreachable"));
  }
}

/** @param {Response} response */
async function refusal(response) {
  try {
    const { error } = await response.json();
    return error.message || t("code_wrong");
  } catch {
    return t("code_wrong");
  }
}

/** @param {string} text */
function wrong(text) {
  setText(need("code-wrong"), text);
  show(need("code-row-wrong"), text !== "");
  code.setAttribute("aria-invalid", String(text !== ""));
  code.focus();
}

function enter() {
  show(need("signin"), false);
  show(need("work"), true);
  session.start();
}

// --- the lesson ------------------------------------------------------------------------------------------------------------

function render() {
  const { state, status } = session;
  // A cookie of another lesson, or of yesterday: ask for the code again instead of an error nobody understands.
  if (status.phase === "stopped" && ["sign_in", "forbidden", "companion"].includes(status.reason ?? "")) {
    show(need("work"), false);
    show(need("signin"), true);
    return;
  }
  banner.render(troubles(factsOf(session, null, REOPEN_WITHIN_MS)));
  renderHead();
  headcount.render();
  chat.render();
  const live = state.phase === "live";
  const hand = state.hands.find((one) => one.seat === session.roomSeat);
  need("work").dataset.floor = String(session.hasFloor);
  setText(need("floor"), t(session.hasFloor ? "floor_ours" : hand ? "hand_waiting" : live ? "floor_not_ours" : `phase_${state.phase}`));
  show(need("floor-back"), session.hasFloor);
  show(need("hand-lower"), hand !== undefined);
  show(need("hand-form"), hand === undefined && !session.hasFloor);
  for (const button of document.querySelectorAll(".needs-live")) button.toggleAttribute("disabled", !live || !session.joined);
}

function renderHead() {
  const { state, spec, room } = session;
  if (!spec) return;
  setText(need("room-title"), spec.title);
  setText(need("room-name"), room ? `${room.school} · ${room.name}` : "");
  const running = state.phase === "live" && state.opened_ms !== null;
  setText(need("room-elapsed"), running ? duration(session.roomMs() - (state.opened_ms ?? 0)) : t(`phase_${state.phase}`));
  showLight(need("room-light"), page, session.presence(session.roomSeat), t("screen_away"));
}

/** @param {Event} event */
function raise(event) {
  event.preventDefault();
  const field = needAs("hand-pupil", HTMLInputElement);
  const pupil = Number.parseInt(field.value, 10);
  wish("hand.raise", { pupil: pupil >= 1 && pupil <= 99 ? pupil : null }, "hand_sent");
  field.value = "";
}

need("signin-form").addEventListener("submit", (event) => void signIn(event));
need("hand-form").addEventListener("submit", raise);
need("hand-lower").addEventListener("click", () => wish("hand.lower", {}));
need("floor-back").addEventListener("click", () => wish("floor.take", { seat: session.roomSeat }));
for (const what of ["unheard", "unclear", "fast"]) {
  need(`signal-${what}`).addEventListener("click", () => wish("signal", { what }, "signal_sent"));
}

session.watch(soon);
setInterval(soon, 1000);
// The QR code carries the digits behind "#": they fill themselves in and never reach a server's log.
const scanned = /^#(\d{6})$/.exec(location.hash);
if (page.data.signed_in) enter();
else if (scanned) {
  code.value = scanned[1];
  history.replaceState(null, "", location.pathname);
  needAs("signin-form", HTMLFormElement).requestSubmit();
}
