// The second panel: tools, the exemplar beside the targets, suggestions.

import { Board } from "./board.js";
import { byId, make } from "./dom.js";

const ICONS = {
  brush: "M4 20c3 0 5-1 5-4a2.5 2.5 0 0 0-5 0c0 2 0 3-1 4ZM9 13 19 3l2 2-10 10",
  eraser: "m8 20-4-4 11-11 6 6-9 9ZM8 20h12M10 10l6 6",
  ellipse: "M3 12a9 6 0 1 0 18 0 9 6 0 1 0-18 0",
  lasso: "M7 17c-3-1-5-3-5-6 0-4 4-7 10-7s10 3 10 7-4 7-10 7c-2 0-3 0-4-.5M7 17c0 2-1 4-3 4M7 17a2 2 0 1 1 1 1",
  wand: "m4 20 11-11M15 3v4M19 5h-8M20 11v3M21.500 12.500h-3M8 4v2M9 5H7",
};
const TOOLS = [
  ["brush", "Brush", "B"], ["eraser", "Eraser", "E"], ["ellipse", "Ellipse", "O"],
  ["lasso", "Lasso", "L"], ["wand", "Suggest", "W"],
];

const PAINTED = "*";

/** The board of the exemplar that one target alone has. */
const ownKey = (target) => `exemplar ${target}`;
const isExemplar = (board) => board.key.startsWith("exemplar");

/** Fill a list of choices once, with names of regions between what comes before and after them. */
function offer(select, names, before = [], after = []) {
  const all = [...before, ...names.map((name) => [name, name.replaceAll("_", " ")]), ...after];
  const own = [...select.querySelectorAll('option[value=""]')].filter(() => !before.length);
  const known = JSON.stringify(all);
  if (select.dataset.offered === known) return;
  select.dataset.offered = known;
  select.replaceChildren(...own, ...all.map(([value, text]) => make("option", { value }, text)));
}

/** What the report will measure against, where the edits file that was opened says so. */
function measuredAgainst(oracle) {
  if (!oracle) return "";
  if (typeof oracle !== "string") return "The report measures against the exemplar, pasted into each sample.";
  return `The report measures against the ${oracle.replaceAll("_", " ")} that the renderer draws; another exemplar ends that.`;
}

export class PaintingPanel {
  constructor(line) {
    this.line = line;
    this.brush = { tool: "brush", size: 6, subtract: false, space: false, active: null };
    this.boards = new Map();
    this.found = new Map(); // what was suggested, by target
    this.act = {
      stroke: (board, stroke) => line.send({ do: "stroke", on: this.layerOf(board), stroke }),
      wand: (board, point) => this.wand(board, point),
      parts: () => this.number(),
      look: (seen) => this.onLook(seen),
    };
    this.makeTools();
    this.exemplar = this.board("exemplar");
    this.makeExemplar();
    byId("canvases").append(this.exemplar.element);
  }

  board(key) {
    const board = new Board(key, this.brush, this.act);
    this.boards.set(key, board);
    return board;
  }

  makeTools() {
    for (const [tool, name, key] of TOOLS) {
      const button = make("button", {
        type: "button", "aria-pressed": String(tool === this.brush.tool), title: `${name} (${key})`,
        "aria-label": name, "aria-keyshortcuts": key, onclick: () => this.choose(tool),
      });
      button.innerHTML = `<svg aria-hidden="true" viewBox="0 0 24 24"><path d="${ICONS[tool]}"/></svg>`;
      button.append(make("span", { class: "wide-only" }, name));
      button.dataset.tool = tool;
      byId("tool-buttons").append(button);
    }
    byId("subtract").addEventListener("click", () => this.setSubtract(!this.brush.subtract));
    byId("size").addEventListener("input", () => this.setSize(Number(byId("size").value)));
    const active = () => this.brush.active ?? this.exemplar;
    byId("zoom-in").addEventListener("click", () => active().zoomBy(1.5));
    byId("zoom-out").addEventListener("click", () => active().zoomBy(1 / 1.5));
    byId("zoom-fit").addEventListener("click", () => active().zoomFit());
    for (const name of ["scale", "shape", "blend", "holes"]) {
      byId(name).addEventListener("change", () => this.option(name, byId(name).value));
    }
    byId("feather").addEventListener("input", () => {
      byId("feather-value").value = byId("feather").value;
      this.option("feather", Number(byId("feather").value), true);
    });
  }

