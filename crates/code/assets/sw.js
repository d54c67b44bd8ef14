// Keeps the code page on the phone: shown again without one request, shown without a network at all.
// Only /code is kept. `/code?now=1` asks the server and replaces what is kept.
const KEPT = "haetae-own-code-1";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

const page = async (request, asked) => {
  const kept = await caches.match("/code");
  if (kept && !asked) return kept;
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) {
      const cache = await caches.open(KEPT);
      await cache.put("/code", answer.clone());
    } else if (answer.status === 401 || answer.redirected) {
      // Signed out: what was kept is nobody's to see.
      await caches.delete(KEPT);
    }
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
};

// Files have their content in their address: kept is current. The manifest seldom changes.
const file = async (request) => (await caches.match(request)) ?? fetch(request);

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/code") event.respondWith(page(request, url.search !== ""));
  else if (url.pathname.startsWith("/assets/") || request.destination === "manifest") event.respondWith(file(request));
});
