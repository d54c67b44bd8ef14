// A code shown on a phone: its kept data, the phone's own key, the proof of the moment by that key, and the
// QR code of both. For the pages of the health code and of passes.

// ---- What is kept on the phone -----------------------------------------------------------------

// A promise of what an IndexedDB request gives.
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
// A database of one table, by its name.
export const database = (name) => {
  const open = () => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept");
    return done(request);
  };
  const table = async (mode) => (await open()).transaction("kept", mode).objectStore("kept");
  return {
    read: async (key) => done((await table("readonly")).get(key)),
    keep: async (key, value) => done((await table("readwrite")).put(value, key)),
    drop: async (key) => done((await table("readwrite")).delete(key)),
  };
};

// The phone's key of that database; its private half never leaves the browser.
export const deviceKey = async ({ read, keep }) => {
  let pair = await read("key");
  if (!pair) {
    pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    await keep("key", pair);
  }
  return pair;
};

// ---- A code from the server --------------------------------------------------------------------

const text = (data) => btoa(String.fromCharCode(...data)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (it) => it.charCodeAt(0));

// A new code for that key, with `ahead`: the server's time as a difference, so that a wrong clock does not
// spoil the proof. Throws an error whose message is the refusal's code, or the status.
export const askFor = async (path, pair) => {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify({ device_key: text(raw) }),
  });
  const code = await answer.json();
  if (!answer.ok) throw new Error(code.code ?? answer.status);
  return { ...code, ahead: code.now - Date.now() / 1000 };
};

// ---- The picture -------------------------------------------------------------------------------

export const STEP = 15;

const sign = async (pair, code, step) => {
  const message = new Uint8Array(40);
  message.set(new TextEncoder().encode("haetae/moment/v1"));
  message.set(bytes(code.id), 16);
  new DataView(message.buffer).setUint32(36, step);
  return new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, message));
};

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

// Draws the code with the proof of that step.
export const present = async (canvas, pair, code, step) => {
  const proof = await sign(pair, code, step);
  const rows = draw(`HT1:${base45([0x83, ...blob(bytes(code.code)), ...uint(step), ...blob(proof)])}`);
  // One pixel a module, with the white edge that readers need; the style sheet makes it large.
  canvas.width = canvas.height = rows.length + 8;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.width);
  pen.fillStyle = "#000";
  rows.forEach((row, y) => row.forEach((dark, x) => { if (dark) pen.fillRect(x + 4, y + 4, 1, 1); }));
};

// A QR code (ISO/IEC 18004) of exactly what we show: alphanumeric, level M, versions 7 to 16, mask 0.
// A third of a general encoder's size, because the weight of the page is its capacity.
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
// Per version: check bytes a block, blocks, data bytes in the short blocks, rows of alignment marks.
const VERSIONS = {
  7: [18, 4, 31, [6, 22, 38]], 8: [22, 4, 38, [6, 24, 42]], 9: [22, 5, 36, [6, 26, 46]],
  10: [26, 5, 43, [6, 28, 50]], 11: [30, 5, 50, [6, 30, 54]], 12: [22, 8, 36, [6, 32, 58]],
  13: [22, 9, 37, [6, 34, 62]], 14: [24, 9, 40, [6, 26, 46, 66]], 15: [24, 10, 41, [6, 26, 48, 70]],
  16: [28, 10, 45, [6, 26, 50, 74]],
};
const DATA = { 7: 124, 8: 154, 9: 182, 10: 216, 11: 254, 12: 290, 13: 334, 14: 365, 15: 415, 16: 453 };

const times = (a, b) => {
  let r = 0;
  for (let i = 7; i >= 0; i--) r = (r << 1) ^ ((r >> 7) * 285) ^ (((b >> i) & 1) * a);
  return r;
};
const remainder = (data, divisor) => {
  const rest = new Array(divisor.length).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift();
    rest.push(0);
    divisor.forEach((it, i) => { rest[i] ^= times(it, factor); });
  }
  return rest;
};
const generator = (degree) => {
  const poly = new Array(degree - 1).fill(0).concat(1);
  let root = 1;
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j < degree; j++) poly[j] = times(poly[j], root) ^ (poly[j + 1] ?? 0);
    root = times(root, 2);
  }
  return poly;
};

