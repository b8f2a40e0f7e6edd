// What the page was given, made ready: names looked up, holds as objects, and what the reader filters by.
const report = JSON.parse(document.getElementById("data").textContent);
const span = { from: 0, to: report.window.duration_ns };

const waitColours = {
  cpu: "#d29a17", disk: "#c4473e", lock: "#8656d0", downstream: "#2f79c9", pipe: "#1f9b9b", sleep: "#8b949c",
  memory: "#cf4d93", child: "#688a1f", "event-loop": "#aab2ba", other: "#6f7780", running: "#2c9958", nothing: "#2c9958",
};
const waitNames = {
  running: "on a CPU", cpu: "waits for a CPU", disk: "disk", lock: "lock", downstream: "another service", pipe: "pipe",
  sleep: "sleep", memory: "memory", child: "child", "event-loop": "event loop", other: "other",
};
const causeColours = {
  "never-accepted": "#3d7ec7", "fd-limit": "#b33a7d", "eof-ignored": "#c4473e", "spin-on-eof": "#e06a2b",
  "idle-in-pool": "#3f9a74", abandoned: "#a5552e", "unwatched-event": "#7a5cc9", "handler-blocked": "#c08a16",
  deadlock: "#8a2f5d", "handler-busy": "#5e8d24", "cpu-starved": "#8d7a1f", stopped: "#68727b", "gc-pause": "#2d8f9e",
  "inherited-fd": "#9a4fb0", "duplicate-fd": "#6a63d6", "in-flight-fd": "#4a8a9c", "half-open": "#5d9e6c",
  "kernel-socket": "#7b7f84", exiting: "#8c6b5a", unknown: "#98a1a9",
};
const causeColour = (cause) => causeColours[cause] || "#98a1a9";
const waitColour = (wait) => waitColours[wait] || "#6f7780";

const processes = report.processes;
const threads = report.threads;
const groups = report.groups;
const causes = report.causes;

const holds = report.holds.id.map((id, index) => {
  const column = report.holds;
  const end = column.end[index];
  return {
    index, id,
    begin: column.begin[index], end: end === null ? span.to : end, open: end === null,
    process: column.process[index], thread: column.thread[index], group: column.group[index],
    cause: causes[column.cause[index]], confidence: column.confidence[index], exact: column.exact[index] === 1,
    wait: column.wait[index], local: column.local[index], remote: column.remote[index],
    stack: column.stack[index], detail: column.detail[index],
  };
});

const processText = (index) => (index < 0 ? "no process" : `${processes[index].comm} (${processes[index].pid})`);
const threadText = (index) => (index < 0 ? "no single thread" : `${threads[index].comm} (${threads[index].tid})`);

function durationText(ns) {
  const seconds = ns / 1e9;
  if (seconds < 1e-3) return `${Math.round(ns / 1e3)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toPrecision(3)} ms`;
  if (seconds < 60) return `${seconds.toPrecision(3)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

const countText = (number) => number.toLocaleString("en-US");

function clockText(ns, digits) {
  const moment = new Date(report.window.from_wall_ms + ns / 1e6);
  const text = moment.toISOString();
  return digits > 0 ? text.slice(11, 20 + Math.min(digits, 3)) : text.slice(11, 19);
}

// ---- what is shown ------------------------------------------------------------------------------------------

const haystacks = holds.map((hold) => [
  hold.id, processText(hold.process), threadText(hold.thread), hold.cause, hold.wait || "", hold.local, hold.remote,
].join("\n").toLowerCase());

const fields = {
  cause: (hold, value) => hold.cause === value,
  pid: (hold, value) => hold.process >= 0 && String(processes[hold.process].pid) === value,
  tid: (hold, value) => hold.thread >= 0 && String(threads[hold.thread].tid) === value,
  port: (hold, value) => hold.local.endsWith(`:${value}`) || hold.remote.endsWith(`:${value}`),
  wait: (hold, value) => hold.wait === value,
  group: (hold, value) => String(hold.group) === value,
};

// Every word has to match: "java cause:eof-ignored port:8080".
function holdsMatching(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const [, name, value] = /^([a-z]+):(.+)$/.exec(word) || [];
    return name in fields ? (hold) => fields[name](hold, value) : (hold) => haystacks[hold.index].includes(word);
  });
  return words.length ? holds.filter((hold) => words.every((fits) => fits(hold))) : holds;
}

const shown = { text: "", holds, listeners: [] };

function show(text) {
  shown.text = text;
  shown.holds = holdsMatching(text);
  for (const listener of shown.listeners) listener();
}

// ---- small helpers for the page -----------------------------------------------------------------------------

// Names come from the traced machine: they become text, never markup.
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function dot(colour) {
  const made = element("span", { class: "dot" });
  made.style.background = colour;
  return made;
}

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// A canvas of so many CSS pixels, sharp on every screen.
function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

function textWithin(pen, text, width) {
  if (width < 14) return "";
  if (pen.measureText(text).width <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pen.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low > 1 ? `${text.slice(0, low)}…` : "";
}

const tip = {
  node: document.getElementById("tip"),
  show(text, event) {
    if (!text) return this.hide();
    this.node.textContent = text;
    this.node.hidden = false;
    const box = this.node.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, window.innerWidth - box.width - 8);
    const below = event.clientY + 18;
    this.node.style.left = `${Math.max(8, left)}px`;
    this.node.style.top = `${below + box.height > window.innerHeight ? event.clientY - box.height - 10 : below}px`;
  },
  hide() { this.node.hidden = true; },
};
