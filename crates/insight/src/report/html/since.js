// What has changed since another run, and what is expected to fail.

const PAGE_OF_CHANGES = 8;
const since = data.since;

const sinceName = () => "run " + since.baseline;

function comparison() {
  if (!since) return null;
  const commit = since.commit && `, commit ${since.commit.slice(0, 12)}${since.branch ? " on " + since.branch : ""}`;
  const sums = since.sums.map(([number, tone, words]) => make("li", { class: "sum " + tone }, make("strong", {}, count(number)), " ", words));
  const rows = since.rows.map(([what, then, now, change]) => make("tr", {},
    make("th", { scope: "row" }, what), make("td", {}, then), make("td", {}, now), make("td", { class: "moved" }, change)));
  return section("comparison", ["Since ", shown("span", {}, sinceName())],
    make("p", { class: "lead" }, `Record by record, in ${plural(since.common, "file")} that both runs have`, commit && shown("span", {}, commit), "."),
    sums.length > 0 && make("ul", { class: "sums" }, sums),
    since.caveats.map((caveat) => shown("p", { class: "caveat" }, "Note: " + caveat + ".")),
    make("div", { class: "wide" }, make("table", { class: "rates" },
      make("thead", {}, make("tr", {}, ["", "baseline", "now", "change"].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, rows))),
    since.kinds.length ? since.kinds.map(changes) : make("p", { class: "faint" }, "Nothing has changed."));
}

function changes(kind, place) {
  const left = kind.count - kind.places.length;
  const here = data.files.some((file) => (file.ch || []).some(([number]) => number === place));
  const item = make("details", { class: "change " + kind.tone, "data-change": place, open: place === 0 || kind.tone === "worse" },
    make("summary", {}, kind.title, " ", make("strong", {}, count(kind.count))),
    paged(kind.places, PAGE_OF_CHANGES, (one) => make("div", { class: "place" },
      one.here ? placeLink(one.n, one.l || null) : shown("span", { class: "name" }, one.l ? one.n + ":" + one.l : one.n),
      " ", shown("small", {}, one.w)), "change"),
    left > 0 && make("p", { class: "faint" }, `… and ${count(left)} more; \`compare\` has all of them.`),
    here && make("p", {}, make("a", { href: "#d=" + place, class: "filter" }, "Show these files below")));
  return item;
}

/** What is expected to fail, and what has to be done about that. */
function expectations() {
  const { known } = data;
  if (!known) return null;
  return section("expected", "What is expected to fail",
    make("p", { class: known.good ? "sentence" : "sentence odd" }, known.sentence + "."),
    known.unexpected > 0 && make("p", {}, make("a", { href: "#x=1", class: "filter" }, "Show what is not expected below")),
    known.notes.map((notes) => make("div", { class: "change " + (notes.matters ? "worse" : "plain") },
      make("h3", {}, `${count(notes.count)} ${notes.title}`),
      paged(notes.entries, PAGE_OF_CHANGES, (entry) => shown("div", { class: "place" }, entry), "entry"),
      notes.count > notes.entries.length && make("p", { class: "faint" }, `… and ${count(notes.count - notes.entries.length)} more`))));
}
