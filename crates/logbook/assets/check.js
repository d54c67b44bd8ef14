// Checks an entry of the public log in the reader's own browser, with WebCrypto and nothing of ours
// but the public files: RFC 9162 section 2.1.3.2, C2SP signed-note. The page is complete without it.

const encoder = new TextEncoder();
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const join = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const sha256 = async (...parts) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));

const get = async (path) => {
  const response = await fetch(path, { cache: "no-store" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
};

/** The way from a leaf to the root, step by step. Throws when the path has another length. */
export async function walk(leaf, index, size, path) {
  // BigInt: a log may outgrow 32 bits, where JavaScript's shifts end.
  let node = BigInt(index);
  let last = BigInt(size) - 1n;
  let own = leaf;
  const steps = [];
  for (const neighbour of path) {
    if (last === 0n) throw new Error("the path is too long");
    const left = node % 2n === 1n || node === last;
    own = left
      ? await sha256(Uint8Array.of(1), neighbour, own)
      : await sha256(Uint8Array.of(1), own, neighbour);
    steps.push({ left, neighbour, above: own });
    if (left) while (node % 2n === 0n && node !== 0n) [node, last] = [node / 2n, last / 2n];
    [node, last] = [node / 2n, last / 2n];
  }
  if (last !== 0n) throw new Error("the path is too short");
  return { root: own, steps };
}

/** Whether the log's key signed the note; null when this browser cannot check Ed25519. */
export async function signed(note, vkey) {
  const parts = vkey.trim().split("+");
  const [name, id] = parts;
  const key = fromBase64(parts.slice(2).join("+"));
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || key[0] !== 1) return false;
  const text = encoder.encode(note.slice(0, split + 1));
  let crypted;
  try {
    crypted = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
  } catch {
    return null;
  }
  for (const line of note.slice(split + 2).split("\n")) {
    const [dash, by, signature] = line.split(" ");
    if (dash !== "—" || by !== name || !signature) continue;
    const bytes = fromBase64(signature);
    if (hex(bytes.slice(0, 4)) !== id) continue;
    return crypto.subtle.verify("Ed25519", crypted, bytes.slice(4), text);
  }
  return false;
}

const say = (list, ...lines) => {
  const item = document.createElement("li");
  lines.forEach((line, place) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    if (place > 0) paragraph.className = "hash";
    item.append(paragraph);
  });
  list.append(item);
};

async function check(card) {
  const words = card.dataset;
  const list = card.querySelector("[data-steps]");
  const result = card.querySelector("[data-result]");
  list.replaceChildren();
  result.textContent = words.working;
  try {
    const index = words.logCheck;
    const [note, key] = await Promise.all(
      ["/log/checkpoint", "/log/key"].map(async (path) => (await get(path)).text()),
    );
    const [, size, root] = note.split("\n");
    const proven = `/api/v1/log/proof/inclusion?index=${index}&size=${size}`;
    const [{ entry }, { proof }] = await Promise.all(
      [`/api/v1/log/entries/${index}`, proven].map(async (path) => (await get(path)).json()),
    );
    say(list, words.entry, entry);
    const leaf = await sha256(Uint8Array.of(0), encoder.encode(entry));
    say(list, words.leaf, hex(leaf));
    const way = await walk(leaf, index, size, proof.map(fromBase64));
    for (const { left, neighbour, above } of way.steps) {
      say(list, left ? words.stepLeft : words.stepRight, hex(neighbour), `= ${hex(above)}`);
    }
    say(list, words.root, hex(fromBase64(root)));
    const by = await signed(note, key);
    say(list, by === null ? words.signatureUnable : by ? words.signatureGood : words.signatureBad);
    const good = hex(way.root) === hex(fromBase64(root)) && by !== false;
    result.textContent = good ? words.good : words.bad;
  } catch (error) {
    result.textContent = `${words.failed} (${error.message})`;
  }
}

async function commitment(card) {
  const { salt, payload, logCommitment, good, bad } = card.dataset;
  const head = encoder.encode("haetae/commit/v1\0");
  const found = hex(await sha256(head, fromHex(salt), encoder.encode(payload)));
  const result = card.querySelector("[data-result]");
  result.textContent = `${found === logCommitment ? good : bad} ${found}`;
  result.className = "hash";
}

// Without a secure context there is no WebCrypto, and the cards stay hidden.
if (globalThis.document && globalThis.crypto?.subtle) {
  for (const [name, run] of [["data-log-check", check], ["data-log-commitment", commitment]]) {
    for (const card of document.querySelectorAll(`[${name}]`)) {
      card.hidden = false;
      card.querySelector("button").addEventListener("click", () => run(card));
    }
  }
}
