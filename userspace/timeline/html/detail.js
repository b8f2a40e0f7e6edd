// The panel that explains one hold, one thread or one group.
const panel = byId("detail");
let cameFrom = null;

function openPanel(...content) {
  if (panel.hidden) cameFrom = document.activeElement;
  panel.replaceChildren(element("button", { class: "close", type: "button", onclick: closePanel }, "Close"), ...content);
  panel.hidden = false;
  timeline.point(null);
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
}

function closePanel() {
  if (panel.hidden) return;
  panel.hidden = true;
  timeline.mark([]);
  if (cameFrom && cameFrom.isConnected) cameFrom.focus({ preventScroll: true });
}

const part = (title, ...content) => [element("h4", {}, title), ...content];
const list = (texts) => element("ul", {}, ...texts.map((text) => element("li", {}, words(text))));
const quiet = (text) => element("p", { class: "quiet" }, words(text));

function chainItem(link) {
  const wait = textOf(link.waits_for);
  const state = wait === "nothing" || wait === "running" ? "runs" : `waits for ${wait ? waitText(wait) : "something not known"}`;
  const time = link.for_ns === null ? "" : `, for ${durationText(link.for_ns)} when last seen`;
  return element("li", {}, element("strong", {}, words(`${known(link.comm)} (${link.tid})`)),
    textOf(link.function) ? words(`, in ${textOf(link.function)},`) : "", " ", wait ? waitDot(wait) : null, state + time,
    textOf(link.detail) ? element("div", { class: "quiet" }, words(textOf(link.detail))) : null);
}

function explanation(hold) {
  const { detail } = hold;
  if (!detail) return [quiet("This page has no wait chain and no evidence of this hold; see those of its group held longest.")];
  const texts = (indices) => indices.map(known);
  const parts = [];
  const perhaps = isPerhaps(hold) ? "perhaps: " : "";
  if (detail.summary) parts.push(element("p", { class: "summary" }, words(perhaps + textOf(detail.summary))));
  if (detail.because.length) parts.push(...part("Wait chain", element("ol", { class: "chain" }, ...detail.because.map(chainItem))));
  if (detail.evidence.length) parts.push(...part("Evidence", list(texts(detail.evidence))));
  if (detail.contributing.length) parts.push(...part("Contributing", list(texts(detail.contributing))));
  if (detail.holders.length) parts.push(...part("Held by", list(texts(detail.holders))));
  if (detail.advice) parts.push(...part("What to do", element("p", {}, words(textOf(detail.advice)))));
  return parts;
}

const chainOf = (hold) => [hold.thread, ...(hold.detail ? hold.detail.because.map((link) => link.thread) : [])];

function endText(hold) {
  if (hold.open) return "still open at the end of the recording";
  if (hold.later) return `its end was missed: it was there at ${clockText(hold.end, 6)}, and then found gone`;
  return `${hold.closer >= 0 ? `ended by ${threadText(hold.closer)}` : "ended"} at ${clockText(hold.end, 6)}`;
}

function showHold(hold) {
  timeline.mark(chainOf(hold));
  const basis = hold.detail ? textOf(hold.detail.basis) : "";
  openPanel(
    element("h3", {}, dot(causeColour(hold.cause)), words(causeText(hold))),
    element("p", {}, connectionText(hold)),
    ...part("Who", element("p", {}, processText(hold.process)), quiet(`${!blames(hold) ? "thread" : isPerhaps(hold) ? "perhaps" : "culprit"}: ${threadText(hold.thread)}${basis ? `, by ${basis}` : ""}`)),
    ...part("When", element("p", {}, `held ${heldText(hold)}`),
      hold.timed ? quiet(`since ${dateText(hold.begin)}${hold.earlier ? " or earlier" : ""}`) : null,
      hold.touched === null ? null : quiet(`first read or written after the FIN at ${clockText(hold.touched, 6)}`),
      quiet(endText(hold))).filter(Boolean),
    ...explanation(hold), quiet(`socket ${hold.id}`));
}

function showGroup(index) {
  const group = groups[index];
  timeline.mark(group.typical ? chainOf(group.typical) : []);
  const facts = group.process < 0 ? [] : processes[group.process].facts;
  openPanel(
    element("h3", {}, dot(causeColour(group.cause)), `${countText(group.sockets)} × ${causeText(group)}`),
    element("p", {}, `${processText(group.process)}, ${group.where}`), ...facts.map(quiet),
    quiet(`${countText(group.open)} open at the end, the longest held ${oldestText(group)}`), ...group.facts.map(quiet),
    ...(group.typical ? [...part("The one held longest"), quiet(connectionText(group.typical)), ...explanation(group.typical)] : []));
}

function showThread(index) {
  const thread = threads[index];
  const totals = new Map();
  const add = (state, ns) => { if (ns > 0) totals.set(state, (totals.get(state) ?? 0) + ns); };
  for (const [at, state] of thread.state.entries()) {
    const long = thread.end[at] - thread.begin[at];
    add(state, thread.filled ? thread.filled[at] : long);
    if (thread.filled) add("mixed", long - thread.filled[at]);
  }
  const whole = [...totals.values()].reduce((sum, one) => sum + one, 0) || 1;
  const mine = holds.filter((hold) => hold.thread === index);
  timeline.mark([index]);
  openPanel(
    element("h3", {}, threadText(index)), quiet(processText(thread.process)),
    ...part("What it did while it was recorded", totals.size ? element("table", {}, element("tbody", {}, ...[...totals].sort((a, b) => b[1] - a[1])
      .map(([state, ns]) => element("tr", {}, element("td", {}, waitDot(state), waitText(state)), cell(durationText(ns), "number"),
        cell(`${Math.round(ns / whole * 100)} %`, "number"))))) : quiet("It was not watched.")),
    ...part("Holds it is named for", element("p", {}, countText(mine.length)), mine.length
      ? element("button", { type: "button", onclick: () => { setSearch(`tid:${thread.tid}`); closePanel(); } }, "Show them") : null).filter(Boolean));
}
