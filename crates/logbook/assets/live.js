// Lets the list of the newest entries grow while it is looked at. Complete without it: the page is then
// as new as its loading. The browser connects again by itself and says which entry it had last.

const ROWS = 20;

const list = document.querySelector("[data-live]");
if (list) {
  const source = new EventSource(`/log/live?after=${list.dataset.live}`);
  source.addEventListener("message", ({ data }) => show(JSON.parse(data)));
  // Nobody looks: the place is somebody else's. (A page that comes back from the cache loads anew.)
  addEventListener("pagehide", () => source.close());
}

/** Puts an entry on top, as a copy of a row that is there. */
function show({ index, number, at, words }) {
  const row = list.rows[0].cloneNode(true);
  const [first, second, third] = row.cells;
  first.firstElementChild.textContent = number;
  first.firstElementChild.href = `/log/entry/${index}`;
  second.textContent = at;
  third.textContent = words;
  list.prepend(row);
  while (list.rows.length > ROWS) list.deleteRow(-1);
}
