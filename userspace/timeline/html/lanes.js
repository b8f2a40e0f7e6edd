// Which lanes the timeline has: the machine's numbers; a process, its threads beneath, its groups of sockets, and
// the sockets of a group that was opened.
const laneHeights = { counter: 34, process: 28, thread: 20, more: 20, group: 40, hold: 16 };
const fewHolds = 40;    // so many are shown one by one from the beginning
const fewThreads = 12;  // of a process, before the rest waits behind a line
const mostInvolved = 60;
const opened = new Set();

function openAtFirst() {
  for (const [index] of processes.entries()) opened.add(`p${index}`);
  opened.add("p-1");
  if (holds.length <= fewHolds) for (const [index] of groups.entries()) opened.add(`g${index}`);
}

function bucketed(list, key) {
  const buckets = new Map();
  for (const item of list) {
    const name = key(item);
    if (!buckets.has(name)) buckets.set(name, []);
    buckets.get(name).push(item);
  }
  return buckets;
}

const threadsOf = bucketed(threads, (thread) => thread.process);
const inChains = new Set(report.details.flatMap((detail) => detail.because.map((link) => link.thread)));

// First those who are to blame, then the others of a wait chain, then the rest.
function threadLanes(process, list) {
  const named = new Map();
  const blamed = new Map();
  const count = (map, hold) => map.set(hold.thread, (map.get(hold.thread) ?? 0) + 1);
  for (const hold of list) {
    count(named, hold);
    if (blames(hold)) count(blamed, hold);
  }
  const rank = (thread) => (blamed.get(thread.index) ?? 0) * 4 + (named.get(thread.index) ?? 0) * 2 + (inChains.has(thread.index) ? 1 : 0);
  const all = (threadsOf.get(process) ?? []).filter((thread) => thread.begin.length > 0 || rank(thread) > 0)
    .sort((a, b) => rank(b) - rank(a) || a.index - b.index);
  const key = `m${process}`;
  const few = Math.max(fewThreads, Math.min(all.filter((thread) => rank(thread) > 0).length, mostInvolved));
  const most = opened.has(key) || all.length <= few + 1 ? all.length : few;
  const lanes = all.slice(0, most).map((thread) => ({
    kind: "thread", key: `t${thread.index}`, thread, holds: blamed.get(thread.index) ?? 0,
    chain: inChains.has(thread.index), depth: 1,
  }));
  if (all.length > few + 1) lanes.push({ kind: "more", key, hidden: all.length - most, depth: 1 });
  return lanes;
}

function holdLanes(list) {
  return [...list].sort((a, b) => a.begin - b.begin || a.index - b.index)
    .map((hold) => ({ kind: "hold", key: `h${hold.index}`, hold, depth: 2 }));
}

function groupLanes(list) {
  const lanes = [];
  for (const [group, members] of [...bucketed(list, (hold) => hold.group)].sort((a, b) => b[1].length - a[1].length)) {
    const key = `g${group}`;
    const open = openness(members);
    lanes.push({ kind: "group", key, group, members, open, peak: peakOf(open), depth: 1 });
    if (opened.has(key)) lanes.push(...holdLanes(members));
  }
  return lanes;
}

const counterLanes = (process, depth) => counters.filter((counter) => counter.process === process && counter.at.length > 1)
  .map((counter, index) => ({ kind: "counter", key: `c${process}.${index}`, counter, depth }));

// All processes when all is shown; those of the holds that were found when something is looked for.
function lanesOf(list) {
  const owners = bucketed(list, (hold) => hold.process);
  if (list.length === holds.length) {
    for (const [index] of processes.entries()) if (!owners.has(index)) owners.set(index, []);
  }
  const lanes = counterLanes(-1, 0);
  for (const [process, members] of [...owners].sort((a, b) => b[1].length - a[1].length)) {
    const inside = [...groupLanes(members), ...threadLanes(process, members), ...(process < 0 ? [] : counterLanes(process, 1))];
    const key = `p${process}`;
    lanes.push({ kind: "process", key, process, members, depth: 0 });
    if (opened.has(key)) lanes.push(...inside);
  }
  let top = 0;
  for (const lane of lanes) {
    lane.top = top;
    lane.height = laneHeights[lane.kind];
    top += lane.height;
  }
  return { lanes, height: top };
}

