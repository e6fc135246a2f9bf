// The page's sentences, sent with it in its language; a key without a sentence falls back aloud, never to a blank.

/** @typedef {(key: string, params?: Record<string, string | number>) => string} Translate */

/** @param {Record<string, string>} sentences keys "live.<name>" @returns {Translate & {has: (key: string) => boolean}} */
export function translator(sentences) {
  /** @type {Translate} */
  const t = (key, params = {}) => {
    const sentence = sentences[`live.${key}`];
    if (sentence === undefined) return key;
    return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
  };
  return Object.assign(t, { has: (/** @type {string} */ key) => `live.${key}` in sentences });
}

/** One sentence for an error code of the node, with what to do. @param {ReturnType<typeof translator>} t @param {string} code */
export function errorText(t, code) {
  return t.has(`error_${code}`) ? t(`error_${code}`) : t("error_other", { code });
}

/** One sentence for why the line waits or stopped; the web's own sentence where it sent one. @param {ReturnType<typeof translator>} t @param {string} reason @param {string} [sentence] */
export function whyText(t, reason, sentence = "") {
  if (t.has(`why_${reason}`)) return t(`why_${reason}`);
  if (t.has(`error_${reason}`)) return t(`error_${reason}`);
  return sentence || t("error_other", { code: reason });
}

/** 75 or 4520 seconds as "01:15" or "1:15:20". @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

const CITY = "Asia/Shanghai";
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeZone: CITY, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const SHORT = new Intl.DateTimeFormat("en-GB", { timeZone: CITY, hour: "2-digit", minute: "2-digit" });

/** hh:mm:ss in the city's zone, whatever this computer's is. @param {number} ms Unix */
export function clockTime(ms) {
  return CLOCK.format(ms);
}

/** hh:mm @param {number} ms Unix */
export function shortTime(ms) {
  return SHORT.format(ms);
}

/** "11月23日 周一" / "Mon 23 Nov", in the city's zone. @param {number} ms Unix @param {string} locale */
export function dayOf(ms, locale) {
  return new Intl.DateTimeFormat(locale, { timeZone: CITY, month: "short", day: "numeric", weekday: "short" }).format(ms);
}
