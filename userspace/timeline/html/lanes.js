// Which lanes the timeline has: a process, its threads beneath, its groups of sockets, and the sockets of a
// group that was opened.
const laneHeights = { process: 26, thread: 18, group: 34, hold: 15 };
const fewHolds = 40;
const opened = new Set();

function initiallyOpened() {
  for (const [index] of processes.entries()) opened.add(`p${index}`);
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

// Begins and ends in order, so that how many holds were open at a moment is two binary searches.
function openness(list) {
  return {
    begins: Float64Array.from(list, (hold) => hold.begin).sort(),
    ends: Float64Array.from(list.filter((hold) => !hold.open), (hold) => hold.end).sort(),
  };
}

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

const openAt = ({ begins, ends }, time) => countUpTo(begins, time) - countUpTo(ends, time);

// A thread that nothing is shown of explains nothing: only those with slices or a part in a hold are lanes.
const threadsOf = bucketed(threads.map((thread, index) => ({ ...thread, index })), (thread) => thread.process);

function threadLanes(process, list) {
  const culprits = new Set(list.map((hold) => hold.thread));
  return (threadsOf.get(process) || [])
    .filter((thread) => thread.begin.length > 0 || culprits.has(thread.index))
    .map((thread) => ({ kind: "thread", key: `t${thread.index}`, thread, culprit: culprits.has(thread.index), depth: 1 }));
}

function holdLanes(list) {
  return [...list].sort((a, b) => a.begin - b.begin || a.index - b.index)
    .map((hold) => ({ kind: "hold", key: `h${hold.index}`, hold, depth: 2 }));
}

function groupLanes(list) {
  const lanes = [];
  for (const [group, members] of bucketed(list, (hold) => hold.group)) {
    const key = `g${group}`;
    lanes.push({ kind: "group", key, group, members, open: openness(members), depth: 1 });
    if (opened.has(key)) lanes.push(...holdLanes(members));
  }
  return lanes;
}

function lanesOf(list) {
  const owners = [...bucketed(list, (hold) => hold.process)].sort((a, b) => b[1].length - a[1].length);
  const lanes = [];
  for (const [process, members] of owners) {
    const key = `p${process}`;
    lanes.push({ kind: "process", key, process, members, depth: 0 });
    if (opened.has(key)) lanes.push(...threadLanes(process, members), ...groupLanes(members));
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
