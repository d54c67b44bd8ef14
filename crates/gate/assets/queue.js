// The queue of entries. Each is sealed at once to the region's public key: this browser can add to
// the queue and send it, and cannot read it. Format: crates/credential/src/sealed.rs; the signed
// bytes of a batch: crates/gate/src/queue.rs.

const BATCH_MAX = 200;
const INFO = new TextEncoder().encode("haetae/queue/v1");

/**
 * Opens the queue. `tools` are the exports of keep.js. Answers `{ add(plain), flush(identity, now_s) }`.
 */
export async function openQueue(keep, tools, regionKey) {
  const { ephemeral, key } = await sealingKey(regionKey);
  let size = BATCH_MAX;

  /** Seals an entry and keeps it; durable when it returns. Answers its number. */
  async function add(plain) {
    const n = await keep.next();
    const iv = tools.pack({ u32: 0 }, { u64: n });
    const bytes = new TextEncoder().encode(JSON.stringify(plain));
    const data = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, bytes));
    await keep.add({ n, ephemeral, data });
    return n;
  }

  /** The batch that was begun, so that a lost answer is asked for again with the same batch; or a
      new one: the oldest entries that were sealed with one key. */
  async function batch() {
    const begun = await keep.get("batch");
    if (begun) {
      const entries = await keep.pick(begun.numbers);
      if (entries.length === begun.numbers.length) return { ...begun, entries };
    }
    const oldest = await keep.oldest(size);
    if (oldest.length === 0) return null;
    const first = tools.toBase64(oldest[0].ephemeral);
    const entries = oldest.filter((entry) => tools.toBase64(entry.ephemeral) === first);
    const id = crypto.getRandomValues(new Uint8Array(16));
    const fresh = { id, numbers: entries.map((entry) => entry.n) };
    await keep.set("batch", fresh);
    return { ...fresh, entries };
  }

  async function send(identity, { id, entries }, made_at) {
    const sent = entries.map(({ n, data }) => ({ n, data: tools.toBase64url(data) }));
    const { ephemeral: key } = entries[0];
    const first_n = entries[0].n;
    const bytes = tools.pack(
      "haetae/gate-batch/v1", { put: identity.device }, id, { u64: first_n }, { u64: made_at },
      { put: key }, { u32: sent.length },
      ...sent.flatMap(({ n, data }) => [{ u64: n }, { put: data }]));
    const body = {
      device: identity.device,
      batch: Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      first_n,
      made_at,
      sealed: { ephemeral: tools.toBase64url(key), entries: sent },
      signature: await tools.sign(identity.privateKey, bytes),
    };
    return fetch("/api/v1/gate/batches", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      signal: AbortSignal.timeout(20_000),
    });
  }

  /**
   * Hands in everything, batch by batch. Entries leave the queue only when the server has answered
   * for each of them. Answers `{ taken, rejected, problem }`; `problem` is null, "offline", "busy",
   * or a stable code.
   */
  async function flushAlone(identity, made_at) {
    let [taken, rejected] = [0, 0];
    for (;;) {
      const next = await batch();
      if (next === null) return { taken, rejected, problem: null };
      let response;
      try {
        response = await send(identity, next, made_at());
      } catch {
        return { taken, rejected, problem: "offline" };
      }
      if (response.ok) {
        const answer = await response.json();
        await keep.drop(next.numbers);
        await keep.remove("batch");
        taken += answer.accepted;
        rejected += answer.rejected.length;
        size = BATCH_MAX;
        continue;
      }
      if (response.status === 429 || response.status >= 500) {
        return { taken, rejected, problem: "busy" };
      }
      const code = await response.json().then((it) => it.code, () => null) ?? "gate-batch-malformed";
      if (code.startsWith("gate-device-") || code === "gate-signature-bad") {
        return { taken, rejected, problem: code };
      }
      // Something in this batch stops the whole: smaller ones let the rest through, and an entry
      // that stops even a batch of its own is laid aside, not lost.
      await keep.remove("batch");
      if (next.numbers.length === 1) {
        await keep.set(`aside-${next.numbers[0]}`, next.entries[0]);
        await keep.drop(next.numbers);
        rejected += 1;
      }
      size = Math.max(1, Math.floor(next.numbers.length / 2));
    }
  }

  /** One tab at a time: two would race for the same batch. */
  async function flush(identity, made_at) {
    if (!navigator.locks) return flushAlone(identity, made_at);
    return navigator.locks.request("haetae-gate-flush", { ifAvailable: true }, (lock) =>
      lock ? flushAlone(identity, made_at) : { taken: 0, rejected: 0, problem: null });
  }

  return { add, flush };
}

/** A fresh ephemeral key's public half and the AES key from it. The private half is forgotten here;
    the AES key lives in this page's memory, cannot be exported, and can only seal. */
async function sealingKey(regionKey) {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const region = await crypto.subtle.importKey("raw", regionKey, curve, false, []);
  const pair = await crypto.subtle.generateKey(curve, false, ["deriveBits"]);
  const ephemeral = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const secret = await crypto.subtle.deriveBits({ name: "ECDH", public: region }, pair.privateKey, 256);
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: ephemeral, info: INFO }, base,
    { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  return { ephemeral, key };
}