  option(name, value, live = false) {
    this.line.send({ do: "option", name, value, live });
  }

  choose(tool) {
    this.brush.tool = tool;
    for (const button of byId("tool-buttons").children) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
  }

  setSize(size) {
    this.brush.size = Math.min(60, Math.max(0.25, Math.round(4 * size) / 4));
    byId("size").value = byId("size-value").value = this.brush.size;
    this.brush.active?.draw();
  }

  setSubtract(on) {
    this.brush.subtract = on;
    byId("subtract").setAttribute("aria-pressed", String(on));
  }

  makeExemplar() {
    const small = (text, action, title = "") =>
      make("button", { type: "button", class: "small", title, onclick: action }, text);
    const bring = () => byId("file").click();
    const cat = () => this.line.send({ do: "picture.bundled", name: "cat" });
    this.exemplar.empty.append(
      make("p", {}, "Paste or drop an image that holds the pattern"),
      make("div", { class: "row" },
        make("button", { type: "button", class: "primary", onclick: bring }, "Choose an image"),
        make("button", { type: "button", id: "use-cat", onclick: cat }, "Use the cat")));
    this.alpha = small("From alpha", () => this.line.send({ do: "alpha" }), "Take the image's transparency");
    this.exemplar.corner.append(small("Other image", bring));
    this.exemplar.actions.append(this.alpha,
      small("Clear", () => this.line.send({ do: "strokes", on: "exemplar", strokes: [] })));
    byId("file").addEventListener("change", () => {
      const [file] = byId("file").files;
      if (file) this.bring(file);
      byId("file").value = "";
    });
    this.listenForImages();
  }

