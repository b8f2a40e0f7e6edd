// The flame graph of held time: process; cause; thread; what it waited for; frames.
// Of a hold that nobody is blamed for, no thread stands for why.
const threadOf = (hold) => (hold.cause === "unknown" ? -1 : hold.thread);

function pathOf(hold, part) {
  const path = [
    { kind: "process", name: processText(hold.process) },
    { kind: "cause", name: hold.cause },
    // By name: a pool of threads that do one thing is one box.
    { kind: "thread", name: threadOf(hold) < 0 ? threadText(-1) : threads[hold.thread].comm },
  ];
  if (part.wait) path.push({ kind: "wait", name: waitText(part.wait), wait: part.wait });
  for (const frame of report.stacks[part.stack] ?? []) path.push({ kind: "frame", name: textOf(frame) });
  return path;
}

// A hold stands in one place, or where a capture saw what its culprit did, in several; it counts in the largest.
function placesOf(hold) {
  if (hold.cause === "unknown") return [{ wait: "", stack: 0, held: hold.held }];
  return hold.parts.length ? hold.parts : [{ wait: hold.wait, stack: hold.stack, held: hold.held }];
}

function addPlace(root, hold, part, weight) {
  let node = root;
  node.value += weight;
  for (const step of pathOf(hold, part)) {
    const key = `${step.kind} ${step.name}`;
    if (!node.inside.has(key)) {
      const made = { ...step, value: 0, count: 0, depth: node.depth + 1, inside: new Map(), parent: node, tids: new Set(), last: -1 };
      node.inside.set(key, made);
    }
    node = node.inside.get(key);
    node.value += weight;
    if (node.last !== hold.index) node.count += 1;
    node.last = hold.index;
    if (step.kind === "thread" && threadOf(hold) >= 0) node.tids.add(threads[hold.thread].tid);
  }
}

function flameTree(list, byCount) {
  const root = { kind: "root", name: "all holds", value: 0, count: 0, depth: 0, inside: new Map(), parent: null };
  for (const hold of list) {
    root.count += 1;
    placesOf(hold).forEach((part, place) => addPlace(root, hold, part, byCount ? Number(place === 0) : part.held));
  }
  return root;
}

// The largest first; sorted once.
const childrenOf = (node) => (node.children ??= [...node.inside.values()].sort((a, b) => b.value - a.value));
const nameOf = ({ kind, name, tids }) => {
  if (kind !== "thread" || tids.size === 0) return name;
  return tids.size === 1 ? `${name} (${[...tids][0]})` : `${countText(tids.size)} × ${name}`;
};
const deepest = (node) => childrenOf(node).reduce((most, child) => Math.max(most, deepest(child)), node.depth);

