// The guided first run: six steps with the bundled cat. Each is done by hand, or by the page.

import { byId } from "./dom.js";

const CAT_EYE = [172, 113, 40, 25];
const SEEDS = [103, 4];

const STEPS = [
  {
    title: "Bring a pattern", panel: "paint",
    text: "The exemplar is an image of something that the generator has never made: the photograph of a cat, say.",
    done: (state) => Boolean(state.painting.picture),
    perform: ({ send }) => send({ do: "picture.bundled", name: "cat" }),
  },
  {
    title: "Say where it is", panel: "paint",
    text: "Choose Ellipse (O) and drag from corner to corner around the cat’s left eye. One shape may serve both eyes of a sample.",
    done: (state) => state.painting.strokes.length >= 1,
    perform: ({ send, choose }) => {
      choose("ellipse");
      send({ do: "strokes", on: "exemplar", strokes: [{ tool: "ellipse", mode: "add", ellipse: CAT_EYE }] });
    },
  },
  {
    title: "Choose who gets it", panel: "samples",
    text: "Click one or two samples. They teach the rule; it will hold for every other sample too.",
    done: (state) => state.painting.targets.length >= 1,
    perform: ({ send, samples }) => samples(SEEDS).forEach((sample) => send({ do: "target.add", sample })),
  },
  {
    title: "Say where it goes", panel: "paint",
    text: "Choose Suggest (W) and click an eye of each sample: the page finds both eyes. Or paint them.",
    done: (state) => state.painting.targets.length > 0 && state.painting.targets.every((target) => target.strokes.length),
    perform: ({ suggest }) => suggest(),
  },
  {
    title: "Look, then learn", panel: "learn",
    text: "The preview shows where the rule will act before anything is learned. Learn a draft and watch the samples change.",
    done: (state) => state.rules.length > 0,
    perform: ({ send }) => send({ do: "learn", kind: "draft" }),
  },
  {
    title: "Compare and take it with you", panel: "rules",
    text: "Drag the strength, hold “Hold to compare”, then export: the files repeat everything on the command line, byte for byte.",
    done: () => false,
    perform: null,
  },
];

export class Tour {
  constructor(helpers) {
    this.helpers = helpers;
    this.at = -1;
    byId("tour-open").addEventListener("click", () => this.go(0));
    byId("tour-close").addEventListener("click", () => this.end());
    byId("tour-next").addEventListener("click", () => this.go(this.at + 1));
    byId("tour-do").addEventListener("click", () => STEPS[this.at].perform(this.helpers));
  }

  /** A first visit to an empty session begins the tour by itself. */
  begin(state) {
    const empty = !state.painting.picture && !state.painting.targets.length && !state.rules.length;
    if (empty && localStorage.getItem("regen-tour") !== "seen") this.go(0, false);
  }

  go(step, scroll = true) {
    if (step >= STEPS.length) return this.end();
    this.at = step;
    const { title, text, panel, perform } = STEPS[step];
    byId("tour-count").textContent = `Step ${step + 1} of ${STEPS.length}`;
    byId("tour-title").textContent = title;
    byId("tour-text").textContent = text;
    byId("tour-do").hidden = !perform;
    byId("tour-next").textContent = step + 1 === STEPS.length ? "Done" : "Next";
    byId("tour").hidden = false;
    for (const element of document.querySelectorAll(".lit")) element.classList.remove("lit");
    byId(panel).classList.add("lit");
    if (scroll) byId(panel).scrollIntoView({ block: "nearest" });
  }

  update(state) {
    while (this.at >= 0 && this.at < STEPS.length - 1 && STEPS[this.at].done(state)) this.go(this.at + 1);
  }

  end() {
    this.at = -1;
    localStorage.setItem("regen-tour", "seen");
    byId("tour").hidden = true;
    for (const element of document.querySelectorAll(".lit")) element.classList.remove("lit");
  }
}
