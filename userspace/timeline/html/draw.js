// How the timeline is drawn: only what can be seen, and what is narrower than a pixel as the pixel it shares.
Object.assign(Timeline.prototype, {
  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.drawAxis();
    const pen = sized(this.canvas, this.width, this.visible);
    pen.textBaseline = "middle";
    const offset = printing.now ? 0 : this.scroller.scrollTop;
    this.drawBefore(pen);
    for (let i = laneAt(this.lanes, offset); i < this.lanes.length; i++) {
      const lane = this.lanes[i];
      const y = lane.top - offset;
      if (y > this.visible) break;
      this.drawLane(pen, lane, y);
    }
    this.drawLosses(pen);
    if (!this.lanes.length) {
      pen.font = `13px ${sans}`;
      pen.fillStyle = palette.quiet;
      pen.fillText(holds.length ? "No hold matches what is looked for." : "Nothing was held.", 12, this.visible / 2);
    }
    const range = `${clockText(this.view.from, 3)} to ${clockText(this.view.to, 3)}`;
    byId("range").textContent = `${range}, ${durationText(this.view.to - this.view.from)}`;
  },

  drawAxis() {
    const height = 26;
    const pen = sized(this.axis, this.width, height);
    pen.font = `11px ${sans}`;
    pen.textBaseline = "middle";
    const step = tickStep((this.view.to - this.view.from) / Math.max(2, (this.width - this.labels) / 105));
    const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / 1e9) - 1e-9)));
    pen.fillStyle = palette.quiet;
    pen.fillText(report.window.from_wall_ns === null ? "since it began" : zoneText, 10, height / 2);
    pen.strokeStyle = palette.line;
    this.ticks = [];
    for (let at = Math.ceil(this.view.from / step) * step; at <= this.view.to; at += step) {
      const x = Math.round(this.x(at)) + 0.5;
      this.ticks.push(x);
      line(pen, x, height - 7, x, height);
      const text = clockText(at, digits);
      if (x + 4 + pen.measureText(text).width < this.width) pen.fillText(text, x + 4, height / 2);
    }
    pen.fillStyle = palette.warning;
    for (const loss of this.seenLosses()) pen.fillText("▼", this.x(loss.at) - 5, height - 6);
  },

  seenLosses() {
    return losses.filter((loss) => loss.at >= this.view.from && loss.at <= this.view.to);
  },

  drawLosses(pen) {
    pen.strokeStyle = palette.warning;
    pen.setLineDash([3, 3]);
    for (const loss of this.seenLosses()) line(pen, Math.round(this.x(loss.at)) + 0.5, 0, Math.round(this.x(loss.at)) + 0.5, this.visible);
    pen.setLineDash([]);
  },

  // The time before the recording: of holds that are older, less is known.
  drawBefore(pen) {
    const x = Math.min(this.x(span.from), this.width);
    if (x <= this.labels) return;
    pen.fillStyle = palette.panel;
    pen.fillRect(this.labels, 0, x - this.labels, this.visible);
    pen.font = `11px ${sans}`;
    pen.fillStyle = palette.quiet;
    pen.fillText(textWithin(pen, "before the recording", x - this.labels - 12), this.labels + 6, 14);
  },

  drawLane(pen, lane, y) {
    const chosen = lane.key === this.chosen;
    const marked = lane.kind === "thread" && this.marked.has(lane.thread.index);
    if (chosen || marked || lane.kind === "process") {
      pen.fillStyle = marked ? palette.mark : palette.panel;
      pen.fillRect(0, y, this.width, lane.height);
    }
    pen.strokeStyle = palette.line;
    pen.globalAlpha = 0.55;
    for (const x of this.ticks) line(pen, x, y, x, y + lane.height);
    if (lane.kind === "process" || lane.kind === "group") line(pen, 0, Math.round(y) + 0.5, this.width, Math.round(y) + 0.5);
    pen.globalAlpha = 1;
    pen.save();
    pen.beginPath();
    pen.rect(this.labels, y, this.width - this.labels, lane.height);
    pen.clip();
    if (lane.kind === "thread") this.drawThread(pen, lane.thread, y, lane.height);
    if (lane.kind === "group") this.drawGroup(pen, lane, y);
    if (lane.kind === "counter") this.drawCounter(pen, lane, y);
    if (lane.kind === "hold") this.drawHold(pen, lane, y);
    pen.restore();
    this.drawLabel(pen, lane, y);
    if (!chosen) return;
    pen.fillStyle = palette.focus;
    pen.fillRect(0, y, 3, lane.height);
  },

  drawLabel(pen, lane, y) {
    const indent = 10 + lane.depth * (this.width < 600 ? 8 : 14);
    const room = this.labels - indent - 8;
    const sign = lane.kind === "process" || lane.kind === "group" ? (opened.has(lane.key) ? "▾ " : "▸ ") : "";
    const under = lane.kind === "group" && groups[lane.group].where ? `${groups[lane.group].where} · ` : "";
    const second = lane.kind === "group" ? `${under}at most ${countText(lane.peak)} at once`
      : lane.kind === "counter" ? `up to ${numberText(lane.most ?? 0)}${lane.counter.unit ? ` ${lane.counter.unit}` : ""}` : "";
    const middle = y + (second ? lane.height / 2 - 7 : lane.height / 2);
    pen.font = `${lane.kind === "process" ? "600 13px" : lane.kind === "hold" ? "11px" : "12px"} ${sans}`;
    pen.fillStyle = lane.kind === "hold" || lane.kind === "more" || (lane.kind === "thread" && !lane.holds && !lane.chain)
      ? palette.quiet : palette.ink;
    pen.fillText(textWithin(pen, sign + laneText(lane), room), indent, middle);
    if (!second) return;
    pen.font = `11px ${sans}`;
    pen.fillStyle = palette.quiet;
    pen.fillText(textWithin(pen, second, room - (sign ? 14 : 0)), indent + (sign ? 14 : 0), middle + 15);
  },

  // Slices narrower than a pixel are gathered: what fills most of the pixel is its colour.
  drawThread(pen, { begin, end, state, text, filled }, y, height) {
    const [top, tall] = [y + 2, height - 4];
    let pixel = null;
    const flush = () => {
      if (!pixel) return;
      let most = null;
      for (const share of pixel.shares) if (!most || share[1] > most[1]) most = share;
      pen.fillStyle = waitColour(most[0]);
      pen.fillRect(pixel.x, top, 1, tall);
      pixel = null;
    };
    pen.font = `10.5px ${sans}`;
    for (let i = Math.max(0, countUpTo(begin, this.view.from) - 1); i < begin.length && begin[i] <= this.view.to; i++) {
      const from = Math.max(this.x(begin[i]), this.labels - 2);
      const to = Math.min(this.x(end[i]), this.width + 2);
      if (to - from < 1) {
        const x = Math.floor(from);
        if (pixel && pixel.x !== x) flush();
        pixel ??= { x, shares: new Map() };
        pixel.shares.set(state[i], (pixel.shares.get(state[i]) ?? 0) + to - from);
        continue;
      }
      flush();
      const share = filled ? Math.min(1, filled[i] / (end[i] - begin[i])) : 1;
      if (share < 1) this.drawShare(pen, from, to - from, top, tall, state[i], share);
      else this.drawSlice(pen, from, to - from, top, tall, state[i], text[i]);
    }
    flush();
  },

  // It stands for several: what took most of the time is as high as its share.
  drawShare(pen, x, width, top, tall, state, share) {
    pen.fillStyle = palette.line;
    pen.fillRect(x, top, width, tall);
    pen.fillStyle = waitColour(state);
    pen.fillRect(x, top + tall * (1 - share), width, tall * share);
  },

  drawSlice(pen, x, width, top, tall, state, text) {
    pen.fillStyle = width > 4 ? waitFill(state) : waitColour(state);
    pen.fillRect(x, top, width, tall);
    const name = waitText(state);
    if (width < 30 || pen.measureText(name).width > width - 10) return;
    const words = text && width > 110 ? textWithin(pen, `${name}: ${textOf(text)}`, width - 10) : name;
    const colour = waitColour(state);
    pen.fillStyle = colour;
    pen.fillRect(x + 3, top + 1, pen.measureText(words).width + 4, tall - 2);
    pen.fillStyle = textOn(colour);
    pen.fillText(words, x + 5, top + tall / 2 + 0.5);
  },

  // How many were open, as a curve.
  drawGroup(pen, lane, y) {
    const base = y + lane.height - 2;
    const tall = lane.height - 8;
    const most = Math.max(1, lane.peak);
    const height = (x) => openAt(lane.open, this.time(x)) / most * tall;
    this.curve(pen, base, this.limits.from, height, causeColour(lane.members[0].cause));
  },

  drawCounter(pen, lane, y) {
    const { at, value } = lane.counter;
    lane.most ??= value.reduce((most, one) => Math.max(most, one), 0);
    const tall = lane.height - 8;
    const scale = tall / (lane.most || 1);
    // A pixel may hold many samples: the largest is drawn.
    const height = (x) => {
      const first = countUpTo(at, this.time(x - 0.5));
      const last = countUpTo(at, this.time(x + 0.5));
      let most = value[Math.max(0, first - 1)];
      for (let i = first; i < last; i++) most = Math.max(most, value[i]);
      return Math.max(0, most * scale);
    };
    this.curve(pen, y + lane.height - 2, at[0], height, palette.quiet);
  },

  // From a moment on; before it, nothing is known.
  curve(pen, base, from, height, colour) {
    const first = Math.max(this.labels, Math.floor(this.x(from)));
    if (first > this.width) return;
    pen.beginPath();
    pen.moveTo(first, base);
    let before = 0;
    for (let x = first; x <= this.width; x++) {
      const now = height(x);
      pen.lineTo(x, base - before);
      pen.lineTo(x, base - now);
      before = now;
    }
    pen.lineTo(this.width, base);
    pen.closePath();
    pen.fillStyle = colour;
    pen.globalAlpha = 0.42;
    pen.fill();
    pen.globalAlpha = 1;
    pen.strokeStyle = colour;
    pen.lineWidth = 1.2;
    pen.stroke();
    pen.lineWidth = 1;
  },

  // Pale until the program touched it the first time since the FIN, full from then on.
  drawHold(pen, lane, y) {
    const { hold } = lane;
    if (!hold.timed) return;
    const [top, tall] = [y + 2, lane.height - 4];
    const colour = causeColour(hold.cause);
    const from = Math.max(this.x(hold.begin), this.labels - 4);
    const to = Math.max(Math.min(this.x(hold.end), this.width + 4), from + 1.5);
    const touched = hold.touched === null ? to : Math.min(Math.max(this.x(hold.touched), from), to);
    pen.fillStyle = colour;
    pen.globalAlpha = 0.55;
    pen.fillRect(from, top, to - from, tall);
    pen.globalAlpha = 1;
    pen.fillRect(touched, top, to - touched, tall);
    pen.fillRect(from, top, 1.5, tall);
    pen.font = `10.5px ${sans}`;
    const start = Math.max(from, this.labels) + 5;
    const text = textWithin(pen, `${heldText(hold)}  ${causeName(hold)}`, Math.min(to, this.width) - start - 12);
    if (text) {
      pen.fillStyle = colour;
      pen.fillRect(start - 2, top, pen.measureText(text).width + 4, tall);
      pen.fillStyle = textOn(colour);
      pen.fillText(text, start, y + lane.height / 2 + 0.5);
    }
    pen.fillStyle = palette.ink;
    const end = this.x(hold.end);
    if (!hold.open) pen.fillRect(end - 2.5, top - 1, 2.5, tall + 2);
    else if (end <= this.width + 1) triangle(pen, end, top, tall);
  },
});

function line(pen, x, y, toX, toY) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(toX, toY);
  pen.stroke();
}

// It goes on.
function triangle(pen, x, top, tall) {
  pen.beginPath();
  pen.moveTo(x - 7, top);
  pen.lineTo(x, top + tall / 2);
  pen.lineTo(x - 7, top + tall);
  pen.fill();
}

// A round step that is not below the least: of a second decimal, above that as clocks have it.
function tickStep(least) {
  const clock = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  if (least > 5e8) return (clock.find((seconds) => seconds * 1e9 >= least) ?? Math.ceil(least / 86400e9) * 86400) * 1e9;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].find((step) => step * power >= least) * power;
}
