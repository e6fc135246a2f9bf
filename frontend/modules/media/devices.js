// Camera and microphone: choosing, remembering, and saying plainly why one cannot be had. Each is opened alone when both
// together fail, so that a broken camera does not cost the lesson its sound.

/**
 * @typedef {"camera" | "mic"} Kind
 * @typedef {{camera: string, mic: string, speaker: string, music: boolean}} Choice
 * @typedef {{code: string, kind: Kind}} Trouble code: key of the page's texts ("live.device_<code>")
 */

const STORED = "tongtang.devices";

/** @returns {Choice} */
export function remembered() {
  const none = { camera: "", mic: "", speaker: "", music: false };
  try {
    return { ...none, ...JSON.parse(localStorage.getItem(STORED) ?? "{}") };
  } catch {
    return none;
  }
}

/** @param {Partial<Choice>} choice */
export function remember(choice) {
  try {
    localStorage.setItem(STORED, JSON.stringify({ ...remembered(), ...choice }));
  } catch {
    // A browser that forbids storage only forgets; the lesson goes on.
  }
}

/** @param {unknown} error @param {Kind} kind @returns {Trouble} */
export function troubleOf(error, kind) {
  const name = error instanceof DOMException || error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return { code: "denied", kind };
  if (name === "NotFoundError" || name === "OverconstrainedError") return { code: "missing", kind };
  if (name === "NotReadableError" || name === "AbortError") return { code: "busy", kind };
  if (name === "insecure") return { code: "insecure", kind };
  return { code: "failed", kind };
}

/** @param {string} id @returns {MediaTrackConstraints} */
function chosen(id) {
  return id ? { deviceId: { ideal: id } } : {};
}

/** Lessons in music switch the voice filters off: they take a flute for noise. @param {Choice} choice @returns {MediaTrackConstraints} */
function micWish(choice) {
  const voice = !choice.music;
  return { ...chosen(choice.mic), echoCancellation: voice, noiseSuppression: voice, autoGainControl: voice, channelCount: 1 };
}

/** @param {Choice} choice @param {"teacher" | "class"} role @returns {MediaTrackConstraints} */
function cameraWish(choice, role) {
  const [width, height, frameRate] = role === "teacher" ? [1280, 720, 25] : [640, 360, 20];
  return { ...chosen(choice.camera), width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: frameRate, max: 30 } };
}

/** @param {MediaStreamConstraints} wish */
async function open(wish) {
  if (!navigator.mediaDevices) {
    const error = new Error("insecure");
    error.name = "insecure";
    throw error;
  }
  return navigator.mediaDevices.getUserMedia(wish);
}

/**
 * @param {Kind} kind
 * @param {"teacher" | "class"} role
 * @param {Choice} [choice]
 * @returns {Promise<{track: MediaStreamTrack | null, trouble: Trouble | null}>}
 */
export async function openDevice(kind, role, choice = remembered()) {
  try {
    const stream = await open(kind === "mic" ? { audio: micWish(choice) } : { video: cameraWish(choice, role) });
    const track = stream.getTracks()[0];
    track.contentHint = kind === "camera" ? "motion" : choice.music ? "music" : "speech";
    return { track, trouble: null };
  } catch (error) {
    return { track: null, trouble: troubleOf(error, kind) };
  }
}

/**
 * Both with one question to the person; each alone when that fails.
 * @param {"teacher" | "class"} role
 * @param {Choice} [choice]
 * @returns {Promise<{mic: MediaStreamTrack | null, camera: MediaStreamTrack | null, troubles: Trouble[]}>}
 */
export async function openDevices(role, choice = remembered()) {
  try {
    const stream = await open({ audio: micWish(choice), video: cameraWish(choice, role) });
    const [mic] = stream.getAudioTracks();
    const [camera] = stream.getVideoTracks();
    mic.contentHint = choice.music ? "music" : "speech";
    camera.contentHint = "motion";
    return { mic, camera, troubles: [] };
  } catch {
    const mic = await openDevice("mic", role, choice);
    const camera = await openDevice("camera", role, choice);
    const troubles = [mic.trouble, camera.trouble].filter((one) => one !== null);
    return { mic: mic.track, camera: camera.track, troubles };
  }
}

/** @returns {Promise<MediaDeviceInfo[]>} with labels once a device was opened */
export async function listDevices() {
  return navigator.mediaDevices ? navigator.mediaDevices.enumerateDevices() : [];
}

/** Loudness of a track 0..1, for a meter. */
export class Meter {
  /** @param {MediaStreamTrack} track @param {(level: number) => void} show */
  constructor(track, show) {
    this.#context = new AudioContext();
    const analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    void this.#context.resume().catch(() => {});
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      show(loudness(samples));
    }, 80);
  }

  #context;
  #timer;

  stop() {
    clearInterval(this.#timer);
    void this.#context.close();
  }
}

/** -60..0 dB of the root mean square as 0..1: what an ear takes as even steps. @param {Float32Array} samples */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 20 * Math.log10(Math.sqrt(sum / samples.length) + 1e-9);
  return Math.min(1, Math.max(0, 1 + decibels / 60));
}
