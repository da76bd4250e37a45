// Samples, preview, learning, rules and export.

import { byId, keyed, make, show } from "./dom.js";
import { showMap } from "./look.js";

const STAR = '<svg aria-hidden="true" viewBox="0 0 24 24"><path d="m12 3 2.700 5.800 6.300.8-4.600 4.400 1.200 6.300L12 17.200l-5.600 3.100 1.200-6.300L3 9.600l6.300-.8Z"/></svg>';

/** A sample of the grid is a target, whatever hole or style that got since. */
const keyOf = ({ seed, picture, truncation = 1 }) => JSON.stringify([picture ?? seed, truncation]);

export class SamplesPanel {
  constructor(line) {
    this.line = line;
    this.first = 0;
    this.page = 24;
    byId("earlier").addEventListener("click", () => this.go(this.first - this.page));
    byId("later").addEventListener("click", () => this.go(this.first + this.page));
    byId("first").addEventListener("change", () => this.go(Number(byId("first").value)));
    byId("hole").addEventListener("change", () => this.go(this.first));
    byId("truncation").addEventListener("input", () => {
      byId("truncation-value").value = byId("truncation").value;
      this.go(this.first);
    });
  }

  go(first) {
    this.first = Math.min(4294960000, Math.max(0, Math.floor(first) || 0));
    byId("first").value = this.first;
    this.line.send({ do: "samples", first: this.first, truncation: Number(byId("truncation").value), hole: byId("hole").value });
  }

  update(grid, state, generator) {
    if (generator) this.offer(generator, grid);
    if (document.activeElement !== byId("first")) byId("first").value = grid.first;
    this.first = grid.first;
    if (document.activeElement !== byId("truncation") && grid.truncation !== undefined) {
      byId("truncation").value = byId("truncation-value").value = grid.truncation;
    }
    byId("earlier").disabled = grid.first === 0;
    const chosen = new Map(state.painting.targets.map((t) => [keyOf(t.sample), t.key]));
    const count = generator?.count ?? Infinity;
    byId("later").disabled = grid.first + this.page >= count;
    const cells = Array.from({ length: Math.max(0, Math.min(this.page, count - grid.first)) }, (_, i) => grid.cells[i] ?? null);
    keyed(byId("grid"), cells.map((cell, index) => ({ cell, index })), (one) => one.index,
      () => this.makeCell(), (item, { cell }) => this.updateCell(item, cell, chosen));
  }

  /** Only what the generator's samples have. */
  offer(generator, grid) {
    byId("truncation-row").hidden = !generator.truncation;
    byId("first-name").textContent = generator.count === null ? "seed" : "image";
    const row = byId("hole-row");
    row.hidden = !generator.holes || !generator.regions.length;
    if (byId("hole").children.length === 1) {
      byId("hole").append(...generator.regions.map((name) => make("option", { value: name }, name.replaceAll("_", " "))));
    }
    if (document.activeElement !== byId("hole")) byId("hole").value = grid.hole ?? "";
  }

  makeCell() {
    const button = make("button", { type: "button", class: "cell", "aria-pressed": "false" },
      make("img", { alt: "" }), make("span", { class: "name" }), make("span", { class: "star" }));
    button.querySelector(".star").innerHTML = STAR;
    button.addEventListener("click", () => {
      if (!button.cell) return;
      if (button.target) this.line.send({ do: "target.remove", target: button.target });
      else this.line.send({ do: "target.add", sample: button.cell.sample, label: button.cell.label });
    });
    return make("li", {}, button);
  }

  updateCell(item, cell, chosen) {
    const button = item.firstChild;
    button.cell = cell;
    button.target = cell ? chosen.get(keyOf(cell.sample)) : null;
    button.disabled = !cell;
    button.setAttribute("aria-pressed", String(Boolean(button.target)));
    button.setAttribute("aria-label", cell ? cell.label : "a sample that is being generated");
    button.querySelector(".name").textContent = cell ? cell.label.replace("seed ", "").replace(/, style [^,]*$/, "") : "";
    show(button.querySelector("img"), cell?.image);
  }
}

