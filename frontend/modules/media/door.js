// The node's web door for trying the ways to it: asked for here, knocked at by ways.js. No DOM.

/** @typedef {import("./ways.js").Grant} Grant */

/** @param {string} csrf @returns {Promise<Grant>} */
export async function askGrant(csrf) {
  const response = await fetch("/api/v1/way", { method: "POST", headers: { "X-CSRF": csrf }, cache: "no-store" });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/** @param {Grant} held @returns {(sdp: string) => Promise<string>} */
export function doorOf(held) {
  return async (sdp) => {
    const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${held.token}` };
    const response = await fetch(held.url, { method: "POST", headers, body: sdp });
    if (!response.ok) throw new Error(String(response.status));
    return response.text();
  };
}
