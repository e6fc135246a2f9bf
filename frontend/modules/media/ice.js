// Ways to the node: relays a connection may use, and the moment to look for another way.

/**
 * The node itself is reached by UDP and TCP without a relay; a relay is one more candidate, and the browser takes it only
 * where nothing else answers.
 * @param {RTCIceServer[]} relays
 * @param {RTCIceTransportPolicy} [policy] "relay" only for the path test
 * @returns {RTCConfiguration}
 */
export function configuration(relays, policy = "all") {
  return { bundlePolicy: "max-bundle", iceServers: relays, iceTransportPolicy: policy };
}

/** A cable put in takes a moment to get its address. */
const SETTLE_MS = 500;

/**
 * Calls when this computer's network has changed: a page that waits for ICE to notice is silent for some five seconds.
 * @param {() => void} changed
 * @param {EventTarget} [line] the browser's own events "online"
 * @returns {() => void} ends it
 */
export function onNetworkChange(changed, line = globalThis) {
  /** @type {any} */
  let timer = null;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE_MS);
  };
  // Chromium's own list of ways ("wifi", "ethernet"); others only tell when there is one at all.
  const connection = /** @type {any} */ (globalThis.navigator)?.connection;
  const targets = [line, connection].filter((one) => typeof one?.addEventListener === "function");
  for (const target of targets) target.addEventListener(target === line ? "online" : "typechange", soon);
  return () => {
    clearTimeout(timer);
    for (const target of targets) target.removeEventListener(target === line ? "online" : "typechange", soon);
  };
}
