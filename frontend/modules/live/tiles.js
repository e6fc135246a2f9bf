// The row of remote classrooms on the teacher's page: picture, school, pupils, network in words, hand, and one click that
// gives or takes the floor. Elements stay, only what changed is written: a button must not move under a finger.

import { el, setText, show, showTrack, videoElement } from "./dom.js";
import { getsText, showLight } from "./light.js";

/**
 * @typedef {import("./page.js").Page} Page
 * @typedef {import("../room/session.js").Session} Session
 * @typedef {import("../media/endpoint.js").Endpoint} Endpoint
 * @typedef {import("../protocol/messages.js").RoomPlace} RoomPlace
 * @typedef {{root: HTMLElement, video: HTMLVideoElement, away: HTMLElement, pupils: HTMLElement, light: HTMLElement,
 *            hand: HTMLElement, handText: HTMLElement, signal: HTMLElement, speaks: HTMLElement, button: HTMLButtonElement,
 *            buttonText: HTMLElement, drill: HTMLButtonElement | null}} Tile
 */

/** A "could not hear" is worth showing for a while, not for the lesson. */
const SIGNAL_MS = 45_000;

export class Tiles {
  /**
   * @param {HTMLElement} root
   * @param {Page} page
   * @param {Session} session
   * @param {Endpoint} endpoint
   * @param {(error: unknown) => void} failed
   */
  constructor(root, page, session, endpoint, failed) {
    this.#root = root;
    this.#page = page;
    this.#session = session;
    this.#endpoint = endpoint;
    this.#failed = failed;
  }

  #root;
  #page;
  #session;
  #endpoint;
  #failed;
  /** @type {Map<string, Tile>} */
  #tiles = new Map();

  render() {
    const rooms = this.#session.receivingRooms;
    this.#root.dataset.count = String(rooms.length);
    rooms.forEach((room, index) => {
      const tile = this.#tiles.get(room.seat) ?? this.#make(room, index + 1);
      this.#update(tile, room);
    });
  }

  /** Give this room the floor, or ask it back. @param {string} seat */
  toggle(seat) {
    const onFloor = this.#session.state.floor.includes(seat);
    this.#session.do(onFloor ? "floor.take" : "floor.give", { seat }).catch(this.#failed);
  }

  /** @param {RoomPlace} room @param {number} number @returns {Tile} */
  #make(room, number) {
    const { t, icon } = this.#page;
    const video = videoElement();
    const away = el("p", { class: "tile-away", text: t("tile_away") });
    const pupils = el("span", { class: "tile-pupils num" });
    const light = el("span", { class: "tile-light" }, icon("signal-0"), el("span"));
    const handText = el("span");
    const hand = el("span", { class: "tile-hand", hidden: true }, icon("hand"), handText);
    const signal = el("span", { class: "tile-signal", hidden: true });
    const speaks = el("span", { class: "speaks", hidden: true }, icon("mic"), el("span", { text: t("speaking") }));
    const buttonText = el("span");
    const key = number < 10 ? el("kbd", { text: number }) : null;
    const button = el("button", { class: "button tile-floor", type: "button", onclick: () => this.toggle(room.seat) }, icon("stage"), buttonText, key);
    const name = el("h2", { text: room.school, title: `${room.school} ${room.name}` });
    const place = el("span", { class: "tile-room", text: room.name });
    const picture = el("div", { class: "tile-picture" }, video, away, hand, signal, speaks);
    const drill = room.robot ? this.#drill(room.seat) : null;
    const words = el("div", { class: "tile-words" }, name, place, pupils, light, button, drill);
    const root = el("article", { class: "tile", "aria-label": this.#session.nameOf(room.seat) }, picture, words);
    this.#root.append(root);
    const tile = { root, video, away, pupils, light, hand, handText, signal, speaks, button, buttonText, drill };
    this.#tiles.set(room.seat, tile);
    return tile;
  }

  /** 断线演练: a robot cuts its line when it is asked to. @param {string} seat */
  #drill(seat) {
    const { t } = this.#page;
    const cut = () => void this.#session.do("robot.drill", { seat }).catch(this.#failed);
    return el("button", { class: "button tile-drill", type: "button", title: t("drill_hint"), onclick: cut, text: t("drill") });
  }

  /** @param {Tile} tile @param {RoomPlace} room */
  #update(tile, room) {
    const { state } = this.#session;
    const { t } = this.#page;
    const present = this.#session.presence(room.seat);
    const onFloor = state.floor.includes(room.seat);
    const shown = present?.publishing.includes("camera") ? this.#endpoint.track(room.seat, "camera") : null;
    showTrack(tile.video, shown);
    show(tile.away, !shown);
    setText(tile.away, t(present ? "tile_no_camera" : "tile_away"));
    tile.root.dataset.floor = String(onFloor);
    const speaks = onFloor && this.#session.speaking.includes(room.seat);
    tile.root.dataset.speaks = String(speaks);
    show(tile.speaks, speaks);
    this.#pupils(tile, room);
    this.#light(tile, present);
    this.#hand(tile, room.seat);
    this.#signal(tile, room.seat);
    setText(tile.buttonText, t(onFloor ? "floor_take" : "floor_give"));
    tile.button.setAttribute("aria-pressed", String(onFloor));
    tile.button.disabled = !onFloor && (!present || state.phase !== "live");
    if (tile.drill) tile.drill.disabled = !present;
  }

  /** @param {Tile} tile @param {RoomPlace} room */
  #pupils(tile, room) {
    const count = this.#session.state.headcounts[room.seat];
    const { t } = this.#page;
    if (room.robot) setText(tile.pupils, t("robot"));
    else setText(tile.pupils, count ? t("pupils", { present: count.present, expected: count.expected }) : t("pupils_expected", { expected: room.expected }));
  }

  /** @param {Tile} tile @param {import("../protocol/messages.js").Presence | undefined} present */
  #light(tile, present) {
    const { t } = this.#page;
    const more = getsText(this.#page, present);
    if (present && present.rtt_ms !== null) more.push(t("light_rtt", { ms: Math.round(present.rtt_ms) }));
    if (present && present.loss !== null && present.loss >= 0.005) more.push(t("light_loss", { percent: Math.round(present.loss * 100) }));
    showLight(tile.light, this.#page, present, t("light_away"), more);
  }

  /** @param {Tile} tile @param {string} seat */
  #hand(tile, seat) {
    const hand = this.#session.state.hands.find((one) => one.seat === seat);
    show(tile.hand, hand !== undefined);
    if (hand) setText(tile.handText, hand.pupil === null ? this.#page.t("hand") : this.#page.t("hand_pupil", { pupil: hand.pupil }));
  }

  /** @param {Tile} tile @param {string} seat */
  #signal(tile, seat) {
    const signal = this.#session.state.signals[seat];
    const fresh = signal !== undefined && this.#session.roomMs() - signal.t < SIGNAL_MS;
    show(tile.signal, fresh);
    if (fresh) setText(tile.signal, this.#page.t(`signal_${signal.what}`));
  }
}
