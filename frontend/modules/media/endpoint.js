// One device's media in a lesson: its session's welcome opens what the node no longer holds, slots decide what plays, the
// floor opens the microphone. Rules: a classroom's microphone is closed unless it has the floor, and its loudspeaker is low
// while it has; a device that was pulled out is taken back as soon as it returns.

import { Publisher } from "./publisher.js";
import { openDevice, openDevices, remembered } from "./devices.js";
import { Speaker } from "./speaker.js";
import { Stats } from "./stats.js";
import { Subscriber, TEACHER_VOICE } from "./subscriber.js";

/**
 * @typedef {import("../room/session.js").Session} Session
 * @typedef {import("../protocol/messages.js").Source} Source
 * @typedef {import("./devices.js").Trouble} Trouble
 * @typedef {import("./devices.js").Kind} Kind
 * @typedef {import("./stats.js").Health} Health
 */

/** A camera that another program held when the computer started is free a little later, and nobody is there to press a button. */
const RETRY_MS = 15_000;
/** Ends of a line after which camera and microphone are let go. */
const OVER = new Set(["ended", "revoked", "lesson_over", "lesson_cancelled"]);
const SWITCHED = /** @type {const} */ (["mic", "camera", "screen-audio"]);
/** A film's sound as it is; without the voices that this page plays, in browsers that can (Chromium from 141 on). */
const FILM = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, restrictOwnAudio: true };

/** @param {MediaStreamTrack | undefined} sound */
function keepsOut(sound) {
  const settings = /** @type {{restrictOwnAudio?: boolean} | undefined} */ (sound?.getSettings());
  return settings?.restrictOwnAudio === true;
}

export class Endpoint {
  /**
   * @param {Session} session
   * @param {object} options
   * @param {"teacher" | "class" | null} options.publishes null: only receives
   * @param {() => void} options.changed something to show has changed
   * @param {boolean} [options.onAir] false: devices open, but nothing leaves this computer until goOnAir()
   */
  constructor(session, { publishes, changed, onAir = true }) {
    this.session = session;
    this.onAir = onAir;
    this.#changed = changed;
    this.#publishes = publishes;
    const may = () => session.joined;
    this.sub = new Subscriber({
      role: session.role,
      offer: (sdp) => session.line.offer("sub", sdp),
      changed: () => this.#refresh(),
      may,
      relays: () => session.relays,
    });
    this.pub = publishes
      ? new Publisher({
          role: publishes,
          offer: (sdp, sources) => session.line.offer("pub", sdp, sources),
          changed: () => this.#changed(),
          may: () => this.onAir && session.joined,
          relays: () => session.relays,
        })
      : null;
    this.speaker = new Speaker(() => this.#changed());
    this.speaker.choose(remembered().speaker);
    this.#stats = new Stats({
      sub: () => this.sub.pc,
      teacherSpeaks: () => this.#shows(TEACHER_VOICE),
      connected: () => session.joined,
      playing: () => session.role !== "teacher" && this.speaker.playing(TEACHER_VOICE),
      report: (figures) => session.line.tell({ type: "report", ...figures }),
      health: (health) => {
        this.health = health;
        this.#changed();
      },
    });
    session.joins((live) => this.#joined(live));
    session.advises((advice) => void (advice.type === "layers" ? this.pub?.layers(advice) : this.pub?.audioBudget(advice)));
    session.watch((parts) => this.#session(parts));
    this.#replug = () => void this.#reopen();
    navigator.mediaDevices?.addEventListener("devicechange", this.#replug);
    this.#retry = publishes ? setInterval(this.#replug, RETRY_MS) : null;
    if (publishes) void this.#watchPermissions();
  }

  #changed;
  #publishes;
  #stats;
  #replug;
  #retry;
  /** @type {Trouble[]} */
  troubles = [];
  /** @type {Health} */
  health = { path: null, rtt: null };
  /** The teacher's own switches; a classroom's microphone follows the floor. */
  wants = { mic: true, camera: true };
  /** @type {MediaStream | null} */
  #screen = null;
  /** The shared sound may hold what this page plays. */
  #echoes = false;
  #opening = false;
  #closed = false;

  // --- own devices ---------------------------------------------------------------------------------------------------------

  /** Open camera and microphone as remembered. */
  async openDevices() {
    if (!this.pub || !this.#publishes) return;
    this.#opening = true;
    const { mic, camera, troubles } = await openDevices(this.#publishes);
    this.#opening = false;
    this.troubles = troubles;
    await this.#take([["mic", mic], ["camera", camera]]);
  }

  /** The device check is over: the classrooms see and hear this device from now on. */
  goOnAir() {
    if (this.onAir) return;
    this.onAir = true;
    if (this.session.joined) void this.pub?.open();
  }

  /** Another device, chosen by the person. @param {Kind} kind */
  async reopen(kind) {
    if (!this.pub || !this.#publishes) return;
    this.pub.track(kind)?.stop();
    const { track, trouble } = await openDevice(kind, this.#publishes);
    this.troubles = this.troubles.filter((one) => one.kind !== kind);
    if (trouble) this.troubles.push(trouble);
    await this.#take([[kind, track]]);
  }

  /** @param {[Kind, MediaStreamTrack | null][]} taken */
  async #take(taken) {
    if (this.#closed) {
      // Left while the browser was still asking: the camera's light must not stay on.
      for (const [, track] of taken) track?.stop();
      return;
    }
    for (const [kind, track] of taken) if (track) track.onended = () => void this.#lost(kind);
    // Closed before the first packet: a classroom's microphone is not heard by accident.
    for (const [kind, track] of taken) if (track) track.enabled = this.#open(kind);
    await this.pub?.put(taken);
    this.applySwitches();
    // A page that captures may play: what was blocked before can start now.
    await this.speaker.unlock();
  }

  /** Pulled out, or taken away by the browser. @param {Kind} kind */
  async #lost(kind) {
    this.troubles = [...this.troubles.filter((one) => one.kind !== kind), { code: "lost", kind }];
    await this.pub?.put([[kind, null]]);
    this.#changed();
  }

  /** Whether this device's picture or sound goes out now: after 下课 nobody's does. @param {typeof SWITCHED[number]} kind */
  #open(kind) {
    const { phase, floor } = this.session.state;
    if (phase === "closed") return false;
    if (kind === "camera") return this.wants.camera;
    // Else the room that has the floor would hear itself, and its pupils would be recorded.
    if (kind === "screen-audio") return !this.#echoes || floor.length === 0;
    return this.#publishes === "class" ? this.session.hasFloor : this.wants.mic;
  }

  /** A device came or went, or some time has passed: take back what is missing. @param {boolean} [allowed] asking again makes sense */
  async #reopen(allowed = false) {
    if (this.#opening) return;
    const refused = allowed ? ["insecure"] : ["denied", "insecure"];
    for (const { kind, code } of [...this.troubles]) if (!refused.includes(code)) await this.reopen(kind);
  }

  /** Somebody changed "blocked" to "allowed" in the browser: no reload, no button. Firefox knows no such names: it says so by throwing. */
  async #watchPermissions() {
    for (const name of ["camera", "microphone"]) {
      try {
        const status = await navigator.permissions.query({ name: /** @type {PermissionName} */ (name) });
        status.onchange = () => status.state === "granted" && void this.#reopen(true);
      } catch {
        return;
      }
    }
  }

  /** Open or close the own microphone and camera, and a film's sound, as the switches or the floor say. */
  applySwitches() {
    for (const kind of SWITCHED) {
      const track = this.pub?.track(kind);
      if (track) track.enabled = this.#open(kind);
    }
    this.speaker.duck(this.#publishes === "class" && this.session.hasFloor);
    this.#changed();
  }

  // --- screen --------------------------------------------------------------------------------------------------------------

  get sharing() {
    return this.#screen !== null;
  }

  /** Throws what getDisplayMedia throws ("NotAllowedError": the person thought better of it). */
  async shareScreen() {
    const screen = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { max: 15 }, width: { max: 1920 }, height: { max: 1080 } },
      audio: /** @type {MediaTrackConstraints} */ (FILM),
    });
    if (this.#closed || this.session.state.phase === "closed") {
      // 下课 came while the browser was still asking.
      for (const track of screen.getTracks()) track.stop();
      return;
    }
    this.#screen = screen;
    const [picture] = screen.getVideoTracks();
    const [sound] = screen.getAudioTracks();
    this.#echoes = picture.getSettings().displaySurface !== "browser" && !keepsOut(sound);
    picture.contentHint = "detail";
    picture.onended = () => void this.stopScreen();
    if (sound) {
      sound.contentHint = "music";
      sound.enabled = this.#open("screen-audio");
    }
    await this.pub?.put(sound ? [["screen", picture], ["screen-audio", sound]] : [["screen", picture]]);
    this.#changed();
  }

