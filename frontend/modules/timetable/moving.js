// One move told to the server: yes takes the lesson to its new place and offers the way back, no says what stands in the way.

/**
 * @typedef {import("./week.js").Texts} Texts
 * @typedef {(text: string) => void} Say
 * @typedef {(text: string, words: Record<string, string>) => string} Fill
 */

/**
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<{ok: boolean, body: any}>}
 */
async function post(path, body) {
  const csrf = document.querySelector('meta[name="csrf"]')?.getAttribute("content") || "";
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "x-csrf": csrf },
      body: JSON.stringify(body),
    });
    return { ok: answer.ok, body: answer.status === 204 ? {} : await answer.json() };
  } catch {
    return { ok: false, body: {} };
  }
}

/**
 * @param {HTMLElement} lesson
 * @param {HTMLElement} cell
 * @param {import("./why.js").Why} why
 * @param {Texts} texts
 * @param {Say} say
 * @param {Fill} fill
 */
export async function drop(lesson, cell, why, texts, say, fill) {
  const from = lesson.parentElement;
  lesson.setAttribute("aria-busy", "true");
  const { ok, body } = await post(`/api/v1/lessons/${lesson.dataset.lesson}/move`, {
    starts_at: cell.dataset.starts,
    sequence: Number(lesson.dataset.sequence),
    ...why,
  });
  lesson.removeAttribute("aria-busy");
  if (!ok) {
    say(body?.error?.message || texts.failed);
    lesson.querySelector("button")?.focus();
    return;
  }
  cell.append(lesson);
  lesson.dataset.sequence = String(body.sequence);
  lesson.querySelector("button")?.focus();
  const dropped = fill(texts.dropped, { title: lesson.dataset.title || "", when: cell.dataset.label || "" });
  say([dropped, ...(body.warnings || [])].join(" "));
  offer(lesson, from, body.batch, texts, say);
}

/**
 * @param {HTMLElement} lesson
 * @param {HTMLElement | null} from
 * @param {string} batch
 * @param {Texts} texts
 * @param {Say} say
 */
function offer(lesson, from, batch, texts, say) {
  const line = document.querySelector("#moved .banner");
  if (!line) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = texts.undo;
  button.addEventListener("click", async () => {
    const { ok, body } = await post(`/api/v1/changes/${batch}/undo`, {});
    if (!ok) {
      say(body?.error?.message || texts.failed);
      return;
    }
    from?.append(lesson);
    lesson.dataset.sequence = String(Number(lesson.dataset.sequence) + 1);
    say(texts.undone);
  });
  line.append(" ", button);
}
