// One peer connection of a test page: canvas and oscillator out, or fixed receiving slots in.
// Rule: test instrument only; the real client lives in frontend/modules/media.
window.peers = {};
window.publishOffer = async (name, video, rids) => {
  const pc = (window.peers[name] = new RTCPeerConnection({}));
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 360;
  const draw = canvas.getContext('2d');
  let n = 0;
  setInterval(() => {
    n += 1;
    draw.fillStyle = `hsl(${n % 360},80%,50%)`;
    draw.fillRect(0, 0, 640, 360);
    draw.fillStyle = '#fff';
    draw.fillRect((n * 7) % 600, 100, 40, 40);
    draw.font = '60px sans-serif';
    draw.fillText(String(n), 40, 300);
  }, 50);
  const audio = new AudioContext();
  await audio.resume();
  const tone = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  const stream = new MediaStream([...out.stream.getTracks(), ...canvas.captureStream(20).getTracks()]);
  pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendonly', streams: [stream] });
  const sendEncodings = rids ? rids.map((rid, i) => ({ rid, scaleResolutionDownBy: 2 ** (rids.length - 1 - i) })) : [{}];
  const t = pc.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream], sendEncodings });
  const all = RTCRtpSender.getCapabilities('video').codecs;
  t.setCodecPreferences(all.filter((c) => [video, 'video/rtx'].includes(c.mimeType)));
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
};
window.subscribeOffer = async (name, audios, videos, config) => {
  const pc = (window.peers[name] = new RTCPeerConnection(config || {}));
  pc.ontrack = (e) => {
    const media = document.createElement(e.track.kind);
    media.autoplay = true;
    media.muted = e.track.kind === 'video';
    media.srcObject = new MediaStream([e.track]);
    document.body.append(media);
  };
  for (let i = 0; i < audios; i++) pc.addTransceiver('audio', { direction: 'recvonly' });
  for (let i = 0; i < videos; i++) pc.addTransceiver('video', { direction: 'recvonly' });
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
};
window.setAnswer = (name, sdp) => window.peers[name].setRemoteDescription({ type: 'answer', sdp });
window.statsOf = async (name) => {
  const found = {};
  for (const s of (await window.peers[name].getStats()).values()) found[s.id] = s;
  return Object.values(found);
};
