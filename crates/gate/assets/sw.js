// Keeps the scanner working with the server off. `HAETAE` (version, shell) stands above, written by
// the server: the addresses of all files, which change with their content.
//
// Files with a hash in their address are answered from the cache. The pages and texts are asked for
// anew, for two seconds at most, so that a guard at a door never waits for a dying network, and in the
// language that was chosen.

const CACHE = "haetae-gate";
const PATIENCE_MS = 2000;
const shell = new Set(HAETAE.shell);

/** What is asked for anew, without cookies: what is kept must hold nothing of whoever is signed in. So
    the language is said in words, where workers of this browser can read it. */
async function anew(url) {
  const language = (await self.cookieStore?.get("haetae-lang"))?.value;
  const headers = language ? { "accept-language": language } : {};
  return new Request(url, { cache: "no-cache", credentials: "omit", headers });
}

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(await Promise.all(HAETAE.shell.map(anew)));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    for (const request of await cache.keys()) {
      if (!shell.has(new URL(request.url).pathname)) await cache.delete(request);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const ours = url.origin === self.location.origin && shell.has(url.pathname);
  if (event.request.method !== "GET" || !ours) return;
  event.respondWith(
    url.pathname.startsWith("/assets/") ? fromCache(url.pathname) : fromNetwork(url.pathname));
});

async function fromCache(path) {
  const kept = await (await caches.open(CACHE)).match(path);
  return kept ?? fetch(path);
}

async function fromNetwork(path) {
  const cache = await caches.open(CACHE);
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(await anew(path), { signal });
    if (answer.ok && !answer.redirected) {
      await cache.put(path, answer.clone());
      return answer;
    }
    return (await cache.match(path)) ?? answer;
  } catch {
    return (await cache.match(path)) ?? Response.error();
  }
}
