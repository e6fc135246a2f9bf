// A minimal client for tests of the node: joins, publishes the fake devices, receives on fixed slots, counts.
async function client({ ws, lesson, token, publish, audio, video, layers, codec }) {
  const socket = new WebSocket(ws);
  const me = { log: [], slots: [], people: [], errors: [], socket, pcs: {} };
  window.me = me;
  const answers = {};
  const joined = new Promise((resolve, reject) => {
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      me.log.push(message);
      if (message.type === "welcome") resolve(message);
      if (message.type === "answer") answers[message.id].resolve(message.sdp);
      if (message.type === "layers" && me.camera) rest(me.camera.sender, message.rids);
      if (message.type === "slots") me.slots = message.slots;
      if (message.type === "people") me.people = message.people;
      if (message.type === "error") {
        me.errors.push(message);
        if (answers[message.id]) answers[message.id].reject(new Error(message.code));
      }
    };
    socket.onerror = () => reject(new Error("socket"));
  });
  await new Promise((resolve) => (socket.onopen = resolve));
  socket.send(JSON.stringify({ type: "join", v: 1, lesson, token, device: "d" + Math.random().toString(36).slice(2) }));
  me.welcome = await joined;
  let n = 0;
  me.offer = async (name, pc, sources) => {
    await pc.setLocalDescription();
    const id = name + ++n;
    const answer = new Promise((resolve, reject) => (answers[id] = { resolve, reject }));
    const named = sources ? sources() : {};
    socket.send(JSON.stringify({ type: "offer", id, pc: name, sdp: pc.localDescription.sdp, sources: named }));
    await pc.setRemoteDescription({ type: "answer", sdp: await answer });
  };
  me.do = (kind, body = {}) => socket.send(JSON.stringify({ type: "do", id: "w" + ++n, kind, body }));
  if (publish) {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: layers ? { width: 960, height: 540, frameRate: 15 } : { width: 640, height: 360 } });
    const pc = (me.pcs.pub = new RTCPeerConnection({ bundlePolicy: "max-bundle" }));
    const camera = (me.camera = pc.addTransceiver(stream.getVideoTracks()[0], { direction: "sendonly", sendEncodings: layers }));
    if (codec) {
      const all = RTCRtpSender.getCapabilities("video").codecs;
      camera.setCodecPreferences(all.filter((one) => [codec, "video/rtx"].includes(one.mimeType)));
    }
    const mic = pc.addTransceiver(stream.getAudioTracks()[0], { direction: "sendonly" });
    me.sources = () => ({ [camera.mid]: "camera", [mic.mid]: "mic" });
    await me.offer("pub", pc, me.sources);
  }
  if (video) {
    const pc = (me.pcs.sub = new RTCPeerConnection({ bundlePolicy: "max-bundle" }));
    pc.ontrack = ({ track }) => {
      if (track.kind !== "audio") return;
      const speaker = new Audio(); // sound is decoded only where it is played
      speaker.srcObject = new MediaStream([track]);
      speaker.play().catch(() => undefined);
    };
    for (let i = 0; i < audio; i++) pc.addTransceiver("audio", { direction: "recvonly" });
    for (let i = 0; i < video; i++) pc.addTransceiver("video", { direction: "recvonly" });
    await me.offer("sub", pc);
  }
  return me.welcome;
}
async function rest(sender, rids) {
  const parameters = sender.getParameters();
  for (const one of parameters.encodings) one.active = rids.includes(one.rid);
  await sender.setParameters(parameters);
}
// rid -> {frames, width, active, codec} of what the camera sends
async function sent() {
  const found = {};
  const stats = await window.me.pcs.pub.getStats();
  stats.forEach((one) => {
    if (one.type !== "outbound-rtp" || one.kind !== "video") return;
    const codec = stats.get(one.codecId);
    found[one.rid || ""] = {
      frames: one.framesEncoded || 0,
      width: one.frameWidth || 0,
      active: one.active,
      codec: codec ? codec.mimeType : null,
      rtx: one.rtxSsrc !== undefined,
    };
  });
  return found;
}
// mid -> {kind, frames, codec, energy} of what is received
async function received() {
  const found = {};
  const stats = await window.me.pcs.sub.getStats();
  stats.forEach((one) => {
    if (one.type !== "inbound-rtp") return;
    const codec = stats.get(one.codecId);
    found[one.mid] = {
      kind: one.kind,
      frames: one.framesDecoded || 0,
      packets: one.packetsReceived,
      energy: one.totalAudioEnergy || 0,
      codec: codec ? codec.mimeType : null,
    };
  });
  return found;
}
