// The page's side of the device module: loads it, passes requests in, reads answers out.
//
// If the module ever stops (it aborts rather than go on with a broken state), the next call starts
// a new one and loads the lists again, so that a gate keeps deciding.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// A typed text may hold half a character (a lone surrogate), which JSON cannot carry: it becomes
// U+FFFD, as it would on any page, and then gets a verdict like any other text.
const wellFormed = (_, value) =>
  typeof value === "string" ? decoder.decode(encoder.encode(value)) : value;

/** Loads the module at `wasmUrl`; answers `{ call(op, args), scan(imageData) }`. */
export async function loadDevice(wasmUrl) {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new Error(`device module: HTTP ${response.status}`);
  return startDevice(await WebAssembly.compile(await response.arrayBuffer()));
}

/** The same with a compiled `WebAssembly.Module`. */
export async function startDevice(module) {
  const start = () => new WebAssembly.Instance(module, {}).exports;
  let exports = start();
  let lists = null; // the last load_lists request that was accepted

  function withBytes(length, fill, call) {
    const ptr = exports.haetae_alloc(length) >>> 0;
    if (ptr === 0) throw new Error("device module: out of memory");
    fill(new Uint8Array(exports.memory.buffer, ptr, length));
    const packed = BigInt.asUintN(64, call(ptr));
    const at = Number(packed >> 32n);
    const size = Number(packed & 0xffffffffn);
    // The memory may have grown, so the view is made anew. decode() copies.
    const text = at === 0 ? null : decoder.decode(new Uint8Array(exports.memory.buffer, at, size));
    if (at !== 0) exports.haetae_free(at, size);
    exports.haetae_free(ptr, length);
    if (text === null) throw new Error("device module: out of memory");
    return JSON.parse(text);
  }

  function send(request) {
    const bytes = encoder.encode(JSON.stringify(request, wellFormed));
    return withBytes(bytes.length, (memory) => memory.set(bytes),
      (ptr) => exports.haetae_call(ptr, bytes.length));
  }

  function guarded(work) {
    try {
      return work();
    } catch (error) {
      exports = start();
      if (lists !== null) send(lists);
      throw error;
    }
  }

  return {
    /** Sends `{ op, ...args }`; answers `{ ok: ... }` or `{ error: code }`. */
    call(op, args = {}) {
      const request = { ...args, op };
      const answer = guarded(() => send(request));
      if (op === "load_lists" && "ok" in answer) lists = request;
      return answer;
    },

    /** The texts of all QR codes in an `ImageData`. */
    scan({ data, width, height }) {
      const length = width * height;
      return guarded(() => withBytes(length, (luma) => {
        // Rec. 601 luma in 1/256; what is transparent counts as white paper.
        for (let i = 0, at = 0; i < length; i += 1, at += 4) {
          const grey = (77 * data[at] + 150 * data[at + 1] + 29 * data[at + 2]) >> 8;
          const alpha = data[at + 3];
          luma[i] = alpha === 255 ? grey : 255 - (((255 - grey) * alpha) / 255);
        }
      }, (ptr) => exports.haetae_scan(ptr, width, height)));
    },
  };
}
