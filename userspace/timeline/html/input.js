// Pointer, wheel and keys on the timeline.
Timeline.prototype.listen = function listen() {
  let grabbed = null;
  this.scroller.addEventListener("scroll", () => this.draw());
  this.box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
    event.preventDefault();
    const x = event.clientX - this.box.getBoundingClientRect().left;
    if (event.ctrlKey || event.metaKey) this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.time(Math.max(x, this.labels)));
    else this.pan(event.deltaX / this.width);
  }, { passive: false });
  this.scroller.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target !== this.canvas) return;
    grabbed = { x: event.clientX, moved: false, view: { ...this.view } };
    this.canvas.setPointerCapture(event.pointerId);
  });
  this.scroller.addEventListener("pointermove", (event) => {
    if (!grabbed) return tip.show(this.textUnder(event), event);
    const by = event.clientX - grabbed.x;
    if (Math.abs(by) > 3) grabbed.moved = true;
    if (!grabbed.moved) return undefined;
    tip.hide();
    this.scroller.classList.add("dragging");
    const time = by / (this.width - this.labels) * (grabbed.view.to - grabbed.view.from);
    return this.look(grabbed.view.from - time, grabbed.view.to - time);
  });
  const release = (event) => {
    const click = grabbed && !grabbed.moved;
    grabbed = null;
    this.scroller.classList.remove("dragging");
    if (click && event.type === "pointerup") this.open(this.laneUnder(event));
  };
  this.scroller.addEventListener("pointerup", release);
  this.scroller.addEventListener("pointercancel", release);
  this.scroller.addEventListener("pointerleave", () => tip.hide());
  this.box.addEventListener("keydown", (event) => this.key(event));
};

Timeline.prototype.key = function key(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const acts = {
    ArrowLeft: () => this.pan(-0.15), ArrowRight: () => this.pan(0.15),
    ArrowUp: () => this.step(-1), ArrowDown: () => this.step(1),
    "+": () => this.zoom(0.7), "=": () => this.zoom(0.7), "-": () => this.zoom(1.4),
    0: () => this.look(span.from, span.to), Home: () => this.look(this.limits.from, this.limits.to),
    Enter: () => this.open(this.chosenLane()),
  };
  if (!(event.key in acts)) return;
  event.preventDefault();
  acts[event.key]();
};
