// A teacher with a real camera file and speech in one page, receiving rooms in another; instruments of tests/bench/weak.py.
window.rooms = {};
// A camera of 640x360 as the product sends it: two layers, the smallest first.
window.teach = async () => {
  const pc = (window.teacher = new RTCPeerConnection());
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false }, video: { width: 640, height: 360 } });
  pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendonly', streams: [stream], sendEncodings: [{ maxBitrate: 48000 }] });
  const layers = [
    { rid: 'q', maxBitrate: 150000, scaleResolutionDownBy: 2, maxFramerate: 15 },
    { rid: 'f', maxBitrate: 900000, scaleResolutionDownBy: 1, maxFramerate: 20 },
  ];
  const line = pc.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream], sendEncodings: layers });
  const all = RTCRtpSender.getCapabilities('video').codecs;
  line.setCodecPreferences(all.filter((c) => ['video/VP8', 'video/rtx'].includes(c.mimeType)));
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
};
window.taught = (sdp) => window.teacher.setRemoteDescription({ type: 'answer', sdp });
const tune = async (kind, change) => {
  const sender = window.teacher.getSenders().find((one) => one.track.kind === kind);
  const parameters = sender.getParameters();
  parameters.encodings = parameters.encodings.map(change);
  await sender.setParameters(parameters);
};
window.layers = (rids) => tune('video', (one) => ({ ...one, active: rids.includes(one.rid) }));
window.sound = async (bitrate, ptime) => {
  await tune('audio', (one) => ({ ...one, maxBitrate: bitrate }));
  const answer = window.teacher.remoteDescription.sdp.replace(/a=ptime:\d+\r\n/g, '');
  await window.teacher.setLocalDescription();
  await window.taught(answer.replace(/(m=audio[^]*?a=mid:\S+\r\n)/, `$1a=ptime:${ptime}\r\n`));
};
window.watch = async (name) => {
  const pc = (window.rooms[name] = new RTCPeerConnection());
  pc.ontrack = (event) => {
    const media = document.createElement(event.track.kind);
    media.autoplay = true;
    media.muted = event.track.kind === 'video';
    media.srcObject = new MediaStream([event.track]);
    document.body.append(media);
  };
  for (const kind of ['audio', 'video']) pc.addTransceiver(kind, { direction: 'recvonly' });
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
};
window.watched = (name, sdp) => window.rooms[name].setRemoteDescription({ type: 'answer', sdp });
window.leave = () => {
  for (const pc of Object.values(window.rooms)) pc.close();
  window.rooms = {};
  document.body.replaceChildren();
};
// One row per room: what its player made of it so far.
window.heard = async () => {
  const rows = {};
  for (const [name, pc] of Object.entries(window.rooms)) {
    const row = (rows[name] = {});
    for (const one of (await pc.getStats()).values()) {
      if (one.type !== 'inbound-rtp') continue;
      if (one.kind === 'audio') {
        row.samples = one.totalSamplesReceived ?? 0;
        row.concealed = one.concealedSamples ?? 0;
        // Opus' own correction; what RED repeats is not counted by browsers, only what is lost all the same: concealed.
        row.fec = (one.fecPacketsReceived ?? 0) - (one.fecPacketsDiscarded ?? 0);
        row.lost = Math.max(one.packetsLost, 0) / Math.max(one.packetsLost + one.packetsReceived, 1);
        row.delay = one.jitterBufferEmittedCount ? one.jitterBufferDelay / one.jitterBufferEmittedCount : 0;
      } else {
        row.frames = one.framesDecoded ?? 0;
        row.height = one.frameHeight ?? 0;
        row.freezes = one.freezeCount ?? 0;
        row.frozen = one.totalFreezesDuration ?? 0;
      }
    }
  }
  return rows;
};
