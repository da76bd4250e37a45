// A sample as large as the window allows, which pages of thumbnails cannot show.

import { byId, keyed, make, show } from "./dom.js";

export class Look {
  constructor() {
    this.dialog = byId("look");
    byId("look-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // beside it
    });
    this.dialog.addEventListener("close", () => { this.seen = null; });
  }

  /** `seen` gives a title, and pictures by name, each with a map over it or none. */
  open(seen) {
    this.seen = seen;
    this.update();
    this.dialog.showModal();
  }

  /** Show what has become of it. */
  update() {
    if (!this.seen) return;
    const { title, pictures } = this.seen();
    byId("look-title").textContent = title;
    keyed(byId("look-pictures"), Object.entries(pictures).filter(([, { image }]) => image), ([name]) => name,
      ([name]) => make("figure", {},
        make("div", { class: "looked" }, make("img", { alt: "" }), make("div", { class: "map", hidden: true })),
        make("figcaption", {}, name)),
      (figure, [name, { image, map }]) => {
        const picture = figure.querySelector("img");
        show(picture, image);
        picture.alt = `${title}, ${name}`;
        figure.firstChild.classList.toggle("dim", Boolean(map));
        showMap(figure.querySelector(".map"), map);
      });
  }
}

/** Lay a map over a picture; none where there is none. */
export function showMap(element, map) {
  element.hidden = !map;
  if (!map || element.dataset.source === map) return;
  element.dataset.source = map;
  element.style.maskImage = element.style.webkitMaskImage = `url("${map}")`;
}
