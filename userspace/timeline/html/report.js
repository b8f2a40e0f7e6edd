// What the page was given, made ready: texts looked up, slices with their moments, holds as objects. Moments are
// nanoseconds since the window began.
const report = JSON.parse(document.getElementById("data").textContent);
const textOf = (index) => report.texts[index] ?? "";
const known = (index) => report.texts[index] || "(not known)";
const span = { from: 0, to: Math.max(1, report.window.duration_ns) };

const processes = report.processes.map((process) => ({
  pid: process.pid, comm: known(process.comm),
  facts: [process.exe, process.cgroup, process.container].map(textOf).filter(Boolean),
}));

const threads = report.threads.map((thread, index) => {
  const begin = new Float64Array(thread.gap.length);
  const end = new Float64Array(thread.gap.length);
  let at = 0;
  for (let i = 0; i < begin.length; i++) {
    begin[i] = at + thread.gap[i];
    end[i] = begin[i] + thread.length[i];
    at = end[i];
  }
  return {
    index, process: thread.process, tid: thread.tid, comm: known(thread.comm), begin, end,
    state: thread.state.map((state) => textOf(state) || "unknown"), text: thread.text,
    filled: thread.filled ?? null,  // where a slice stands for several: how long it was that
  };
});

const groups = report.groups.map((group) => ({
  process: group.process, cause: known(group.cause), confidence: textOf(group.confidence), where: textOf(group.where),
  summary: textOf(group.summary), sockets: group.sockets, oldest: group.oldest_held_ns, typical: null, longest: null,
  atLeast: group.at_least === 1, perhaps: group.perhaps === 1, open: group.open, facts: group.facts.map(textOf),
}));

// What a culprit did meanwhile, as a capture saw it: what, where, how long; the longest first.
const partsOf = (shares) => {
  const parts = [];
  for (let i = 0; shares && i + 2 < shares.length; i += 3) parts.push({ wait: textOf(shares[i]), stack: shares[i + 1], held: shares[i + 2] });
  return parts;
};

const holds = report.holds.id.map((id, index) => {
  const column = report.holds;
  const begin = column.begin[index];
  const held = column.held[index];
  return {
    index, id, timed: begin !== null, begin: begin ?? 0, held: begin === null ? 0 : held, end: (begin ?? 0) + held,
    open: column.open[index] === 1, exact: column.exact[index] === 1, touched: column.touched[index],
    earlier: column.earlier[index] === 1, later: column.later[index] === 1,
    process: column.process[index], thread: column.thread[index], closer: column.closer[index],
    group: column.group[index], cause: textOf(column.cause[index]) || "not diagnosed", confidence: textOf(column.confidence[index]),
    wait: textOf(column.wait[index]), role: textOf(column.role[index]), local: textOf(column.local[index]),
    remote: textOf(column.remote[index]), stack: column.stack[index], parts: partsOf(column.shares[index]), detail: report.details[index] ?? null,
  };
});

// What is claimed is only possible; and whether it is anybody's fault at all.
const blameless = new Set([...report.blameless, "not diagnosed"]);
const isPerhaps = ({ cause, confidence }) => confidence === "possible" && cause !== "unknown" && cause !== "not diagnosed";
const blames = ({ cause }) => !blameless.has(cause);

// A hold that was put into no group makes one with its like.
function groupTheRest() {
  const made = new Map();
  for (const hold of holds) {
    if (hold.group < 0) {
      const key = `${hold.process} ${hold.cause}`;
      if (!made.has(key)) {
        made.set(key, groups.length);
        groups.push({ process: hold.process, cause: hold.cause, confidence: hold.confidence, where: "", summary: "",
          sockets: 0, oldest: 0, typical: null, longest: null, rest: true, atLeast: false, open: 0, facts: [],
          perhaps: isPerhaps(hold) });
      }
      hold.group = made.get(key);
      groups[hold.group].sockets += 1;
      groups[hold.group].oldest = Math.max(groups[hold.group].oldest, hold.held);
      groups[hold.group].atLeast ||= !hold.exact;
      groups[hold.group].open += hold.open ? 1 : 0;
    }
    groups[hold.group].shown = (groups[hold.group].shown ?? 0) + 1;
    // The first of a group is the one that explains it.
    groups[hold.group].typical ??= hold;
    // Of several that were held as long, one of which that is certain.
    const { longest } = groups[hold.group];
    const longer = !longest || hold.held > longest.held || (hold.held === longest.held && hold.exact);
    if (longer) groups[hold.group].longest = hold;
  }
}
groupTheRest();

const counters = report.counters.map((counter) => ({
  process: counter.process, name: known(counter.name), unit: textOf(counter.unit), at: counter.at,
  value: counter.value.map((value) => value ?? 0),
}));
const losses = report.losses.map((loss) => ({ at: loss.at, what: known(loss.what), count: loss.count }));

// ---- sorted moments -----------------------------------------------------------------------------------------

// How many of sorted numbers are not above a value.
function countUpTo(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Begins and ends in order, so that how many holds were open at a moment is two searches.
function openness(list) {
  const timed = list.filter((hold) => hold.timed);
  return {
    begins: Float64Array.from(timed, (hold) => hold.begin).sort(),
    ends: Float64Array.from(timed.filter((hold) => !hold.open), (hold) => hold.end).sort(),
  };
}
const openAt = ({ begins, ends }, time) => countUpTo(begins, time) - countUpTo(ends, time);

function peakOf(open) {
  let most = 0;
  let ended = 0;
  for (let begun = 0; begun < open.begins.length; begun++) {
    while (ended < open.ends.length && open.ends[ended] <= open.begins[begun]) ended += 1;
    most = Math.max(most, begun + 1 - ended);
  }
  return most;
}
