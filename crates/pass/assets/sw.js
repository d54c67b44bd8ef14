// Keeps the pages that show a pass at a door, for times without a network. The server is asked first, so
// that a pass that was ended is not shown from here while there is a network.
const KEPT = "haetae-own-passes-1";
const WAIT_MS = 3_000;
const PAGE = /^\/passes\/[^/]+\/show$/;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

const take = async (path, answer) => {
  const cache = await caches.open(KEPT);
  if (answer.ok && !answer.redirected) await cache.put(path, answer);
  // Signed out: what was kept is nobody's to see.
  else if (answer.status === 401 || answer.redirected) await caches.delete(KEPT);
  // Taken out or ended.
  else if (answer.status < 500) await cache.delete(path);
};

addEventListener("message", (event) => {
  const { page, files } = event.data ?? {};
  if (!PAGE.test(page)) return;
  event.waitUntil((async () => {
    await take(page, await fetch(page, { credentials: "same-origin" }));
    const cache = await caches.open(KEPT);
    await cache.addAll([...new Set(files)]);
  })().catch(() => {}));
});

const page = async (request, path) => {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(WAIT_MS) });
    await take(path, answer.clone());
    return answer;
  } catch (error) {
    const kept = await caches.match(path);
    if (kept) return kept;
    throw error;
  }
};

// Files have their content in their address: kept is current.
const file = async (request) => (await caches.match(request)) ?? fetch(request);

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && PAGE.test(url.pathname)) event.respondWith(page(request, url.pathname));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(file(request));
});
