// The scanner: camera, picture or typed code in, verdict out, entry into the sealed queue. Everything
// that decides is in device.wasm, the same Rust code as on the server; this file is eyes and hands.

const root = document.getElementById("gate");
const at = (id) => document.getElementById(id);
const { keep: keepUrl, queue: queueUrl, device: deviceUrl, wasm: wasmUrl } = root.dataset;
const [tools, { openQueue }, { loadDevice }] =
  await Promise.all([import(keepUrl), import(queueUrl), import(deviceUrl)]);

const FRAME_MS = 100;
const REFRESH_MS = 5 * 60_000;
const FLUSH_MS = 30_000;
const SHOW_MS = { pass: 2_000, check: 5_000, no_pass: 4_500, cannot_tell: 4_500 };
/** Frames without a code after which the next showing is a new one: the last phone has gone. */
const GONE_FRAMES = 4;

// ---- Texts -------------------------------------------------------------------------------------

const texts = await (await fetch("/gate/texts.json")).json();
// The page may be kept from before another language was chosen: the cookie of all pages says which.
let language = /(?:^|; )haetae-lang=([\w-]+)/.exec(document.cookie)?.[1]
  ?? document.documentElement.lang;

function t(key, n) {
  const text = texts[language]?.[key] ?? texts.ko[key] ?? key;
  return n === undefined ? text : text.replace("{n}", String(n));
}

function speak(tag) {
  language = tag in texts ? tag : "ko";
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = t(element.dataset.text);
  }
  for (const button of root.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  root.querySelector("label[for=f-short]").textContent = t("gate-scan-typed-label");
  at("f-short-hint").textContent = t("gate-scan-typed-hint");
  if (running) at("gate-start").textContent = t("gate-scan-stop");
  draw();
}

root.querySelector(".gate-languages").addEventListener("click", (event) => {
  const tag = event.target.dataset?.language;
  if (!tag) return;
  // As the server sets it; here also without a network.
  const secure = isSecureContext ? "; Secure" : "";
  document.cookie = `haetae-lang=${tag}; Path=/; SameSite=Lax; Max-Age=31536000${secure}`;
  speak(tag);
});

// ---- What is kept ------------------------------------------------------------------------------

const keep = await tools.openKeep();
const device = await loadDevice(wasmUrl);
let identity = await keep.get("identity"); // { device, publicKey, privateKey }
let bundle = await keep.get("bundle"); // the server's answer, and `offset_ms` of our clock
let lists = await keep.get("lists"); // { trust, revocations } in base64, what versions, fetched when
let since = (await keep.get("since")) ?? 0; // lists issued before do not count
let material = await keep.get("passes"); // what the passes of others are judged by: { list, version }
let carried = null; // what the module said about it
let loaded = null; // what the module said about the lists
let queue = null;
let sealedTo = null; // the region's key of `queue`, as the bundle has it
let waiting = await keep.count();
let shown = 0;
let online = false;
let problem = null; // of the last hand-in
let running = false;

const nowMs = () => Date.now() + (bundle?.offset_ms ?? 0);
const nowS = () => Math.floor(nowMs() / 1000);
const phase = () => (identity ? (bundle?.device?.phase ?? "waiting") : "none");
const place = () => bundle?.device?.place ?? null;
const takesPasses = () => (place()?.pass_rules ?? "code_only") !== "code_only";

function loadLists(next) {
  if (!bundle || !next?.trust) return false;
  const floor = lists?.versions ?? { trust: 0, revocations: 0 };
  const answer = device.call("load_lists", {
    trust: next.trust,
    revocations: next.revocations ?? null,
    root: bundle.root,
    floor: bundle.floor ?? null,
    // Never back behind what this scanner has already seen.
    min_version: floor.trust,
    min_revocation_version: floor.revocations,
    min_since: since,
  });
  if (!("ok" in answer)) return false;
  loaded = answer.ok;
  since = loaded.since;
  return loaded.revocations_error === null;
}

function loadPasses(next) {
  if (!bundle || !next?.list) return false;
  const answer = device.call("load_passes", {
    passes: next.list, root: bundle.root, min_version: material?.version ?? 0, min_since: since,
  });
  if (!("ok" in answer)) return false;
  carried = answer.ok;
  return true;
}

