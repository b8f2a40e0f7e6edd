// Pointer, wheel and keys on the timeline.
Object.assign(Timeline.prototype, {
  listen() {
    this.scroller.addEventListener("scroll", () => this.redraw());
    this.box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("pointerleave", () => this.point(null));
    this.listenToLanes();
    this.listenToAxis();
    byId("zoom-in").addEventListener("click", () => this.zoom(0.5));
    byId("zoom-out").addEventListener("click", () => this.zoom(2));
    byId("zoom-all").addEventListener("click", () => this.lookAtAll());
    byId("zoom-oldest").addEventListener("click", () => this.lookAtOldest());
    byId("zoom-oldest").hidden = this.limits.from === span.from;
  },

  wheel(event) {
    const zooms = event.ctrlKey || event.metaKey;
    if (!zooms && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;  // the page or the lanes scroll
    event.preventDefault();
    if (zooms) this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.time(Math.max(this.xUnder(event), this.labels)));
    else this.pan(event.deltaX / this.width);
  },

  // Lanes are dragged; a press that did not move is a click.
  listenToLanes() {
    let grabbed = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      grabbed = { x: event.clientX, moved: false, view: { ...this.view } };
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!grabbed) return this.point(event);
      const by = event.clientX - grabbed.x;
      grabbed.moved ||= Math.abs(by) > 3;
      if (!grabbed.moved) return undefined;
      this.point(null);
      this.scroller.classList.add("dragging");
      const time = by / (this.width - this.labels) * (grabbed.view.to - grabbed.view.from);
      return this.look(grabbed.view.from - time, grabbed.view.to - time);
    });
    const release = (event) => {
      const clicked = grabbed && !grabbed.moved && event.type === "pointerup";
      grabbed = null;
      this.scroller.classList.remove("dragging");
      if (clicked) this.click(this.laneUnder(event), this.xUnder(event) < this.labels);
    };
    this.canvas.addEventListener("pointerup", release);
    this.canvas.addEventListener("pointercancel", release);
  },

  // On the axis, a part of the time is chosen; a double click shows all again.
  listenToAxis() {
    const band = byId("band");
    let from = null;
    const limit = (event) => Math.min(Math.max(this.xUnder(event), this.labels), this.width);
    this.axis.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      from = limit(event);
      this.axis.setPointerCapture(event.pointerId);
    });
    this.axis.addEventListener("pointermove", (event) => {
      if (from === null) return this.pointAxis(event);
      const to = limit(event);
      band.hidden = false;
      band.style.left = `${Math.min(from, to)}px`;
      band.style.width = `${Math.abs(to - from)}px`;
      return tip.show(durationText(Math.abs(this.time(to) - this.time(from))), event.clientX, event.clientY);
    });
    const release = (event) => {
      const to = limit(event);
      if (from !== null && event.type === "pointerup" && Math.abs(to - from) > 4) {
        this.look(this.time(Math.min(from, to)), this.time(Math.max(from, to)));
      }
      from = null;
      band.hidden = true;
      tip.hide();
    };
    this.axis.addEventListener("pointerup", release);
    this.axis.addEventListener("pointercancel", release);
    this.axis.addEventListener("dblclick", () => this.lookAtAll());
  },

  // The hint, and a line down all lanes.
  point(event) {
    const hair = byId("hair");
    const x = event ? this.xUnder(event) : 0;
    hair.hidden = !event || x < this.labels;
    hair.style.left = `${x}px`;
    const lane = event && this.laneUnder(event);
    if (lane) tip.show(laneHint(lane, x < this.labels ? null : this.time(x)), event.clientX, event.clientY);
    else tip.hide();
  },

  pointAxis(event) {
    const x = this.xUnder(event);
    const loss = this.seenLosses().find((one) => Math.abs(this.x(one.at) - x) < 6);
    const lost = loss ? `\n${countText(loss.count)} lost: ${loss.what}` : "";
    tip.show(x < this.labels ? "" : `${dateText(this.time(x))}${lost}`, event.clientX, event.clientY);
  },

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== this.box) return;
    const acts = {
      ArrowLeft: () => this.pan(-0.15), ArrowRight: () => this.pan(0.15),
      ArrowUp: () => this.step(-1), ArrowDown: () => this.step(1), PageUp: () => this.step(-12), PageDown: () => this.step(12),
      "+": () => this.zoom(0.7), "=": () => this.zoom(0.7), "-": () => this.zoom(1.4),
      0: () => this.lookAtAll(), Home: () => this.lookAtOldest(),
      Enter: () => this.open(this.chosenLane(), false), " ": () => this.open(this.chosenLane(), true),
    };
    if (!Object.hasOwn(acts, event.key)) return;
    event.preventDefault();
    this.point(null);
    acts[event.key]();
  },
});
