// The page put together: legend, search, keys, light and dark, paper.
const searchField = byId("search");
const keysHelp = [
  ["/", "look for something"], ["Esc", "close what is open; show all again"], ["?", "this list"],
  ["← →", "timeline: earlier, later. Flame graph: beside"], ["+ −", "timeline: closer, farther"],
  ["↑ ↓", "timeline: lane above, below. Flame graph: caller, largest part"],
  ["Enter", "explain or enlarge what is chosen"], ["Space", "timeline: open or fold what is chosen"],
  ["0", "the whole recording; the whole flame graph"], ["Home", "timeline: as far back as the oldest hold"],
  ["Backspace", "flame graph: back out"], ["Ctrl + wheel", "timeline: zoom at the pointer"],
  ["drag", "timeline: move; on its clock: zoom to what is dragged over"],
];
const wordsHelp = "Words in the search, all of which have to fit: cause:NAME, comm:NAME, pid:N, tid:N, port:N, wait:CLASS, is:open, is:closed, " +
  "group:N, or any part of a name or an address. A minus before a word turns it round.";

// The incident in four numbers.
function drawNumbers() {
  const totals = report.totals ?? {
    holds: holds.length, groups: groups.length, open: holds.filter((hold) => hold.open).length,
    longest_ns: holds.reduce((most, hold) => Math.max(most, hold.held), 0), at_least: holds.some((hold) => !hold.exact) ? 1 : 0,
  };
  const longest = `${totals.at_least ? "≥ " : ""}${durationText(totals.longest_ns)}`;
  const numbers = [
    [countText(totals.holds), totals.holds === 1 ? "hold" : "holds"], [countText(totals.groups), totals.groups === 1 ? "group" : "groups"],
    [countText(totals.open), "open at the end"], [totals.holds ? longest : "", "held longest"],
  ];
  byId("numbers").replaceChildren(...numbers.map(([number, what]) => element("div", {}, element("dt", {}, what), element("dd", {}, number))));
  for (const id of ["numbers", "finder", "flame-section"]) byId(id).hidden = holds.length === 0;
  byId("timeline-section").hidden = holds.length + threads.length + counters.length === 0;
}

function drawNotes() {
  const notes = byId("left-out");
  notes.replaceChildren(...report.left_out.map((text) => element("p", {}, text)));
  notes.hidden = report.left_out.length === 0;
  for (const id of ["losses", "notes"]) byId(id).hidden = byId(id).childElementCount === 0;
}

// What the colours mean.
function drawStates() {
  const states = new Map();
  for (const thread of threads) for (const state of thread.state) states.set(state, (states.get(state) ?? 0) + 1);
  byId("states").replaceChildren(...[...states.keys()].map((state) => element("span", {}, waitDot(state), waitText(state))),
    ...(holds.length ? ["◆ named for a hold", "pale: not touched since the FIN", "▸ goes on"] : []).map((text) => element("span", {}, text)),
    losses.length ? element("span", {}, "▼ events were lost") : "");
}

function countCauses(list) {
  const counts = new Map();
  for (const hold of list) counts.set(hold.cause, (counts.get(hold.cause) ?? 0) + 1);
  return counts;
}

// A cause is a button that looks for it.
function drawCauses() {
  byId("causes").replaceChildren(...[...countCauses(holds)].sort((a, b) => b[1] - a[1]).slice(0, 24).map(([cause]) => element("button",
    { type: "button", class: "cause-button", "aria-pressed": "false", "data-cause": cause, onclick: () => toggleCause(cause) },
    dot(causeColour(cause)), `${cause} `, element("span", { class: "quiet" }))));
}

// Their numbers are those of what is looked for, whichever cause is chosen.
function markCauses() {
  const looked = shown.text.toLowerCase().split(/\s+/);
  const counts = countCauses(looked.some(isCauseWord) ? holdsMatching(withoutCauses(shown.text)) : shown.holds);
  for (const button of byId("causes").children) {
    const { cause } = button.dataset;
    button.setAttribute("aria-pressed", String(looked.includes(causeWord(cause))));
    button.lastElementChild.textContent = countText(counts.get(cause) ?? 0);
  }
}

function toggleCause(cause) {
  const word = causeWord(cause);
  const chosen = shown.text.toLowerCase().split(/\s+/).includes(word);
  setSearch(`${withoutCauses(shown.text)} ${chosen ? "" : word}`.trim());
}

function setSearch(text) {
  searchField.value = text;
  show(text);
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  readPalette();
  drawStates();
  timeline.draw();
  flame.draw();
}

function drawHelp() {
  const dialog = byId("help");
  dialog.replaceChildren(element("h3", {}, "Keys"), element("table", {}, element("tbody", {}, ...keysHelp.map(([key, what]) =>
    element("tr", {}, element("td", {}, element("kbd", {}, key)), element("td", {}, what))))),
  element("p", {}, wordsHelp), element("form", { method: "dialog" }, element("button", {}, "Close")));
  dialog.showModal();
}

openAtFirst();
readPalette();
drawNumbers();
drawNotes();
drawStates();
drawCauses();
drawGroups();
const timeline = new Timeline(byId("timeline"));
const flame = new Flame(byId("flame"));

shown.listeners.push(() => {
  const all = shown.holds.length === holds.length;
  byId("found").textContent = all ? holdsText(holds.length) : `${countText(shown.holds.length)} of ${holdsText(holds.length)}`;
  byId("clear").hidden = shown.text === "";
  markCauses();
  order.limit = pageOfHolds;
  markGroups();
  drawHolds();
  timeline.relay();
  flame.rebuild();
});
show("");

// ---- what the reader does -----------------------------------------------------------------------------------

const dark = window.matchMedia("(prefers-color-scheme: dark)");
setTheme(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
byId("print").addEventListener("click", () => window.print());
byId("help-button").addEventListener("click", drawHelp);
byId("clear").addEventListener("click", () => setSearch(""));
byId("more").addEventListener("click", () => { order.limit += 5 * pageOfHolds; drawHolds(); });

let typing = 0;
searchField.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => show(searchField.value), 120);
});

document.addEventListener("keydown", (event) => {
  if (byId("help").open) return;
  if (event.key === "Escape") {
    tip.hide();
    if (!panel.hidden) closePanel();
    else if (document.activeElement === searchField && searchField.value === "") searchField.blur();
    else setSearch("");
    return;
  }
  if (event.target === searchField || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "/") {
    event.preventDefault();
    searchField.focus();
    searchField.select();
  } else if (event.key === "?") {
    drawHelp();
  }
});

// The clock of the timeline stays in sight below the search.
function fit() {
  const finder = byId("finder");
  const sticks = getComputedStyle(finder).position === "sticky";
  document.documentElement.style.setProperty("--finder", `${sticks ? finder.offsetHeight : 0}px`);
}

let resizing = 0;
new ResizeObserver(() => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => { fit(); timeline.resize(); flame.draw(); });
}).observe(document.body);

// On paper: light, as wide as the paper is, all lanes that fit a page.
printing.width = 700;
let themeBefore = "light";
function toPaper(now) {
  if (printing.now === now) return;
  printing.now = now;
  if (now) themeBefore = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = now ? "light" : themeBefore;
  readPalette();
  drawStates();
  timeline.resize();
  flame.draw();
}
window.addEventListener("beforeprint", () => toPaper(true));
window.addEventListener("afterprint", () => toPaper(false));
