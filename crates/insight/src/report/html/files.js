// The files: what is chosen, the list, and what is known of each failure.

const PAGE_OF_FILES = 100;
const PAGE_OF_FAILURES = 25;

/** What is chosen; it is in the address as well, so that a view can be sent to somebody. */
const choice = { q: "", s: new Set(), c: "", g: null, d: null, x: false, by: "failures" };

const BAD = ["FAIL", "TIMEOUT", "CRASH", "OOM", "ERROR", "FLAKY"];

function textOf(failure) {
  return [failure.sql, failure.m, failure.h, ...(failure.d || []).flat()].join("\n").toLowerCase();
}

/** Whether a failure is of the chosen cluster and change, and not expected if that is chosen. */
function isMeant(failure) {
  if (choice.g !== null && failure.c !== choice.g) return false;
  if (choice.d !== null && choice.dRecords && failure.ch !== choice.d) return false;
  return !(choice.x && failure.x);
}

function failureMatches(failure) {
  if (!isMeant(failure)) return false;
  if (!choice.q) return true;
  failure.text = failure.text || textOf(failure);
  return failure.text.includes(choice.q);
}

/** Whether a file is shown, and which of its failures. */
function look(file) {
  if (choice.s.size && !choice.s.has(file.s)) return null;
  if (choice.c && file.c !== choice.c) return null;
  if (choice.g !== null && !(file.g || []).some(([cluster]) => cluster === choice.g)) return null;
  if (choice.d !== null && !(file.ch || []).some(([kind]) => kind === choice.d)) return null;
  if (choice.x && (file.x === "all" || !BAD.includes(file.s))) return null;
  const all = file.f || [];
  const named = !choice.q || file.n.toLowerCase().includes(choice.q) || file.a.toLowerCase().includes(choice.q);
  const matching = all.filter(failureMatches);
  if (!named && !matching.length) return null;
  // A file that is meant by its name is meant with all that has failed in it.
  const failures = named && choice.q ? all.filter(isMeant) : matching;
  return { file, failures };
}

const ORDERS = {
  failures: (one, other) => other.file.r[2] - one.file.r[2] || (BAD.includes(other.file.s) - BAD.includes(one.file.s)),
  name: (one, other) => (one.file.n < other.file.n ? -1 : 1),
  time: (one, other) => other.file.ms - one.file.ms,
};

function chosenFiles(data) {
  const found = data.files.map(look).filter(Boolean);
  return found.sort(ORDERS[choice.by] || ORDERS.failures);
}

/** A file, whose failures are made when it is opened: as many as it takes to show this line. */
function fileItem({ file, failures }, open, line) {
  const bad = BAD.includes(file.s);
  const summary = make("summary", {},
    make("span", { class: (file.x === "all" ? "status expected s-" : "status s-") + file.s }, file.s),
    shown("span", { class: "name" }, file.n, choice.q),
    strip(file.past),
    make("span", { class: "time" }, duration(file.ms)),
    make("span", { class: "account" }, file.x && make("span", { class: "badge" }, file.x === "all" ? "as expected" : count(file.x) + " expected"), shown("span", {}, file.a, choice.q)));
  const item = make("details", { class: bad ? "file bad" : "file", "data-file": file.n }, summary);
  let made = false;
  const fillIn = () => {
    if (made) return;
    made = true;
    item.append(fileBody(file, failures, line));
  };
  item.addEventListener("toggle", () => item.open && fillIn());
  if (open) {
    fillIn();
    item.open = true;
  }
  return item;
}

function fileBody(file, failures, line) {
  const body = make("div", { class: "body" });
  const clusters = (file.g || []).map(([cluster, records]) =>
    make("li", {}, make("a", { href: "#g=" + cluster }, fixName(cluster)), records ? `, ${plural(records, "record")}: ` : ": ", shown("span", {}, allClusters[cluster].title)));
  if (clusters.length) add(body, [make("ul", { class: "groups" }, clusters)]);
  const kinds = (file.ch || []).map(([kind, number]) =>
    make("li", {}, make("a", { href: "#d=" + kind }, since.kinds[kind].title), number > 1 ? ", " + count(number) : null));
  if (kinds.length) add(body, [make("ul", { class: "groups" }, kinds)]);
  add(body, [paged(failures, PAGE_OF_FAILURES, (failure) => failureItem(failure, failures.length === 1), "failing record", 1 + failures.findIndex((failure) => failure.l === line))]);
  const hidden = (file.f || []).length - failures.length;
  if (hidden) add(body, [make("p", { class: "faint" }, plural(hidden, "more failing record") + " that are not chosen.")]);
  const rest = (file.rest || []).filter(([cluster]) => choice.g === null || choice.g === cluster);
  const more = choice.g === null ? file.more || 0 : 0;
  if (rest.length || more) {
    const besides = rest.reduce((sum, [, lines]) => sum + lines.length, more);
    add(body, [make("details", { class: "rest", open: rest.some(([, lines]) => lines.includes(line)) },
      make("summary", {}, plural(besides, "failing record") + " without details in this page"),
      rest.map(([cluster, lines]) => make("p", {}, cluster === null ? "lines " : [make("a", { href: "#g=" + cluster }, fixName(cluster)), ", lines "], lines.join(", "))),
      more > 0 && make("p", {}, `… and ${count(more)} more`),
      make("p", { class: "faint" }, "The command `show` has what is known of them, and `test FILE:LINE` repeats one."))]);
  }
  const tries = file.tries || [];
  if (tries.length) add(body, [make("h4", {}, "At another time"), tries.map((failure) => failureItem(failure, false))]);
  const lints = file.lints || [];
  if (lints.length) add(body, [make("h4", {}, "Notes"), make("ul", {}, lints.map(([line, text]) => make("li", {}, `line ${line}: `, shown("span", {}, text))))]);
  if (file.err) add(body, [make("h4", {}, "Standard error of the engine"), shown("pre", { class: "sql" }, file.err)]);
  if (file.mem) add(body, [make("p", { class: "faint" }, bytes(file.mem) + " of memory in use at most")]);
  if (!body.childElementCount) add(body, [make("p", { class: "faint" }, "Nothing has failed here.")]);
  return body;
}

