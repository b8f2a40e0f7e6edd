// The flame graph of held time: process; cause; thread; what it waited for; frames.
function pathOf(hold) {
  const frames = hold.stack >= 0 ? report.stacks[hold.stack].map((frame) => report.texts[frame]) : [];
  const path = [processText(hold.process), hold.cause, threadText(hold.thread)];
  if (hold.wait) path.push(waitNames[hold.wait] || hold.wait);
  return path.concat(frames);
}

function flameTree(list) {
  const root = { name: "all holds", value: 0, count: 0, depth: 0, children: new Map(), parent: null };
  for (const hold of list) {
    const weight = hold.end - hold.begin;
    let node = root;
    node.value += weight;
    node.count += 1;
    for (const [depth, name] of pathOf(hold).entries()) {
      if (!node.children.has(name))
        node.children.set(name, { name, value: 0, count: 0, depth: depth + 1, children: new Map(), parent: node });
      node = node.children.get(name);
      node.value += weight;
      node.count += 1;
      if (depth === 1) node.cause = hold.cause;
      if (depth === 3) node.wait = hold.wait;
    }
  }
  return root;
}

const depthOf = (node) => Math.max(node.depth, ...[...node.children.values()].map(depthOf));

class Flame {
  constructor(box) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.row = 20;
    box.addEventListener("pointermove", (event) => tip.show(this.textUnder(event), event));
    box.addEventListener("pointerleave", () => tip.hide());
    box.addEventListener("click", (event) => this.focus(this.nodeUnder(event)));
    box.addEventListener("keydown", (event) => this.key(event));
    this.rebuild();
  }

  rebuild() {
    this.root = flameTree(shown.holds);
    this.top = this.root;
    this.chosen = this.root;
    this.draw();
  }

  focus(node) {
    if (!node) return;
    this.top = node;
    this.chosen = node;
    this.draw();
  }

  draw() {
    const width = this.box.clientWidth;
    const rows = Math.max(4, depthOf(this.root) + 1);
    const pen = sized(this.canvas, width, rows * this.row + 2);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    this.boxes = [];
    const above = [];
    for (let node = this.top.parent; node; node = node.parent) above.push(node);
    for (const node of above) this.drawNode(pen, node, 0, width, true);
    this.drawTree(pen, this.top, 0, width);
    const path = [...above.reverse(), this.top].map((node) => node.name).join("  ›  ");
    document.getElementById("flame-path").textContent = this.top === this.root
      ? `${durationText(this.root.value)} of held time in ${countText(this.root.count)} holds. Click or press Enter to look closer.`
      : `${path}: ${durationText(this.top.value)}. Backspace goes back.`;
  }

  drawTree(pen, node, x, width) {
    this.drawNode(pen, node, x, width, false);
    let at = x;
    for (const child of [...node.children.values()].sort((a, b) => b.value - a.value)) {
      const part = node.value ? child.value / node.value * width : 0;
      if (part >= 0.4) this.drawTree(pen, child, at, part);
      at += part;
    }
  }

  drawNode(pen, node, x, width, faded) {
    const y = node.depth * this.row;
    pen.globalAlpha = faded ? 0.45 : 1;
    pen.fillStyle = colourOf(node);
    pen.fillRect(x, y + 1, Math.max(width - 0.6, 0.4), this.row - 1);
    pen.fillStyle = node.depth === 0 ? ink("ink") : "#fff";
    const text = textWithin(pen, node.name, width - 10);
    if (text) pen.fillText(text, x + 5, y + this.row / 2 + 1);
    pen.globalAlpha = 1;
    if (node === this.chosen && node !== this.root) {
      pen.strokeStyle = ink("ink");
      pen.lineWidth = 2;
      pen.strokeRect(x + 1, y + 2, Math.max(width - 2.6, 1), this.row - 3);
      pen.lineWidth = 1;
    }
    this.boxes.push({ node, x, y, width });
  }

  nodeUnder(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const found = this.boxes.find((one) => y >= one.y && y < one.y + this.row && x >= one.x && x < one.x + one.width);
    return found && found.node;
  }

  textUnder(event) {
    const node = this.nodeUnder(event);
    if (!node) return "";
    const share = this.root.value ? Math.round(node.value / this.root.value * 1000) / 10 : 0;
    return `${node.name}\n${durationText(node.value)} of held time, ${share} %, ${countText(node.count)} holds`;
  }

  key(event) {
    const siblings = this.chosen.parent ? [...this.chosen.parent.children.values()].sort((a, b) => b.value - a.value) : [];
    const beside = (by) => siblings[siblings.indexOf(this.chosen) + by] || this.chosen;
    const [largest] = [...this.chosen.children.values()].sort((a, b) => b.value - a.value);
    const acts = {
      ArrowRight: () => { this.chosen = beside(1); }, ArrowLeft: () => { this.chosen = beside(-1); },
      ArrowDown: () => { this.chosen = largest || this.chosen; }, ArrowUp: () => { this.chosen = this.chosen.parent || this.chosen; },
      Enter: () => { this.top = this.chosen; },
      Backspace: () => { this.top = this.top.parent || this.root; this.chosen = this.top; },
      0: () => { this.top = this.root; this.chosen = this.root; },
    };
    if (!(event.key in acts) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    acts[event.key]();
    this.draw();
  }
}

function colourOf(node) {
  if (node.depth === 0) return ink("panel");
  if (node.cause) return causeColour(node.cause);
  if (node.wait) return waitColour(node.wait);
  let hash = 0;
  for (const letter of node.name) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return node.depth === 1 ? "#4a5a68" : node.depth === 3 ? "#5d7285" : `hsl(${18 + hash % 30} 62% ${42 + hash % 9}%)`;
}