/** The server's answer about a signed list. */
async function fetchList(url) {
  const response = await fetch(url, {
    cache: "no-cache", credentials: "omit", headers: { accept: "application/json" },
    signal: AbortSignal.timeout(8_000),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

/** The revocation list in base64: of what changed where this scanner has one, else whole. */
async function fetchRevocations() {
  const url = "/api/v1/code/revocations";
  const have = lists?.versions?.revocations;
  if (have) {
    const { delta, list } = await fetchList(`${url}?since=${have}`);
    if (list) return list;
    const made = device.call("apply_delta", { revocations: lists.revocations, delta, root: bundle.root });
    if ("ok" in made) return made.ok.list;
  }
  return (await fetchList(url)).list;
}

/** The server's answer about itself and, if it knows this device, about the device. */
async function fetchBundle() {
  const ask = (query) => fetch(`/api/v1/gate/bundle${query}`, {
    cache: "no-store", credentials: "omit", headers: { accept: "application/json" },
    signal: AbortSignal.timeout(8_000),
  });
  const asked = Date.now();
  let response = await ask(identity ? `?device=${encodeURIComponent(identity.device)}` : "");
  const unknown = identity && response.status === 404;
  if (unknown) response = await ask("");
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const fresh = await response.json();
  if (unknown) fresh.device = { device: identity.device, phase: "refused", place: null };
  // Small differences are the network's; a clock that is off is set right here.
  const offset = fresh.server_time_ms - (asked + Date.now()) / 2;
  return { ...fresh, offset_ms: Math.abs(offset) < 5_000 ? 0 : Math.round(offset) };
}

async function refresh() {
  try {
    const fresh = await fetchBundle();
    // Another city at the same address: its lists count from the beginning.
    if (bundle && bundle.root !== fresh.root) [lists, since, material, carried] = [undefined, 0, undefined, null];
    bundle = fresh;
    await keep.set("bundle", bundle);
    online = true;
    const [trust, revocations] =
      await Promise.all([fetchList("/api/v1/code/trust"), fetchRevocations()]);
    const next = { trust: trust.list, revocations };
    if (loadLists(next)) {
      next.versions = { trust: loaded.trust.version, revocations: loaded.revocations?.version ?? 0 };
      next.fetched_s = nowS();
      lists = next;
      await keep.set("lists", lists);
      await keep.set("since", since);
    } else if (!loadLists(lists)) {
      loaded = null;
    }
    await refreshPasses();
  } catch {
    online = false;
  }
  await openTheQueue();
  draw();
}

/** Only places that take the passes of others carry what judging them needs: it can be megabytes. */
async function refreshPasses() {
  if (!takesPasses()) return;
  const { list } = await fetchList("/api/v1/passes/material");
  if (!loadPasses({ list })) return void loadPasses(material);
  material = { list, version: carried.version };
  await keep.set("passes", material);
}

/** To the key that the region gives out at present. What was sealed to the one before waits in the same
    store, and goes out as it is. */
async function openTheQueue() {
  if (!bundle || bundle.queue === sealedTo) return;
  queue = await openQueue(keep, tools, tools.fromBase64(bundle.queue));
  sealedTo = bundle.queue;
}

async function handIn() {
  if (!queue || !identity) return;
  const result = await queue.flush(identity, nowS);
  if (result.problem === "offline") online = false;
  else if (result.taken + result.rejected > 0) online = true;
  problem = result.problem === "offline" || result.problem === "busy" ? null : result.problem;
  waiting = await keep.count();
  draw();
}

// ---- State on the page -------------------------------------------------------------------------

/** When the lists were fetched last, as a guard would say it; and whether they are too old to tell,
    which their own signed times decide. */
function listsInWords() {
  if (!loaded || !lists) return t("gate-scan-never");
  const fetched = fetchedInWords(lists.fetched_s ?? loaded.trust.issued_at);
  return areListsOld() ? t("gate-scan-old", fetched) : fetched;
}

function fetchedInWords(second) {
  const minutes = Math.max(0, Math.floor((nowS() - second) / 60));
  if (minutes < 2) return t("gate-scan-now");
  if (minutes < 60) return t("gate-scan-minutes", minutes);
  const [then, now] = [new Date(second * 1000), new Date(nowMs())];
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 86_400_000);
  const words = (options) => new Intl.DateTimeFormat(language, options).format(then);
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (days === 0) return t("gate-scan-today", words(time));
  if (days === 1) return t("gate-scan-yesterday", words(time));
  return t("gate-scan-day", words({ month: "short", day: "numeric", ...time }));
}

/** By the lists' own end, or by the hours that this place allows. */
function areListsOld() {
  if (!loaded) return true;
  const { trust, revocations } = loaded;
  const issued = Math.min(trust.issued_at, revocations?.issued_at ?? 0);
  const end = Math.min(trust.valid_until, revocations?.valid_until ?? 0);
  const hours = place()?.stale_hours ?? Infinity;
  return end <= nowS() || hours * 3600 < nowS() - issued;
}

function draw() {
  at("gate-connection").textContent = t(online ? "gate-scan-online" : "gate-scan-offline");
  at("gate-lists").textContent = listsInWords();
  at("gate-queue").textContent = t("gate-scan-entries", waiting);
  at("gate-shown").textContent = String(shown);
  at("gate-place").textContent = place()?.name || t("gate-scan-lead");
  root.dataset.state = phase();
  root.dataset.online = String(online);
  root.dataset.ready = String(loaded !== null);
  const note = {
    none: "gate-scan-practice", waiting: "gate-scan-waiting", refused: "gate-scan-refused",
    withdrawn: "gate-scan-withdrawn",
  }[phase()] ?? (problem && "gate-scan-upload-problem")
    ?? (place() && !place().open ? "gate-scan-closed" : null)
    ?? (bundle?.offset_ms ? "gate-scan-clock" : null);
  at("gate-note").hidden = note === null;
  at("gate-note-enrol").hidden = !["none", "waiting", "refused", "withdrawn"].includes(phase());
  if (note !== null) at("gate-note-text").textContent = t(note);
}

// ---- Sound, vibration, light -------------------------------------------------------------------

let audio = null;

/** Browsers allow sound after a touch only. */
function wakeSound() {
  if (navigator.userActivation?.hasBeenActive === false) return;
  audio ??= new (window.AudioContext ?? window.webkitAudioContext)();
  audio.resume();
}

/** Tones that differ in number, height and colour, for whoever does not look. */
const SIGNALS = {
  pass: { tones: [[880, 0, .11], [1320, .12, .16]], wave: "sine", shake: [70] },
  check: { tones: [[880, 0, .11], [880, .18, .11]], wave: "sine", shake: [70, 70, 70] },
  no_pass: { tones: [[190, 0, .28], [150, .32, .4]], wave: "square", shake: [300, 100, 300] },
  cannot_tell: { tones: [[440, 0, .08], [440, .14, .08], [440, .28, .08]], wave: "triangle", shake: [60, 60, 60, 60, 60] },
};

function signal(kind) {
  const { tones, wave, shake } = SIGNALS[kind];
  if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(shake);
  if (!audio) return;
  for (const [frequency, from, seconds] of tones) {
    const [tone, volume, start] = [audio.createOscillator(), audio.createGain(), audio.currentTime + from];
    tone.type = wave;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(.001, start);
    volume.gain.exponentialRampToValueAtTime(.35, start + .015);
    volume.gain.exponentialRampToValueAtTime(.001, start + seconds);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + seconds + .02);
  }
}

// ---- The verdict -------------------------------------------------------------------------------

/** What the module says, with this place's own rules on top. */
function judge(text, remember) {
  let verdict;
  try {
    const answer = device.call("verify", { text, now_s: nowS(), remember });
    verdict = answer.ok ?? cannotTell(answer.error === "lists_missing" ? "lists_missing" : "malformed");
  } catch {
    verdict = cannotTell("malformed");
  }
  const rules = place();
  if (rules && verdict.outcome === "pass") {
    if (areListsOld()) {
      verdict = { ...verdict, outcome: "cannot_tell", reasons: ["lists_old"] };
    } else if (verdict.class === "printed" && !rules.printed_allowed) {
      verdict = { ...verdict, outcome: "no_pass", reasons: ["printed_not_allowed"] };
    }
  }
  return verdict;
}

const cannotTell = (reason) =>
  ({ outcome: "cannot_tell", reasons: [reason], class: null, pass: null, ask_id: false });

// ---- The passes of others ----------------------------------------------------------------------

const OTHERS = /^(HC1:|NZCP:\/|shc:\/|\{|eyJ)/i;
/** Cards in several codes: the parts seen so far, by their number. */
let parts = { of: 0, seen: new Map() };

async function judgePass(text) {
  const rules = place();
  if (!takesPasses()) return cannotTell("code_only");
  try {
    const demand = { rules: rules.pass_rules, full_name: rules.full_name, stale_passes: rules.stale_passes };
    const answer = await device.pass(text, demand, nowS());
    if (!("ok" in answer)) return cannotTell(answer.error === "passes_missing" ? answer.error : "malformed");
    // A rule's name after its code is for officers, not for the guard.
    const reasons = [...new Set(answer.ok.reasons.map((it) => it.split(":")[0]))];
    // Whoever holds a copy can show it, as with a printed code of ours; but for one bound to its phone.
    return { ...answer.ok, reasons, class: null, ask_id: answer.ok.outcome === "pass" && !isBound(text) };
  } catch {
    return cannotTell("malformed");
  }
}

/** The whole text of a card, or null while parts of it are missing. */
function whole(text) {
  const part = /^shc:\/(\d{1,2})\/(\d{1,2})\//i.exec(text);
  if (!part || Number(part[2]) < 2) return text;
  const [number, of] = [Number(part[1]), Number(part[2])];
  if (parts.of !== of) parts = { of, seen: new Map() };
  parts.seen.set(number, text);
  if (parts.seen.size < of) return null;
  const all = [...parts.seen].sort(([a], [b]) => a - b).map(([, it]) => it).join("\n");
  parts = { of: 0, seen: new Map() };
  return all;
}

/** A scanned pass of somebody else's: judged, shown, recorded. */
async function showPass(part, started, decoded, typed = false) {
  const text = whole(part);
  if (text === null) {
    at("gate-parts").textContent = t("gate-scan-parts", `${parts.seen.size}/${parts.of}`);
    at("gate-parts").hidden = false;
    return;
  }
  at("gate-parts").hidden = true;
  const verdict = await judgePass(text);
  present(verdict, started, decoded);
  if (takesPasses()) record(verdict, typed);
}

let returnTimer = null;

/** Measures how long the guard waited: `gate-read` from the picture to its text, `gate-verdict` from
    the text (read or typed) to the verdict on the screen. For whoever looks at the page's timings. */
function measure(started, decoded) {
  for (const name of ["gate-read", "gate-verdict"]) performance.clearMeasures(name);
  if (started < decoded) performance.measure("gate-read", { start: started, end: decoded });
  // Called just before the frame with the verdict is painted; what it puts off runs just after.
  requestAnimationFrame(() => setTimeout(() =>
    performance.measure("gate-verdict", { start: decoded, end: performance.now() })));
}

function present(verdict, started, decoded = started) {
  const kind = verdict.outcome === "pass" && verdict.ask_id ? "check" : verdict.outcome;
  const panel = root.querySelector("#gate-verdict .verdict");
  panel.dataset.colour = { pass: "green", check: "yellow", no_pass: "red", cannot_tell: "unknown" }[kind];
  const word = { pass: "gate-word-pass", check: "gate-word-pass-id", no_pass: "gate-word-no-pass", cannot_tell: "gate-word-cannot-tell" }[kind];
  // A pass of others says whose it is; a printed code of ours does not.
  const noted = [...(verdict.marked ? ["lists_old_marked"] : []), ...(verdict.notes ?? [])];
  const reasons = kind === "check" ? [verdict.shown ? "compare_id" : "ask_id", ...noted]
    : verdict.marked ? noted : verdict.reasons;
  panel.querySelector(".verdict-word").textContent = t(word);
  at("gate-holder").textContent = holder(verdict.shown);
  at("gate-holder").hidden = !verdict.shown;
  panel.querySelector(".verdict-reason").textContent =
    reasons.map((code) => t(`gate-reason-${code.replaceAll("_", "-")}`)).join(" ");
  at("gate-verdict").hidden = false;
  root.dataset.verdict = verdict.outcome;
  root.dataset.reasons = verdict.reasons.join(" ");
  measure(started, decoded);
  signal(kind);
  shown += 1;
  clearTimeout(returnTimer);
  returnTimer = setTimeout(next, SHOW_MS[kind]);
  at("gate-next").focus();
}

/** As much of the holder as the place asks for: initials and birth day, or the name. */
function holder(shown) {
  if (!shown) return "";
  const [month, day] = (shown.birth_day ?? "").split("-").map(Number);
  const birth = month && day
    ? new Intl.DateTimeFormat(language, { month: "long", day: "numeric", timeZone: "UTC" })
      .format(new Date(Date.UTC(2000, month - 1, day)))
    : "";
  return [shown.name ?? shown.initials, birth].filter(Boolean).join(" · ");
}

function next() {
  clearTimeout(returnTimer);
  if (at("gate-verdict").hidden) return;
  at("gate-verdict").hidden = true;
  delete root.dataset.verdict;
  gone = 0;
  draw();
}
at("gate-next").addEventListener("click", next);

/** Into the sealed queue; a device that is not approved records nothing. */
async function record(verdict, typed, short) {
  if (phase() !== "approved" || !queue) return;
  root.dataset.recording = ++recording;
  try {
    await queue.add({
      pass: verdict.pass ?? null,
      at: nowS(),
      verdict: verdict.outcome,
      reasons: verdict.reasons,
      class: verdict.class ?? null,
      typed,
      ...(short ? { short } : {}),
    });
    waiting = await keep.count();
    draw();
  } finally {
    root.dataset.recording = --recording;
  }
  if (online) handIn();
}

/** Entries on their way into the queue. */
let recording = 0;

/** A pass that is judged by keys and rules: of others, or a compact code of ours, which has the envelope
    of the health code. */
const isPass = (text) => OTHERS.test(text) || isBound(text);
const isBound = (text) => text.startsWith("HT1:") && tried("is_bound", { text }).ok === true;

/** What the module says of a text without counting it; nothing if it broke on it. */
function tried(op, args) {
  try {
    return device.call(op, { ...args, now_s: nowS(), remember: false });
  } catch {
    return {};
  }
}

/** Who shows a compact code, without counting it; null where that is not known. */
function boundName(text) {
  const rules = place();
  if (!takesPasses() || !isBound(text)) return null;
  const demand = { rules: rules.pass_rules, full_name: false, stale_passes: rules.stale_passes };
  return tried("conclude", { text, demand }).ok?.pass ?? null;
}

/** A scanned text: verdict first, record after. */
function show(text, started, decoded, typed = false) {
  if (isPass(text)) return showPass(text, started, decoded, typed);
  const verdict = judge(text, true);
  present(verdict, started, decoded);
  // Any poster has a QR code: what is not a code of ours is shown and not recorded.
  if (text.startsWith("HT1:")) record(verdict, typed);
}

// ---- Camera ------------------------------------------------------------------------------------

const video = at("gate-video");
const canvas = document.createElement("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });
let stream = null;
let last = { text: null, pass: null };
let gone = GONE_FRAMES;
let lock = null;

async function start() {
  wakeSound();
  at("gate-problem").hidden = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false, video: { facingMode: "environment", width: { ideal: 1280 } },
    });
  } catch {
    return trouble("gate-scan-no-camera");
  }
  video.srcObject = stream;
  video.hidden = at("gate-point").hidden = false;
  await video.play();
  running = true;
  at("gate-start").textContent = t("gate-scan-stop");
  lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null;
  look();
}

