// The code, drawn on the phone: a pass is fetched ahead of time and kept; each 15 s the device's own
// key signs the moment, so that a picture of the screen dies in 30 s. Showing it again asks nothing
// of the server. Without this file the page offers the printed code.
const html = `<!doctype html>${document.documentElement.outerHTML}`;
const $ = (id) => document.getElementById(id);
const box = $("pass");
const STEP = 15;
// Straight from the server, not what the worker kept.
const fresh = location.search || !navigator.serviceWorker?.controller;

// A promise of what an IndexedDB request gives.
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const open = () => {
  const request = indexedDB.open("haetae-code", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("kept");
  return done(request);
};
const store = async (mode) => (await open()).transaction("kept", mode).objectStore("kept");
const read = async (key) => done((await store("readonly")).get(key));
const keep = async (key, value) => done((await store("readwrite")).put(value, key));

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (it) => it.charCodeAt(0));
const text = (data) => btoa(String.fromCharCode(...data)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
// RFC 9285.
const base45 = (data) => {
  let out = "";
  for (let i = 0; i < data.length; i += 2) {
    const pair = i + 1 < data.length;
    let value = pair ? data[i] * 256 + data[i + 1] : data[i];
    for (let digits = pair ? 3 : 2; digits; digits--, value = Math.floor(value / 45)) out += ALPHABET[value % 45];
  }
  return out;
};
// A CBOR byte string and a CBOR integer beyond 16 bits (RFC 8949).
const blob = (data) => [...(data.length < 256 ? [0x58, data.length] : [0x59, data.length >> 8, data.length & 255]), ...data];
const uint = (value) => [0x1a, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

// One pixel a module, with the white edge that readers need; the style sheet makes it large.
const paint = (rows) => {
  const canvas = $("qr");
  canvas.width = canvas.height = rows.length + 8;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.width);
  pen.fillStyle = "#000";
  rows.forEach((row, y) => row.forEach((dark, x) => { if (dark) pen.fillRect(x + 4, y + 4, 1, 1); }));
};

const sign = async (pair, pass, step) => {
  const message = new Uint8Array(40);
  message.set(new TextEncoder().encode("haetae/moment/v1"));
  message.set(bytes(pass.id), 16);
  new DataView(message.buffer).setUint32(36, step);
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, message));
};

const key = async () => {
  let pair = await read("key");
  if (!pair) {
    pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    await keep("key", pair);
  }
  return pair;
};

const fetchPass = async (pair) => {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const answer = await fetch("/api/v1/code/passes", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify({ device_key: text(raw) }),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  const pass = { ...(await answer.json()), whose: box.dataset.whose };
  // A wrong clock must not spoil the proof: the server's time is remembered as a difference.
  pass.ahead = pass.now - Date.now() / 1000;
  await keep("pass", pass);
  return pass;
};

const run = async () => {
  const { draw: modules } = await import(box.dataset.qr);
  const pair = await key();
  const { dataset } = box;
  let pass = await read("pass");
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
      pass = await fetchPass(pair);
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
    const proof = await sign(pair, pass, step);
    const shown = [0x83, ...blob(bytes(pass.code)), ...uint(step), ...blob(proof)];
    paint(modules(`HT1:${base45(shown)}`));
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
  // "all": the browser may look for a newer worker in its own cache, so that showing again stays at zero requests.
  await navigator.serviceWorker.register("/code/sw.js", { scope: "/code", updateViaCache: "all" });
  const cache = await caches.open("haetae-own-code-1");
  const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY };
  await cache.put("/code", new Response(html, { headers }));
  const files = [...document.querySelectorAll("link[href^='/'], script[src]")].map((it) => it.href || it.src);
  await cache.addAll([...new Set([...files, ...(box ? [box.dataset.qr] : [])])]);
};

if (box && globalThis.crypto?.subtle) run().catch(() => { box.hidden = true; });
// What is kept is in one language: the switch asks the server.
for (const it of document.querySelectorAll(".languages a")) it.search = "?to=/code%3Fnow=1";
if (navigator.serviceWorker && fresh) addEventListener("load", () => keepPage().catch(() => {}));