const codewords = (text, version) => {
  const bits = [];
  const put = (value, width) => { for (let i = width - 1; i >= 0; i--) bits.push((value >> i) & 1); };
  put(2, 4);
  put(text.length, version < 10 ? 9 : 11);
  for (let i = 0; i < text.length; i += 2) {
    const [a, b] = [ALPHABET.indexOf(text[i]), ALPHABET.indexOf(text[i + 1] ?? "?")];
    if (b < 0) put(a, 6); else put(a * 45 + b, 11);
  }
  const size = DATA[version];
  put(0, Math.min(4, size * 8 - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  const bytes = [];
  for (let i = 0; i < bits.length; i += 8) bytes.push(parseInt(bits.slice(i, i + 8).join(""), 2));
  for (let pad = 236; bytes.length < size; pad ^= 253) bytes.push(pad);
  const [checks, count, short] = VERSIONS[version];
  const divisor = generator(checks);
  const blocks = [];
  for (let i = 0, at = 0; i < count; i++) {
    const length = short + (i < count - (size - short * count) ? 0 : 1);
    blocks.push(bytes.slice(at, at += length));
  }
  const ends = blocks.map((it) => remainder(it, divisor));
  const out = [];
  for (let i = 0; i <= short; i++) for (const it of blocks) if (i < it.length) out.push(it[i]);
  for (let i = 0; i < checks; i++) for (const it of ends) out.push(it[i]);
  return out;
};

// The modules as rows of 0 and 1.
const draw = (text) => {
  const fits = (it) => 4 + (it < 10 ? 9 : 11) + Math.ceil(text.length * 5.5) <= DATA[it] * 8;
  const version = Number(Object.keys(DATA).find(fits));
  if (!version) throw new RangeError("too long for a QR code of version 16");
  const side = version * 4 + 17;
  const rows = Array.from({ length: side }, () => new Array(side).fill(null));
  const set = (x, y, dark) => { if (rows[y]?.[x] !== undefined) rows[y][x] = dark ? 1 : 0; };
  const square = (cx, cy, reach, dark) => {
    for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) set(cx + x, cy + y, dark(Math.max(Math.abs(x), Math.abs(y))));
  };
  for (let i = 0; i < side; i++) { set(6, i, i % 2 === 0); set(i, 6, i % 2 === 0); }
  for (const [x, y] of [[3, 3], [side - 4, 3], [3, side - 4]]) square(x, y, 4, (far) => far !== 2 && far !== 4);
  const marks = VERSIONS[version][3];
  const last = marks.length - 1;
  marks.forEach((y, i) => marks.forEach((x, j) => {
    if (!((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0))) square(x, y, 2, (far) => far !== 1);
  }));
  // Format: level M (0), mask 0 (0), so only the fixed pattern is left. Version: BCH(18, 6).
  const format = 0x5412;
  for (let i = 0; i < 15; i++) {
    const dark = (format >> i) & 1;
    set(8, i < 6 ? i : i < 8 ? i + 1 : side - 15 + i, dark);
    set(i < 8 ? side - 1 - i : i < 9 ? 7 : 14 - i, 8, dark);
  }
  set(8, side - 8, 1);
  let rest = version;
  for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
  const info = (version << 12) | rest;
  for (let i = 0; i < 18; i++) {
    const [a, b] = [side - 11 + (i % 3), Math.floor(i / 3)];
    set(a, b, (info >> i) & 1);
    set(b, a, (info >> i) & 1);
  }
  const words = codewords(text, version);
  let at = 0;
  for (let right = side - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let i = 0; i < side; i++) {
      const y = ((right + 1) & 2) === 0 ? side - 1 - i : i;
      for (const x of [right, right - 1]) {
        if (rows[y][x] !== null) continue;
        const bit = (words[at >> 3] >> (7 - (at & 7))) & 1;
        rows[y][x] = bit ^ ((x + y) % 2 === 0 ? 1 : 0);
        at++;
      }
    }
  }
  return rows;
};
