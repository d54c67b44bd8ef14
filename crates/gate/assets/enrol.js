// Enrolment: makes the phone's key pair (the private half cannot leave the browser), asks for a place,
// shows six digits, and waits for the owner.

const root = document.getElementById("gate-enrol");
const at = (id) => document.getElementById(id);
const tools = await import(root.dataset.keep);
const keep = await tools.openKeep();
const POLL_MS = 3_000;

let identity = await keep.get("identity");

function show(section) {
  for (const id of ["gate-ask", "gate-wait", "gate-done"]) at(id).hidden = id !== section;
}

function wrong(text) {
  at("gate-enrol-error").textContent = text;
  at("gate-enrol-error").hidden = false;
}

async function ask(code, label) {
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(curve, false, ["sign", "verify"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  // By the server's clock: a phone whose clock is off is set right by the bundle, here and later.
  const bundle = await (await fetch("/api/v1/gate/bundle", { credentials: "omit" })).json();
  const made_at = Math.floor(bundle.server_time_ms / 1000);
  const bytes = tools.pack(
    "haetae/gate-enrol/v1", { u64: made_at }, { put: code }, { put: label }, { put: publicKey });
  const response = await fetch("/api/v1/gate/devices", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({
      place_code: code, label, public_key: tools.toBase64url(publicKey), made_at,
      signature: await tools.sign(pair.privateKey, bytes),
    }),
    credentials: "omit",
  });
  const answer = await response.json();
  if (!response.ok) return answer.code ?? "";
  identity = { device: answer.device, publicKey, privateKey: pair.privateKey };
  await keep.remove("batch");
  await keep.set("identity", identity);
  return null;
}

at("gate-enrol-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  at("gate-enrol-error").hidden = true;
  try {
    const code = await ask(at("f-place_code").value.trim(), at("f-label").value.trim());
    if (code !== null) {
      const texts = {
        "gate-place-code-unknown": root.dataset.codeWrong,
        "gate-label-invalid": root.dataset.labelWrong,
        "gate-too-many-waiting": root.dataset.full,
        "gate-clock-off": root.dataset.clock,
      };
      return wrong(texts[code] ?? root.dataset.wrong);
    }
  } catch {
    return wrong(root.dataset.offlineText);
  }
  await waitForOwner();
});

at("gate-again").addEventListener("click", () => show("gate-ask"));

async function waitForOwner() {
  at("gate-pairing").textContent = await tools.pairingDigits(identity.device, identity.publicKey);
  show("gate-wait");
  at("gate-pairing").scrollIntoView({ block: "center" });
  await poll();
}

async function poll() {
  try {
    const query = encodeURIComponent(identity.device);
    const response = await fetch(`/api/v1/gate/bundle?device=${query}`, { credentials: "omit" });
    const bundle = response.ok ? await response.json() : null;
    const phase = bundle?.device?.phase ?? (response.status === 404 ? "refused" : "waiting");
    if (phase === "approved") return show("gate-done");
    if (phase === "refused" || phase === "withdrawn") {
      show("gate-ask");
      return wrong(root.dataset[phase]);
    }
  } catch { /* no network: ask again */ }
  if (!at("gate-wait").hidden) setTimeout(poll, POLL_MS);
}

if (identity) await waitForOwner();
navigator.serviceWorker?.register("/gate/sw.js").catch(() => {});
