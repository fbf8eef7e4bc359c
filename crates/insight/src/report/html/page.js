// The page: its sections, the search, the keys, and the address.

const page = document.getElementById("page");

function section(id, heading, ...children) {
  return make("section", { id, "aria-labelledby": id + "-title" }, make("h2", { id: id + "-title" }, heading), children);
}

function tile(number, words, extra) {
  return make("div", { class: "tile" }, make("strong", {}, number), make("span", {}, words), extra && make("small", {}, extra));
}

function header() {
  const { run, records, files_total: files } = data;
  const facts = [
    ["run", run.name], ["started", moment(run.started) + " UTC"], ["state", run.state],
    ["commit", run.commit && run.commit.slice(0, 12) + (run.branch ? " on " + run.branch : "") + (run.dirty ? ", with changes" : "")],
    ["machine", run.machine], ["workers", run.workers], ["files", run.suite.join(" ")], ["CI", run.ci],
    ["mode", run.exact && "the reference runner with its holes"],
  ].filter(([, value]) => value);
  const before = since ? since.rate : null;
  return make("header", { class: run.good ? "good" : "bad" },
    ring(records.rate),
    make("div", { class: "about" },
      make("p", { class: "kicker" }, "SQLLogicTest report"),
      make("h1", {}, make("span", { class: "verdict" }, run.verdict), " ", shown("span", {}, run.engine), " ", shown("small", {}, run.version)),
      shown("p", { class: "sentence" }, run.sentence),
      make("dl", {}, facts.map(([name, value]) => make("div", {}, make("dt", {}, name), shown("dd", {}, String(value)))))),
    make("div", { class: "tiles" },
      tile(count(records.passed), `of ${plural(records.wanted, "record")} pass`, before !== null && records.rate !== null && change(records.rate - before)),
      tile(count(records.failing), records.failing === 1 ? "record fails" : "records fail", causes && plural(allClusters.length + causes.left_out, "cluster")),
      tile(`${count(files.passed)} / ${count(files.wanted)}`, "files pass", run.untested ? count(run.untested) + " untested" : percent(files.rate)),
      tile(duration(run.ms), "for the run", run.workers ? plural(run.workers, "worker") : null)));
}

function change(difference) {
  const points = Math.abs(difference * 100).toFixed(2) + " points";
  if (Math.abs(difference) < 0.00005) return "as in " + sinceName();
  return difference > 0 ? "▲ " + points + " more than in " + sinceName() : "▼ " + points + " less than in " + sinceName();
}

/** What was, what has changed, and what takes long: beside each other where there is room. */
function overTime() {
  const known = data.history.filter((run) => run.rate !== null).length;
  const chart = known > 1 ? trend(data.history) : known === 1 ? make("p", { class: "faint" }, "This is the first run of these files; the next one makes a line.") : null;
  return make("div", { class: "columns" },
    make("div", { class: "stack" },
      section("trend", "Pass rate over time", chart || make("p", { class: "faint" }, "No record was executed.")), comparison()),
    make("div", { class: "stack" },
      section("categories", "Categories by runs", heatMap(data.categories, data.history)), slowest(), statementTimes()));
}

function placeLink(file, line) {
  return shown("a", { href: address({ f: file, l: line }) }, line ? file + ":" + line : file);
}

function slowest() {
  const files = data.slow_files.map((place) => data.files[place]);
  if (!files.length) return null;
  const rows = (items, most) => make("ol", { class: "slow" }, items.map(([ms, link, text]) =>
    make("li", {}, make("span", { class: "time" }, duration(ms)), make("div", {}, link, text, bar(ms, most)))));
  const records = data.slow_records;
  return section("slowest", "Slowest", make("div", { class: "columns" },
    make("div", {}, make("h3", {}, "Files"), rows(files.map((file) => [file.ms, placeLink(file.n, null)]), files[0].ms)),
    records.length > 0 && make("div", {}, make("h3", {}, "Records"),
      rows(records.map((slow) => [slow.ms, placeLink(data.files[slow.file].n, slow.line), shown("code", {}, slow.sql)]), records[0].ms))));
}

function statementTimes() {
  if (!data.statement_times.length) return null;
  const head = ["statement", "records", "total", "p50", "p95", "p99", "longest"].map((name) => make("th", { scope: "col" }, name));
  const rows = data.statement_times.map(([kind, ...numbers]) =>
    make("tr", {}, make("th", { scope: "row" }, kind), numbers.map((number) => make("td", {}, number))));
  return section("times", "Time by kind of statement", make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Times by kind of statement" },
    make("table", { class: "rates" }, make("thead", {}, make("tr", {}, head)), make("tbody", {}, rows))));
}

const search = make("input", { type: "search", id: "search", placeholder: "File, SQL, message or value", "aria-label": "Search in files and failures", autocomplete: "off", spellcheck: "false" });
const category = make("select", { "aria-label": "Category" },
  make("option", { value: "" }, "all categories"), data.categories.map((one) => shown("option", { value: one.name }, one.name)));
const order = make("select", { "aria-label": "Order" },
  make("option", { value: "failures" }, "most failures first"), make("option", { value: "time" }, "slowest first"), make("option", { value: "name" }, "by name"));
const chips = Object.entries(data.statuses).map(([status, number]) =>
  make("button", { type: "button", class: "chip s-" + status, "data-status": status, onclick: () => toggleStatus(status) }, status + " ", make("b", {}, count(number))));
const cluster = make("button", { type: "button", class: "chip cluster-chip", title: "All clusters again", onclick: () => (choice.g = null, update()) });
const changed = make("button", { type: "button", class: "chip cluster-chip", title: "All changes again", onclick: () => (choice.d = null, update()) });
const surprise = data.known && make("button", { type: "button", class: "chip", title: "Only what is not expected to fail", onclick: () => (choice.x = !choice.x, update()) }, "not expected");
const found = make("p", { class: "count", role: "status", "aria-live": "polite" });
const list = make("div", { id: "list" });

