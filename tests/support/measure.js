// Runs in every page of an end-to-end test before the page's own scripts: measuring instruments, no behaviour.
// They look from outside: at sockets, peer connections, capture tracks and playing elements, never into the page's modules.
(() => {
  const BLOCKS = 20, COUNTER_BITS = 12, MARK_FIRST = 1000, MARK_STEP = 200, MARKS = 15, MARK_BLOCKS = 6, TONES = [470, 690, 910];
  const seen = { pongs: [], messages: [], closes: [], sockets: [], streams: [], pcs: [], frames: [], marks: [] };

  // --- room time: the page's own ping and pong, timed ---
  const pings = new Map();
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...words) {
      super(...words);
      seen.sockets.push(this);
      this.addEventListener('message', (event) => {
        if (typeof event.data !== 'string') return;
        const now = performance.now();
        const message = JSON.parse(event.data);
        if (message.type === 'pong') {
          const sent = pings.get(message.t);
          if (sent !== undefined) seen.pongs.push({ rtt: now - sent, offset: message.room_ms - (sent + now) / 2 });
        } else seen.messages.push({ now, message });
      });
      this.addEventListener('close', (event) => seen.closes.push({ now: performance.now(), code: event.code }));
    }
    send(data) {
      if (typeof data === 'string' && data.includes('"ping"')) pings.set(JSON.parse(data).t, performance.now());
      super.send(data);
    }
  };
  /** Room time = performance.now() + this, from the quickest of all pongs: the two clocks do not drift in minutes. */
  const roomOffset = () => {
    const best = seen.pongs.reduce((a, b) => (a && a.rtt <= b.rtt ? a : b), null);
    return best && best.offset;
  };

  // --- what is captured and connected ---
  const media = navigator.mediaDevices;
  if (media) {
    const get = media.getUserMedia.bind(media);
    media.getUserMedia = async (wish) => {
      const stream = await get(wish);
      seen.streams.push(stream);
      return stream;
    };
  }
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...words) {
      super(...words);
      seen.pcs.push(this);
    }
  };

  // --- reading the burnt-in counter back ---
  const canvas = document.createElement('canvas');
  canvas.width = BLOCKS * 3;
  canvas.height = 3;
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  /** The counter from the luma of its blocks' middles; null where the row is not readable. */
  const counter = (lumas) => {
    if (lumas.some((luma) => luma > 96 && luma < 160)) return null;
    const bits = lumas.map((luma) => (luma >= 160 ? 1 : 0));
    const number = (from, count) => bits.slice(from, from + count).reduce((sum, bit) => sum * 2 + bit, 0);
    const value = number(2, COUNTER_BITS);
    const check = (value ^ (value >> 4) ^ (value >> 8) ^ 0b0101) & 0b1111;
    const framed = bits[0] === 1 && bits[1] === 0 && bits[18] === 0 && bits[19] === 1;
    return framed && number(2 + COUNTER_BITS, 4) === check ? value : null;
  };
  const middles = (pixel) => Array.from({ length: BLOCKS }, (_, i) => pixel(i));
  /** Counter that an element shows. */
  const readCounter = (element, width) => {
    brush.drawImage(element, 0, 0, width, width / BLOCKS, 0, 0, BLOCKS * 3, 3);
    const pixels = brush.getImageData(0, 0, BLOCKS * 3, 3).data;
    return counter(middles((i) => pixels[(BLOCKS * 3 + i * 3 + 1) * 4 + 1]));
  };
  let rows = new Uint8Array(0);
  /** Counter in a captured frame, from two lines of its luma plane: drawing whole frames would be a load of its own. */
  const frameCounter = async (frame) => {
    const side = frame.codedWidth / BLOCKS;
    const rect = { x: 0, y: Math.floor(side / 4) * 2, width: frame.codedWidth, height: 2 };
    const size = frame.allocationSize({ rect });
    if (rows.length < size) rows = new Uint8Array(size);
    await frame.copyTo(rows, { rect });
    return counter(middles((i) => rows[Math.floor((i + 0.5) * side)]));
  };

  /** Notes every captured frame: [performance.now() when it was read, its own time stamp in ms, counter]. */
  const watchCamera = async () => {
    const track = seen.streams.flatMap((s) => s.getVideoTracks()).filter((t) => t.readyState === 'live').pop();
    const reader = new MediaStreamTrackProcessor({ track: track.clone() }).readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      seen.frames.push([performance.now(), value.timestamp / 1000, await frameCounter(value)]);
      value.close();
    }
  };

  // --- sound ---
  const power = (samples, hz, rate) => {
    const c = 2 * Math.cos((2 * Math.PI * hz) / rate);
    let a = 0, b = 0;
    for (const x of samples) [a, b] = [x + c * a - b, a];
    return (a * a + b * b - c * a * b) / samples.length / samples.length * 2;
  };
  const energy = (samples) => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
  /** Blocks of sound from a track; ends with the track. */
  async function* blocks(track) {
    const reader = new MediaStreamTrackProcessor({ track: track.clone() }).readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      yield { samples, rate: value.sampleRate, now: performance.now(), stamp: value.timestamp / 1000 };
      value.close();
    }
  }
  /** Notes every tenth block of sound, number null, and the beginning of every mark: [read at, time stamp, number]. */
  const watchMarks = async () => {
    const track = seen.streams.flatMap((s) => s.getAudioTracks()).filter((t) => t.readyState === 'live').pop();
    let run = 0, last = -1, begun = [0, 0], count = 0;
    for await (const { samples, rate, now, stamp } of blocks(track)) {
      const total = energy(samples);
      let best = 0, number = -1;
      for (let i = 0; i < MARKS; i++) {
        const p = power(samples, MARK_FIRST + MARK_STEP * i, rate);
        if (p > best) [best, number] = [p, i];
      }
      if (total < 1e-4 || best < 0.6 * total) number = -1;
      if (number < 0 || number !== last) [run, begun] = [0, [now, stamp]];
      [run, last] = [run + 1, number];
      if (run === MARK_BLOCKS && number >= 0) seen.marks.push([...begun, number]);
      else if (count++ % 10 === 0) seen.marks.push([now, stamp, null]);
    }
  };
  /**
   * What is heard here for `ms`, from elements that really play: of each room's tone and of the teacher's marks, the longest
   * stretch (ms) in which nothing else sounded on a track. A tone beeps for 350 ms, a mark for 120; speech is never that pure.
   */
  const hear = async (ms) => {
    const elements = [...document.querySelectorAll('audio, video')].concat(seen.loose ?? []);
    const tracks = elements
      .filter((e) => !e.paused && !e.muted && e.volume > 0 && e.srcObject instanceof MediaStream)
      .flatMap((e) => e.srcObject.getAudioTracks())
      .filter((t) => t.readyState === 'live');
    const heard = { tones: TONES.map(() => 0), marks: 0, energy: 0, tracks: tracks.length };
    const pure = (samples, total, hz, rate) => total > 1e-6 && power(samples, hz, rate) > 0.5 * total;
    const end = performance.now() + ms;
    const listen = async (track) => {
      const runs = TONES.map(() => 0).concat(new Array(MARKS).fill(0));
      for await (const { samples, rate, now } of blocks(track)) {
        if (now > end) return;
        const total = energy(samples);
        const ms = (samples.length / rate) * 1000;
        runs.forEach((run, i) => {
          const hz = i < TONES.length ? TONES[i] : MARK_FIRST + MARK_STEP * (i - TONES.length);
          runs[i] = pure(samples, total, hz, rate) ? run + ms : 0;
          if (i < TONES.length) heard.tones[i] = Math.max(heard.tones[i], runs[i]);
          else heard.marks = Math.max(heard.marks, runs[i]);
        });
        heard.energy = Math.max(heard.energy, total);
      }
    };
    const limit = new Promise((done) => setTimeout(done, ms + 200));
    await Promise.race([Promise.all(tracks.map(listen)), limit]);
    await limit;
    return heard;
  };
  // Elements that play without being in the document count as well.
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (!this.isConnected) (seen.loose ??= []).push(this);
    return play.call(this);
  };

  // --- counters of the browser itself ---
  const received = async () => {
    const rows = [];
    for (const pc of seen.pcs.filter((p) => p.connectionState === 'connected')) {
      for (const s of (await pc.getStats()).values()) {
        if (s.type !== 'inbound-rtp') continue;
        rows.push({ kind: s.kind, mid: s.mid, frames: s.framesDecoded ?? 0, width: s.frameWidth ?? 0, energy: s.totalAudioEnergy ?? 0,
          samples: s.totalSamplesReceived ?? 0, concealed: s.concealedSamples ?? 0, bytes: s.bytesReceived, lost: s.packetsLost,
          decoder: s.decoderImplementation ?? null });
      }
    }
    return rows;
  };

  /** Pictures decoded on connections made after the first `skip` ones. */
  const pictures = async (skip) => {
    let frames = 0;
    for (const pc of seen.pcs.slice(skip)) {
      for (const s of (await pc.getStats()).values()) if (s.type === 'inbound-rtp') frames += s.framesDecoded ?? 0;
    }
    return frames;
  };

  /** Notes when sound that came over the network was played out on any connection, until stopped: [performance.now(), samples]. */
  const watchVoice = () => {
    const watch = { seen: [], stopped: false };
    let best = new Map();
    const look = async () => {
      for (const pc of seen.pcs) {
        if (pc.connectionState === 'closed') continue;
        for (const s of (await pc.getStats()).values()) {
          if (s.type !== 'inbound-rtp' || s.kind !== 'audio') continue;
          best.set(`${seen.pcs.indexOf(pc)} ${s.id}`, (s.totalSamplesReceived ?? 0) - (s.concealedSamples ?? 0));
        }
      }
      watch.seen.push([performance.now(), [...best.values()].reduce((sum, n) => sum + n, 0)]);
      if (!watch.stopped) setTimeout(look, 40);
    };
    void look();
    seen.voice = watch;
  };
  /** The longest stretch (ms) without a new sample since watchVoice. */
  const silence = () => {
    seen.voice.stopped = true;
    let [since, count, longest] = [...seen.voice.seen[0], 0];
    for (const [now, samples] of seen.voice.seen) {
      longest = Math.max(longest, now - since);
      if (samples > count) [since, count] = [now, samples];
    }
    return longest;
  };

  /** The line breaks: the page's sockets end without its doing. */
  const cut = () => {
    for (const socket of seen.sockets) socket.close();
  };

  /** Pictures encoded by everything this page sends. */
  const sent = async () => {
    let frames = 0;
    for (const pc of seen.pcs.filter((p) => p.connectionState === 'connected')) {
      for (const s of (await pc.getStats()).values()) if (s.type === 'outbound-rtp') frames = Math.max(frames, s.framesEncoded ?? 0); // of the fullest layer
    }
    return frames;
  };

  window.measure = { seen, roomOffset, readCounter, watchCamera, watchMarks, hear, received, pictures, sent, cut, watchVoice, silence };
})();
