// Puts the page together: messages of the session come in, what a person does goes out.

import { byId, make } from "./dom.js";
import { Look } from "./look.js";
import { PaintingPanel } from "./painting.js";
import { ExportPanel, LearnPanel, PreviewPanel, RulesPanel, SamplesPanel } from "./panels.js";
import { Line } from "./socket.js";
import { Tour } from "./tour.js";

const shown = {}; // the last message of each channel
let waiting = false;

const line = new Line(receive);
const painting = new PaintingPanel(line);
const samples = new SamplesPanel(line);
const preview = new PreviewPanel();
const learn = new LearnPanel(line);
const rules = new RulesPanel(line);
const files = new ExportPanel(line);
const look = new Look();
painting.onLook = preview.onLook = (seen) => look.open(seen);
const tour = new Tour({
  send: (message) => line.send(message),
  choose: (tool) => painting.choose(tool),
  suggest: suggestEyes,
  samples: samplesFor,
});

function receive(message) {
  if (message.channel === "said") return say(message.line, message.good);
  if (message.channel === "suggested") return painting.suggested(message);
  shown[message.channel] = message;
  if (message.channel === "export") files.exported(message);
  if (message.channel === "commands") files.commands(message.text);
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function draw() {
  const { state, generator } = shown;
  if (!state) return;
  const empty = { images: {} };
  if (generator) {
    byId("generator-name").textContent = `${generator.name}, ${generator.width} × ${generator.height}`;
    painting.update(state, (shown.pictures ?? empty).images, generator);
    painting.showSeen(current(shown.preview, state), (shown.targets ?? empty).images);
  }
  samples.update(shown.grid ?? { first: 0, cells: [] }, state, generator);
  preview.update(shown.unseen, current(shown.preview, state), shown.after,
    state.rules.some((rule) => rule.shown === state.painting.key));
  learn.update(state, generator ? shown.preview : { missing: "Opening the generator" }, shown.learning);
  rules.update(state);
  files.update(state, generator);
  byId("undo").disabled = !state.undo;
  byId("redo").disabled = !state.redo;
  if (generator && !draw.begun) {
    draw.begun = true;
    tour.begin(state);
    setTimeout(() => { files.live = true; }, 500); // what was exported before is not downloaded again
    document.body.dataset.ready = "yes";
  }
  tour.update(state);
  look.update();
}

/** A preview of another painting shows nothing of this one. */
function current(message, state) {
  return message && message.painting === state.painting.key ? message : null;
}

function say(text, good = false) {
  const item = make("p", { class: good ? "good" : "" }, text);
  byId("said").append(item);
  while (byId("said").children.length > 3) byId("said").firstChild.remove();
  setTimeout(() => item.remove(), good ? 4000 : 9000);
}
painting.redraw = draw;
painting.onProblem = (text) => say(text);

/** For the tour: the eyes of each target, as the generator's own named region where it has one. */
function suggestEyes() {
  for (const target of shown.state.painting.targets) {
    line.send({ do: "suggest", target: target.key, x: shown.generator.width * 0.34, y: shown.generator.height * 0.47, name: "eyes" });
  }
}

/** For the tour: samples of seeds with their eyes hidden if need be, or the first images. */
function samplesFor(seeds) {
  const { generator, grid } = shown;
  if (generator.count !== null) return grid.cells.slice(0, seeds.length).map((cell) => cell.sample);
  const hole = generator.holes ? { hole: { portraits: "eyes", grow: 2 } } : {};
  return seeds.map((seed) => ({ seed, ...(generator.styles ? { style: { seed } } : {}), ...hole }));
}

function typing(event) {
  return event.target.matches?.('input:not([type="range"]):not([type="checkbox"]), select, textarea');
}

document.addEventListener("keydown", (event) => {
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key.toLowerCase() === "z" && !typing(event)) {
    event.preventDefault();
    line.send({ do: event.shiftKey ? "redo" : "undo" });
  } else if (control && event.key.toLowerCase() === "y" && !typing(event)) {
    event.preventDefault();
    line.send({ do: "redo" });
  } else if (!control && !event.altKey && !typing(event)) {
    if (event.key === " " && event.target.matches?.("canvas")) {
      event.preventDefault();
      painting.brush.space = true;
    } else if (event.key.toLowerCase() === "c" && !event.repeat) preview.hold(true);
    else if (painting.keyboard(event)) event.preventDefault();
  }
});
document.addEventListener("keyup", (event) => {
  if (event.key === " ") painting.brush.space = false;
  if (event.key.toLowerCase() === "c" && preview.holding) preview.hold(false);
});

byId("undo").addEventListener("click", () => line.send({ do: "undo" }));
byId("redo").addEventListener("click", () => line.send({ do: "redo" }));

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  for (const board of painting.boards.values()) board.repaint();
}
const dark = matchMedia("(prefers-color-scheme: dark)");
setTheme(localStorage.getItem("regen-theme") ?? (dark.matches ? "dark" : "light"));
dark.addEventListener("change", () => {
  if (!localStorage.getItem("regen-theme")) setTheme(dark.matches ? "dark" : "light");
});
byId("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("regen-theme", theme);
  setTheme(theme);
});
