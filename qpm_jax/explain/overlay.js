// Photos with feature maps over them, as qpm_jax/explain/saliency.py paints them.
"use strict";
const page = JSON.parse(document.getElementById("data").textContent);
const pictures = page.pictures;
const CANVAS = 96; // pixels of an overlay's longer side; the browser smooths it

const decoded = {};
function mapBytes(name) {
  if (!decoded[name]) {
    const text = atob(pictures[name]);
    const values = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) values[i] = text.charCodeAt(i);
    decoded[name] = values;
  }
  return decoded[name];
}

function oneMap(name, index) {
  const size = pictures.mapSize[0] * pictures.mapSize[1];
  return mapBytes(name).subarray(index * size, (index + 1) * size);
}

// Source places and weights of a line of pixels: centres at i + ½, edges repeated.
function places(from, to) {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.min(Math.floor(at), from - 1);
    return [low, Math.min(low + 1, from - 1), at - low];
  });
}

function saliency(map, strength, height, width) {
  const [h, w] = pictures.mapSize;
  const rows = places(h, height), columns = places(w, width);
  const out = new Float32Array(height * width);
  let peak = 0, i = 0;
  for (const [top, bottom, down] of rows) {
    for (const [left, right, across] of columns) {
      const upper = map[top * w + left] * (1 - across) + map[top * w + right] * across;
      const lower = map[bottom * w + left] * (1 - across) + map[bottom * w + right] * across;
      out[i] = upper * (1 - down) + lower * down;
      peak = Math.max(peak, out[i++]);
    }
  }
  for (i = 0; i < out.length; i++) out[i] = peak ? strength * (out[i] / peak) ** 3 : 0;
  return out;
}

// Where features meet, colours mix by saliency and the strongest decides the cover.
function paint(canvas, layers) {
  const [high, wide] = pictures.photoSize;
  const scale = CANVAS / Math.max(high, wide);
  canvas.height = Math.max(1, Math.round(high * scale));
  canvas.width = Math.max(1, Math.round(wide * scale));
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const shown = layers.map((layer) =>
    saliency(layer.map, layer.strength, canvas.height, canvas.width));
  for (let i = 0; i < canvas.height * canvas.width; i++) {
    let total = 0, largest = 0, red = 0, green = 0, blue = 0;
    for (let k = 0; k < layers.length; k++) {
      const value = shown[k][i], colour = layers[k].colour;
      total += value;
      largest = Math.max(largest, value);
      red += value * colour[0];
      green += value * colour[1];
      blue += value * colour[2];
    }
    if (!total) continue;
    image.data.set([red / total, green / total, blue / total, 255 * 0.7 * largest], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

const ratio = (value, largest) => (largest > 0 ? value / largest : 0);

// A class's photo, with some features where it is compared with another class.
function classLayers(view) {
  const label = Number(view.dataset.class), other = Number(view.dataset.against);
  const count = page.features.length, roots = pictures.classRoots;
  const features = view.dataset.features.split(",").filter(Boolean).map(Number);
  return features.map((f) => {
    const own = roots[label * count + f];
    return {
      map: oneMap("classMaps", label * count + f),
      strength: ratio(own, Math.max(own, roots[other * count + f])),
      colour: page.features[f].colour,
    };
  });
}

// One of the photos that excite a feature most, among the others of its card.
function featureLayers(view) {
  const feature = Number(view.dataset.feature), place = Number(view.dataset.place);
  const roots = pictures.featureRoots[feature], count = pictures.featurePhotos[feature].length;
  const map = oneMap("featureMaps", feature * count + place);
  const colour = page.features[feature].colour;
  return [{ map, strength: ratio(roots[place], Math.max(...roots)), colour }];
}

function fill(view) {
  if (view.firstChild || !pictures) return;
  const ofFeature = view.dataset.feature !== undefined;
  const photo = ofFeature
    ? pictures.featurePhotos[view.dataset.feature][view.dataset.place]
    : pictures.ofClass[view.dataset.class];
  if (photo < 0) return;
  const image = new Image();
  image.decoding = "async";
  image.alt = "";
  image.src = pictures.photos[photo];
  view.append(image);
  if (!ofFeature && view.dataset.features === undefined) return;
  image.className = "grey";
  const canvas = document.createElement("canvas");
  paint(canvas, ofFeature ? featureLayers(view) : classLayers(view));
  view.append(canvas);
}

// What is near the window at once, the rest when there is time, all before printing.
const soon = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) fill(entry.target);
}, { rootMargin: "400px" });

function watchViews(root) {
  const views = [...root.querySelectorAll(".view")];
  views.forEach((view) => soon.observe(view));
  const later = window.requestIdleCallback ?? ((task) => setTimeout(task, 50));
  const next = () => {
    for (let i = 0; i < 4 && views.length; i++) fill(views.shift());
    if (views.length) later(next);
  };
  later(next);
}

window.addEventListener("beforeprint", () => document.querySelectorAll(".view").forEach(fill));
