// Which codecs a page offers, best first: H.264 constrained baseline (old PCs decode it in hardware), then VP8. Everything
// else is left out: the node forwards without transcoding, so one receiver's odd codec would be a black screen for it.

/** @param {RTCRtpCodec} codec 0..2, or -1 for "not offered" */
function rank(codec) {
  const mime = codec.mimeType.toLowerCase();
  const fmtp = codec.sdpFmtpLine ?? "";
  if (mime === "video/h264" && /packetization-mode=1/.test(fmtp) && /profile-level-id=42e0/i.test(fmtp)) return 0;
  if (mime === "video/vp8") return 1;
  if (mime === "video/rtx") return 2;
  return -1;
}

/**
 * @param {RTCRtpCodec[]} codecs
 * @returns {RTCRtpCodec[]}
 */
export function preferred(codecs) {
  return codecs.filter((codec) => rank(codec) >= 0).sort((a, b) => rank(a) - rank(b));
}

/** @param {RTCRtpTransceiver} transceiver */
export function preferVideo(transceiver) {
  const all = RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? [];
  const chosen = preferred(all);
  // Firefox before 128 cannot be told; the node then takes what it understands from the whole list.
  if (chosen.length > 0 && typeof transceiver.setCodecPreferences === "function") transceiver.setCodecPreferences(chosen);
}

/**
 * The answer with the length of a packet of sound (RFC 8866 section 6.4): 20 ms packets cost a thin line as much in headers as in sound.
 * @param {string} sdp
 * @param {number} ms
 */
export function withPtime(sdp, ms) {
  if (ms === 20) return sdp;
  return sdp.replace(/^(a=rtpmap:\d+ opus\/48000\/2.*?)\r?\n/gim, `$1\r\na=ptime:${ms}\r\n`);
}

/**
 * The answer with a hint where the sender's estimate begins. Chromium starts at 300 kbit/s, a postage stamp for the first ten
 * seconds of every lesson; a link that cannot carry more takes it down again within one. Other browsers ignore the hint.
 * @param {string} sdp
 * @param {number} kilobits
 */
export function startAt(sdp, kilobits) {
  const hint = `x-google-start-bitrate=${kilobits}`;
  const payloads = [...sdp.matchAll(/^a=rtpmap:(\d+) (?:H264|VP8)\/90000/gm)].map((found) => found[1]);
  return payloads.reduce((text, payload) => {
    const fmtp = new RegExp(`^(a=fmtp:${payload} .*?)\\r?$`, "m");
    if (fmtp.test(text)) return text.replace(fmtp, `$1;${hint}\r`);
    return text.replace(new RegExp(`^(a=rtpmap:${payload} .*?)\\r?\n`, "m"), `$1\r\na=fmtp:${payload} ${hint}\r\n`);
  }, sdp);
}
