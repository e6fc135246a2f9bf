// The number of unread notices beside their link, asked for once a page and again every two minutes while it is looked at.

const EVERY = 120_000;

/** @param {Document} page */
export function enhanceNotices(page) {
  const link = page.querySelector("a[data-notices]");
  if (!(link instanceof HTMLAnchorElement)) return;
  const look = () => {
    if (!page.hidden) void show(page, link);
  };
  look();
  setInterval(look, EVERY);
}

/**
 * @param {Document} page
 * @param {HTMLAnchorElement} link
 */
async function show(page, link) {
  const unread = await count();
  const old = link.querySelector(".badge");
  if (!unread) {
    old?.remove();
    return;
  }
  const badge = old ?? page.createElement("span");
  badge.className = "badge accent";
  badge.textContent = unread > 99 ? "99+" : String(unread);
  if (!old) link.append(badge);
  link.title = (link.dataset.unread || "").replace("{count}", String(unread));
}

/** @returns {Promise<number>} */
async function count() {
  try {
    const answer = await fetch("/api/v1/notices?limit=1", { headers: { accept: "application/json" } });
    return answer.ok ? Number((await answer.json()).unread) : 0;
  } catch {
    return 0;
  }
}