// The first lane that reaches below a height.
function laneAt(lanes, y) {
  let low = 0;
  let high = lanes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lanes[middle].top + lanes[middle].height <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

// ---- their words --------------------------------------------------------------------------------------------

function laneText(lane) {
  switch (lane.kind) {
    case "process": return processText(lane.process);
    case "thread": return `${lane.holds ? "◆ " : ""}${threadText(lane.thread.index)}`;
    case "more": return lane.hidden ? `${countText(lane.hidden)} more threads` : "fewer threads";
    case "group": return `${countText(lane.members.length)} × ${causeName(groups[lane.group])}`;
    case "counter": return lane.counter.name;
    default: return lane.hold.remote;
  }
}

function sliceText(lane, time) {
  const { thread } = lane;
  const blame = lane.holds ? `\n◆ named for ${holdsText(lane.holds)}` : "";
  const at = countUpTo(thread.begin, time) - 1;
  if (at < 0 || thread.end[at] < time) return `${threadText(thread.index)}: not known then${blame}`;
  const long = thread.end[at] - thread.begin[at];
  const since = `from ${clockText(thread.begin[at], 3)}`;
  if (thread.filled && thread.filled[at] < long) {
    return `${threadText(thread.index)}: ${Math.round(thread.filled[at] / long * 100)} % ${waitText(thread.state[at])}, the rest ` +
      `something else, in ${durationText(long)} ${since}${blame}`;
  }
  const what = thread.text[at] ? `\n${textOf(thread.text[at])}` : "";
  return `${threadText(thread.index)}: ${waitText(thread.state[at])}, ${durationText(long)} ${since}${what}${blame}`;
}

function holdText(hold) {
  const end = hold.open ? ", still open" : hold.later ? ", then found gone" : hold.closer >= 0 ? `, ended by ${threadText(hold.closer)}` : ", ended";
  const begin = hold.timed ? `\nbegan at ${clockText(hold.begin, 3)}${hold.earlier ? " or earlier" : ""}` : "";
  const summary = hold.detail ? textOf(hold.detail.summary) : "";
  return `${connectionText(hold)}\n${processText(hold.process)}, ${threadText(hold.thread)}\n${causeText(hold)}\n` +
    `held ${heldText(hold)}${end}${begin}${summary ? `\n${isPerhaps(hold) ? "perhaps: " : ""}${summary}` : ""}`;
}

function counterText(counter, time) {
  const at = Math.max(0, countUpTo(counter.at, time) - 1);
  return `${counter.name}: ${numberText(counter.value[at])}${counter.unit ? ` ${counter.unit}` : ""} at ${clockText(time, 1)}`;
}
const numberText = (value) => value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 });

// What there is to say about a lane at a moment; without one, about all of it.
function laneHint(lane, time) {
  if (lane.kind === "hold") return holdText(lane.hold);
  if (lane.kind === "group") {
    const group = groups[lane.group];
    const now = time === null ? "" : `\n${countText(openAt(lane.open, time))} open at ${clockText(time, 3)}`;
    return `${laneText(lane)} ${group.where}${now}, at most ${countText(lane.peak)}\n${group.summary}`.trim();
  }
  if (lane.kind === "thread" && time !== null) return sliceText(lane, time);
  if (lane.kind === "counter" && time !== null) return counterText(lane.counter, time);
  if (lane.kind === "process") {
    const facts = lane.process < 0 ? [] : processes[lane.process].facts;
    return [`${laneText(lane)}: ${holdsText(lane.members.length)}`, ...facts].join("\n");
  }
  return laneText(lane);
}
