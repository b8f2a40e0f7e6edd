// The timeline: lanes on a canvas that draws only what can be seen.
class Timeline {
  constructor(box) {
    this.box = box;
    this.axis = box.querySelector("#axis");
    this.canvas = box.querySelector("#lanes");
    this.scroller = box.querySelector(".lanes");
    this.spacer = box.querySelector(".spacer");
    const first = Math.min(0, ...this.early());
    this.limits = { from: first, to: span.to };
    this.view = { from: span.from, to: span.to };
    this.chosen = null;
    this.listen();
    this.relay();
  }

  // Holds may be older than the recording; the oldest shown at first is a tenth of the window before it.
  early() {
    let first = 0;
    for (const hold of holds) first = Math.min(first, hold.begin);
    return [first];
  }

  relay() {
    const { lanes, height } = lanesOf(shown.holds);
    this.lanes = lanes;
    this.height = height;
    this.spacer.style.height = `${height}px`;
    this.resize();
  }

  resize() {
    this.width = this.box.clientWidth;
    this.labels = Math.round(Math.min(280, Math.max(120, this.width * 0.22)));
    const printing = window.matchMedia("print").matches;
    const most = printing ? 20000 : window.innerHeight * 0.62;
    this.visible = Math.max(60, Math.min(this.height, most));
    this.scroller.style.height = `${this.visible}px`;
    this.draw();
  }

  x(time) {
    return this.labels + (time - this.view.from) / (this.view.to - this.view.from) * (this.width - this.labels);
  }

  time(x) {
    return this.view.from + (x - this.labels) / (this.width - this.labels) * (this.view.to - this.view.from);
  }

  // ---- drawing ----------------------------------------------------------------------------------------------

  draw() {
    this.drawAxis();
    const pen = sized(this.canvas, this.width, this.visible);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const offset = this.scroller.scrollTop;
    for (let i = laneAt(this.lanes, offset); i < this.lanes.length; i++) {
      const lane = this.lanes[i];
      const y = lane.top - offset;
      if (y > this.visible) break;
      this.drawLane(pen, lane, y);
    }
    if (!this.lanes.length) {
      pen.fillStyle = ink("quiet");
      pen.fillText("Nothing matches what is being looked for.", 12, 26);
    }
    this.drawRecordedSpan(pen);
  }

  drawAxis() {
    const height = 24;
    const pen = sized(this.axis, this.width, height);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const range = this.view.to - this.view.from;
    const step = tickStep(range / Math.max(2, (this.width - this.labels) / 110));
    pen.fillStyle = ink("quiet");
    pen.strokeStyle = ink("line");
    pen.fillText(`UTC, ${durationText(range)} shown`, 8, height / 2);
    this.ticks = [];
    for (let at = Math.ceil(this.view.from / step) * step; at <= this.view.to; at += step) {
      const x = Math.round(this.x(at)) + 0.5;
      this.ticks.push(x);
      pen.beginPath();
      pen.moveTo(x, height - 6);
      pen.lineTo(x, height);
      pen.stroke();
      const text = step >= 1e9 ? clockText(at, 0) : clockText(at, step >= 1e6 ? 4 : 0) + subMillisecond(at, step);
      if (x + 4 + pen.measureText(text).width < this.width) pen.fillText(text, x + 4, height / 2);
    }
  }

  drawRecordedSpan(pen) {
    const x = this.x(span.from);
    if (x <= this.labels) return;
    pen.fillStyle = ink("line");
    pen.globalAlpha = 0.35;
    pen.fillRect(this.labels, 0, Math.min(x, this.width) - this.labels, this.visible);
    pen.globalAlpha = 1;
  }

