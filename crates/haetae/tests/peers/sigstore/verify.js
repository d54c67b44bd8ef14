// Verifies a copy of the public log with `@sigstore/verify`, which checks Sigstore's own log (Rekor): the
// signed note with its key's hint, and the inclusion (RFC 6962) of every entry by a path made here out of
// the copy's tiles, and of a receipt by its own path. What of it is theirs: `verifyTLogInclusion`. What
// they cannot be asked: whether an entry is a signature of an artefact, which ours are not, and whether
// an old checkpoint is the beginning of a new one; of the old one they check the note.
//
// usage: node verify.js COPY OLD-CHECKPOINT RECEIPT
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { verifyTLogInclusion } = require("@sigstore/verify/dist/tlog");
const { verifyCheckpoint } = require("@sigstore/verify/dist/tlog/checkpoint");

const [, , copy, old, receipt] = process.argv;
const read = (...names) => fs.readFileSync(path.join(copy, ...names));
const sha256 = (...parts) =>
  crypto.createHash("sha256").update(Buffer.concat(parts)).digest();

// The log's key (C2SP vkey) as they take it: a public key, its hint, the name in the note.
function authority(vkey) {
  const [name, , ...rest] = vkey.trim().split("+");
  const key = Buffer.from(rest.join("+"), "base64");
  if (key.length !== 33 || key[0] !== 1) throw new Error("not an Ed25519 key");
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key.subarray(1)]);
  return {
    baseURL: name,
    logID: sha256(Buffer.from(`${name}\n`), key),
    publicKey: crypto.createPublicKey({ key: spki, format: "der", type: "spki" }),
    validFor: { start: new Date(0), end: new Date(8.64e15) },
  };
}

function entry(body, logIndex, hashes, envelope) {
  const [, treeSize, root] = envelope.split("\n");
  return {
    canonicalizedBody: body,
    integratedTime: "0",
    inclusionPromise: undefined,
    inclusionProof: {
      logIndex: String(logIndex),
      treeSize,
      rootHash: Buffer.from(root, "base64"),
      hashes,
      checkpoint: { envelope },
    },
  };
}

// The file of a tile or bundle in a log where this level has `total` members.
function file(kind, index, total) {
  const width = Math.min(256, total - index * 256);
  const place = String(index).padStart(3, "0");
  return read("tile", kind, width < 256 ? `${place}.p/${width}` : place);
}

function split(bytes) {
  const entries = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) throw new Error("a bundle is cut off");
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

const logs = [authority(read("key").toString())];
const envelope = read("checkpoint").toString();
const size = Number(verifyCheckpoint(entry(Buffer.alloc(0), 0, [], envelope), logs).logSize);
verifyCheckpoint(entry(Buffer.alloc(0), 0, [], fs.readFileSync(old, "utf8")), logs);

const bodies = [];
const leaves = [];
for (let index = 0; index * 256 < size; index += 1) {
  bodies.push(...split(file("entries", index, size)));
  const tile = file("0", index, size);
  for (let at = 0; at < tile.length; at += 32) leaves.push(tile.subarray(at, at + 32));
}
if (bodies.length !== size || leaves.length !== size) throw new Error("entries are missing");

// The root of RFC 6962 over the leaves from `from` up to `until`, each once.
const known = new Map();
function root(from, until) {
  if (until - from === 1) return leaves[from];
  const name = `${from}-${until}`;
  if (!known.has(name)) {
    const middle = from + half(until - from);
    known.set(name, sha256(Buffer.from([1]), root(from, middle), root(middle, until)));
  }
  return known.get(name);
}
function half(count) {
  let width = 1;
  while (width * 2 < count) width *= 2;
  return width;
}
// The path of RFC 6962, section 2.1.1.
function proof(index, from, until) {
  if (until - from === 1) return [];
  const middle = from + half(until - from);
  return index < middle
    ? [...proof(index, from, middle), root(middle, until)]
    : [...proof(index, middle, until), root(from, middle)];
}
bodies.forEach((body, index) => {
  verifyTLogInclusion(entry(body, index, proof(index, 0, size), envelope), logs);
});

// A receipt (C2SP tlog-proof): its entry, its place, its path, its own checkpoint.
const text = fs.readFileSync(receipt, "utf8");
const cut = text.indexOf("\n\n");
const [header, extra, index, ...hashes] = text.slice(0, cut).split("\n");
if (header !== "c2sp.org/tlog-proof@v1") throw new Error("not a receipt");
const body = Buffer.from(extra.replace(/^extra /, ""), "base64");
const steps = hashes.map((it) => Buffer.from(it, "base64"));
const place = index.replace(/^index /, "");
verifyTLogInclusion(entry(body, place, steps, text.slice(cut + 2)), logs);
console.log(`good ${size}`);
