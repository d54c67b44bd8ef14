// A pass at a door, drawn on the phone: a compact code is fetched ahead of time and kept, and each 15 s the
// phone's own key signs the moment, so that a picture of the screen dies in 30 s. Without a network the page
// and the code that are kept are shown. Without this file the page offers the printed pass.
const $ = (id) => document.getElementById(id);
const box = $("bound");
const STEP = 15;

// A promise of what an IndexedDB request gives.
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const open = () => {
  const request = indexedDB.open("haetae-passes", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("kept");
  return done(request);
};
const store = async (mode) => (await open()).transaction("kept", mode).objectStore("kept");
const read = async (key) => done((await store("readonly")).get(key));
const keep = async (key, value) => done((await store("readwrite")).put(value, key));
const drop = async (key) => done((await store("readwrite")).delete(key));

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

const sign = async (pair, code, step) => {
  const message = new Uint8Array(40);
  message.set(new TextEncoder().encode("haetae/moment/v1"));
  message.set(bytes(code.id), 16);
  new DataView(message.buffer).setUint32(36, step);
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, message));
};

const deviceKey = async () => {
  let pair = await read("key");
  if (!pair) {
    pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    await keep("key", pair);
  }
  return pair;
};

// A new code; null where the server says that there is none any more.
const fetchCode = async (pair) => {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const answer = await fetch(box.dataset.codes, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify({ device_key: text(raw) }),
  });
  if (answer.status === 409 && (await answer.json()).code === "pass-not-bindable") return null;
  if (!answer.ok) throw new Error(String(answer.status));
  const code = await answer.json();
  // A wrong clock must not spoil the proof: the server's time is remembered as a difference.
  return { ...code, ahead: code.now - Date.now() / 1000 };
};

const run = async () => {
  const { dataset } = box;
  const [{ draw: modules }, pair] = [await import(dataset.qr), await deviceKey()];
  let code = await read(dataset.codes);
  const now = () => Date.now() / 1000 + (code?.ahead ?? 0);
  const isOver = () => !code || now() >= code.valid_until;
  const state = $("state");
  // The city's time, as everywhere: the phone may be set to another zone.
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short", timeZone: dataset.zone });
  const say = (kind) => {
    state.textContent = state.dataset[kind].replace("{time}", code ? clock.format(code.valid_until * 1000) : "");
  };
  let ended = false;
  const renew = async () => {
    try {
      code = await fetchCode(pair);
      ended = !code;
      await (code ? keep(dataset.codes, code) : drop(dataset.codes));
    } catch {
      if (!code) say("failed");
    }
  };
  let drawn;
  const draw = async () => {
    if (document.hidden) return;
    box.querySelector("figure").hidden = isOver();
    if (isOver()) return;
    const step = Math.floor(now() / STEP);
    if (step === drawn) return;
    drawn = step;
    const proof = await sign(pair, code, step);
    paint(modules(`HT1:${base45([0x83, ...blob(bytes(code.code)), ...uint(step), ...blob(proof)])}`));
    say("good");
  };
  const tick = async () => {
    // Ahead of time: a quarter of its life is left.
    const due = !code || now() > code.valid_until - (code.valid_until - code.issued_at) / 4;
    if (due && !ended && navigator.onLine) await renew();
    if (ended) say("ended");
    else if (code && isOver()) say("over");
    await draw();
  };
  box.hidden = false;
  await tick();
  setInterval(draw, 1000);
  setInterval(tick, 60_000);
  document.addEventListener("visibilitychange", tick);
  navigator.wakeLock?.request("screen").catch(() => {});
};

if (box && globalThis.crypto?.subtle) run().catch(() => { box.hidden = true; });
// The worker keeps this page as it is fetched; the first time it was fetched before there was a worker.
if (navigator.serviceWorker && box) {
  navigator.serviceWorker.register("/passes/sw.js", { scope: "/passes/" })
    .then(() => navigator.serviceWorker.ready)
    .then((it) => it.active?.postMessage({ page: location.pathname, files: [
      box.dataset.qr,
      ...[...document.querySelectorAll("link[rel=stylesheet], script[src]")].map((it) => it.href || it.src),
    ] }))
    .catch(() => {});
}
