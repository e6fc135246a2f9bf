// The single tests of a screen, each with its answer in the words of server/selftests/checks.py. Each leaves everything
// as it was: tracks stopped, contexts closed.

import { isDark } from "../media/browser.js";
import { listen, LASTS_S, signal } from "../media/chirp.js";
import { remembered, troubleOf } from "../media/devices.js";
import { askGrant, doorOf } from "../media/door.js";
import { measure } from "../media/line.js";
import { trySocket, tryWay, verdict, WAYS } from "../media/ways.js";

const TRIES = 12;
const TRY_MS = 150;
/** A sound card needs this long until what is played is heard, and some more. */
const EARLY_S = 0.3;
const LATE_S = 0.8;
const RESUME_MS = 1500;
/** The screen's own sound is heard from the back row; a test is not. */
const LOUDNESS = 0.5;

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** @param {unknown} error @param {"camera" | "mic"} kind */
function refusal(error, kind) {
  const { code } = troubleOf(error, kind);
  return code === "denied" || code === "busy" ? code : "none";
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** @param {string} id @returns {MediaTrackConstraints} */
const chosen = (id) => (id ? { deviceId: { ideal: id } } : {});

/** @returns {Promise<"good" | "none" | "denied" | "busy" | "dark">} */
export async function camera() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { ...chosen(remembered().camera), width: { ideal: 320 } } });
  } catch (error) {
    return refusal(error, "camera");
  }
  try {
    return (await sees(stream)) ? "good" : "dark";
  } finally {
    stop(stream);
  }
}

/** Cameras open their eye slowly: the first pictures may be black. @param {MediaStream} stream */
async function sees(stream) {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play().catch(() => {});
  const canvas = document.createElement("canvas");
  canvas.width = 64;
  canvas.height = 36;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  for (let tries = 0; pen && tries < TRIES; tries += 1) {
    await pause(TRY_MS);
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) continue;
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    if (!isDark(pen.getImageData(0, 0, canvas.width, canvas.height).data)) return true;
  }
  return false;
}

/**
 * Microphone and loudspeaker together: the one hears the other. The voice filters are off, they would take the chirp for
 * an echo, which it is.
 * @returns {Promise<{microphone: string, loudspeaker?: string}>}
 */
export async function sound() {
  let stream;
  try {
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
    stream = await navigator.mediaDevices.getUserMedia({ audio: { ...chosen(remembered().mic), ...plain } });
  } catch (error) {
    return { microphone: refusal(error, "mic") };
  }
  const context = new AudioContext();
  try {
    // A page that captures may play without a click: asked for after the microphone, not before.
    await Promise.race([context.resume(), pause(RESUME_MS)]);
    if (context.state !== "running") return { microphone: "good", loudspeaker: "blocked" };
    const heard = listen(await record(context, stream), context.sampleRate);
    return { microphone: heard.silent ? "silent" : "good", loudspeaker: heard.hearing };
  } finally {
    stop(stream);
    await context.close();
  }
}

/** Plays the chirps and keeps what the microphone hears meanwhile. @param {AudioContext} context @param {MediaStream} stream */
async function record(context, stream) {
  const lasts = EARLY_S + LASTS_S + LATE_S;
  const kept = new Float32Array(Math.ceil(lasts * context.sampleRate));
  let filled = 0;
  // Deprecated, and everywhere: a worklet would be one more file to fetch on a line that may be what is broken.
  const ear = context.createScriptProcessor(4096, 1, 1);
  ear.onaudioprocess = ({ inputBuffer }) => {
    const part = inputBuffer.getChannelData(0).subarray(0, kept.length - filled);
    kept.set(part, filled);
    filled += part.length;
  };
  const microphone = context.createMediaStreamSource(stream);
  microphone.connect(ear);
  ear.connect(context.destination); // plays nothing: it only makes the ear run
  const wanted = signal(context.sampleRate);
  const buffer = context.createBuffer(1, wanted.length, context.sampleRate);
  buffer.getChannelData(0).set(wanted);
  const player = context.createBufferSource();
  const gain = context.createGain();
  gain.gain.value = LOUDNESS;
  player.buffer = buffer;
  player.connect(gain).connect(context.destination);
  player.start(context.currentTime + EARLY_S);
  for (let waited = 0; filled < kept.length && waited < 3 * lasts * 1000; waited += 100) await pause(100);
  microphone.disconnect();
  ear.disconnect();
  return kept.subarray(0, filled);
}

/**
 * Signalling first: where a filter cuts it no lesson is entered, however free the ways of sound and picture are. Of those
 * the first that stands decides; the others are tried only when it does not.
 * @param {string} csrf
 */
export async function path(csrf) {
  /** @type {import("../media/ways.js").Result[]} */
  const results = [];
  try {
    const held = await askGrant(csrf);
    results.push(await trySocket(held));
    for (const way of WAYS) {
      const one = await tryWay(way, held, doorOf(held));
      results.push(one);
      if (one.outcome === "good") break;
    }
  } catch {
    results.push({ way: "udp", outcome: "refused", ms: 0 });
  }
  return verdict(results);
}

const AREA = "/api/v1/kiosk/selftest";

/** @param {number} size */
async function fetched(size) {
  const response = await fetch(`${AREA}/down?size=${size}`, { cache: "no-store" });
  if (!response.ok) throw new Error(String(response.status));
  await response.arrayBuffer();
}

/** @param {string} csrf @returns {import("../media/line.js").Carry} */
function sending(csrf) {
  return async (bytes) => {
    const headers = { "X-CSRF": csrf, "Content-Type": "application/octet-stream" };
    const body = crypto.getRandomValues(new Uint8Array(Math.min(bytes, 65_536)));
    const whole = new Blob(Array.from({ length: Math.ceil(bytes / body.length) }, () => body)).slice(0, bytes);
    const response = await fetch(`${AREA}/up`, { method: "POST", headers, body: whole });
    if (!response.ok) throw new Error(String(response.status));
  };
}

/** Up, down and the round trip; a line that breaks meanwhile has no figures. @param {string} csrf */
export async function line(csrf) {
  const clock = () => performance.now();
  try {
    await fetched(1); // the connection itself is not the line's round trip
    const began = clock();
    await fetched(1);
    const rtt = clock() - began;
    const down_kbps = await measure(fetched, rtt, clock);
    return { rtt_ms: Math.round(rtt), down_kbps, up_kbps: await measure(sending(csrf), rtt, clock) };
  } catch {
    return {};
  }
}

/** Free megabytes for this page. @returns {Promise<{disk_mb?: number}>} */
export async function disk() {
  const room = await navigator.storage?.estimate?.().catch(() => null);
  return room?.quota ? { disk_mb: Math.max(0, Math.round((room.quota - (room.usage ?? 0)) / 1e6)) } : {};
}