/** What a change is called beside a record. */
const CHANGES = {
  "regressed records": "regressed", "records that end worse than before": "worse than before",
  "new failures: records": "new failure", "records that fail in another way": "fails in another way",
};

function failureItem(failure, open) {
  const first = failure.sql.split("\n").find((line) => line.trim()) || failure.m.split("\n")[0];
  const item = make("details", { class: "failure", "data-line": failure.l, open },
    make("summary", {},
      make("span", { class: "line" }, failure.l ? "line " + failure.l : "file"),
      make("span", { class: failure.x ? "kind expected" : "kind" }, failure.k.replaceAll("_", " ")),
      failure.x && make("span", { class: "badge" }, "expected"),
      failure.ch !== undefined && make("span", { class: "badge " + since.kinds[failure.ch].tone }, CHANGES[since.kinds[failure.ch].title] || "changed"),
      shown("code", { class: "first" }, first.slice(0, 160), choice.q)));
  let made = false;
  const fillIn = () => {
    if (made) return;
    made = true;
    item.append(failureBody(failure));
  };
  item.addEventListener("toggle", () => item.open && fillIn());
  if (open) fillIn();
  return item;
}

function failureBody(failure) {
  return make("div", { class: "evidence" },
    (failure.h || failure.c !== undefined) && make("p", { class: "header" }, failure.c !== undefined && [make("a", { href: "#g=" + failure.c }, fixName(failure.c)), " "], shown("span", {}, failure.h)),
    failure.sql && make("div", { class: "box" }, shown("pre", { class: "sql" }, failure.sql, choice.q), copyButton(failure.sql, "the SQL")),
    shown("p", { class: "message" }, failure.m, choice.q),
    failure.ms !== undefined && make("p", { class: "faint" }, "after " + duration(failure.ms)),
    failure.d && difference(failure.d),
    failure.again && make("div", { class: "box again" }, shown("pre", {}, failure.again), copyButton(failure.again, "the command")));
}

const SIDES = { "-": "expected", "+": "found", "=": "both", "~": "note" };

/** Rows that were expected and found. Of rows in one place, the values that are not the same stand out. */
function difference(lines) {
  const widest = Math.max(...lines.map((line) => line.length - 1));
  const others = partners(lines);
  const rows = lines.map((line, place) => {
    const [mark, ...values] = line;
    const other = others.get(place);
    const cells = mark === "~" || (values.length === 1 && widest > 1)
      ? shown("td", { colspan: widest }, values[0] || "")
      : values.map((value, column) =>
          shown("td", { class: other && value !== other[column + 1] ? "differs" : null }, value, choice.q));
    const sign = make("th", { scope: "row", "aria-label": SIDES[mark] }, mark === "=" || mark === "~" ? "" : mark === "-" ? "−" : "+");
    return make("tr", { class: SIDES[mark] }, sign, cells);
  });
  return make("figure", {},
    make("figcaption", {}, make("span", { class: "key expected" }, "− expected"), make("span", { class: "key found" }, "+ found")),
    make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Expected and found rows" }, make("table", { class: "diff" }, make("tbody", {}, rows))));
}

/** The rows of the other side: of expected rows and the found rows right behind them, the first is the first's. */
function partners(lines) {
  const found = new Map();
  for (let at = 0; at < lines.length; ) {
    if (lines[at][0] !== "-") {
      at++;
      continue;
    }
    let middle = at;
    while (middle < lines.length && lines[middle][0] === "-") middle++;
    let end = middle;
    while (end < lines.length && lines[end][0] === "+") end++;
    for (let step = 0; at + step < middle && middle + step < end; step++) {
      found.set(at + step, lines[middle + step]);
      found.set(middle + step, lines[at + step]);
    }
    at = end;
  }
  return found;
}

/** A list that grows on demand; it begins with so many at least. */
function paged(things, size, item, one, least = 0) {
  const list = make("div", { class: "paged" });
  let at = 0;
  const more = make("button", { type: "button", class: "more" });
  const grow = (most = size) => {
    const next = things.slice(at, at + most);
    at += next.length;
    const items = next.map(item);
    items.forEach((element) => list.insertBefore(element, more.parentNode === list ? more : null));
    const left = things.length - at;
    more.textContent = `Show ${count(Math.min(size, left))} more of ${plural(left, one)}`;
    if (left && more.parentNode !== list) list.append(more);
    if (!left) more.remove();
    return items[0];
  };
  more.addEventListener("click", () => {
    const first = grow();
    const summary = first && first.querySelector("summary");
    if (summary) summary.focus();
  });
  grow(Math.max(size, least));
  return list;
}
