// The data, and making elements. Text goes into the page by these functions only, and as text.

const data = JSON.parse(document.getElementById("data").textContent);

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element: attributes, handlers (`onclick`) and children; a child that is no element is text. */
function make(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function draw(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

// Characters that are not seen, or that turn the direction of what is behind them.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** Text of the run in an element of its own: what is not seen is named, and what is searched for is marked. */
function shown(name, attributes, text, query) {
  const element = make(name, attributes);
  let at = 0;
  for (const found of text.matchAll(UNSEEN)) {
    marked(element, text.slice(at, found.index), query);
    const code = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    element.append(make("span", { class: "unseen" }, "U+" + code));
    at = found.index + found[0].length;
  }
  marked(element, text.slice(at), query);
  return element;
}

function marked(element, text, query) {
  if (query) {
    const low = text.toLowerCase();
    // Where small letters are longer than large ones, places do not fit.
    if (low.length === text.length) {
      let at = 0;
      for (let next = low.indexOf(query); next >= 0; next = low.indexOf(query, at)) {
        element.append(text.slice(at, next), make("mark", {}, text.slice(next, next + query.length)));
        at = next + query.length;
      }
      text = text.slice(at);
    }
  }
  element.append(text);
}

const count = (number) => number.toLocaleString("en-US");
const plural = (number, one) => count(number) + " " + (number === 1 ? one : one.replace(/y$/, "ie").replace(/x$/, "xe") + "s");
// Rounded down: only all is 100.00 %.
const percent = (share) => (share === null || share === undefined ? "–" : (Math.floor(share * 10000) / 100).toFixed(2) + " %");
const moment = (text) => text.replace("T", " ").slice(0, 16);

function duration(ms) {
  if (ms < 10000) return (ms / 1000).toFixed(3) + " s";
  if (ms < 100000) return (ms / 1000).toFixed(1) + " s";
  const minutes = Math.floor(ms / 60000);
  return minutes + " min " + String(Math.floor((ms % 60000) / 1000)).padStart(2, "0") + " s";
}

function bytes(size) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) (size /= 1024), unit++;
  return (size < 10 && unit ? size.toFixed(1) : Math.round(size)) + " " + units[unit];
}

/** A button that copies a text, and says that it has. */
function copyButton(text, what) {
  const button = make("button", { type: "button", class: "copy", "aria-label": "Copy " + what }, "Copy");
  const done = (word) => {
    button.textContent = word;
    setTimeout(() => (button.textContent = "Copy"), 1500);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      done("Copied");
    } catch {
      done(copyBySelection(text) ? "Copied" : "Not possible");
    }
  });
  return button;
}

// For pages that may not use the clipboard.
function copyBySelection(text) {
  const area = make("textarea", { class: "aside", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
