// Pictures: the ring, the pass rate over time, the map of categories by runs, bars.

/** A share of a whole, as a ring with the number in it. */
function ring(share) {
  const around = 2 * Math.PI * 52;
  const part = Math.max(0, Math.min(1, share || 0)) * around;
  return draw("svg", { class: "ring", viewBox: "0 0 120 120", role: "img", "aria-label": percent(share) + " of the records pass" },
    draw("circle", { class: "whole", cx: 60, cy: 60, r: 52 }),
    part > 0 && draw("circle", { class: "part", cx: 60, cy: 60, r: 52, "stroke-dasharray": part + " " + around, transform: "rotate(-90 60 60)" }),
    draw("text", { x: 60, y: 62, class: "number" }, percent(share).replace(" %", "")),
    draw("text", { x: 60, y: 80, class: "unit" }, "% of records"));
}

/** The pass rate of the runs, the last of which is this one. */
function trend(history) {
  const runs = history.filter((run) => run.rate !== null);
  const width = 640, height = 200, left = 52, right = 14, top = 12, bottom = 26;
  const rates = runs.map((run) => run.rate);
  let low = Math.min(...rates), high = Math.max(...rates);
  const room = Math.max((high - low) * 0.15, 0.002);
  low = Math.max(0, low - room);
  high = Math.min(1, high + room);
  const x = (place) => left + (runs.length < 2 ? 0.5 : place / (runs.length - 1)) * (width - left - right);
  const y = (rate) => top + (1 - (rate - low) / (high - low)) * (height - top - bottom);
  const points = runs.map((run, place) => x(place).toFixed(1) + "," + y(run.rate).toFixed(1));
  const base = height - bottom;
  const svg = draw("svg", { class: "trend", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `Pass rate of ${plural(runs.length, "run")}, from ${percent(rates[0])} to ${percent(rates.at(-1))}` });
  for (const share of [0, 0.5, 1]) {
    const rate = low + share * (high - low);
    add(svg, [
      draw("line", { class: "grid", x1: left, x2: width - right, y1: y(rate), y2: y(rate) }),
      draw("text", { class: "label", x: left - 8, y: y(rate) + 4, "text-anchor": "end" }, (rate * 100).toFixed(high - low < 0.02 ? 2 : 1)),
    ]);
  }
  add(svg, [
    draw("polygon", { class: "area", points: `${x(0)},${base} ${points.join(" ")} ${x(runs.length - 1)},${base}` }),
    draw("polyline", { class: "line", points: points.join(" ") }),
    draw("text", { class: "label", x: left, y: height - 6 }, moment(runs[0].started).slice(0, 10)),
    draw("text", { class: "label", x: width - right, y: height - 6, "text-anchor": "end" }, moment(runs.at(-1).started).slice(0, 10)),
  ]);
  runs.forEach((run, place) => {
    const last = place === runs.length - 1;
    const commit = run.commit ? ", commit " + run.commit : "";
    const words = `${percent(run.rate)}, ${count(run.passed)} of ${plural(run.files, "file")}, run ${run.name}${commit}`;
    add(svg, [draw("circle", { class: last ? "dot last" : "dot", cx: x(place), cy: y(run.rate), r: last ? 5 : 3.5 }, draw("title", {}, words))]);
  });
  return svg;
}

/** Categories by runs; the colour of a cell is the rate of its records. */
function heatMap(categories, history) {
  const head = make("tr", {}, ["category", "records", "files"].map((name) => make("th", { scope: "col" }, name)),
    make("th", { scope: "colgroup", colspan: history.length }, history.length > 1 ? plural(history.length, "run") : "this run"));
  const rows = categories.map((category) => make("tr", {},
    make("th", { scope: "row" }, shown("a", { href: "#c=" + encodeURIComponent(category.name) }, category.name)),
    make("td", { class: "amount" }, percent(category.records.rate)),
    make("td", { class: "amount faint" }, `${count(category.files.passed)} / ${count(category.files.wanted)}`),
    category.rates.map((rate, place) => {
      const cell = make("td", { class: rate === null ? "cell none" : "cell", title: `${percent(rate)}, run ${history[place].name}` });
      if (rate !== null) cell.style.background = shade(rate);
      return cell;
    })));
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Pass rates of categories by runs" },
    make("table", { class: "heat" }, make("thead", {}, head), make("tbody", {}, rows)));
}

// Rates close to all differ most in colour: that is where one looks for differences.
function shade(rate) {
  const part = rate === 1 ? 100 : Math.round(85 * rate ** 4);
  const mix = (one, share, other) => `color-mix(in oklab, var(--heat-${one}) ${share}%, var(--heat-${other}))`;
  return part < 50 ? mix("some", 2 * part, "bad") : mix("all", 2 * part - 100, "some");
}

/** How many files are green after so many fixes. */
function curve(green, files) {
  const width = 640, height = 150, left = 52, right = 14, top = 12, bottom = 26;
  const steps = [0, ...green];
  const x = (place) => left + (place / (steps.length - 1)) * (width - left - right);
  const y = (value) => top + (1 - value / Math.max(files, 1)) * (height - top - bottom);
  const points = steps.map((value, place) => x(place).toFixed(1) + "," + y(value).toFixed(1));
  const base = height - bottom;
  const svg = draw("svg", { class: "trend curve", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `Files that are green after each of ${plural(green.length, "fix")}: ${count(green[0])} after the first, ${count(green.at(-1))} of ${count(files)} after the last` });
  for (const value of [...new Set([0, Math.round(files / 2), files])]) {
    add(svg, [
      draw("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
      draw("text", { class: "label", x: left - 8, y: y(value) + 4, "text-anchor": "end" }, count(value)),
    ]);
  }
  add(svg, [
    draw("polygon", { class: "area", points: `${x(0)},${base} ${points.join(" ")} ${x(steps.length - 1)},${base}` }),
    draw("polyline", { class: "line", points: points.join(" ") }),
    draw("text", { class: "label", x: left, y: height - 6 }, "files green after so many fixes"),
    draw("text", { class: "label", x: width - right, y: height - 6, "text-anchor": "end" }, count(green.length)),
  ]);
  steps.forEach((value, place) => {
    if (steps.length > 60 && place % Math.ceil(steps.length / 60)) return;
    add(svg, [draw("circle", { class: "dot", cx: x(place), cy: y(value), r: 3 }, draw("title", {}, `${count(value)} of ${plural(files, "file")} green after ${count(place)} ${place === 1 ? "fix" : "fixes"}`))]);
  });
  return make("div", { class: "curve-box" }, svg);
}

/** A bar that is so long, in parts of the longest. */
function bar(value, most) {
  const line = make("span", { class: "bar", "aria-hidden": "true" });
  line.style.setProperty("--part", (most ? Math.max(0.5, (100 * value) / most) : 0) + "%");
  return line;
}

/** How a file went in the runs before, a square for each. */
function strip(past) {
  if (!past) return null;
  const words = { p: "passed", f: "not passed", e: "nothing executed", ".": "not run" };
  const passed = [...past].filter((letter) => letter === "p").length;
  const known = [...past].filter((letter) => letter !== ".").length;
  return make("span", { class: "strip", role: "img", "aria-label": `passed in ${passed} of ${plural(known, "run")} before` },
    [...past].slice(-20).map((letter) => make("i", { class: "was-" + words[letter].split(" ")[0], title: words[letter] })));
}
