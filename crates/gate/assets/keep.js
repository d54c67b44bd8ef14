// What the scanner keeps in the browser (IndexedDB): its key pair, which cannot leave, the lists, and
// the queue of sealed entries. Also the few byte tools that both pages need.

const NAME = "haetae-gate";

/** Opens the database; answers the operations on it. */
export async function openKeep() {
  const db = await new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("values");
      request.result.createObjectStore("queue", { keyPath: "n" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

  /** Runs `work` in one transaction; answers what its request gave, once that is durable. */
  function run(stores, mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = db.transaction(stores, mode, { durability: "strict" });
      let answer;
      work(transaction, (value) => { answer = value; });
      transaction.oncomplete = () => resolve(answer);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }
  const read = (store, ask) => run([store], "readonly", (transaction, answer) => {
    const request = ask(transaction.objectStore(store));
    request.onsuccess = () => answer(request.result);
  });

  return {
    get: (name) => read("values", (store) => store.get(name)),
    set: (name, value) => run(["values"], "readwrite",
      (transaction) => transaction.objectStore("values").put(value, name)),
    remove: (name) => run(["values"], "readwrite",
      (transaction) => transaction.objectStore("values").delete(name)),
    /** The next entry number: 1, 2, 3 … each given once, whatever tabs are open. */
    next: () => run(["values"], "readwrite", (transaction, answer) => {
      const store = transaction.objectStore("values");
      const request = store.get("counter");
      request.onsuccess = () => {
        const n = (request.result ?? 0) + 1;
        store.put(n, "counter");
        answer(n);
      };
    }),
    add: (entry) => run(["queue"], "readwrite",
      (transaction) => transaction.objectStore("queue").put(entry)),
    /** The oldest entries, at most `limit`. */
    oldest: (limit) => read("queue", (store) => store.getAll(null, limit)),
    /** The entries with these numbers that are still there. */
    pick: (numbers) => run(["queue"], "readonly", (transaction, answer) => {
      const found = [];
      answer(found);
      for (const n of numbers) {
        const request = transaction.objectStore("queue").get(n);
        request.onsuccess = () => { if (request.result) found.push(request.result); };
      }
    }),
    drop: (numbers) => run(["queue"], "readwrite", (transaction) => {
      for (const n of numbers) transaction.objectStore("queue").delete(n);
    }),
    count: () => read("queue", (store) => store.count()),
  };
}

/** Bytes to base64url without padding. */
export function toBase64url(bytes) {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Bytes to plain base64. */
export function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

/** Base64, url form or plain, to bytes. */
export function fromBase64(text) {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
}

const encoder = new TextEncoder();

/** Texts and byte arrays joined; `{ u32 }`, `{ u64 }` are numbers, big endian; `{ put }` is a text
    or bytes with its length as u32 before it. */
export function pack(...parts) {
  const chunks = parts.flatMap((part) => {
    if (typeof part === "string") return [encoder.encode(part)];
    if (part instanceof Uint8Array) return [part];
    if ("put" in part) {
      const bytes = typeof part.put === "string" ? encoder.encode(part.put) : part.put;
      return [number(4, bytes.length), bytes];
    }
    return "u32" in part ? [number(4, part.u32)] : [number(8, part.u64)];
  });
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function number(size, value) {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 4) view.setUint32(0, value);
  else view.setBigInt64(0, BigInt(value));
  return bytes;
}

/** The device's signature (ES256, raw r || s) in base64url. */
export async function sign(privateKey, bytes) {
  const signed = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, bytes);
  return toBase64url(new Uint8Array(signed));
}

/** The six digits that guard and owner compare; the server computes the same. */
export async function pairingDigits(device, publicKey) {
  const bytes = pack("haetae/gate-pair/v1", device, publicKey);
  const digest = new DataView(await crypto.subtle.digest("SHA-256", bytes));
  const digits = String(digest.getUint32(0) % 1_000_000).padStart(6, "0");
  return `${digits.slice(0, 3)} ${digits.slice(3)}`;
}
