// What the failures come from: the clusters in the order of fixes, each of which opens to its smallest record and its files.

const PAGE_OF_CLUSTERS = 10;
const causes = data.causes;
const allClusters = causes ? causes.clusters : [];

const fixName = (place) => "fix " + (place + 1);

function clusters() {
  if (!allClusters.length) return null;
  const records = data.records.failing;
  const most = Math.max(...allClusters.map((cluster) => cluster.records));
  const lead = `${plural(records, "failing record")} in ${plural(causes.files, "file")} that ${causes.files === 1 ? "has" : "have"} not passed: `
    + `${plural(allClusters.length + causes.left_out, "cluster")} of records that are likely to have one reason, in the order in which fixing them turns most files green soonest.`;
  return section("clusters", "What to fix, in this order",
    make("p", { class: "lead" }, lead),
    allClusters.length > 1 && curve(allClusters.map((cluster) => cluster.green), causes.files),
    paged(allClusters.map((cluster, place) => [cluster, place]), PAGE_OF_CLUSTERS, ([cluster, place]) => clusterItem(cluster, place, most), "cluster"),
    causes.left_out > 0 && make("p", { class: "faint" }, `${plural(causes.left_out, "more cluster")} with ${plural(causes.left_out_records, "record")} left out; \`analyze\` has all of them.`),
    causes.not_reached > 0 && make("p", { class: "faint" }, plural(causes.not_reached, "record") + " not reached: nobody knows what they would have done."),
    causes.gaps && shown("p", { class: "faint" }, causes.gaps));
}

function clusterItem(cluster, place, most) {
  const green = cluster.green - (place ? allClusters[place - 1].green : 0);
  const summary = make("summary", {},
    make("span", { class: "fix" }, fixName(place)),
    make("div", { class: "what" }, shown("span", { class: "cluster-title" }, cluster.title), bar(cluster.records, most)),
    make("div", { class: "size" }, cluster.records
      ? [make("strong", {}, count(cluster.records)), make("span", {}, `${cluster.records === 1 ? "record" : "records"} in ${plural(cluster.files, "file")}`)]
      : [make("strong", {}, count(cluster.files)), make("span", {}, (cluster.files === 1 ? "file" : "files") + " as a whole")]),
    make("div", { class: "unlocks" },
      make("strong", { class: green ? "" : "nothing" }, green ? "+" + count(green) : "+0"),
      make("span", {}, `${green === 1 ? "file" : "files"} green, ${count(cluster.green)} in all`)));
  const item = make("details", { class: "cluster", "data-cluster": place }, summary);
  let made = false;
  item.addEventListener("toggle", () => {
    if (made || !item.open) return;
    made = true;
    item.append(clusterBody(cluster, place));
  });
  return item;
}

function clusterBody(cluster, place) {
  const facts = [
    ["seen", cluster.kind.replaceAll("_", " ")],
    ["features", cluster.features.join(", ")],
    ["alone in", plural(cluster.alone, "file")],
    ["fingerprint", cluster.fingerprint],
  ].filter(([, value]) => value);
  const { example } = cluster;
  return make("div", { class: "evidence" },
    make("dl", {}, facts.map(([name, value]) => make("div", {}, make("dt", {}, name), shown("dd", {}, value)))),
    cluster.notes.length > 0 && make("ul", { class: "notes" }, cluster.notes.map((note) => shown("li", {}, note))),
    example && [
      make("h4", {}, "The smallest of them, ", placeLink(data.files[example.file].n, example.line)),
      example.sql && make("div", { class: "box" }, shown("pre", { class: "sql" }, example.sql), copyButton(example.sql, "the SQL")),
      example.message && shown("p", { class: "message" }, example.message),
      example.again && make("div", { class: "box again" }, shown("pre", {}, example.again), copyButton(example.again, "the command")),
    ],
    filesOfCluster(place),
    make("p", {}, make("a", { href: "#g=" + place, class: "filter" }, cluster.records ? "Show its records below" : "Show its files below")));
}

function filesOfCluster(place) {
  const found = data.files.map((file) => [file, (file.g || []).find(([cluster]) => cluster === place)]).filter(([, own]) => own);
  found.sort(([one, [, few]], [other, [, many]]) => one.g.length - other.g.length || many - few);
  return [
    make("h4", {}, plural(found.length, "file")),
    paged(found, PAGE_OF_CLUSTERS, ([file, [, records]]) => {
      const others = file.g.filter(([cluster]) => cluster !== place).map(([cluster]) => cluster + 1);
      const besides = others.length ? "; also " + (others.length === 1 ? "fix " : "fixes ") + others.slice(0, 8).join(", ") + (others.length > 8 ? " …" : "") : "";
      return make("div", { class: "place" }, placeLink(file.n, null), " ", make("small", {}, (records ? plural(records, "record") : "as a whole") + besides));
    }, "file"),
  ];
}
