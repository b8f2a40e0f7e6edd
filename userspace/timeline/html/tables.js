// The groups and the holds as tables: a click on a group looks for it, a click on a hold explains it.
const pageOfHolds = 100;

function causeCell(cause, confidence) {
  return element("td", { class: "cause" }, dot(causeColour(cause)), cause, element("span", { class: "quiet" }, ` ${confidence}`));
}

function row(cells, act, label) {
  const made = element("tr", { tabindex: "0", "aria-label": label, onclick: act }, ...cells);
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    act();
  });
  return made;
}

function head(names, sort) {
  return element("thead", {}, element("tr", {}, ...names.map(([name, kind, by]) => element("th",
    { class: kind, scope: "col" }, by ? element("button", { type: "button", onclick: () => sort(by) }, name) : name))));
}

function drawGroups() {
  const names = [["Sockets", "number"], ["Owner"], ["Cause"], ["Where"], ["Oldest", "number"], ["What happened"]];
  const body = element("tbody", {});
  for (const [index, group] of groups.entries()) {
    body.append(row([
      element("td", { class: "number" }, countText(group.sockets)), element("td", {}, processText(group.process)),
      causeCell(group.cause, group.confidence), element("td", {}, group.where),
      element("td", { class: "number" }, durationText(group.oldest_held_ns)), element("td", { class: "text" }, group.summary),
    ], () => { setSearch(`group:${index}`); showGroup(index); }, `${group.cause}, ${processText(group.process)}`));
  }
  document.getElementById("groups").replaceChildren(head(names), body);
}

const order = { by: "held", down: true, limit: pageOfHolds };
const orderings = {
  held: (hold) => hold.end - hold.begin, begin: (hold) => hold.begin, owner: (hold) => processText(hold.process),
  cause: (hold) => hold.cause, thread: (hold) => threadText(hold.thread),
};

function ordered(list) {
  const value = orderings[order.by];
  const sign = order.down ? -1 : 1;
  return [...list].sort((a, b) => {
    const left = value(a);
    const right = value(b);
    return left < right ? -sign : left > right ? sign : a.index - b.index;
  });
}

function sortHolds(by) {
  order.down = order.by === by ? !order.down : by === "held";
  order.by = by;
  drawHolds();
}

function drawHolds() {
  const names = [["Held", "number", "held"], ["Since", "", "begin"], ["Owner", "", "owner"], ["Thread", "", "thread"],
    ["Cause", "", "cause"], ["Local"], ["Remote"]];
  const body = element("tbody", {});
  for (const hold of ordered(shown.holds).slice(0, order.limit)) {
    const held = `${hold.exact ? "" : "≥ "}${durationText(hold.end - hold.begin)}${hold.open ? "" : ", ended"}`;
    body.append(row([
      element("td", { class: "number" }, held), element("td", {}, clockText(hold.begin, 4)),
      element("td", {}, processText(hold.process)), element("td", {}, threadText(hold.thread)),
      causeCell(hold.cause, hold.confidence), element("td", {}, hold.local), element("td", {}, hold.remote),
    ], () => showHold(hold), `${hold.cause}, held ${held}`));
  }
  document.getElementById("holds").replaceChildren(head(names, sortHolds), body);
  const more = document.getElementById("more");
  more.hidden = shown.holds.length <= order.limit;
  more.textContent = `Show more (${countText(Math.max(0, shown.holds.length - order.limit))} left)`;
}