class Flame {
  constructor(box) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.row = 22;
    this.byCount = false;
    this.boxes = [];
    this.canvas.addEventListener("pointermove", (event) => tip.show(this.hint(this.nodeUnder(event)), event.clientX, event.clientY));
    this.canvas.addEventListener("pointerleave", () => tip.hide());
    this.canvas.addEventListener("click", (event) => this.focus(this.nodeUnder(event)));
    box.addEventListener("keydown", (event) => this.key(event));
    byId("flame-by").addEventListener("click", () => this.switchWeight());
    byId("flame-all").addEventListener("click", () => this.focus(this.root));
    this.rebuild();
  }

  // The holds that are shown have changed.
  rebuild() {
    this.root = flameTree(shown.holds, this.byCount);
    this.top = this.root;
    this.chosen = this.root;
    this.draw();
  }

  switchWeight() {
    this.byCount = !this.byCount;
    byId("flame-by").textContent = this.byCount ? "by held time" : "by number of holds";
    this.rebuild();
  }

  // Seen closer; what is already closest is left again.
  focus(node) {
    if (!node) return;
    this.top = node === this.top && node.parent ? node.parent : node;
    this.chosen = this.top;
    this.draw();
  }

  weight(node) {
    return this.byCount ? holdsText(node.count) : `${durationText(node.value)} held in ${holdsText(node.count)}`;
  }

  draw() {
    const width = printing.now ? printing.width : this.box.clientWidth;
    const rows = Math.max(2, deepest(this.root) + 1);
    const pen = sized(this.canvas, width, rows * this.row + 2);
    pen.font = `12px ${sans}`;
    pen.textBaseline = "middle";
    this.boxes = [];
    const above = [];
    for (let node = this.top.parent; node; node = node.parent) above.push(node);
    for (const node of above) this.drawNode(pen, node, 0, width, true);
    this.drawTree(pen, this.top, 0, width);
    const path = [...above.reverse(), this.top].map(nameOf).join(" › ");
    byId("flame-path").textContent = `${path}: ${this.weight(this.top)}`;
    byId("flame-all").hidden = this.top === this.root;
  }

  drawTree(pen, node, x, width) {
    this.drawNode(pen, node, x, width, false);
    let at = x;
    for (const child of childrenOf(node)) {
      const part = node.value ? child.value / node.value * width : 0;
      if (part < 0.4) break;  // nor is any after it larger
      this.drawTree(pen, child, at, part);
      at += part;
    }
  }

  drawNode(pen, node, x, width, above) {
    const y = node.depth * this.row;
    const colour = flameColour(node);
    const wide = Math.max(width - 1, 0.4);
    pen.globalAlpha = above ? 0.75 : 1;
    pen.fillStyle = node.kind === "wait" && width > 4 ? waitFill(node.wait) : colour;
    pen.fillRect(x, y + 1, wide, this.row - 1);
    const text = textWithin(pen, nameOf(node), width - 12);
    if (text) {
      pen.fillStyle = colour;
      if (node.kind === "wait") pen.fillRect(x + 4, y + 2, pen.measureText(text).width + 4, this.row - 3);
      pen.fillStyle = textOn(colour);
      pen.fillText(text, x + 6, y + this.row / 2 + 1);
    }
    pen.globalAlpha = 1;
    if (node === this.chosen && node !== this.root) {
      pen.strokeStyle = palette.ink;
      pen.lineWidth = 2;
      pen.strokeRect(x + 1, y + 2, Math.max(wide - 2, 1), this.row - 3);
      pen.lineWidth = 1;
    }
    this.boxes.push({ node, x, y, width });
  }

  nodeUnder(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return this.boxes.find((one) => y >= one.y && y < one.y + this.row && x >= one.x && x < one.x + one.width)?.node;
  }

  hint(node) {
    if (!node) return "";
    const share = this.root.value ? Math.round(node.value / this.root.value * 1000) / 10 : 0;
    return `${nameOf(node)}\n${this.weight(node)}, ${share} % of all shown`;
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const beside = (by) => {
      const all = this.chosen.parent ? childrenOf(this.chosen.parent) : [this.chosen];
      return all[all.indexOf(this.chosen) + by] ?? this.chosen;
    };
    const acts = {
      ArrowRight: () => { this.chosen = beside(1); }, ArrowLeft: () => { this.chosen = beside(-1); },
      ArrowDown: () => { this.chosen = childrenOf(this.chosen)[0] ?? this.chosen; },
      ArrowUp: () => { this.chosen = this.chosen.parent ?? this.chosen; },
      Enter: () => { this.top = this.chosen; },
      Backspace: () => { this.top = this.top.parent ?? this.root; this.chosen = this.top; },
      0: () => { this.top = this.root; this.chosen = this.root; },
    };
    if (!Object.hasOwn(acts, event.key)) return;
    event.preventDefault();
    acts[event.key]();
    this.draw();
    byId("flame-says").textContent = this.hint(this.chosen);
  }
}

const warm = ["#c9713a", "#b9622f", "#d08143", "#bf7a2c", "#c46a4a"];
function flameColour(node) {
  if (node.kind === "root") return "#5b6670";
  if (node.kind === "process") return "#46596b";
  if (node.kind === "cause") return causeColour(node.name);
  if (node.kind === "thread") return "#5d7690";
  if (node.kind === "wait") return waitColour(node.wait);
  let hash = 0;
  for (const letter of node.name.slice(0, 64)) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return warm[hash % warm.length];
}