function stop() {
  running = false;
  for (const track of stream?.getTracks() ?? []) track.stop();
  video.hidden = at("gate-point").hidden = true;
  at("gate-start").textContent = t("gate-scan-start");
  lock?.release();
}
at("gate-start").addEventListener("click", () => (running ? stop() : start()));

function trouble(key) {
  at("gate-problem").textContent = t(key);
  at("gate-problem").hidden = false;
}

/** The texts of the codes in a picture, scaled so that its longer side has at most `side` pixels. */
function read(source, width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return device.scan(context.getImageData(0, 0, canvas.width, canvas.height));
}

/** Ours before a pass of others, a pass before a poster. */
const choose = (found) => found.find((text) => text.startsWith("HT1:"))
  ?? found.find((text) => OTHERS.test(text)) ?? found[0];

function look() {
  if (!running) return;
  const started = performance.now();
  if (at("gate-verdict").hidden && video.videoWidth > 0) {
    const found = read(video, video.videoWidth, video.videoHeight, 720);
    if (found.length === 0) gone += 1;
    else meet(choose(found), started);
  }
  setTimeout(look, FRAME_MS);
}

/** The phone that has just been judged may still be in view, with a new proof each 15 s: it counts
    once until it has gone away. Another phone counts at once. */
function meet(text, started) {
  const decoded = performance.now();
  const inView = gone < GONE_FRAMES;
  if (inView && text === last.text) return;
  const pass = isPass(text) ? boundName(text) : judge(text, false).pass;
  if (inView && pass && pass === last.pass) return;
  last = { text, pass };
  gone = 0;
  show(text, started, decoded);
}