  drawLane(pen, lane, y) {
    if (lane.key === this.chosen) {
      pen.fillStyle = ink("panel");
      pen.fillRect(0, y, this.width, lane.height);
    }
    pen.strokeStyle = ink("line");
    pen.globalAlpha = 0.5;
    for (const x of this.ticks) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x, y + lane.height);
      pen.stroke();
    }
    pen.globalAlpha = 1;
    this.drawLabel(pen, lane, y);
    pen.save();
    pen.beginPath();
    pen.rect(this.labels, y, this.width - this.labels, lane.height);
    pen.clip();
    if (lane.kind === "thread") this.drawThread(pen, lane, y);
    if (lane.kind === "group") this.drawGroup(pen, lane, y);
    if (lane.kind === "hold") this.drawHold(pen, lane, y);
    pen.restore();
  }

  drawLabel(pen, lane, y) {
    const indent = 8 + lane.depth * 14;
    const middle = y + lane.height / 2;
    const sign = lane.kind === "process" || lane.kind === "group" ? (opened.has(lane.key) ? "▾ " : "▸ ") : "";
    pen.font = `${lane.kind === "process" ? "600 13px" : lane.kind === "hold" ? "11px" : "12px"} system-ui, sans-serif`;
    pen.fillStyle = lane.kind === "hold" || (lane.kind === "thread" && !lane.culprit) ? ink("quiet") : ink("ink");
    pen.fillText(textWithin(pen, sign + laneText(lane), this.labels - indent - 6), indent, middle);
  }

  // Slices narrower than a pixel are gathered: the longest class of a pixel is its colour.
  drawThread(pen, lane, y) {
    const { begin, end, wait } = lane.thread;
    const top = y + 3;
    const height = lane.height - 6;
    let pixel = null;
    const flush = () => {
      if (!pixel) return;
      const [longest] = [...pixel.shares].sort((a, b) => b[1] - a[1]);
      pen.fillStyle = waitColour(longest[0]);
      pen.fillRect(pixel.x, top, 1, height);
      pixel = null;
    };
    for (let i = Math.max(0, countUpTo(begin, this.view.from) - 1); i < begin.length && begin[i] <= this.view.to; i++) {
      const from = this.x(begin[i]);
      const to = this.x(end[i]);
      if (to - from >= 1) {
        flush();
        pen.fillStyle = waitColour(wait[i]);
        pen.fillRect(from, top, to - from, height);
        continue;
      }
      const x = Math.floor(from);
      if (pixel && pixel.x !== x) flush();
      pixel = pixel || { x, shares: new Map() };
      pixel.shares.set(wait[i], (pixel.shares.get(wait[i]) || 0) + to - from);
    }
    flush();
  }

  drawGroup(pen, lane, y) {
    const most = Math.max(1, lane.peak || (lane.peak = peakOf(lane.open)));
    const base = y + lane.height - 3;
    const height = lane.height - 8;
    pen.fillStyle = causeColour(lane.members[0].cause);
    pen.globalAlpha = 0.8;
    pen.beginPath();
    pen.moveTo(this.labels, base);
    for (let x = this.labels; x <= this.width; x++)
      pen.lineTo(x, base - openAt(lane.open, this.time(x)) / most * height);
    pen.lineTo(this.width, base);
    pen.fill();
    pen.globalAlpha = 1;
  }

  drawHold(pen, lane, y) {
    const { hold } = lane;
    const from = this.x(hold.begin);
    const to = Math.max(this.x(hold.end), from + 1.5);
    pen.fillStyle = causeColour(hold.cause);
    pen.globalAlpha = hold.exact ? 0.95 : 0.6;
    pen.fillRect(from, y + 2, to - from, lane.height - 4);
    pen.globalAlpha = 1;
    const text = textWithin(pen, `${hold.remote}  ${hold.cause}`, to - Math.max(from, this.labels) - 10);
    pen.font = "10.5px system-ui, sans-serif";
    pen.fillStyle = "#fff";
    if (text) pen.fillText(text, Math.max(from, this.labels) + 5, y + lane.height / 2);
    if (hold.open) {
      pen.fillStyle = ink("ink");
      pen.fillRect(this.x(span.to) - 1.5, y + 1, 1.5, lane.height - 2);
    }
  }

  // ---- what is under the pointer ----------------------------------------------------------------------------

  laneUnder(event) {
    const y = event.clientY - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop;
    return this.lanes[laneAt(this.lanes, y)];
  }

  textUnder(event) {
    const lane = this.laneUnder(event);
    if (!lane) return "";
    const x = event.clientX - this.box.getBoundingClientRect().left;
    if (x < this.labels) return laneText(lane);
    const time = this.time(x);
    if (lane.kind === "hold") return holdSummary(lane.hold);
    if (lane.kind === "group") return `${laneText(lane)}\n${countText(openAt(lane.open, time))} open at ${clockText(time, 4)}`;
    if (lane.kind === "thread") return sliceText(lane.thread, time);
    return `${laneText(lane)}: ${countText(lane.members.length)} holds`;
  }

  // ---- moving and choosing ----------------------------------------------------------------------------------

  zoom(factor, at) {
    const centre = at === undefined ? (this.view.from + this.view.to) / 2 : at;
    const least = 1000;
    const range = Math.min(Math.max((this.view.to - this.view.from) * factor, least), this.limits.to - this.limits.from);
    const share = (centre - this.view.from) / (this.view.to - this.view.from);
    this.look(centre - range * share, centre + range * (1 - share));
  }

  look(from, to) {
    const range = Math.min(to - from, this.limits.to - this.limits.from);
    const begin = Math.min(Math.max(from, this.limits.from), this.limits.to - range);
    this.view = { from: begin, to: begin + range };
    this.draw();
  }

  pan(share) {
    const by = (this.view.to - this.view.from) * share;
    this.look(this.view.from + by, this.view.to + by);
  }

  choose(lane) {
    this.chosen = lane ? lane.key : null;
    this.draw();
  }

  toggle(lane) {
    if (opened.has(lane.key)) opened.delete(lane.key);
    else opened.add(lane.key);
    this.relay();
  }

  open(lane) {
    if (!lane) return;
    this.choose(lane);
    if (lane.kind === "hold") showHold(lane.hold);
    else if (lane.kind === "thread") showThread(lane.thread.index);
    else this.toggle(lane);
  }

  step(by) {
    const at = this.lanes.findIndex((lane) => lane.key === this.chosen);
    const lane = this.lanes[Math.min(Math.max(at + by, 0), this.lanes.length - 1)];
    if (!lane) return;
    if (lane.top < this.scroller.scrollTop) this.scroller.scrollTop = lane.top;
    const below = lane.top + lane.height - this.visible;
    if (below > this.scroller.scrollTop) this.scroller.scrollTop = below;
    this.choose(lane);
  }

  chosenLane() {
    return this.lanes.find((lane) => lane.key === this.chosen);
  }
}

function tickStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  for (const step of [1, 2, 5, 10]) if (step * power >= least) {
    const seconds = step * power / 1e9;
    if (seconds < 10) return step * power;
    return [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400].find((one) => one * 1e9 >= least) * 1e9
      || step * power;
  }
  return 10 * power;
}

const subMillisecond = (at, step) => (step >= 1e6 ? "" : ` +${Math.round(((at % 1e9) + 1e9) % 1e9 / 1e3)} µs`);

function peakOf(open) {
  let most = 0;
  for (const time of open.begins) most = Math.max(most, openAt(open, time));
  return most;
}

function laneText(lane) {
  if (lane.kind === "process") return processText(lane.process);
  if (lane.kind === "thread") return `${lane.culprit ? "◆ " : ""}${threadText(lane.thread.index)}`;
  if (lane.kind === "group") return `${countText(lane.members.length)} × ${lane.members[0].cause} ${groups[lane.group].where}`;
  return lane.hold.remote;
}

function sliceText(thread, time) {
  const at = countUpTo(thread.begin, time) - 1;
  if (at < 0 || thread.end[at] < time) return `${threadText(thread.index)}: not known then`;
  const wait = thread.wait[at];
  const what = thread.text[at] ? `\n${report.texts[thread.text[at]]}` : "";
  return `${threadText(thread.index)}: ${waitNames[wait] || wait}, ${durationText(thread.end[at] - thread.begin[at])}${what}`;
}

function holdSummary(hold) {
  const held = `${hold.exact ? "" : "at least "}${durationText(hold.end - hold.begin)}${hold.open ? ", still open" : ""}`;
  const detail = report.details[hold.detail];
  return `${hold.local} ← ${hold.remote}\n${processText(hold.process)}, ${threadText(hold.thread)}\n` +
    `${hold.cause}, ${hold.confidence}; held ${held}${detail ? `\n${detail.summary}` : ""}`;
}
