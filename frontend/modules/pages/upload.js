// Slides on a lesson's page: too large a file is refused before it is sent, progress shows, drawn pages appear by themselves.

const LOOK_MS = 3000;

/** @param {HTMLFormElement} form @param {string} sentence */
function wrong(form, sentence) {
  const place = form.querySelector("[data-upload-wrong]");
  if (!(place instanceof HTMLElement)) return;
  place.textContent = sentence;
  place.hidden = sentence === "";
}

/** The server's sentence. @param {XMLHttpRequest} request */
function reason(request) {
  try {
    return String(JSON.parse(request.responseText).error.message);
  } catch {
    return String(request.status);
  }
}

/** @param {HTMLFormElement} form @param {File} file */
function send(form, file) {
  const { uploading = "%", mostMb = "50", tooLarge = "" } = form.dataset;
  if (file.size > Number(mostMb) * 1e6) return wrong(form, tooLarge);
  const button = form.querySelector("button");
  const words = button?.textContent ?? "";
  const request = new XMLHttpRequest();
  const done = (/** @type {string} */ sentence) => {
    if (button) {
      button.disabled = false;
      button.textContent = words;
    }
    wrong(form, sentence);
  };
  request.open("POST", `/api/v1${new URL(form.action).pathname}`);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRF", document.querySelector("meta[name=csrf]")?.getAttribute("content") ?? "");
  request.upload.addEventListener("progress", (event) => {
    const percent = event.total ? Math.floor((100 * event.loaded) / event.total) : 0;
    if (button) button.textContent = uploading.replace("%", `${percent}%`);
  });
  request.addEventListener("load", () => (request.status < 400 ? location.reload() : done(reason(request))));
  request.addEventListener("error", () => done(tooLarge));
  const body = new FormData();
  body.append("file", file);
  if (button) button.disabled = true;
  request.send(body);
  return wrong(form, "");
}

/** While pages are being drawn, look again. */
function watch() {
  const waiting = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-state="rendering"]'));
  const decks = `/api/v1${location.pathname}/decks`;
  if (waiting.length === 0) return;
  setTimeout(async () => {
    const answer = await fetch(decks, { headers: { Accept: "application/json" } }).catch(() => null);
    /** @type {{id: string, state: string}[]} */
    const states = answer?.ok ? await answer.json() : [];
    const ready = [...waiting].some((one) => states.some((deck) => deck.id === one.dataset.deck && deck.state !== "rendering"));
    if (ready) location.reload();
    else watch();
  }, LOOK_MS);
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  form.addEventListener("submit", (event) => {
    const file = form.querySelector('input[type="file"]');
    const chosen = file instanceof HTMLInputElement ? file.files?.[0] : undefined;
    if (!chosen) return;
    event.preventDefault();
    send(form, chosen);
  });
}
watch();
