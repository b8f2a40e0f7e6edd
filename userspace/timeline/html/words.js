// How things are said, and what the reader looks for.
const waitNames = {
  running: "on a CPU", nothing: "on a CPU", cpu: "waits for a CPU", disk: "disk", lock: "lock", downstream: "another service",
  pipe: "pipe", sleep: "sleep", memory: "memory", child: "child process", "event-loop": "event loop", other: "something else",
  unknown: "not known", unwatched: "not watched", mixed: "shorter parts, not shown",
};
const waitText = (wait) => waitNames[wait] ?? wait;
const countText = (number) => number.toLocaleString("en-US");
const holdsText = (number) => `${countText(number)} ${number === 1 ? "hold" : "holds"}`;
const processText = (index) => (index < 0 ? "owner not known" : `${processes[index].comm} (${processes[index].pid})`);
const threadText = (index) => (index < 0 ? "no single thread" : `${threads[index].comm} (${threads[index].tid})`);
const arrows = { server: "←", client: "→" };
const connectionText = (hold) => `${hold.local} ${arrows[hold.role] ?? "↔"} ${hold.remote}`;
const heldText = (hold) => (hold.timed ? `${hold.exact ? "" : "≥ "}${durationText(hold.held)}` : "not known");
const beginText = (hold) => `${hold.earlier ? "≤ " : ""}${clockText(hold.begin, 3)}`;  // it may have begun earlier
const oldestText = (group) => `${group.atLeast ? "≥ " : ""}${durationText(group.oldest)}`;
const causeName = (one) => `${one.perhaps ?? isPerhaps(one) ? "perhaps " : ""}${one.cause}`;
const causeText = (one) => (one.confidence ? `${causeName(one)}, ${one.confidence}` : causeName(one));

// Rounded down, so that "at least" stays true.
function durationText(ns) {
  if (ns < 1e3) return `${Math.floor(ns)} ns`;
  if (ns < 1e6) return `${Math.floor(ns / 1e2) / 10} µs`;
  if (ns < 1e9) return `${Math.floor(ns / 1e5) / 10} ms`;
  const seconds = Math.floor(ns / 1e8) / 10;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86400)];
  if (hours < 1) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  if (days < 1) return `${hours} h ${minutes % 60} min`;
  return `${days} d ${hours % 24} h`;
}

// The clock of the sentences: that of the place where the page was made.
const zone = report.window.utc_offset_s;
const twoDigits = (number) => String(Math.floor(number)).padStart(2, "0");
const zoneText = zone === 0 ? "UTC" : `UTC${zone < 0 ? "−" : "+"}${twoDigits(Math.abs(zone) / 3600)}:${twoDigits(Math.abs(zone) / 60 % 60)}`;
const wallAt = (ns) => BigInt(report.window.from_wall_ns) + BigInt(Math.round(ns)) + BigInt(zone) * 1000000000n;

// In that zone, with so many digits of the second; from the beginning of the recording where the clock is not known.
function clockText(ns, digits = 0) {
  const { from_wall_ns: begin } = report.window;
  if (begin === null) return `${ns < 0 ? "−" : "+"}${(Math.abs(ns) / 1e9).toFixed(digits)} s`;
  const at = wallAt(ns);
  const date = new Date(Number(at / 1000000n));
  if (Number.isNaN(date.getTime())) return "?";
  const fraction = String(((at % 1000000000n) + 1000000000n) % 1000000000n).padStart(9, "0").slice(0, digits);
  return date.toISOString().slice(-13, -5) + (digits > 0 ? `.${fraction}` : "");
}

function dateText(ns) {
  const { from_wall_ns: begin } = report.window;
  const date = begin === null ? null : new Date(Number(wallAt(ns) / 1000000n));
  return date === null || Number.isNaN(date.getTime()) ? clockText(ns) : `${date.toISOString().slice(0, -14)} ${clockText(ns, 3)} ${zoneText}`;
}

// ---- what is looked for -------------------------------------------------------------------------------------

let haystacks = null;  // made when first needed
// Everybody who has a part in it: who held it before, who closed it, whom its words name though he has exited.
const peopleOf = ({ closer, detail }) => [closer < 0 ? "" : threadText(closer), ...(detail
  ? [textOf(detail.summary), ...detail.holders.map(textOf), ...detail.because.map((link) => `${textOf(link.comm)} (${link.tid})`)] : [])];
const haystackOf = (hold) => {
  haystacks ??= holds.map((one) => [one.id, processText(one.process), threadText(one.thread), one.cause, one.wait,
    one.local, one.remote, groups[one.group].where, ...peopleOf(one)].join("\n").toLowerCase());
  return haystacks[hold.index];
};

const asWord = (name) => name.toLowerCase().replace(/\s+/g, "-");
const causeWord = (cause) => `cause:${asWord(cause)}`;
const isCauseWord = (word) => /^cause:/i.test(word);
const has = (text, value) => text.toLowerCase() === value;
const fields = {
  cause: (hold, value) => has(asWord(hold.cause), value),
  comm: (hold, value) => hold.process >= 0 && has(processes[hold.process].comm, value),
  pid: (hold, value) => hold.process >= 0 && String(processes[hold.process].pid) === value,
  tid: (hold, value) => [hold.thread, hold.closer].some((index) => index >= 0 && String(threads[index].tid) === value),
  port: (hold, value) => hold.local.endsWith(`:${value}`) || hold.remote.endsWith(`:${value}`),
  wait: (hold, value) => has(hold.wait, value),
  group: (hold, value) => String(hold.group + 1) === value,
  is: (hold, value) => (value === "open") === hold.open && (value === "open" || value === "closed"),
};

// Every word has to fit: "java cause:eof-ignored port:8080"; a minus before a word turns it round.
function holdsMatching(looked) {
  const tests = looked.toLowerCase().split(/\s+/).filter((word) => word && word !== "-").map((word) => {
    const plain = word.startsWith("-") ? word.slice(1) : word;
    const [, name, value] = /^([a-z]+):(.+)$/s.exec(plain) ?? [];
    const fits = Object.hasOwn(fields, name) ? (hold) => fields[name](hold, value) : (hold) => haystackOf(hold).includes(plain);
    return plain === word ? fits : (hold) => !fits(hold);
  });
  return tests.length ? holds.filter((hold) => tests.every((fits) => fits(hold))) : holds;
}

// What is looked for, apart from causes: among those holds the causes are counted.
const without = (looked, isLeftOut) => looked.split(/\s+/).filter((word) => word && !isLeftOut(word)).join(" ");
const withoutCauses = (looked) => without(looked, isCauseWord);

// The groups of what is looked for; to choose one of them hides no other.
const withoutGroups = (looked) => without(looked, (word) => /^group:\d+$/i.test(word));

const shown = { text: "", holds, listeners: [] };

function show(looked) {
  shown.text = looked.trim();
  shown.holds = holdsMatching(looked);
  for (const listener of shown.listeners) listener();
}
