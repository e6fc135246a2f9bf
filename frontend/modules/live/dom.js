// The few ways live pages touch the document. Text from people only ever goes in as textContent.

/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes */

/**
 * An element: "text" is its text, "onclick" and the like are listeners, true is an empty attribute, null and false are none.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {(Node | null)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = String(value ?? "");
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** @param {string} id @returns {HTMLElement} */
export function need(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{new (): T}} type
 * @returns {T}
 */
export function needAs(id, type) {
  const element = need(id);
  if (!(element instanceof type)) throw new Error(`#${id} is not a ${type.name}`);
  return element;
}

/** Only where it differs: a live region must not speak again, a focused button must not lose its text. @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {HTMLElement} element @param {boolean} shown */
export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

/** @typedef {(name: string) => SVGSVGElement} Icons */

/** @param {string} sprite address of the icon sprite @returns {Icons} */
export function icons(sprite) {
  return (name) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(space, "use");
    use.setAttribute("href", `${sprite}#${name}`);
    svg.append(use);
    return svg;
  };
}

/** Another picture in an icon that stands already. @param {Element} holder @param {string} name */
export function setIcon(holder, name) {
  const use = holder.querySelector("use");
  const now = use?.getAttribute("href") ?? "";
  const next = `${now.split("#")[0]}#${name}`;
  if (use && now !== next) use.setAttribute("href", next);
}

/** A video that shows a track (or nothing), silent: sound is the loudspeaker's. @param {HTMLVideoElement} video @param {MediaStreamTrack | null} track */
export function showTrack(video, track) {
  const stream = /** @type {MediaStream | null} */ (video.srcObject);
  if ((stream?.getVideoTracks()[0] ?? null) === track) return;
  video.muted = true;
  video.srcObject = track ? new MediaStream([track]) : null;
  if (track) video.play().catch(() => {});
}

/** A video element that never goes full screen by itself on phones. */
export function videoElement() {
  const video = el("video", { playsinline: true, autoplay: true, disablepictureinpicture: true });
  video.muted = true;
  return video;
}
