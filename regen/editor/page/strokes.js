// Draws strokes as the session understands them, and finds the parts that they make.

const masks = new Map();

/** The grey PNG of a mask as an image whose transparency it is; calls `later` once it is there. */
function maskImage(uri, later) {
  const known = masks.get(uri);
  if (known) return known.canvas;
  const entry = { canvas: null };
  masks.set(uri, entry);
  if (masks.size > 60) masks.delete(masks.keys().next().value);
  const image = new Image();
  image.onload = () => {
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, image.width, image.height);
    for (let i = 0; i < pixels.data.length; i += 4) pixels.data[i + 3] = pixels.data[i];
    context.putImageData(pixels, 0, 0);
    entry.canvas = canvas;
    later();
  };
  image.src = uri;
  return null;
}

function drawStroke(context, stroke, later) {
  context.globalCompositeOperation = stroke.mode === "erase" ? "destination-out" : "source-over";
  if (stroke.tool === "mask") {
    const image = maskImage(stroke.mask, later);
    if (image) context.drawImage(image, 0, 0);
    return;
  }
  context.beginPath();
  if (stroke.tool === "ellipse") {
    const [x, y, rx, ry] = stroke.ellipse;
    context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
    context.fill();
  } else if (stroke.tool === "lasso") {
    stroke.points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.fill("evenodd");
  } else {
    context.lineWidth = 2 * stroke.radius;
    context.lineCap = context.lineJoin = "round";
    const [x0, y0] = stroke.points[0];
    context.moveTo(x0, y0);
    for (const [x, y] of stroke.points) context.lineTo(x, y);
    if (stroke.points.length === 1) context.lineTo(x0 + 0.001, y0);
    context.stroke();
  }
}

/** Draw strokes on a layer of `fine` times the size of their image. */
export function drawStrokes(layer, strokes, fine, colour, later) {
  const context = layer.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, layer.width, layer.height);
  context.setTransform(fine, 0, 0, fine, 0, 0);
  context.fillStyle = context.strokeStyle = "#000";
  for (const stroke of strokes) drawStroke(context, stroke, later);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, layer.width, layer.height);
}

/** The separate parts of a layer: their middles as shares of its size, from left to right. */
export function partsOf(layer) {
  const scale = Math.min(1, 96 / Math.max(layer.width, layer.height));
  const width = Math.max(1, Math.round(layer.width * scale));
  const height = Math.max(1, Math.round(layer.height * scale));
  const small = new OffscreenCanvas(width, height);
  const context = small.getContext("2d", { willReadFrequently: true });
  context.drawImage(layer, 0, 0, width, height);
  const alpha = context.getImageData(0, 0, width, height).data;
  const seen = new Uint8Array(width * height);
  const found = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || alpha[4 * start + 3] < 100) continue;
    const left = [start];
    seen[start] = 1;
    let count = 0, sumX = 0, sumY = 0;
    while (left.length) {
      const at = left.pop(), x = at % width, y = (at - x) / width;
      count += 1; sumX += x; sumY += y;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const nx = x + dx, ny = y + dy, next = ny * width + nx;
          if (nx < 0 || ny < 0 || nx >= width || ny >= height || seen[next]) continue;
          if (alpha[4 * next + 3] < 100) continue;
          seen[next] = 1;
          left.push(next);
        }
      }
    }
    found.push({ count, x: (sumX / count + 0.5) / width, y: (sumY / count + 0.5) / height });
  }
  const largest = Math.max(0, ...found.map((part) => part.count));
  return found.filter((part) => part.count >= 0.05 * largest).sort((a, b) => a.x - b.x);
}
