// Any two classes side by side: what they share, what tells them apart.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

const shared = (first, second) => page.rows[first].filter((f) => page.rows[second].includes(f));
const only = (first, second) => page.rows[first].filter((f) => !page.rows[second].includes(f));
const letter = (text) => make("b", { class: "letter" }, text);

function shortLabel(feature) {
  return page.features[feature].name || String(page.features[feature].channel);
}

function chip(feature) {
  const { code, ink, channel } = page.features[feature];
  return make("a", {
    class: "chip",
    href: `#feature-${feature}`,
    style: `background:${code};color:${ink}`,
    "data-label": feature,
    title: `feature ${channel}`,
  }, shortLabel(feature));
}

function chips(features) {
  if (!features.length) return ["–"];
  return features.flatMap((feature) => [chip(feature), " "]);
}

function view(label, against, features, words) {
  const attributes = {
    class: "view", role: "img", "data-class": label,
    "aria-label": `${page.classes[label]}: ${words}`,
  };
  if (features) Object.assign(attributes, { "data-against": against, "data-features": features });
  return make("span", attributes);
}

function pairGrid(first, second, groups) {
  if (!pictures || pictures.ofClass[first] < 0 || pictures.ofClass[second] < 0) return null;
  const columns = groups.filter(([, features]) => features.length);
  const heads = ["photo", ...columns.map(([words]) => words)];
  const style = `--columns:${heads.length}`;
  const rows = [[first, second, "A"], [second, first, "B"]].flatMap(([label, other, name]) => [
    make("div", { class: "rowname" }, letter(name), make("span", {}, page.classes[label])),
    make("div", { class: "photos" }, view(label, other, null, "photo"),
      ...columns.map(([words, features]) => view(label, other, features, words))),
  ]);
  const head = make("div", { class: "heads", "aria-hidden": "true" },
    ...heads.map((words) => make("span", {}, words)));
  return make("div", { class: "pairgrid", style }, head, ...rows);
}

// The data set's own attributes that one class has clearly more of than the other.
function tellingAttributes(first, second) {
  if (!page.attributes) return null;
  const { names, values, least } = page.attributes;
  const all = Array.from(atob(values), (code) => code.charCodeAt(0));
  const row = (label) => all.slice(label * names.length, (label + 1) * names.length);
  const [a, b] = [row(first), row(second)];
  const more = (x, y) => names
    .map((name, i) => [x[i] - y[i], name])
    .filter(([difference]) => difference >= least)
    .sort((left, right) => right[0] - left[0])
    .slice(0, 4)
    .map(([, name]) => name)
    .join(", ");
  const sides = [["A", more(a, b)], ["B", more(b, a)]].filter(([, words]) => words);
  if (!sides.length) return null;
  return make("p", { class: "note" },
    make("span", { class: "muted" }, "By the data set’s own attributes:"),
    ...sides.map(([name, words]) => make("span", { class: "side" }, letter(name), " ", words)));
}

function similarityNote(first, second) {
  const parts = [];
  if (page.similarity) {
    const value = atob(page.similarity.values).charCodeAt(first * page.classes.length + second);
    parts.push(`${page.similarity.name} ${(value / 255).toFixed(2)}`);
  }
  for (const { from, to, images } of page.confusions) {
    if ((from === first && to === second) || (from === second && to === first)) {
      const words = images === 1 ? "1 test image" : `${images} test images`;
      parts.push(`${words} of ${page.classes[from]} taken for ${page.classes[to]}`);
    }
  }
  return parts.length ? make("p", { class: "note muted" }, parts.join(" · ")) : null;
}

function pairCard(first, second) {
  const groups = [
    ["only A", only(first, second)], ["shared", shared(first, second)], ["only B", only(second, first)],
  ];
  const split = make("dl", { class: "split" }, ...groups.map(([words, features]) =>
    make("div", {}, make("dt", {}, words), make("dd", {}, ...chips(features)))));
  return make("article", { class: "card pair" },
    make("h3", {}, page.classes[first], make("span", { class: "muted" }, " and "), page.classes[second]),
    pairGrid(first, second, groups), split,
    tellingAttributes(first, second), similarityNote(first, second));
}

function nearest(label, count) {
  return page.classes
    .map((_, other) => [shared(label, other).length, other])
    .filter(([, other]) => other !== label)
    .sort((a, b) => b[0] - a[0] || a[1] - b[1])
    .slice(0, count);
}

const choice = ["first", "second"].map((id) => document.getElementById(id));

function compare(first, second) {
  if (first === second) second = nearest(first, 1)[0][1];
  choice[0].value = first;
  choice[1].value = second;
  const card = pairCard(first, second);
  document.getElementById("comparison").replaceChildren(card);
  watchViews(card);
  const buttons = nearest(first, 6).map(([count, other]) => {
    const words = `${page.classes[other]} (${count} shared)`;
    return make("button", { type: "button", "data-pair": `${first},${other}` }, words);
  });
  document.getElementById("nearest").replaceChildren(
    make("span", { class: "muted" }, `Nearest to ${page.classes[first]}:`), ...buttons);
  const total = shared(first, second).length;
  document.getElementById("compared").textContent =
    `${page.classes[first]} and ${page.classes[second]} share ${total} of their features.`;
}

function startComparing() {
  if (page.classes.length < 2) return;
  for (const select of choice) {
    select.append(...page.classes.map((name, i) => make("option", { value: i }, name)));
    select.addEventListener("change", () => compare(...choice.map((s) => Number(s.value))));
  }
  document.getElementById("swap").addEventListener("click", () =>
    compare(...choice.map((s) => Number(s.value)).reverse()));
  const wanted = /^#compare=(\d+),(\d+)$/.exec(location.hash);
  const pair = wanted ? wanted.slice(1).map(Number) : page.start;
  compare(...(pair.every((label) => label < page.classes.length) ? pair : page.start));
  if (wanted) document.getElementById("compare").scrollIntoView();
  for (const place of document.querySelectorAll(".pair-place")) {
    const card = pairCard(...place.dataset.cards.split(",").map(Number));
    place.replaceWith(card);
    watchViews(card);
  }
}