export class PreviewPanel {
  constructor() {
    this.holding = false;
    const button = byId("compare");
    const hold = (on) => {
      this.holding = on;
      button.setAttribute("aria-pressed", String(on));
      this.draw();
    };
    button.addEventListener("pointerdown", () => hold(true));
    for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
      button.addEventListener(end, () => this.holding && hold(false));
    }
    button.addEventListener("keydown", (event) => (event.key === " " || event.key === "Enter") && hold(true));
    button.addEventListener("keyup", () => hold(false));
    this.hold = hold;
  }

  update(unseen, preview, after, learned) {
    Object.assign(this, { unseen, preview, after, learned });
    this.draw();
  }

  /** An unseen sample to look at large. */
  large(index) {
    const sample = this.unseen?.samples?.[index] ?? {}, map = this.preview?.maps?.[index];
    return {
      title: sample.label ?? "",
      pictures: {
        "without rules": { image: sample.image },
        ...(map ? { "where the rule will act": { image: sample.image, map } } : {}),
        ...(this.after?.rules ? { "with the rules": { image: this.after.images[index] } } : {}),
      },
    };
  }

  draw() {
    const samples = this.unseen?.samples ?? Array(8).fill({});
    const numbered = samples.map((sample, index) => ({ sample, index }));
    const maps = this.preview?.maps ?? [];
    keyed(byId("maps"), numbered, (one) => one.index,
      () => make("li", {}, make("img", { alt: "" }), make("div", { class: "map", hidden: true })),
      (item, { sample, index }) => {
        show(item.firstChild, sample.image);
        showMap(item.lastChild, maps[index]);
        item.firstChild.alt = sample.label ? `${sample.label}${maps[index] ? ", with where the rule will act" : ""}` : "";
      });
    byId("maps").classList.toggle("dim", maps.length > 0);
    const shown = this.holding ? [] : this.after?.images ?? [];
    keyed(byId("after"), numbered, (one) => one.index,
      ({ index }) => make("li", {}, make("button", {
        type: "button", class: "look", title: "Look at it large", onclick: () => this.onLook(() => this.large(index)),
      }, make("img", { alt: "" }))),
      (item, { sample, index }) => {
        const image = item.querySelector("img");
        show(image, shown[index] ?? sample.image);
        image.alt = sample.label ? `${sample.label}, ${this.holding ? "without" : "with"} the rules` : "";
      });
    byId("after").classList.toggle("partial", Boolean(this.after?.partial) && !this.holding);
    byId("after-title").textContent = this.holding ? "Without rules"
      : this.after?.partial ? "While it learns" : this.after?.rules ? "With the rules" : "No rule yet: as they are";
    const missing = this.preview ? this.preview.missing : "Opening…";
    byId("missing").textContent = missing
      || (this.preview?.milliseconds !== undefined
        ? `This is what the rule will be learned from.${this.learned ? "" : " Learn a draft to see it."}` : "");
    keyed(byId("warnings"), this.preview?.warnings ?? [], (line) => line, () => make("li"), (item, line) => {
      item.textContent = line;
    });
  }
}

export class LearnPanel {
  constructor(line) {
    byId("learn-draft").addEventListener("click", () => line.send({ do: "learn", kind: "draft" }));
    byId("learn-full").addEventListener("click", () => line.send({ do: "learn", kind: "full" }));
    byId("stop").addEventListener("click", () => line.send({ do: "stop" }));
  }

  update(state, preview, learning) {
    const running = Boolean(state.learning);
    const ready = !running && preview && !preview.missing;
    byId("learn-draft").disabled = byId("learn-full").disabled = !ready;
    byId("stop").hidden = !running;
    byId("stop").disabled = Boolean(state.learning?.stop);
    const { step = 0, steps = 0, losses = [] } = learning ?? {};
    byId("progress").max = Math.max(1, steps);
    byId("progress").value = running && steps ? step + 1 : 0;
    if (running) {
      byId("learn-state").textContent = state.learning.stop ? "Stopping; what was learned is kept."
        : steps ? `Step ${step + 1} of ${steps}. You can go on painting, or close the page.` : "Preparing…";
    } else {
      const known = state.rules.find((rule) => rule.shown === state.painting.key);
      byId("learn-state").textContent = preview?.missing ? `${preview.missing}.`
        : known ? `Learning this painting again replaces ${known.name}. “Next rule” begins another.`
        : "A draft takes seconds and shows whether the idea works; in full is what the command line does.";
    }
    const values = losses.map(([, loss]) => loss);
    const most = Math.max(...values, 1e-9);
    byId("curve").firstElementChild.setAttribute("points", values
      .map((loss, i) => `${(300 * i) / Math.max(1, values.length - 1)},${57 - 54 * (loss / most)}`).join(" "));
  }
}

export class RulesPanel {
  constructor(line) {
    this.line = line;
    byId("next-rule").addEventListener("click", () => line.send({ do: "rule.next" }));
  }

