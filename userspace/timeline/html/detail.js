// The panel that explains one hold, one thread or one group.
const panel = document.getElementById("detail");
let cameFrom = null;

function openPanel(...content) {
  if (panel.hidden) cameFrom = document.activeElement;
  panel.replaceChildren(element("button", { class: "close", type: "button", onclick: closePanel }, "Close"), ...content);
  panel.hidden = false;
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
}

function closePanel() {
  if (panel.hidden) return;
  panel.hidden = true;
  if (cameFrom && cameFrom.isConnected) cameFrom.focus({ preventScroll: true });
}

const part = (title, ...content) => [element("h4", {}, title), ...content];
const list = (texts) => element("ul", {}, ...texts.map((text) => element("li", {}, text)));

function chainItem(link) {
  const made = element("li", {}, element("strong", {}, `${link.comm} (${link.tid ?? link.pid})`),
    ` ${link.waits_for === "nothing" ? "runs" : `waits for ${waitNames[link.waits_for] || link.waits_for}`}`,
    link.for_ns === null ? "" : ` since ${durationText(link.for_ns)}`, element("br"), link.detail || "");
  made.style.borderLeftColor = waitColour(link.waits_for);
  return made;
}

function explanation(detail) {
  if (!detail) return [element("p", { class: "quiet" }, "The recording keeps the words of its group's typical members only.")];
  const parts = [element("p", {}, detail.summary)];
  if (detail.because.length) parts.push(...part("Wait chain", element("ol", { class: "chain" }, ...detail.because.map(chainItem))));
  if (detail.evidence.length) parts.push(...part("Evidence", list(detail.evidence)));
  if (detail.contributing.length) parts.push(...part("Contributing", list(detail.contributing)));
  if (detail.holders.length) parts.push(...part("Held by", list(detail.holders)));
  if (detail.advice) parts.push(...part("What to do", element("p", {}, detail.advice)));
  return parts;
}

function showHold(hold) {
  const end = hold.open ? "still open at the end of the recording" : `ended ${clockText(hold.end, 4)} UTC`;
  openPanel(
    element("h3", {}, dot(causeColour(hold.cause)), `${hold.cause}, ${hold.confidence}`),
    element("p", {}, `${hold.local} ← ${hold.remote}`),
    element("p", { class: "quiet" }, `${processText(hold.process)}, ${threadText(hold.thread)}`),
    element("p", { class: "quiet" }, `held ${hold.exact ? "" : "at least "}${durationText(hold.end - hold.begin)}, ` +
      `since ${clockText(hold.begin, 4)} UTC, ${end}; socket ${hold.id}`),
    ...explanation(report.details[hold.detail]));
}

function showGroup(index) {
  const group = groups[index];
  openPanel(
    element("h3", {}, dot(causeColour(group.cause)), `${countText(group.sockets)} × ${group.cause}, ${group.confidence}`),
    element("p", { class: "quiet" }, `${processText(group.process)}, ${group.where}, the oldest held ${durationText(group.oldest_held_ns)}`),
    ...explanation(report.details[group.detail]));
}

function showThread(index) {
  const thread = threads[index];
  const totals = new Map();
  for (const [at, wait] of thread.wait.entries()) totals.set(wait, (totals.get(wait) || 0) + thread.end[at] - thread.begin[at]);
  const whole = [...totals.values()].reduce((sum, one) => sum + one, 0);
  const mine = holds.filter((hold) => hold.thread === index);
  openPanel(
    element("h3", {}, threadText(index)), element("p", { class: "quiet" }, processText(thread.process)),
    ...part("What it did while it was recorded", element("ul", {}, ...[...totals].sort((a, b) => b[1] - a[1]).map(([wait, ns]) =>
      element("li", {}, dot(waitColour(wait)), `${waitNames[wait] || wait}: ${durationText(ns)}, ${Math.round(ns / whole * 100)} %`)))),
    ...part("Holds it is the culprit of", element("p", {}, countText(mine.length)), mine.length
      ? element("button", { type: "button", onclick: () => { setSearch(`tid:${thread.tid}`); closePanel(); } }, "Show them")
      : null).filter(Boolean));
}
