// Where the time of the run went, if that was measured.

function timings() {
  const all = data.timings;
  if (!all) return null;
  const most = all.parts.length ? all.parts[0].share : 0;
  const table = (head, rows, label) => make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label },
    make("table", { class: "rates" }, make("thead", {}, make("tr", {}, head.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, rows)));
  const parts = all.parts.map((part) => make("tr", {},
    make("th", { scope: "row" }, part.name, make("small", {}, " " + part.meaning), bar(part.share, most)),
    [part.time, percent(part.share)].map((text) => make("td", {}, text))));
  const files = all.files.map((file) => make("tr", {},
    make("th", { scope: "row" }, placeLink(file.name, null), file.executions > 1 && make("small", {}, " " + plural(file.executions, "execution"))),
    file.times.map((text) => make("td", {}, text))));
  return section("timings", "Where the time went",
    make("p", { class: "lead" }, `${plural(all.workers, "worker")}, ${duration(all.ms)}`),
    all.next.map((step) => make("p", {}, make("strong", {}, "Next: "), step + ".")),
    all.sessions.map((session, place) => timeline(session, all.sessions.length > 1 ? ` of session ${place + 1}` : "")),
    make("p", { class: "faint" }, "Each line is a worker. Point at a block to see what it was; between the blocks, the worker waited."),
    table(["part", "time", "share"], parts, "Time by part"),
    table(["file", "total", ...all.columns], files, "Files with the most time"),
    all.files_left_out > 0 && make("p", { class: "faint" }, `and ${plural(all.files_left_out, "more file")}`));
}

/** A line for each worker; what it did is in the title of each block. */
function timeline(session, which) {
  const width = 1100, left = 24, row = 18;
  const height = session.lines.length * row + 20;
  const x = (ms) => left + (session.ms ? ms / session.ms : 0) * (width - left);
  const svg = draw("svg", { class: "timeline", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `What each of ${plural(session.lines.length, "worker")}${which} did` });
  session.lines.forEach((blocks, place) => {
    const y = place * row;
    add(svg, [
      draw("text", { class: "label", x: left - 6, y: y + 13, "text-anchor": "end" }, place + 1),
      draw("rect", { class: "idle", x: left, y: y + 2, width: width - left, height: row - 4 }),
      blocks.map((block) => draw("rect", { class: block.kind, x: x(block.from), y: y + 2, width: Math.max(0.5, x(block.to) - x(block.from) - 0.5), height: row - 4 },
        draw("title", {}, `${block.text}: ${duration(block.to - block.from)}, from ${duration(block.from)}`))),
    ]);
  });
  add(svg, [0, 0.25, 0.5, 0.75, 1].map((share) =>
    draw("text", { class: "label", x: x(session.ms * share), y: height - 4, "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle" }, duration(session.ms * share))));
  return [svg, session.lines_left_out > 0 && make("p", { class: "faint" }, `and ${plural(session.lines_left_out, "more worker")}`)];
}
