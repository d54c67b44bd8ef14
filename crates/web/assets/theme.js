// Large print and dark screen, kept on this device. The page is complete without this file: the buttons
// stay hidden, and the system's own wishes (prefers-color-scheme, browser zoom) are followed by the style sheet.
// The choice lies in localStorage (for pages kept offline) and in a cookie (so that the server draws the next page right).
const root = document.documentElement;
const wishes = matchMedia("(prefers-color-scheme: dark)");
const read = (key) => { try { return localStorage.getItem(`haetae-${key}`); } catch { return null; } };
const keep = (key, value) => {
  root.dataset[key] = value;
  try { localStorage.setItem(`haetae-${key}`, value); } catch { /* private window: the cookie is enough */ }
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `haetae-${key}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
};

// What each switch may be, and whether it is on now.
const switches = {
  theme: { off: "light", on: "dark", isOn: () => root.dataset.theme === "dark" || (root.dataset.theme !== "light" && wishes.matches) },
  size: { off: "normal", on: "large", isOn: () => root.dataset.size === "large" },
};
for (const [key, { off, on }] of Object.entries(switches)) {
  const kept = read(key);
  if (kept === off || kept === on) root.dataset[key] = kept;
}

const draw = () => {
  for (const button of document.querySelectorAll("[data-toggle]")) {
    button.setAttribute("aria-pressed", String(switches[button.dataset.toggle].isOn()));
  }
  for (const band of document.querySelectorAll("[data-offline]")) band.hidden = navigator.onLine;
};
for (const button of document.querySelectorAll("[data-toggle]")) {
  button.addEventListener("click", () => {
    const key = button.dataset.toggle;
    const { off, on, isOn } = switches[key];
    keep(key, isOn() ? off : on);
    draw();
  });
}
for (const box of document.querySelectorAll("[data-display]")) box.hidden = false;
wishes.addEventListener("change", draw);
addEventListener("online", draw);
addEventListener("offline", draw);
draw();

// Caches named `haetae-own-…` hold a person's own pages. They go when nobody or somebody else is signed in, or the
// language is another; a page that lies in one has just been renewed itself. A page without a head tells nothing.
const forget = async () => {
  const whose = `${root.lang} ${document.querySelector(".who span")?.textContent ?? ""}`;
  if (!document.querySelector(".top") || read("whose") === whose) return;
  for (const name of await caches.keys()) {
    if (!name.startsWith("haetae-own-")) continue;
    if (!(await caches.match(location.pathname, { cacheName: name }))) await caches.delete(name);
  }
  localStorage.setItem("haetae-whose", whose);
};
forget().catch(() => { /* no caches or no storage here: then nothing is kept either */ });
