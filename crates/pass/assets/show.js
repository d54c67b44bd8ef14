// A pass at a door, drawn on the phone: a compact code is fetched ahead of time and kept, and each 15 s the
// phone's own key signs the moment, so that a picture of the screen dies in 30 s. Without a network the page
// and the code that are kept are shown. Without this file the page offers the printed pass.
const $ = (id) => document.getElementById(id);
const box = $("bound");

const run = async () => {
  const { dataset } = box;
  const { STEP, askFor, database, deviceKey, present } = await import(dataset.present);
  const kept = database("haetae-passes");
  const pair = await deviceKey(kept);
  let code = await kept.read(dataset.codes);
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
      code = await askFor(dataset.codes, pair);
      await kept.keep(dataset.codes, code);
    } catch (error) {
      // The server says that there is none any more.
      ended = error.message === "pass-not-bindable";
      if (ended) {
        code = null;
        await kept.drop(dataset.codes);
      } else if (!code) {
        say("failed");
      }
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
    await present($("qr"), pair, code, step);
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
      box.dataset.present,
      ...[...document.querySelectorAll("link[rel=stylesheet], script[src]")].map((it) => it.href || it.src),
    ] }))
    .catch(() => {});
}
