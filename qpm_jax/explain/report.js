// Search, folded lists, names of features, neighbours in the graph; then all begins.
function startSearching() {
  const input = document.getElementById("search");
  if (!input) return;
  const list = document.getElementById("class-list");
  const cards = [...list.children];
  const found = document.getElementById("found");
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const card of cards) {
      const text = card.querySelector(".about").textContent.toLowerCase();
      card.hidden = !words.every((word) => text.includes(word));
      count += !card.hidden;
    }
    list.classList.toggle("searched", words.length > 0);
    found.textContent = words.length ? `${count} of ${cards.length} classes` : "";
  });
}

function unfold(list) {
  list.classList.add("all");
  list.querySelectorAll(".view").forEach((view) => soon.observe(view));
  document.querySelector(`.more[aria-controls="${list.id}"]`)?.remove();
}

function startFolding() {
  for (const button of document.querySelectorAll(".more")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const list = document.getElementById(button.getAttribute("aria-controls"));
      const first = list.querySelector(".rest");
      unfold(list);
      first?.querySelector("a")?.focus({ preventScroll: true });
    });
  }
}

// A link to a class that is folded away or not found by the search shows it first.
function showTarget(hash) {
  const target = /^#class-\d+$/.test(hash) && document.querySelector(hash);
  if (!target) return;
  const search = document.getElementById("search");
  if (target.hidden) {
    search.value = "";
    search.dispatchEvent(new Event("input"));
  }
  if (target.classList.contains("rest")) unfold(target.parentElement);
  target.scrollIntoView();
}

function startLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-pair]");
    if (link) {
      const pair = link.getAttribute("data-pair").split(",").map(Number);
      compare(...pair);
      if (link.tagName !== "BUTTON") {
        event.preventDefault();
        history.pushState(null, "", `#compare=${pair}`);
        document.getElementById("compare").scrollIntoView();
        choice[0].focus({ preventScroll: true });
      }
    }
    const jump = event.target.closest('a[href^="#class-"]');
    if (jump) showTarget(jump.getAttribute("href"));
  });
  window.addEventListener("hashchange", () => showTarget(location.hash));
  showTarget(location.hash);
}

function startGraph() {
  const graph = document.querySelector(".graph");
  if (!graph) return;
  const light = (event) => {
    const node = event.target.closest("[data-node]");
    graph.classList.toggle("lit", Boolean(node));
    const label = node?.dataset.node;
    const near = new Set([label]);
    for (const edge of graph.querySelectorAll("[data-ends]")) {
      const ends = edge.dataset.ends.split(",");
      edge.classList.toggle("on", ends.includes(label));
      if (ends.includes(label)) ends.forEach((end) => near.add(end));
    }
    for (const other of graph.querySelectorAll("[data-node]")) {
      other.classList.toggle("on", near.has(other.dataset.node));
    }
  };
  graph.addEventListener("pointerover", light);
  graph.addEventListener("pointerleave", light);
  graph.addEventListener("focusin", light);
}

// Names typed here are shown at once; the file makes them stay.
function startNaming() {
  const save = document.getElementById("save-names");
  if (!save) return;
  const state = document.getElementById("names-state");
  let unsaved = false;
  const check = () => {
    const names = page.features.map((f) => f.name || `feature ${f.channel}`);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    const named = page.features.filter((f) => f.name).length;
    save.disabled = Boolean(twice);
    if (twice) state.textContent = `Two features are called “${twice}”.`;
    else state.textContent = `${named} of ${page.features.length} features have a name.`;
  };
  document.addEventListener("input", (event) => {
    const input = event.target.closest("input[data-names]");
    if (!input) return;
    const feature = Number(input.dataset.names);
    input.value = input.value.replace(/[;=\p{C}]/gu, "").replace(/\p{Z}/gu, " ");
    page.features[feature].name = input.value.trim();
    for (const node of document.querySelectorAll(`[data-label="${feature}"]`)) {
      node.textContent = shortLabel(feature);
    }
    document.querySelector(`[data-given="${feature}"]`).textContent = input.value.trim();
    unsaved = true;
    check();
  });
  save.addEventListener("click", () => {
    const named = page.features.filter((f) => f.name).map((f) => [f.channel, f.name]);
    const text = JSON.stringify(Object.fromEntries(named), null, 2) + "\n";
    const link = make("a", {
      download: "names.json",
      href: URL.createObjectURL(new Blob([text], { type: "application/json" })),
    });
    link.click();
    unsaved = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
  check();
}

document.documentElement.classList.add("live");
watchViews(document);
startComparing();
startSearching();
startFolding();
startLinks();
startGraph();
startNaming();
