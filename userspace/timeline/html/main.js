// The page put together: header, story, search, keys, light and dark.
const searchField = document.getElementById("search");
const keysHelp = [
  ["/", "look for something"], ["Esc", "close what is open, or look for nothing"], ["?", "this list"],
  ["← →", "timeline: earlier, later; flame graph: beside"], ["+ −", "timeline: closer, farther"],
  ["↑ ↓", "timeline: lane above, below; flame graph: caller, largest part"],
  ["Enter", "open what is chosen"], ["0", "the whole recording; the whole flame graph"],
  ["Home", "as far back as the oldest hold"], ["Backspace", "flame graph: back out"],
  ["Ctrl + wheel", "timeline: zoom at the pointer"], ["drag", "timeline: move"],
];

function drawStory() {
  document.getElementById("where").textContent = report.where;
  document.getElementById("story").replaceChildren(...report.sentences.map((text) => element("p", {}, text)));
  document.getElementById("made").textContent = report.made;
  const losses = document.getElementById("losses");
  losses.hidden = report.losses.length === 0;
  losses.textContent = report.losses.join(" ");
}

function drawLegend() {
  const waits = new Set(threads.flatMap((thread) => thread.wait));
  const shownCauses = new Set(holds.map((hold) => hold.cause));
  document.getElementById("legend").replaceChildren(
    ...[...waits].map((wait) => element("span", {}, dot(waitColour(wait)), waitNames[wait] || wait)),
    ...[...shownCauses].map((cause) => element("span", {}, dot(causeColour(cause)), cause)),
    element("span", {}, "◆ culprit"));
}

function setSearch(text) {
  searchField.value = text;
  show(text);
}

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  timeline.draw();
  flame.draw();
}

function drawHelp() {
  const dialog = document.getElementById("help");
  dialog.replaceChildren(element("h3", {}, "Keys"), element("table", {}, ...keysHelp.map(([key, what]) =>
    element("tr", {}, element("td", {}, element("kbd", {}, key)), element("td", {}, what)))),
  element("p", {}, "Words in the search: cause:NAME, pid:N, tid:N, port:N, wait:CLASS, or any part of a name or an address."),
  element("form", { method: "dialog" }, element("button", {}, "Close")));
  dialog.showModal();
}

initiallyOpened();
drawStory();
drawLegend();
drawGroups();
const timeline = new Timeline(document.getElementById("timeline"));
const flame = new Flame(document.getElementById("flame"));

shown.listeners.push(() => {
  const all = shown.holds.length === holds.length;
  document.getElementById("found").textContent = `${countText(shown.holds.length)} of ${countText(holds.length)} holds`;
  document.getElementById("clear").hidden = all;
  order.limit = pageOfHolds;
  drawHolds();
  timeline.relay();
  flame.rebuild();
});
show("");

const dark = window.matchMedia("(prefers-color-scheme: dark)");
setTheme(dark.matches);
dark.addEventListener("change", () => setTheme(dark.matches));

let typing = 0;
searchField.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => show(searchField.value), 120);
});
document.getElementById("clear").addEventListener("click", () => setSearch(""));
document.getElementById("more").addEventListener("click", () => { order.limit += 5 * pageOfHolds; drawHolds(); });
document.getElementById("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme !== "dark"));
document.getElementById("help-button").addEventListener("click", drawHelp);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.getElementById("help").open) {
    if (!panel.hidden) closePanel();
    else if (document.activeElement === searchField && searchField.value === "") searchField.blur();
    else setSearch("");
    return;
  }
  if (event.target === searchField || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "/") {
    event.preventDefault();
    searchField.focus();
  } else if (event.key === "?") {
    drawHelp();
  }
});

let resizing = 0;
const resized = () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => { timeline.resize(); flame.draw(); });
};
window.addEventListener("resize", resized);
window.addEventListener("beforeprint", () => { setTheme(false); timeline.resize(); flame.draw(); });
window.addEventListener("afterprint", resized);
