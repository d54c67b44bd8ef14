// The page's side of the device module: loads it, passes requests in, reads answers out.
//
// The module aborts rather than go on with a broken state. It runs twice, once to judge and once to
// read pictures, so that a picture that breaks the reader takes nothing from the judge, who
// remembers the lists and whom this gate has passed.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// A typed text may hold half a character (a lone surrogate), which JSON cannot carry: it becomes
// U+FFFD, as it would on any page, and then gets a verdict like any other text.
const wellFormed = (_, value) =>
  typeof value === "string" ? decoder.decode(encoder.encode(value)) : value;

/** Loads the module at `wasmUrl`; answers `{ call(op, args), pass(text, demand, now_s), scan(imageData) }`. */
export async function loadDevice(wasmUrl) {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new Error(`device module: HTTP ${response.status}`);
  return startDevice(await WebAssembly.compile(await response.arrayBuffer()));
}

/** The same with a compiled `WebAssembly.Module`. */
export async function startDevice(module) {
  let judge = await WebAssembly.instantiate(module);
  let reader = await WebAssembly.instantiate(module);
  // The last requests that were accepted, for a judge made anew.
  const loaded = { load_lists: null, load_passes: null };

  function send(request) {
    const bytes = encoder.encode(JSON.stringify(request, wellFormed));
    return exchange(judge.exports, bytes.length, (memory) => memory.set(bytes),
      (ptr) => judge.exports.haetae_call(ptr, bytes.length));
  }

  // Asynchronous, because older phones refuse to instantiate large modules on the main thread.
  async function renewJudge() {
    judge = await WebAssembly.instantiate(module);
    for (const request of Object.values(loaded)) if (request !== null) send(request);
  }

  async function renewReader() {
    reader = await WebAssembly.instantiate(module);
  }

  const device = {
    /**
     * Sends `{ op, ...args }`; answers `{ ok: ... }` or `{ error: code }`. Throws only if the module
     * aborted; a moment later a new one with the same lists takes its place.
     */
    call(op, args = {}) {
      const request = { ...args, op };
      try {
        const answer = send(request);
        if (op in loaded && "ok" in answer) loaded[op] = request;
        return answer;
      } catch (error) {
        renewJudge();
        throw error;
      }
    },

    /**
     * The verdict on somebody else's pass at a place with this `demand`, as `call("conclude")` answers
     * it: the browser's own cryptography checks the signatures that it can, the module the others.
     */
    async pass(text, demand, now_s) {
      const signatures = device.call("prepare", { text });
      if (!("ok" in signatures)) return signatures;
      const held = await Promise.all(signatures.ok.map(holds));
      return device.call("conclude", { text, held, demand, now_s });
    },

    /** The texts of all QR codes in an `ImageData`; none if the reader broke on it. */
    scan({ data, width, height }) {
      try {
        return exchange(reader.exports, width * height, (luma) => fillLuma(luma, data),
          (ptr) => reader.exports.haetae_scan(ptr, width, height));
      } catch {
        renewReader();
        return [];
      }
    },
  };
  return device;
}

const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** The browser's answer to one signature; null where it has none, then the module computes it. */
async function holds(check) {
  if (!check) return null;
  const [key, message, signature] = [check.key, check.message, check.signature].map(fromBase64);
  try {
    const scheme = { name: check.scheme, namedCurve: check.curve ?? undefined, hash: check.hash };
    const imported = await crypto.subtle.importKey(check.form, key, scheme, false, ["verify"]);
    const how = { name: check.scheme, hash: check.hash, saltLength: check.salt };
    return await crypto.subtle.verify(how, imported, signature, message);
  } catch {
    return null;
  }
}

/** Gives `length` bytes to `fill`, then their address to `call`; answers the JSON it returned. */
function exchange(exports, length, fill, call) {
  const ptr = exports.haetae_alloc(length) >>> 0;
  if (ptr === 0) throw new Error("device module: out of memory");
  fill(new Uint8Array(exports.memory.buffer, ptr, length));
  const packed = BigInt.asUintN(64, call(ptr));
  const at = Number(packed >> 32n);
  const size = Number(packed & 0xffffffffn);
  if (at === 0) throw new Error("device module: out of memory");
  // The memory may have grown, so the view is made anew; decode() copies.
  const answer = decoder.decode(new Uint8Array(exports.memory.buffer, at, size));
  exports.haetae_free(at, size);
  exports.haetae_free(ptr, length);
  return JSON.parse(answer);
}

/** Rec. 601 luma of RGBA, in 1/256; what is transparent counts as white paper. */
function fillLuma(luma, rgba) {
  for (let i = 0, at = 0; i < luma.length; i += 1, at += 4) {
    const grey = (77 * rgba[at] + 150 * rgba[at + 1] + 29 * rgba[at + 2]) >> 8;
    const alpha = rgba[at + 3];
    luma[i] = alpha === 255 ? grey : 255 - ((255 - grey) * alpha) / 255;
  }
}