function files() {
  return section("files", "Files",
    make("div", { class: "tools", role: "search" }, search, category, order),
    make("div", { class: "chips", role: "group", "aria-label": "Statuses" }, chips, surprise, changed, cluster),
    found, list,
    data.details_left_out > 0 && make("p", { class: "faint" },
      `${count(data.details)} of ${plural(data.details + data.details_left_out, "failing record")} are here with their details; the others are named by their lines, and the search does not find them.`));
}

function toggleStatus(status) {
  if (!choice.s.delete(status)) choice.s.add(status);
  update();
}

/** Shows what is chosen, and writes it into the address. */
function update(place) {
  const chosen = chosenFiles(data);
  // Others may have the name of the file that is meant in theirs.
  if (place) chosen.sort((one, other) => (other.file.n === place.f) - (one.file.n === place.f));
  const failures = chosen.reduce((sum, one) => sum + one.failures.length, 0);
  found.textContent = plural(chosen.length, "file") + (choice.q || choice.g !== null || choice.d !== null || choice.x ? `, ${plural(failures, "failing record")} with details` : "");
  const only = chosen.length === 1;
  list.replaceChildren(chosen.length
    ? paged(chosen, PAGE_OF_FILES, (one) => fileItem(one, only || (place && one.file.n === place.f), place && one.file.n === place.f ? Number(place.l) : null), "file")
    : make("p", { class: "faint" }, "Nothing is like this."));
  chips.forEach((chip) => chip.setAttribute("aria-pressed", choice.s.has(chip.dataset.status)));
  cluster.hidden = choice.g === null;
  if (choice.g !== null) cluster.replaceChildren(fixName(choice.g) + ": ", shown("span", {}, allClusters[choice.g].title), " ×");
  changed.hidden = choice.d === null;
  if (choice.d !== null) changed.replaceChildren(since.kinds[choice.d].title + " ×");
  if (surprise) surprise.setAttribute("aria-pressed", choice.x);
  if (search.value.toLowerCase() !== choice.q) search.value = choice.q;
  category.value = choice.c;
  order.value = choice.by;
  history.replaceState(null, "", address(place || {}));
}

/** The address of what is chosen, or of a place. */
function address(place) {
  const words = new URLSearchParams();
  if (place.f) {
    words.set("f", place.f);
    if (place.l) words.set("l", place.l);
  } else {
    if (choice.q) words.set("q", choice.q);
    if (choice.s.size) words.set("s", [...choice.s].join(","));
    if (choice.c) words.set("c", choice.c);
    if (choice.g !== null) words.set("g", choice.g);
    if (choice.d !== null) words.set("d", choice.d);
    if (choice.x) words.set("x", 1);
    if (choice.by !== "failures") words.set("by", choice.by);
  }
  return "#" + words;
}

/** Chooses a kind of change, or none. */
function choose(kind) {
  choice.d = kind;
  // Where files have changed, all of their failures are meant.
  choice.dRecords = kind !== null && since.kinds[kind].records;
}

/** Goes to what the address says; true if it says anything. */
function follow() {
  const words = new URLSearchParams(location.hash.slice(1));
  const known = ["q", "s", "c", "g", "d", "x", "by", "f", "l"].some((name) => words.has(name));
  if (!known) return false;
  const number = (name, things) => (things && /^\d+$/.test(words.get(name)) && things[words.get(name)] ? Number(words.get(name)) : null);
  choice.q = (words.get("q") || "").toLowerCase();
  choice.s = new Set((words.get("s") || "").split(",").filter((status) => status in data.statuses));
  choice.c = data.categories.some((one) => one.name === words.get("c")) ? words.get("c") : "";
  choice.g = number("g", allClusters);
  choose(number("d", since && since.kinds));
  choice.x = data.known !== null && words.get("x") === "1";
  choice.by = words.get("by") in ORDERS ? words.get("by") : "failures";
  const file = words.get("f");
  if (file) choice.q = file.toLowerCase();
  update(file ? { f: file, l: words.get("l") } : null);
  const item = file && [...list.querySelectorAll(".file")].find((one) => one.dataset.file === file);
  const line = item && words.get("l") && [...item.querySelectorAll(".failure")].find((one) => one.dataset.line === words.get("l"));
  if (line) line.open = true;
  (line || item || document.getElementById("files")).scrollIntoView();
  const focus = line || item;
  if (focus) focus.querySelector("summary").focus({ preventScroll: true });
  return true;
}

let waiting;
search.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    choice.q = search.value.trim().toLowerCase();
    update();
  }, 120);
});
category.addEventListener("change", () => ((choice.c = category.value), update()));
order.addEventListener("change", () => ((choice.by = order.value), update()));
addEventListener("hashchange", follow);
addEventListener("keydown", (event) => {
  const typing = event.target.closest && event.target.closest("input, select, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape" && event.target === search) {
    search.value = "";
    choice.q = "";
    update();
  }
});

add(page, [
  header(), expectations(), overTime(), timings(), clusters(), files(),
  make("footer", {}, `vibesql-sqllogictest ${data.run.program}. Keys: `, make("kbd", {}, "/"), " searches, ", make("kbd", {}, "Esc"), " ends the search."),
]);
if (!follow()) {
  // What has passed is there, but not in the way.
  BAD.filter((status) => status in data.statuses).forEach((status) => choice.s.add(status));
  choice.x = data.known !== null && data.known.unexpected > 0;
  update();
}
document.documentElement.dataset.ready = "";
