// The code, drawn on the phone: a pass is fetched ahead of time and kept; each 15 s the device's own
// key signs the moment, so that a picture of the screen dies in 30 s. Showing it again asks nothing
// of the server. Without this file the page offers the printed code.
const html = `<!doctype html>${document.documentElement.outerHTML}`;
const $ = (id) => document.getElementById(id);
const box = $("pass");
// Straight from the server, not what the worker kept.
const fresh = location.search || !navigator.serviceWorker?.controller;

const run = async () => {
  const { dataset } = box;
  const { STEP, askFor, database, deviceKey, present } = await import(dataset.present);
  const kept = database("haetae-code");
  const pair = await deviceKey(kept);
  let pass = await kept.read("pass");
  if (pass?.whose !== dataset.whose) pass = null;
  const now = () => Date.now() / 1000 + (pass?.ahead ?? 0);
  const state = $("state");
  // The city's time, as everywhere on the page: the phone may be set to another zone.
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short", timeZone: dataset.zone });
  const say = (kind) => {
    state.textContent = state.dataset[kind].replace("{time}", pass ? clock.format(pass.valid_until * 1000) : "");
  };
  // Ahead of time: a quarter of its life is left, or the colour is another now.
  const due = () => !pass || now() > pass.valid_until - (pass.valid_until - pass.issued_at) / 4;
  const renew = async () => {
    try {
      pass = { ...await askFor("/api/v1/code/passes", pair), whose: dataset.whose };
      await kept.keep("pass", pass);
    } catch {
      if (!pass || now() >= pass.valid_until) say("failed");
    }
  };
  let drawn;
  const draw = async () => {
    if (document.hidden) return;
    const over = !pass || now() >= pass.valid_until;
    box.querySelector("figure").hidden = over;
    if (over) return;
    const step = Math.floor(now() / STEP);
    if (step === drawn) return;
    drawn = step;
    await present($("qr"), pair, pass, step);
    $("short").textContent = pass.short;
    say("good");
  };
  const tick = async () => {
    // The colour has ended by itself, or the kept page is of another day: look again.
    const until = Number(dataset.until);
    if (until && now() >= until && navigator.onLine && !location.search) location.replace("/code?now=1");
    if (due() && navigator.onLine) await renew();
    // New rules or facts gave another colour than this kept page shows.
    if (pass && pass.colour !== dataset.colourNow && !location.search) location.replace("/code?now=1");
    if (pass && now() >= pass.valid_until) say("over");
    await draw();
  };
  // The pass that is kept must be one of those that the server still holds good.
  if (pass && fresh && (pass.colour !== dataset.colourNow || !dataset.live.split(" ").includes(pass.id))) await renew();
  box.hidden = false;
  $("renew").onclick = async () => { await renew(); drawn = 0; await draw(); };
  await tick();
  setInterval(draw, 1000);
  setInterval(tick, 60_000);
  document.addEventListener("visibilitychange", tick);
  navigator.wakeLock?.request("screen").catch(() => {});
};

// What is kept has the policy that the page came with; the worker cannot ask for the page again
// without a second request.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'";
const keepPage = async () => {
  const cache = await caches.open("haetae-own-code-1");
  const files = [...document.querySelectorAll("link[href^='/'], script[src]")].map((it) => it.href || it.src);
  // Also where another page forgot everything, for another language.
  for (const it of new Set([...files, ...(box ? [box.dataset.present] : [])])) await cache.match(it) || await cache.add(it);
  if (!fresh) return;
  // "all": the browser may look for a newer worker in its own cache, so that showing again stays at zero requests.
  await navigator.serviceWorker.register("/code/sw.js", { scope: "/code", updateViaCache: "all" });
  const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY };
  await cache.put("/code", new Response(html, { headers }));
};

if (box && globalThis.crypto?.subtle) run().catch(() => { box.hidden = true; });
// What is kept is in one language: the switch asks the server.
for (const it of document.querySelectorAll(".languages a")) it.search = "?to=/code%3Fnow=1";
if (navigator.serviceWorker) addEventListener("load", () => keepPage().catch(() => {}));
