// Small helpers for the page. Names come from the traced machine: they become text, never markup.
const byId = (id) => document.getElementById(id);

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A name of ten kilobytes must not push everything else out of sight.
const words = (text) => (text.length > 600 ? element("div", { class: "long", tabindex: "0" }, text) : text);

// ---- colours and patterns -----------------------------------------------------------------------------------

// A colour, and a pattern for those who cannot tell the colours apart.
const waits = {
  running: ["#2a9d5c", "none"], nothing: ["#2a9d5c", "none"], cpu: ["#e0b02a", "dots"], disk: ["#d0492f", "rising"],
  lock: ["#8a5cd6", "cross"], downstream: ["#2f7fd1", "falling"], pipe: ["#168f8f", "level"], sleep: ["#b3bbc2", "none"],
  memory: ["#cf4d93", "upright"], child: ["#6b8e1f", "rising"], "event-loop": ["#ccd2d7", "level"],
  other: ["#7d858d", "dots"], unknown: ["#e6e9eb", "falling"], unwatched: ["#c3c9ce", "falling"], mixed: ["#c3c9ce", "none"],
};
const causeColours = {
  "never-accepted": "#3d7ec7", "fd-limit": "#b33a7d", "eof-ignored": "#c8452f", "spin-on-eof": "#d9661f",
  "idle-in-pool": "#2f8f68", abandoned: "#9c5530", "unwatched-event": "#7a5cc9", "handler-blocked": "#b5800f",
  deadlock: "#8a2f5d", "handler-busy": "#5a8a20", "cpu-starved": "#867418", stopped: "#68727b", "gc-pause": "#26818f",
  "inherited-fd": "#9a4fb0", "duplicate-fd": "#6560cc", "in-flight-fd": "#44829a", "half-open": "#4b8a5b",
  "kernel-socket": "#74787d", exiting: "#86665a", unknown: "#88929b",
};
const causeColour = (cause) => causeColours[cause] ?? "#88929b";
// What is not known stays in the background, in the dark as well.
const unknownInTheDark = "#262c31";
const isDark = () => document.documentElement.dataset.theme === "dark";
const waitColour = (wait) => (wait === "unknown" && isDark() ? unknownInTheDark : (waits[wait] ?? waits.other)[0]);

function drawTile(pen, pattern) {
  pen.lineWidth = 1.2;
  pen.beginPath();
  const lines = {
    rising: [[0, 8, 8, 0], [-2, 2, 2, -2], [6, 10, 10, 6]], falling: [[0, 0, 8, 8], [-2, 6, 2, 10], [6, -2, 10, 2]],
    level: [[0, 2, 8, 2], [0, 6, 8, 6]], upright: [[2, 0, 2, 8], [6, 0, 6, 8]], cross: [[0, 0, 8, 8], [0, 8, 8, 0]],
    dots: [[1, 2, 3, 2], [5, 6, 7, 6]],
  };
  for (const [x, y, toX, toY] of lines[pattern] ?? []) {
    pen.moveTo(x, y);
    pen.lineTo(toX, toY);
  }
  pen.stroke();
}

const fills = new Map();

// What a stretch of that class is filled with on a canvas.
function waitFill(wait) {
  if (fills.has(wait)) return fills.get(wait);
  const [, pattern] = waits[wait] ?? waits.other;
  const colour = waitColour(wait);
  let fill = colour;
  if (pattern !== "none") {
    const tile = element("canvas", { width: 8, height: 8 });
    const pen = tile.getContext("2d");
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = isLight(colour) ? "#0000002e" : colour === unknownInTheDark ? "#ffffff14" : "#ffffff4d";
    drawTile(pen, pattern);
    fill = pen.createPattern(tile, "repeat");
  }
  fills.set(wait, fill);
  return fill;
}

function isLight(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return red * 0.3 + green * 0.59 + blue * 0.11 > 150;
}
const textOn = (colour) => (isLight(colour) ? "#14181c" : "#ffffff");

function dot(colour) {
  const made = element("span", { class: "dot", "aria-hidden": "true" });
  made.style.background = colour;
  return made;
}

function waitDot(wait) {
  const made = element("canvas", { class: "dot", width: 22, height: 22, "aria-hidden": "true" });
  const pen = made.getContext("2d");
  pen.scale(2, 2);
  pen.fillStyle = waitFill(wait);
  pen.fillRect(0, 0, 11, 11);
  return made;
}

// The colours of the theme, as a canvas wants them.
let palette = {};
function readPalette() {
  const probe = element("span", { hidden: "" });
  document.body.append(probe);
  palette = {};
  fills.clear();
  for (const name of ["paper", "panel", "ink", "quiet", "line", "lane", "mark", "focus", "warning"]) {
    probe.style.color = `var(--${name})`;
    palette[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

// ---- canvas -------------------------------------------------------------------------------------------------

const sans = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const printing = { now: false };

// A canvas of so many CSS pixels, sharp on every screen and on paper.
function sized(canvas, width, height) {
  const ratio = printing.now ? 2 : window.devicePixelRatio || 1;
  const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

// As much of a text as fits; nothing when that says nothing.
function textWithin(pen, text, width) {
  if (width < 14) return "";
  const start = text.length > 400 ? text.slice(0, 400) : text;
  if (pen.measureText(start).width <= width) return start;
  let low = 0;
  let high = start.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pen.measureText(`${start.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low > 2 ? `${start.slice(0, low)}…` : "";
}

// ---- the hint at the pointer --------------------------------------------------------------------------------

const tip = {
  node: byId("tip"),
  show(text, x, y) {
    if (!text) return this.hide();
    this.node.textContent = text.length > 900 ? `${text.slice(0, 900)}…` : text;
    this.node.hidden = false;
    const box = this.node.getBoundingClientRect();
    const space = { width: document.documentElement.clientWidth, height: window.innerHeight };
    const above = y - box.height - 12;
    const top = y + 18 + box.height <= space.height - 6 || above < 6 ? y + 18 : above;
    this.node.style.left = `${Math.max(6, Math.min(x + 14, space.width - box.width - 6))}px`;
    this.node.style.top = `${Math.max(6, Math.min(top, space.height - box.height - 6))}px`;
  },
  hide() { this.node.hidden = true; },
};
