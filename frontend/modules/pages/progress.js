// A page of work that goes on elsewhere: looks again every second until it stands still. Without scripts one reloads it.

const LOOK_MS = 1000;

async function look() {
  const here = document.querySelector("[data-progress]");
  if (!here) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const there = page.querySelector("[data-progress]");
    if (answer.ok && there) {
      if (there.getAttribute("data-progress") !== "moving") return location.reload();
      here.replaceWith(document.importNode(there, true));
    }
  } catch {
    // the network is away for a moment; the next look may find it
  }
  setTimeout(look, LOOK_MS);
}

setTimeout(look, LOOK_MS);

export {};
