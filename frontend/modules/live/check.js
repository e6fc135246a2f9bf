// Before the lesson: one look at camera, microphone, loudspeaker and the way to the node, with plain words for each.
// Choices are remembered on this computer; changing one takes effect at once.

import { need, needAs, setIcon, setText, show, showTrack } from "./dom.js";
import { listDevices, Meter, remember, remembered } from "../media/devices.js";
import { chime } from "../media/speaker.js";

/**
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("../room/session.js").Session} Session
 * @typedef {import("../media/endpoint.js").Endpoint} Endpoint
 * @typedef {"good" | "caution" | "bad" | "none"} Band
 */

/** Louder than a quiet room: somebody spoke. */
const HEARD = 0.35;
const BAND_ICONS = { good: "check-circle", caution: "warning", bad: "error", none: "ring" };

/** @param {HTMLElement} row @param {Band} band @param {string} text */
function verdict(row, band, text) {
  const status = row.querySelector(".status");
  if (!status) return;
  status.className = `status ${band}`;
  setIcon(status, BAND_ICONS[band]);
  const words = status.querySelector("span");
  if (words) setText(words, text);
}

export class Check {
  /** @param {Page} page @param {Session} session @param {Endpoint} endpoint */
  constructor(page, session, endpoint) {
    this.#page = page;
    this.#session = session;
    this.#endpoint = endpoint;
    this.#choice("check-camera", "videoinput", "camera", () => endpoint.reopen("camera"));
    this.#choice("check-mic", "audioinput", "mic", () => endpoint.reopen("mic"));
    this.#choice("check-speaker", "audiooutput", "speaker", () => endpoint.speaker.choose(remembered().speaker));
    const music = needAs("check-music", HTMLInputElement);
    music.checked = remembered().music;
    music.addEventListener("change", () => {
      remember({ music: music.checked });
      void endpoint.reopen("mic");
    });
    need("check-test").addEventListener("click", () => this.#testSpeaker());
  }

  #page;
  #session;
  #endpoint;
  /** @type {Meter | null} */
  #meter = null;
  /** @type {MediaStreamTrack | null} */
  #metered = null;
  #spoke = false;
  #ringing = false;

  render() {
    this.#camera();
    this.#mic();
    this.#path();
  }

  /** @param {string} kind @returns {string} */
  #troubleText(kind) {
    const trouble = this.#endpoint.troubles.find((one) => one.kind === kind);
    return trouble ? this.#page.t(`device_${trouble.code}_${trouble.kind}`) : "";
  }

  #camera() {
    const track = this.#endpoint.pub?.track("camera") ?? null;
    const { t } = this.#page;
    showTrack(needAs("check-preview", HTMLVideoElement), track);
    const trouble = this.#troubleText("camera");
    if (trouble) verdict(need("check-row-camera"), "bad", trouble);
    else if (track) verdict(need("check-row-camera"), "good", t("check_camera_good"));
    else verdict(need("check-row-camera"), "none", t("check_opening"));
  }

  #mic() {
    const track = this.#endpoint.pub?.track("mic") ?? null;
    const { t } = this.#page;
    if (track !== this.#metered) this.#measure(track);
    const trouble = this.#troubleText("mic");
    if (trouble) verdict(need("check-row-mic"), "bad", trouble);
    else if (!track) verdict(need("check-row-mic"), "none", t("check_opening"));
    else if (this.#spoke) verdict(need("check-row-mic"), "good", t("check_mic_good"));
    else verdict(need("check-row-mic"), "caution", t("check_mic_silent"));
  }

  /** @param {MediaStreamTrack | null} track */
  #measure(track) {
    this.#meter?.stop();
    this.#metered = track;
    this.#spoke = false;
    const meter = needAs("check-meter", HTMLMeterElement);
    const show = (/** @type {number} */ level) => {
      meter.value = level;
      if (level < HEARD || this.#spoke) return;
      this.#spoke = true;
      this.#mic();
    };
    this.#meter = track ? new Meter(track, show) : null;
    void this.#list();
  }

  #path() {
    const { t } = this.#page;
    const row = need("check-row-path");
    const { path, rtt } = this.#endpoint.health;
    if (!this.#session.joined) verdict(row, "caution", t("check_path_line"));
    else if (this.#endpoint.sub.state === "lost") verdict(row, "bad", t("check_path_none"));
    else if (path === null) verdict(row, "none", t("check_path_trying"));
    else verdict(row, path === "udp" ? "good" : "caution", t(`check_path_${path}`, { ms: Math.round(rtt ?? 0) }));
  }

  #testSpeaker() {
    if (this.#ringing) return;
    this.#ringing = true;
    const { t } = this.#page;
    void this.#endpoint.unlock();
    verdict(need("check-row-speaker"), "none", t("check_speaker_playing"));
    void chime(() => {
      this.#ringing = false;
      verdict(need("check-row-speaker"), "good", t("check_speaker_done"));
    });
  }

  /** @param {string} id @param {MediaDeviceKind} kind @param {"camera" | "mic" | "speaker"} name @param {() => void} apply */
  #choice(id, kind, name, apply) {
    const select = needAs(id, HTMLSelectElement);
    select.dataset.kind = kind;
    select.addEventListener("change", () => {
      remember({ [name]: select.value });
      apply();
    });
  }

  /** Names are only told once a device was opened. */
  async #list() {
    const devices = await listDevices();
    for (const [id, chosen] of /** @type {[string, string][]} */ ([
      ["check-camera", remembered().camera],
      ["check-mic", remembered().mic],
      ["check-speaker", remembered().speaker],
    ])) {
      const select = needAs(id, HTMLSelectElement);
      const ours = devices.filter((one) => one.kind === select.dataset.kind && one.deviceId !== "");
      select.replaceChildren(...ours.map((one, index) => new Option(one.label || `${index + 1}`, one.deviceId, false, one.deviceId === chosen)));
      show(select, ours.length > 1);
    }
  }

  /** The check is over: no meter runs in the lesson. */
  close() {
    this.#meter?.stop();
    this.#meter = null;
  }
}
