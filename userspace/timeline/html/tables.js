// The groups and the holds as tables: a click on a group looks for it, a click on a hold explains it.
const pageOfHolds = 50;
const mostGroups = 100;  // in the table; the timeline has all

function causeCell(one) {
  return element("td", { class: "cause" }, dot(causeColour(one.cause)), causeName(one), " ", element("span", { class: "quiet" }, one.confidence));
}

const cell = (text, kind) => element("td", { class: kind }, words(text));

// Enter acts as a click does.
function row(cells, act, label) {
  const made = element("tr", { tabindex: "0", "aria-label": label, onclick: act }, ...cells);
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    act();
  });
  return made;
}

const groupsInOrder = [...groups.keys()].sort((a, b) => Boolean(groups[a].rest) - Boolean(groups[b].rest) ||
  groups[b].sockets - groups[a].sockets || groups[b].oldest - groups[a].oldest);

function drawGroups() {
  const names = [["Holds", "number"], ["Open", "number narrow"], ["Owner"], ["Cause"], ["Where", "narrow"], ["Longest", "number"],
    ["What happened", "text"]];
  const head = element("thead", {}, element("tr", {}, ...names.map(([name, kind]) => element("th", { class: kind, scope: "col" }, name))));
  const body = element("tbody", {});
  for (const index of groupsInOrder.slice(0, mostGroups)) {
    const group = groups[index];
    body.append(row([
      cell(countText(group.sockets), "number first"), cell(countText(group.open), "number narrow"),
      cell(processText(group.process), "name"), causeCell(group),
      cell(group.where, "narrow name"), cell(oldestText(group), "number last"), cell(group.summary, "text"),
    ], () => { setSearch(`group:${index + 1}`); showGroup(index); }, `Explain ${causeName(group)}, ${processText(group.process)}`));
  }
  byId("groups").replaceChildren(head, body);
  const more = groups.length - mostGroups;
  byId("more-groups").textContent = more > 0 ? `and ${countText(more)} smaller groups: see the timeline` : "";
  byId("no-groups").hidden = groups.length > 0;
  byId("groups-box").hidden = groups.length === 0;
}

// Those with nothing of what is looked for are not shown; the first number says how many holds are of it.
function markGroups() {
  const [, number] = /^group:(\d+)$/.exec(shown.text) ?? [];
  const looked = withoutGroups(shown.text);
  const found = new Map();
  for (const hold of holdsMatching(looked)) found.set(hold.group, (found.get(hold.group) ?? 0) + 1);
  [...byId("groups").querySelectorAll("tbody tr")].forEach((made, at) => {
    const index = groupsInOrder[at];
    const some = found.get(index) ?? 0;
    made.classList.toggle("chosen", String(index + 1) === number);
    made.hidden = looked !== "" && some === 0;
    const inPage = groups[index].shown;
    made.firstChild.textContent = (some < inPage && looked !== "" ? `${countText(some)} of ` : "") + countText(groups[index].sockets);
  });
}

// ---- holds --------------------------------------------------------------------------------------------------

const order = { by: "held", down: true, limit: pageOfHolds };
const orderings = {
  held: (hold) => hold.held, begin: (hold) => hold.begin, owner: (hold) => processText(hold.process),
  cause: (hold) => hold.cause, thread: (hold) => threadText(hold.thread),
};

function ordered(list) {
  const keys = new Map(list.map((hold) => [hold, orderings[order.by](hold)]));
  const sign = order.down ? -1 : 1;
  return [...list].sort((a, b) => {
    const [left, right] = [keys.get(a), keys.get(b)];
    return left < right ? -sign : left > right ? sign : a.index - b.index;
  });
}

function sortHolds(by) {
  order.down = order.by === by ? !order.down : by === "held";
  order.by = by;
  drawHolds();
  byId("holds").querySelector(`[data-by=${by}]`).focus();
}

function headOfHolds() {
  const names = [["Held", "number", "held"], ["Since", "number", "begin"], ["Owner", "", "owner"], ["Thread", "narrow", "thread"],
    ["Cause", "", "cause"], ["Connection", "text"]];
  return element("thead", {}, element("tr", {}, ...names.map(([name, kind, by]) => {
    const sorted = by === order.by ? (order.down ? "descending" : "ascending") : null;
    const sign = sorted === null ? "" : order.down ? " ▾" : " ▴";
    const inside = by ? element("button", { type: "button", "data-by": by, onclick: () => sortHolds(by) }, name + sign) : name;
    return element("th", { class: kind, scope: "col", "aria-sort": sorted }, inside);
  })));
}

function drawHolds() {
  const body = element("tbody", {});
  for (const hold of ordered(shown.holds).slice(0, order.limit)) {
    body.append(row([
      cell(`${heldText(hold)}${hold.open ? "" : ", ended"}`, "number first"), cell(hold.timed ? beginText(hold) : "", "number last"),
      cell(processText(hold.process), "name"), cell(threadText(hold.thread), "narrow name"), causeCell(hold),
      cell(connectionText(hold), "text"),
    ], () => showHold(hold), `Explain ${causeName(hold)}, held ${heldText(hold)}`));
  }
  byId("holds").replaceChildren(headOfHolds(), body);
  const left = shown.holds.length - order.limit;
  byId("more").hidden = left <= 0;
  byId("more").textContent = `Show more (${countText(Math.max(0, left))} left)`;
  byId("printed").textContent = left > 0 ? `The first ${countText(order.limit)} of ${countText(shown.holds.length)} holds are printed.` : "";
  byId("holds-section").hidden = holds.length === 0;
}
