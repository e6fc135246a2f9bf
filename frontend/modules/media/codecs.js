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