  async stopScreen() {
    const screen = this.#screen;
    this.#screen = null;
    for (const track of screen?.getTracks() ?? []) track.stop();
    await this.pub?.put([["screen", null], ["screen-audio", null]]);
    this.#changed();
  }

  // --- what is shown -------------------------------------------------------------------------------------------------------

  /** @param {string} seat @param {Source} source @returns {MediaStreamTrack | null} own or received */
  track(seat, source) {
    if (seat === this.session.seat) return this.pub?.track(source) ?? null;
    const slot = this.session.slots.find((one) => one.seat === seat && one.source === source);
    return slot ? this.sub.track(slot.mid) : null;
  }

  /** After a click or key, for pages that may not play by themselves. */
  unlock() {
    return this.speaker.unlock();
  }

  close() {
    this.#closed = true;
    if (this.#retry !== null) clearInterval(this.#retry);
    navigator.mediaDevices?.removeEventListener("devicechange", this.#replug);
    this.#stats.stop();
    this.sub.close();
    for (const source of /** @type {Source[]} */ (["mic", "camera", "screen", "screen-audio"])) {
      const track = this.pub?.track(source);
      if (track) track.onended = null;
      track?.stop();
    }
    this.pub?.close();
    this.speaker.close();
  }

  // --- the session's news --------------------------------------------------------------------------------------------------

  /** @param {import("../protocol/messages.js").PeerName[]} live */
  #joined(live) {
    if (!live.includes("sub") || this.sub.state !== "connected") void this.sub.open();
    if (this.pub && this.onAir && (!live.includes("pub") || this.pub.state !== "connected")) void this.pub.open();
  }

  /** @param {Set<import("../room/session.js").Part>} parts */
  #session(parts) {
    if (parts.has("status") && this.session.joined) this.#stats.start();
    if (parts.has("status") && OVER.has(this.session.status.reason ?? "")) this.close();
    if (parts.has("state") && this.#publishes) this.applySwitches();
    // Nobody takes a screen back by a switch: it goes at 下课, and what lies on it afterwards is the teacher's own affair.
    if (parts.has("state") && this.sharing && this.session.state.phase === "closed") void this.stopScreen();
    if (parts.has("slots")) this.#refresh();
  }

  #refresh() {
    for (const slot of this.session.slots) {
      const track = slot.kind === "audio" ? this.sub.track(slot.mid) : null;
      if (track) this.speaker.play(slot.mid, track);
    }
    this.#changed();
  }

  /** @param {string} mid */
  #shows(mid) {
    return this.session.slots.some((slot) => slot.mid === mid && slot.seat !== null);
  }
}