  update(state) {
    const { rules, painting } = state;
    byId("rules-hint").hidden = rules.length > 0;
    byId("next-rule").disabled = !rules.some((rule) => rule.shown === painting.key);
    keyed(byId("stack"), rules.map((rule, index) => ({ ...rule, index, last: index + 1 === rules.length })),
      (rule) => rule.key, (rule) => this.makeRule(rule.key), (item, rule) => this.updateRule(item, rule, painting));
  }

  makeRule(key) {
    const send = (what, more = {}) => this.line.send({ do: `rule.${what}`, rule: key, ...more });
    const on = make("input", { type: "checkbox", "aria-label": "Apply this rule" });
    const name = make("input", { type: "text", maxlength: "60", "aria-label": "Name of the rule" });
    const kind = make("span", { class: "kind" });
    const range = make("input", { type: "range", min: "-1", max: "1.5", step: "0.05", "aria-label": "Strength" });
    const output = make("output");
    const button = (text, action, title) => make("button", { type: "button", title, onclick: action }, text);
    const up = button("↑", () => send("move", { to: item.rule.index - 1 }), "Earlier in the stack");
    const down = button("↓", () => send("move", { to: item.rule.index + 1 }), "Later in the stack");
    up.setAttribute("aria-label", "Move up");
    down.setAttribute("aria-label", "Move down");
    on.addEventListener("change", () => send("on", { on: on.checked }));
    name.addEventListener("change", () => name.value.trim() && send("name", { name: name.value.trim() }));
    range.addEventListener("input", () => {
      output.value = Number(range.value).toFixed(2);
      send("strength", { value: Number(range.value), live: true });
    });
    const exported = (what) => this.line.send({ do: "export", what: `${what} ${key}` });
    const item = make("li", { class: "rule" },
      make("div", { class: "top" }, on, name, kind),
      make("label", { class: "slider" }, "strength", range, output),
      make("div", { class: "actions" },
        button("Edit", () => send("edit"), "Show what it was learned from"), up, down,
        button("Edits", () => exported("edits"), "The edits file, with its images inside"),
        button("Rewrite", () => exported("rewrite"), "The change of weights"),
        button("Report", () => exported("report"), "Measured on unseen samples; takes a while"),
        button("Remove", () => send("remove"), "Undo brings it back")));
    Object.assign(item, { on, name, kind, range, output, up, down });
    return item;
  }

  updateRule(item, rule, painting) {
    item.rule = rule;
    item.on.checked = rule.on;
    if (document.activeElement !== item.name) item.name.value = rule.name;
    item.kind.textContent = rule.stopped_after ? `stopped at ${rule.stopped_after}` : rule.kind;
    if (document.activeElement !== item.range || Math.abs(item.range.value - rule.strength) > 0.3) {
      item.range.value = rule.strength;
      item.output.value = rule.strength.toFixed(2);
    }
    item.up.disabled = rule.index === 0;
    item.down.disabled = rule.last;
    item.classList.toggle("off", !rule.on);
    item.classList.toggle("shown", rule.shown === painting.key);
  }
}

export class ExportPanel {
  constructor(line) {
    this.asked = new Set();
    const ask = (what) => line.send({ do: "export", what });
    byId("export-generator").addEventListener("click", () => ask(`generator ${byId("format").value}`));
    byId("export-all").addEventListener("click", () => ask("everything"));
  }

  update(state, generator) {
    if (generator && byId("format").dataset.family !== generator.family) {
      byId("format").dataset.family = generator.family;
      byId("format").replaceChildren(...generator.formats.map(([suffix, name]) =>
        make("option", { value: suffix }, suffix === `.${name}` ? suffix : `${suffix} (${name})`)));
    }
    byId("export-all").disabled = state.rules.length === 0;
    byId("export-generator").disabled = !state.rules.some((rule) => rule.on);
  }

  /** A file is ready: the page that is looked at downloads it. */
  exported({ file, working, problem }) {
    const line = byId("export-state");
    if (working) line.textContent = "Writing the file…";
    else if (problem) line.textContent = problem;
    else if (file) {
      const link = make("a", { href: `export/${encodeURIComponent(file.name)}`, download: file.name }, file.name);
      line.replaceChildren("Ready: ", link, ` (${size(file.bytes)})`);
      if (this.live && document.visibilityState === "visible") link.click();
    }
  }

  commands(text) {
    byId("commands-more").hidden = !text;
    byId("commands").textContent = text;
  }
}

function size(bytes) {
  return bytes > 2e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}