document.addEventListener("visibilitychange", async () => {
  if (document.visibilityState !== "visible") return;
  refresh();
  if (running) lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null;
});

// ---- Picture and typed code --------------------------------------------------------------------

at("gate-picture").addEventListener("change", async (event) => {
  wakeSound();
  at("gate-problem").hidden = true;
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  const started = performance.now();
  try {
    const picture = await createImageBitmap(file);
    // A photograph from afar needs its pixels, a close one reads better without the noise.
    let found = [];
    for (const side of [1000, 2400]) {
      found = read(picture, picture.width, picture.height, side);
      if (found.length > 0) break;
    }
    if (found.length === 0) return trouble("gate-scan-no-code");
    // A card in several codes may lie whole in one picture.
    const pieces = found.filter((text) => /^shc:\/\d/i.test(text));
    if (pieces.length > 1) {
      for (const piece of pieces) await showPass(piece, started, performance.now());
      return;
    }
    show(choose(found), started, performance.now());
  } catch {
    trouble("gate-scan-no-code");
  }
});

at("gate-typed").addEventListener("submit", async (event) => {
  event.preventDefault();
  wakeSound();
  const [field, error] = [at("f-short"), at("gate-typed-error")];
  const text = field.value.trim();
  const started = performance.now();
  error.hidden = true;
  if (text.startsWith("HT1:") || OTHERS.test(text)) {
    field.value = "";
    return show(text, started, started, true);
  }
  const parsed = device.call("parse_short", { text });
  if (!("ok" in parsed)) {
    error.textContent = t("gate-scan-mistyped");
    error.hidden = false;
    return field.focus();
  }
  field.value = "";
  const short = parsed.ok.text;
  const verdict = await lookUp(short);
  present(verdict, started);
  record(verdict, true, verdict.pass ? null : short);
});

