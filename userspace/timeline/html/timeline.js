// The timeline: which part of the time is seen, which lane is chosen, and what opens. Drawing is in draw.js, pointer
// and keys in input.js.
class Timeline {
  constructor(box) {
    this.box = box;
    this.axis = byId("axis");
    this.canvas = byId("lanes");
    this.scroller = byId("scroller");
    this.spacer = byId("spacer");
    this.limits = { from: holds.reduce((first, hold) => (hold.timed ? Math.min(first, hold.begin) : first), span.from), to: span.to };
    this.view = { from: span.from, to: span.to };
    this.chosen = null;
    this.marked = new Set();  // threads of the wait chain that is being looked at
    this.frame = 0;
    this.listen();
    this.relay();
  }

  // Other holds are shown, or other lanes are open.
  relay() {
    const { lanes, height } = lanesOf(shown.holds);
    this.lanes = lanes;
    this.height = height;
    this.spacer.style.height = `${height}px`;
    this.resize();
  }

  resize() {
    this.width = printing.now ? printing.width : this.box.clientWidth;
    this.labels = Math.round(Math.min(300, Math.max(148, this.width * 0.24)));
    const most = printing.now ? 860 : Math.max(240, window.innerHeight * 0.66);
    this.visible = Math.round(Math.max(56, Math.min(this.height, most)));
    this.scroller.style.height = `${this.visible}px`;
    this.draw();
  }

  // At most once a frame, however fast wheel and pointer are.
  redraw() {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  x(time) {
    return this.labels + (time - this.view.from) / (this.view.to - this.view.from) * (this.width - this.labels);
  }

  time(x) {
    return this.view.from + (x - this.labels) / (this.width - this.labels) * (this.view.to - this.view.from);
  }

  laneUnder(event) {
    const y = event.clientY - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop;
    return this.lanes[laneAt(this.lanes, y)];
  }

  xUnder(event) {
    return event.clientX - this.axis.getBoundingClientRect().left;
  }

  // ---- the part of the time ---------------------------------------------------------------------------------

  zoom(factor, at) {
    const centre = at ?? (this.view.from + this.view.to) / 2;
    const range = (this.view.to - this.view.from) * factor;
    const share = (centre - this.view.from) / (this.view.to - this.view.from);
    this.look(centre - range * share, centre + range * (1 - share));
  }

  look(from, to) {
    const microsecond = 1000;
    const range = Math.min(Math.max(to - from, microsecond), this.limits.to - this.limits.from);
    const begin = Math.min(Math.max(from, this.limits.from), this.limits.to - range);
    this.view = { from: begin, to: begin + range };
    this.redraw();
  }

  pan(share) {
    const by = (this.view.to - this.view.from) * share;
    this.look(this.view.from + by, this.view.to + by);
  }

  lookAtAll() { this.look(span.from, span.to); }
  lookAtOldest() { this.look(this.limits.from, this.limits.to); }

  // ---- lanes ------------------------------------------------------------------------------------------------

  choose(lane) {
    this.chosen = lane ? lane.key : null;
    byId("timeline-says").textContent = lane ? laneHint(lane, null) : "";
    this.redraw();
  }

  chosenLane() {
    return this.lanes.find((lane) => lane.key === this.chosen);
  }

  step(by) {
    const at = this.lanes.findIndex((lane) => lane.key === this.chosen);
    const lane = this.lanes[Math.min(Math.max(at + by, 0), this.lanes.length - 1)];
    if (!lane) return;
    const below = lane.top + lane.height - this.visible;
    if (lane.top < this.scroller.scrollTop) this.scroller.scrollTop = lane.top;
    if (below > this.scroller.scrollTop) this.scroller.scrollTop = below;
    this.choose(lane);
  }

  canToggle(lane) {
    return lane.kind === "process" || lane.kind === "group" || lane.kind === "more";
  }

  toggle(lane) {
    if (!opened.delete(lane.key)) opened.add(lane.key);
    this.relay();
  }

  // While something is looked for, a click on a process chooses it: what was found in it stays in sight. Space folds.
  click(lane, byName) {
    if (lane?.kind === "process" && shown.text && opened.has(lane.key)) this.choose(lane);
    else this.open(lane, byName);
  }

  // By its name, or by what is drawn of it: a group's name opens it, its curve explains it.
  open(lane, byName) {
    if (!lane) return;
    this.choose(lane);
    if (lane.kind === "hold") showHold(lane.hold);
    else if (lane.kind === "thread") showThread(lane.thread.index);
    else if (lane.kind === "group" && !byName) showGroup(lane.group);
    else if (this.canToggle(lane)) this.toggle(lane);
  }

  mark(chain) {
    this.marked = new Set(chain);
    this.redraw();
  }
}