  listenForImages() {
    const surface = this.exemplar.surface;
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      surface.classList.add("over");
    });
    document.addEventListener("dragleave", () => surface.classList.remove("over"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      surface.classList.remove("over");
      const [file] = event.dataTransfer.files;
      if (file) this.bring(file);
    });
    document.addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
      if (file) this.bring(file);
    });
  }

  async bring(file) {
    const say = (line) => this.onProblem?.(line);
    try {
      const answer = await fetch("picture", {
        method: "POST", body: file, headers: { "X-Name": encodeURIComponent(file.name || "image").slice(-180) },
      });
      if (!answer.ok) say((await answer.text()).trim());
    } catch {
      say("The image could not be sent: the server refused it, or does not answer.");
    }
  }

  /** What is painted on a board: its region, or its hole. */
  layerOf(board) {
    return board.hole ? `hole ${board.key}` : board.key;
  }

  wand(board, [x, y]) {
    if (board.hole) return this.onProblem?.("Suggestions are for regions; paint the hole.");
    if (isExemplar(board)) return this.onProblem?.("Suggestions are for samples; paint the exemplar.");
    const inside = (value, most) => Math.min(most, Math.max(0, value));
    this.line.send({ do: "suggest", target: board.key, x: inside(x, board.size[0]), y: inside(y, board.size[1]) });
  }

  /** What a click on a target proposed: the first is taken, the others can be chosen. */
  suggested({ target, found }) {
    this.found.set(target, { found, chosen: 0 });
    this.take(target, 0);
  }

  take(target, index) {
    const suggestion = this.found.get(target);
    if (!suggestion?.found[index]) return;
    suggestion.chosen = index;
    const stroke = { tool: "mask", mode: "add", mask: suggestion.found[index].mask };
    this.line.send({ do: "strokes", on: target, strokes: [stroke] });
  }

  update(state, pictures, generator) {
    const { painting } = state;
    const picture = painting.picture;
    this.exemplar.empty.hidden = Boolean(picture);
    this.exemplar.corner.hidden = this.exemplar.actions.hidden = !picture;
    this.alpha.hidden = !picture?.alpha;
    this.exemplar.update({
      label: picture ? `Exemplar: ${picture.name}` : "Exemplar", strokes: painting.strokes,
      width: picture?.width ?? 1, height: picture?.height ?? 1, image: picture ? pictures.exemplar?.image : null,
    });
    const kept = new Set(["exemplar",
      ...painting.targets.flatMap((target) => (target.exemplar ? [target.key, ownKey(target.key)] : [target.key]))]);
    let gone = false;
    for (const [key, board] of this.boards) {
      if (kept.has(key)) continue;
      gone = true;
      board.element.remove();
      this.boards.delete(key);
      if (this.brush.active === board) this.brush.active = null;
    }
    painting.targets.forEach((target) => this.updateTarget(target, painting, pictures, generator));
    if (gone) this.number();
    byId("scale").value = painting.options.scale ?? "uniform";
    byId("shape").value = painting.options.shape ?? "auto";
    byId("blend").value = painting.options.blend ?? "none";
    byId("holes-row").hidden = !generator.holes || !generator.regions.length;
    offer(byId("holes"), generator.regions);
    byId("holes").value = painting.options.samples?.holes?.portraits ?? "";
    if (document.activeElement !== byId("feather")) {
      byId("feather").value = byId("feather-value").value = painting.options.feather ?? 1;
    }
    byId("oracle").hidden = !painting.options.oracle;
    byId("oracle").textContent = measuredAgainst(painting.options.oracle);
    this.showPlaceholder(painting, generator);
  }

  updateTarget(target, painting, pictures, generator) {
    let board = this.boards.get(target.key);
    if (!board) {
      board = this.board(target.key);
      this.makeTarget(board);
      byId("canvases").append(board.element);
      this.makeInputs(board, generator);
    }
    const shown = pictures[target.key] ?? {};
    board.given = shown.given;
    this.updateInputs(board, target, generator);
    const painted = board.painting === "hole";
    board.update({
      label: target.label, strokes: painted ? target.hole : target.strokes, hole: painted,
      width: generator.width, height: generator.height,
      image: painted ? shown.whole : shown.image, known: painted ? "" : shown.known,
    });
    board.carry.hidden = painting.targets.length < 2 || !target.strokes.length;
    this.showFound(board, target);
    if (target.exemplar) this.updateOwn(target, board, pictures);
  }

  /** The exemplar of one target alone, as an edits file gave it: before the target. */
  updateOwn(target, board, pictures) {
    const key = ownKey(target.key);
    let own = this.boards.get(key);
    if (!own) {
      own = this.board(key);
      this.makeOwn(own, target);
      board.element.before(own.element);
    }
    const { picture, strokes } = target.exemplar;
    own.update({
      label: `Exemplar of ${target.label}: ${picture.name}`, strokes,
      width: picture.width, height: picture.height, image: pictures[key]?.image,
    });
  }

  makeOwn(board, target) {
    board.empty.hidden = true;
    const small = (text, action, title = "") =>
      make("button", { type: "button", class: "small", title, onclick: action }, text);
    board.corner.append(small("Use the first", () => this.line.send({ do: "target.share", target: target.key }),
      "Take the pattern from the first exemplar instead"));
    board.actions.append(small("Clear", () => this.line.send({ do: "strokes", on: board.key, strokes: [] })));
  }

  makeTarget(board) {
    board.empty.hidden = true;
    const small = (text, action, title = "") =>
      make("button", { type: "button", class: "small", title, onclick: action }, text);
    board.corner.append(small("Remove", () => this.line.send({ do: "target.remove", target: board.key })));
    board.carry = small("Find it in the others", () => this.line.send({ do: "carry", target: board.key }),
      "Carry this region to the other samples, by what looks alike to the generator");
    board.choices = make("span", { class: "group", role: "group", "aria-label": "Suggested regions" });
    board.actions.append(board.choices, board.carry,
      small("Clear", () => this.line.send({ do: "strokes", on: this.layerOf(board), strokes: [] })));
  }

  /** What a sample has beside its seed: a hole that is named or painted, a style. */
  makeInputs(board, generator) {
    board.inputs.hidden = !generator.holes && !generator.styles;
    if (generator.styles) {
      const style = (seed) => this.line.send({ do: "target.style", target: board.key, seed });
      board.style = make("input", { type: "number", min: "0", max: "4294967295", step: "1", "aria-label": "Seed of the style" });
      board.style.addEventListener("change", () => style(Math.max(0, Math.floor(Number(board.style.value)) || 0)));
      const random = () => style(Math.floor(Math.random() * 100000));
      board.inputs.append(make("label", {}, "style", board.style),
        make("button", { type: "button", class: "small", onclick: random }, "New style"));
    }
    if (!generator.holes) return;
    board.holeName = make("select", { "aria-label": "Hole of the sample" });
    board.holeName.addEventListener("change", () => {
      const name = board.holeName.value;
      if (name === PAINTED) this.paintHole(board, true);
      else {
        board.painting = "region";
        this.line.send({ do: "target.hole", target: board.key, name });
      }
    });
    const layer = (name, text, title) => make("button", {
      type: "button", class: "small", title, "aria-pressed": "false", onclick: () => this.paintHole(board, name === "hole"),
    }, text);
    board.layers = {
      region: layer("region", "Region", "Paint where the pattern goes"),
      hole: layer("hole", "Hole", "Paint what is to be filled"),
    };
    board.inputs.append(make("label", {}, "hole", board.holeName),
      make("span", { class: "group", role: "group", "aria-label": "What is painted" }, ...Object.values(board.layers)));
  }

  updateInputs(board, target, generator) {
    if (board.style && document.activeElement !== board.style) board.style.value = target.sample.style?.seed ?? "";
    if (!board.holeName) return;
    const own = target.own_size !== null;
    const drawn = target.sample.hole && !target.sample.hole.portraits; // by the file that was opened
    const lacks = own && !target.hole.length && !target.sample.hole;
    offer(board.holeName, own ? [] : generator.regions, own ? [] : [["", "random"]], [[PAINTED, "painted"]]);
    board.painting ??= lacks ? "hole" : "region";
    board.holeName.value = target.hole.length || own || board.painting === "hole" || drawn ? PAINTED : target.sample.hole?.portraits ?? "";
    for (const [name, button] of Object.entries(board.layers)) {
      button.setAttribute("aria-pressed", String(board.painting === name));
    }
  }

  paintHole(board, on) {
    board.painting = on ? "hole" : "region";
    this.redraw?.();
  }

  showFound(board, target) {
    const { found = [], chosen = 0 } = this.found.get(board.key) ?? {};
    const shown = found.length > 1 && target.strokes.length === 1 && target.strokes[0].tool === "mask";
    board.choices.hidden = !shown;
    board.choices.replaceChildren(...(shown ? found : []).map((one, index) => make("button", {
      type: "button", class: "small", "aria-pressed": String(index === chosen), onclick: () => this.take(board.key, index),
    }, one.name)));
  }

  showPlaceholder(painting, generator) {
    const none = painting.targets.length === 0;
    this.placeholder ??= make("figure", { class: "board" }, make("figcaption", {}, make("span", { class: "label" }, "Samples")),
      make("div", { class: "surface" }, make("div", { class: "empty" }, make("p", {}, "Choose samples on the left: each appears here to paint on"))));
    if (none && generator) byId("canvases").append(this.placeholder);
    else this.placeholder.remove();
  }

  /** Number the parts: those of one number belong together, as the rule will pair them. */
  number() {
    for (const board of this.boards.values()) {
      const source = isExemplar(board) ? board : this.boards.get(ownKey(board.key)) ?? this.exemplar;
      const exemplar = source?.parts ?? [], parts = board.parts ?? [];
      const several = exemplar.length > 1 && board !== source && parts.length === exemplar.length;
      const own = board === source || several;
      board.numbers = parts.length && exemplar.length && !board.hole ? parts.map((_, i) => (own ? i + 1 : 1)) : null;
      board.draw();
    }
  }

  showSeen(preview, targets) {
    for (const [key, board] of this.boards) {
      if (isExemplar(board)) continue;
      const seen = preview?.targets?.find((one) => one.target === key);
      if (seen) this.decodes = seen.decoded !== "";
      this.decodes ??= !board.given; // a guess, until the first preview
      board.showSeen({
        ...(board.given ? { input: board.given } : {}),
        pasted: seen?.composite,
        ...(this.decodes ? { "as generated": seen?.decoded } : {}),
        "with rules": targets[key],
      });
    }
  }

  keyboard(event) {
    const tool = TOOLS.find(([, , key]) => key.toLowerCase() === event.key.toLowerCase());
    const active = this.brush.active ?? this.exemplar;
    if (tool) this.choose(tool[0]);
    else if (event.key === "[") this.setSize(this.brush.size / 1.2 - 0.2);
    else if (event.key === "]") this.setSize(this.brush.size * 1.2 + 0.2);
    else if (event.key === "+" || event.key === "=") active.zoomBy(1.5);
    else if (event.key === "-") active.zoomBy(1 / 1.5);
    else if (event.key === "0") active.zoomFit();
    else return false;
    return true;
  }
}
