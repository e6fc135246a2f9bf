// A single viewer: the stage and the chat. It captures nothing, so its browser may want one click before it plays sound.

import { Banner, Notices } from "./banner.js";
import { Chat } from "./chat.js";
import { need, setText, show } from "./dom.js";
import { getsText, showLight } from "./light.js";
import { checkPath, openSession, page as thisPage, stayAwake } from "./page.js";
import { Slides } from "./slides.js";
import { Stage } from "./stage.js";
import { duration } from "./texts.js";
import { factsOf, troubles } from "./troubles.js";
import { Endpoint } from "../media/endpoint.js";
import { REOPEN_WITHIN_MS } from "../room/state.js";

const page = thisPage();
const { t } = page;
const session = openSession(page, page.data.lesson, page.data.role === "inspector" ? "inspector" : "watch");
const endpoint = new Endpoint(session, { publishes: null, changed: () => soon() });
const stage = new Stage(need("stage"), page, session, endpoint, new Slides(session.lesson, () => session.decks));
const notices = new Notices(need("notices"), page);
const chat = session.role === "watch" ? new Chat(need("chat"), page, session, notices.failed) : null;
const banner = new Banner(need("banner"), page, {
  retry: () => session.start(),
  here: () => session.start(),
  reload: () => location.reload(),
  path: checkPath,
});
show(need("panel"), chat !== null);
let waiting = false;

function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    render();
  });
}

function render() {
  const { spec, state } = session;
  banner.render(troubles(factsOf(session, endpoint, REOPEN_WITHIN_MS)).filter((one) => one.key !== "sound_blocked"));
  show(need("unlock"), endpoint.speaker.blocked);
  stage.render();
  chat?.render();
  if (!spec) return;
  setText(need("room-title"), spec.title);
  setText(need("room-teacher"), `${spec.school} · ${spec.teacher}`);
  const running = state.phase === "live" && state.opened_ms !== null;
  setText(need("room-elapsed"), running ? duration(session.roomMs() - (state.opened_ms ?? 0)) : t(`phase_${state.phase}`));
  const present = session.joined ? session.presence(session.seat) : undefined;
  showLight(need("room-light"), page, present, undefined, getsText(page, present));
}

need("unlock").addEventListener("click", () => void endpoint.unlock());
need("full").addEventListener("click", () => void document.documentElement.requestFullscreen?.());
session.watch(soon);
setInterval(soon, 1000);
session.start();
stayAwake();
soon();
