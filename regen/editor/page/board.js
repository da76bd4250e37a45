// One image to paint on: the exemplar or a target.

import { keyed, make, show } from "./dom.js";
import { drawStrokes, partsOf } from "./strokes.js";

const LEAST_MOVE = 0.6; // pixels of the screen between two points of a stroke
const MOST_ZOOM = 12;
const MOST_POINTS = 3500;

export class Board {
  /** `brush` is what all boards share: tool, size, subtract; `act` sends what was done. */
  constructor(key, brush, act) {
    Object.assign(this, { key, brush, act });
    this.strokes = [];
    this.pending = []; // sent, but not yet seen in the session
    this.size = [1, 1]; // width, height
    this.zoom = 1;
    this.middle = [0.5, 0.5];
    this.cursor = null; // of the keyboard, in pixels of the image
    this.pointers = new Map();
    this.numbers = null;
    this.canvas = make("canvas", { tabindex: "0", role: "application" });
    this.layer = new OffscreenCanvas(1, 1);
    this.empty = make("div", { class: "empty" });
    this.surface = make("div", { class: "surface" }, this.canvas, this.empty);
    this.label = make("span", { class: "label" });
    this.corner = make("span", {});
    this.inputs = make("div", { class: "inputs" });
    this.actions = make("div", { class: "actions" });
    this.seen = make("div", { class: "seen" });
    this.element = make("figure", { class: "board" },
      make("figcaption", {}, this.label, this.corner), this.inputs, this.surface, this.actions, this.seen);
    this.element.dataset.board = key;
    this.listen();
    new ResizeObserver(() => this.fit()).observe(this.surface);
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.cancel(event));
    canvas.addEventListener("pointerleave", () => { this.hover = null; this.draw(); });
    canvas.addEventListener("keydown", (event) => this.keyboard(event));
    canvas.addEventListener("focus", () => { this.brush.active = this; });
    canvas.addEventListener("blur", () => { this.cursor = null; this.draw(); });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 240), this.at(event));
    }, { passive: false });
  }

  /** What the session says of this board; `known` is what its image cannot change. */
  update({ label, strokes, width, height, image, known = "", hole = false }) {
    const changed = JSON.stringify(strokes) !== this.known;
    if (changed) {
      this.known = JSON.stringify(strokes);
      this.strokes = strokes;
      this.pending = [];
    }
    this.label.textContent = label;
    this.canvas.setAttribute("aria-label",
      `${label}: ${strokes.length ? `${strokes.length} strokes painted` : "nothing painted"}. Arrows move, Enter paints.`);
    const shape = Math.min(1.5, Math.max(0.75, width / height)); // no board is a strip
    this.surface.style.aspectRatio = image ? String(shape) : "";
    if (image === null) {
      this.source = this.picture = null;
      delete this.canvas.dataset.ready;
    }
    const veiled = this.setVeil(known);
    const inked = veiled || this.hole !== hole;
    this.hole = hole;
    const resized = this.size[0] !== width || this.size[1] !== height;
    this.size = [width, height];
    this.canvas.dataset.size = `${width} ${height}`;
    if (image && image !== this.source) {
      this.source = image;
      this.picture = null;
      const picture = new Image();
      picture.onload = () => {
        if (this.source !== image) return;
        this.picture = picture;
        this.canvas.dataset.ready = "yes";
        this.draw();
      };
      picture.src = image;
    }
    if (resized) this.fit();
    else if (changed || inked) this.repaint();
  }

  /** A veil over what cannot change: it is shown in grey, and nothing is painted there. */
  setVeil(known) {
    if (known === this.known_) return false;
    this.known_ = known;
    this.veil = this.grey = null;
    if (!known) return true;
    const picture = new Image();
    picture.onload = () => {
      if (this.known_ !== known) return;
      this.veil = picture;
      this.grey = new OffscreenCanvas(picture.width, picture.height);
      const context = this.grey.getContext("2d");
      context.drawImage(picture, 0, 0);
      context.globalCompositeOperation = "source-in";
      context.fillStyle = "#8a8681";
      context.fillRect(0, 0, picture.width, picture.height);
      this.repaint();
    };
    picture.src = known;
    return true;
  }

  fit() {
    const scale = window.devicePixelRatio || 1;
    const wide = Math.max(1, Math.round(this.surface.clientWidth * scale));
    const high = Math.max(1, Math.round(this.surface.clientHeight * scale));
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide;
      this.canvas.height = high;
    }
    this.repaint();
  }

  /** Screen pixels of the canvas for one pixel of the image. */
  get scale() {
    return this.zoom * Math.min(this.canvas.width / this.size[0], this.canvas.height / this.size[1]);
  }

  /** Pixels of the image in a 128th of the board: tools are as large on the screen for any image. */
  get unit() {
    return (this.canvas.width * this.zoom) / (128 * this.scale);
  }

  /** Of the brush, in pixels of the image; the session takes none smaller than a quarter. */
  get radius() {
    return Math.max(0.25, this.brush.size * this.unit);
  }

  get offset() {
    return [0, 1].map((axis) => {
      const whole = [this.canvas.width, this.canvas.height][axis];
      return whole / 2 - this.middle[axis] * this.size[axis] * this.scale;
    });
  }

  /** The point of the image under an event. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) * this.canvas.width / box.width;
    const y = (event.clientY - box.top) * this.canvas.height / box.height;
    const [ox, oy] = this.offset;
    return [(x - ox) / this.scale, (y - oy) / this.scale];
  }

  zoomBy(factor, around = null) {
    const [x, y] = around ?? [this.middle[0] * this.size[0], this.middle[1] * this.size[1]];
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const change = this.zoom / zoom;
    this.zoom = zoom;
    this.middle = this.middle.map((m, i) => {
      const point = [x, y][i] / this.size[i];
      return this.within(point + (m - point) * change);
    });
    this.repaint();
  }

  within(middle) {
    const half = 0.5 / this.zoom;
    return Math.min(1 - half, Math.max(half, middle));
  }

  pan(dx, dy) {
    this.middle = [this.within(this.middle[0] - dx / this.scale / this.size[0]),
      this.within(this.middle[1] - dy / this.scale / this.size[1])];
    this.draw();
  }

  /** What is shown of a zoomed image follows a point of it. */
  keepInSight(point) {
    const half = 0.45 / this.zoom;
    this.middle = this.middle.map((m, i) => {
      const at = point[i] / this.size[i];
      return this.within(Math.min(at + half, Math.max(at - half, m)));
    });
  }

  zoomFit() {
    this.zoom = 1;
    this.middle = [0.5, 0.5];
    this.repaint();
  }

  down(event) {
    if (!this.picture) return;
    this.brush.active = this;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.pointers.size > 1) {
      this.stroke = null;
      return;
    }
    if (event.button === 1 || this.brush.space) {
      this.panning = true;
      event.preventDefault();
      return;
    }
    if (event.button !== 0) return;
    const point = this.at(event);
    if (this.brush.tool === "wand") {
      this.act.wand(this, point);
      return;
    }
    this.stroke = this.begun(point, event.altKey);
    this.repaint();
  }

  begun(point, subtract) {
    const { tool } = this.brush;
    const mode = subtract || this.brush.subtract || tool === "eraser" ? "erase" : "add";
    if (tool === "ellipse") return { tool, mode, from: point, ellipse: [...point, 0.25, 0.25] };
    if (tool === "lasso") return { tool, mode, points: [point] };
    return { tool: "brush", mode, radius: this.radius, points: [point] };
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    this.hover = this.at(event);
    if (before) {
      if (this.pointers.size === 2) this.pinch(event, before);
      else if (this.panning) {
        const ratio = window.devicePixelRatio || 1;
        this.pan((event.clientX - before[0]) * ratio, (event.clientY - before[1]) * ratio);
      } else if (this.stroke) {
        const several = event.getCoalescedEvents?.() ?? [];
        for (const one of several.length ? several : [event]) this.extend(this.at(one));
      }
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    }
    if (this.stroke) this.repaint();
    else this.draw();
  }

  extend(point) {
    const stroke = this.stroke;
    if (stroke.tool === "ellipse") {
      const [x, y] = stroke.from;
      stroke.ellipse = [(x + point[0]) / 2, (y + point[1]) / 2,
        Math.max(0.25, Math.abs(point[0] - x) / 2), Math.max(0.25, Math.abs(point[1] - y) / 2)];
      return;
    }
    const last = stroke.points[stroke.points.length - 1];
    const far = Math.hypot(point[0] - last[0], point[1] - last[1]) * this.scale >= LEAST_MOVE;
    if (far && stroke.points.length < MOST_POINTS) stroke.points.push(point);
  }

  pinch(event, before) {
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const now = [event.clientX, event.clientY];
    const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
    const is = Math.hypot(now[0] - other[0], now[1] - other[1]);
    const ratio = window.devicePixelRatio || 1;
    this.zoomBy(is / Math.max(1, was), this.at({ clientX: (now[0] + other[0]) / 2, clientY: (now[1] + other[1]) / 2 }));
    this.pan((now[0] - before[0]) * ratio / 2, (now[1] - before[1]) * ratio / 2);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    this.panning = false;
    const stroke = this.stroke;
    this.stroke = null;
    if (stroke) this.finish(stroke);
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.stroke = null;
    this.panning = false;
    this.repaint();
  }

  finish(stroke) {
    const { from, ...sent } = stroke;
    const least = Math.max(1, this.unit);
    const small = sent.tool === "ellipse" && (sent.ellipse[2] < least || sent.ellipse[3] < least);
    if (small && from) sent.ellipse = [...from, this.radius, this.radius]; // a click
    if (sent.tool === "lasso" && sent.points.length < 3) return this.repaint();
    this.pending.push(sent);
    this.repaint();
    this.act.stroke(this, rounded(sent));
  }

  keyboard(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (event.key === "Escape" && this.stroke) {
      this.stroke = null;
      this.repaint();
    } else if (move && this.picture) {
      event.preventDefault();
      const step = (event.shiftKey ? 8 : 1) * this.unit / this.zoom;
      const at = this.cursor ?? this.size.map((side) => side / 2);
      this.cursor = at.map((v, i) => Math.min(this.size[i], Math.max(0, v + step * move[i])));
      this.keepInSight(this.cursor);
      this.draw();
    } else if (event.key === "Enter" && this.picture) {
      event.preventDefault();
      const at = this.cursor ?? this.size.map((side) => side / 2);
      if (this.brush.tool === "wand") return this.act.wand(this, at);
      const mode = this.brush.subtract || this.brush.tool === "eraser" ? "erase" : "add";
      this.finish(this.brush.tool === "ellipse" || this.brush.tool === "lasso"
        ? { tool: "ellipse", mode, ellipse: [...at, this.radius, this.radius] }
        : { tool: "brush", mode, radius: this.radius, points: [at] });
    }
  }

  /** Draw the strokes anew, then everything. */
  repaint() {
    const fine = Math.max(0.25, Math.min(4, this.scale));
    this.fine = fine;
    const wide = Math.max(1, Math.round(this.size[0] * fine)), high = Math.max(1, Math.round(this.size[1] * fine));
    if (this.layer.width !== wide || this.layer.height !== high) this.layer = new OffscreenCanvas(wide, high);
    const all = [...this.strokes, ...this.pending, ...(this.stroke ? [this.stroke] : [])];
    const colour = getComputedStyle(document.documentElement).getPropertyValue(this.hole ? "--hole" : "--paint");
    drawStrokes(this.layer, all, fine, colour, () => this.repaint());
    if (this.veil) {
      const context = this.layer.getContext("2d");
      context.globalCompositeOperation = "destination-out";
      context.drawImage(this.veil, 0, 0, wide, high);
    }
    if (!this.stroke) {
      this.parts = all.length ? partsOf(this.layer) : [];
      this.act.parts?.();
    }
    this.draw();
  }

  draw() {
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.picture) return;
    const [ox, oy] = this.offset, scale = this.scale;
    const box = [ox, oy, this.size[0] * scale, this.size[1] * scale];
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture, ...box);
    if (this.grey) {
      context.globalAlpha = 0.66;
      context.drawImage(this.grey, ...box);
    }
    context.globalAlpha = 0.5;
    context.drawImage(this.layer, ...box);
    context.globalAlpha = 1;
    this.drawNumbers(context, box);
    this.drawPointer(context, ox, oy, scale);
  }

  drawNumbers(context, [ox, oy, wide, high]) {
    const ratio = window.devicePixelRatio || 1;
    const numbers = this.numbers;
    (this.parts ?? []).forEach((part, i) => {
      if (!numbers || this.parts.length > 9) return;
      const x = ox + part.x * wide, y = oy + part.y * high;
      context.beginPath();
      context.arc(x, y, 9 * ratio, 0, 2 * Math.PI);
      context.fillStyle = "rgb(20 18 16 / 78%)";
      context.fill();
      context.fillStyle = "#fff";
      context.font = `600 ${11 * ratio}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(String(numbers[i] ?? 1), x, y + 0.5 * ratio);
    });
  }

  drawPointer(context, ox, oy, scale) {
    const at = this.cursor ?? this.hover;
    if (!at || this.brush.tool === "wand" || this.brush.tool === "lasso") {
      if (this.cursor) this.cross(context, ox + at[0] * scale, oy + at[1] * scale);
      return;
    }
    const x = ox + at[0] * scale, y = oy + at[1] * scale;
    if (this.cursor) this.cross(context, x, y);
    if (this.brush.tool === "ellipse" && !this.cursor) return;
    for (const [colour, width] of [["rgb(0 0 0 / 65%)", 3], ["#fff", 1.2]]) {
      context.beginPath();
      context.arc(x, y, this.radius * scale, 0, 2 * Math.PI);
      context.strokeStyle = colour;
      context.lineWidth = width * (window.devicePixelRatio || 1);
      context.stroke();
    }
  }

  cross(context, x, y) {
    for (const [colour, width] of [["#000", 4], ["#fff", 1.5]]) {
      context.beginPath();
      context.moveTo(x - 9, y);
      context.lineTo(x + 9, y);
      context.moveTo(x, y - 9);
      context.lineTo(x, y + 9);
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }

  /** What is shown small, to look at large. */
  large() {
    const pictures = Object.entries(this.seenPictures).map(([name, image]) => [name, { image }]);
    return { title: this.label.textContent, pictures: Object.fromEntries(pictures) };
  }

  /** What the pattern would look like here: small pictures by name, which keep their places. */
  showSeen(pictures) {
    this.seenPictures = pictures;
    keyed(this.seen, Object.entries(pictures), ([name]) => name,
      ([name]) => make("figure", {}, make("button", {
        type: "button", class: "look box", title: "Look at it large", onclick: () => this.act.look(() => this.large()),
      }, make("img", { alt: "" })), make("figcaption", {}, name)),
      (figure, [name, picture]) => {
        const image = figure.querySelector("img");
        show(image, picture);
        image.parentElement.disabled = !picture;
        image.alt = picture ? `${this.label.textContent}, ${name}` : "";
      });
  }
}

function rounded(stroke) {
  const round = (value) => Math.round(value * 100) / 100;
  const sent = { ...stroke };
  if (sent.points) sent.points = sent.points.map((point) => point.map(round));
  if (sent.radius) sent.radius = round(sent.radius);
  if (sent.ellipse) sent.ellipse = sent.ellipse.map(round);
  return sent;
}