/** Asks the server what a typed code says; without one nobody can tell. */
async function lookUp(short) {
  if (phase() !== "approved") return cannotTell("not_enrolled");
  try {
    const made_at = nowS();
    const bytes = tools.pack("haetae/gate-typed/v1", { u64: made_at }, { put: identity.device }, { put: short });
    const response = await fetch("/api/v1/gate/typed", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({
        device: identity.device, short, made_at, signature: await tools.sign(identity.privateKey, bytes),
      }),
      credentials: "omit",
      signal: AbortSignal.timeout(2_500),
    });
    if (!response.ok) return cannotTell("typed_offline");
    online = true;
    return { class: null, ...(await response.json()) };
  } catch {
    online = false;
    return cannotTell("typed_offline");
  }
}

// ---- Begin -------------------------------------------------------------------------------------

loadLists(lists);
loadPasses(material);
await openTheQueue();
speak(language);
refresh().then(handIn);
setInterval(() => refresh(), REFRESH_MS);
setInterval(() => handIn(), FLUSH_MS);
setInterval(draw, 30_000);
window.addEventListener("online", () => refresh().then(handIn));
window.addEventListener("offline", () => { online = false; draw(); });
// While it waits for the owner, a device asks more often.
setInterval(() => { if (phase() === "waiting") refresh(); }, 5_000);
navigator.storage?.persist?.();
navigator.serviceWorker?.register("/gate/sw.js").catch(() => {});
