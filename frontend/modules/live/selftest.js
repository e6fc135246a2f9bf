// A screen tests itself when the web says so (server/selftests/schedule.py), or when somebody presses the button: aloud
// outside lessons, silently before them. The light it gets back stands at the foot of the screen.

import { need, needAs, setText, show } from "./dom.js";
import { camera, disk, line, path, sound } from "./probes.js";
import { chromiumOf, lacksOf } from "../media/browser.js";
import { ahead } from "../media/line.js";

/**
 * @typedef {{light: "green" | "yellow" | "red" | "grey" | "off", word: string, cause: string, act: string}} Light
 * @typedef {{kind: "loud" | "silent", lesson: string | null}} Due
 * @typedef {{due: Due | null, measure: boolean, light: Light, now_ms: number}} Plan
 * @typedef {import("./page.js").Page} Page
 */

const ADDRESS = "/api/v1/kiosk/selftest";
const ASK_MS = 30_000;
const MARKS = { green: "good", yellow: "caution", red: "bad", grey: "none", off: "none" };
const ICONS = { green: "check-circle", yellow: "warning", red: "error", grey: "ring", off: "ring" };

export class SelfTest {
  /** @param {Page} page @param {() => boolean} busy whether a lesson has the screen */
  constructor(page, busy) {
    this.#page = page;
    this.#busy = busy;
    this.#button = needAs("selftest-again", HTMLButtonElement);
    this.#button.addEventListener("click", () => void this.#again());
  }

  #page;
  #busy;
  #button;
  #started = false;
  #running = false;
  #turn = Promise.resolve();

  /** From the moment the screen is bound. */
  start() {
    if (this.#started) return;
    this.#started = true;
    void this.#inTurn(() => this.#ask());
    setInterval(() => this.#running || void this.#inTurn(() => this.#ask()), ASK_MS);
  }

  /** One test at a time: two would hear each other, and a press of the button is not lost. @param {() => Promise<void>} test */
  #inTurn(test) {
    this.#turn = this.#turn.then(test);
    return this.#turn;
  }

  async #ask() {
    try {
      const { plan, clock_ms } = await this.#plan();
      this.#render(plan.light);
      if (plan.due) await this.#run(plan.due, plan.measure, clock_ms);
    } catch {
      // The web is away: kiosk.js says so when it lasts; the next half minute asks again.
    }
  }

  async #again() {
    if (this.#busy()) return;
    this.#button.disabled = true;
    await this.#inTurn(async () => {
      try {
        const { plan, clock_ms } = await this.#plan();
        await this.#run({ kind: "loud", lesson: plan.due?.lesson ?? null }, plan.measure, clock_ms);
      } catch {
        this.#say("none", "ring", "", this.#page.t("selftest_failed"));
      }
    });
    this.#button.disabled = false;
  }

  /** @returns {Promise<{plan: Plan, clock_ms: number}>} */
  async #plan() {
    const asked = Date.now();
    const response = await fetch(ADDRESS, { credentials: "same-origin", cache: "no-store" });
    if (!response.ok) throw new Error(String(response.status));
    const plan = /** @type {Plan} */ (await response.json());
    return { plan, clock_ms: ahead(asked, plan.now_ms, Date.now()) };
  }

  /** @param {Due} due @param {boolean} measured the line may be measured @param {number} clock_ms */
  async #run(due, measured, clock_ms) {
    this.#running = true;
    this.#say("none", "ring", "", this.#page.t("selftest_running"));
    try {
      const loud = due.kind === "loud" && !this.#busy() ? await this.#aloud() : {};
      const found = { ...loud, ...(await this.#silently(measured, clock_ms)) };
      // A lesson that began meanwhile took the devices: what was heard then says nothing.
      const kind = "camera" in found ? "loud" : "silent";
      this.#render(await this.#tell({ kind, lesson: due.lesson, ...found }));
    } finally {
      this.#running = false;
    }
  }

  async #aloud() {
    if (!navigator.mediaDevices) return {};
    const seen = await camera();
    if (this.#busy()) return {};
    const heard = await sound();
    return this.#busy() ? {} : { camera: seen, ...heard };
  }

  /** @param {boolean} measured @param {number} clock_ms */
  async #silently(measured, clock_ms) {
    const agent = { chromium: chromiumOf(navigator.userAgent), lacks: lacksOf(window, navigator) };
    const found = { path: await path(this.#page.csrf), clock_ms: within(clock_ms), ...(await disk()), ...agent };
    return measured && !this.#busy() ? { ...found, ...(await line(this.#page.csrf)) } : found;
  }

  /** @param {Record<string, unknown>} body @returns {Promise<Light>} */
  async #tell(body) {
    const headers = { "X-CSRF": this.#page.csrf, "Content-Type": "application/json" };
    const response = await fetch(ADDRESS, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  }

  /** @param {Light} light */
  #render({ light, word, cause, act }) {
    this.#say(MARKS[light], ICONS[light], word, [cause, act].filter(Boolean).join(this.#page.data.locale === "en" ? ". " : "。"));
    need("selftest").dataset.light = light;
  }

  /** @param {string} mark @param {string} icon @param {string} word @param {string} text */
  #say(mark, icon, word, text) {
    const place = need("selftest-word");
    place.className = `status ${mark}`;
    place.replaceChildren(...(word ? [this.#page.icon(icon), word] : []));
    setText(need("selftest-text"), text);
    show(need("selftest"), true);
  }
}

/** What the server takes: eleven days either way. @param {number} ms */
function within(ms) {
  return Math.max(-1e9, Math.min(1e9, ms));
}
