(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const hash = () => { try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; } };
  const remember = (values) => {
    const kept = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    try { history.replaceState(null, "", "#" + kept); } catch { /* A page without an origin of its own keeps its address. */ }
  };
  const later = (act) => {
    let waiting;
    return () => { clearTimeout(waiting); waiting = setTimeout(act, 120); };
  };
  const search = (form, fields, show) => {
    form.hidden = false;
    const values = () => Object.fromEntries(fields.map((id) => [id, $(id).value.trim()]));
    const changed = () => { const now = values(); remember(now); show(now); };
    const follow = () => {
      if (!location.hash.includes("=")) {
        const target = hash() && $(hash());
        if (target && target.className === "anchor") {
          for (const id of fields) $(id).value = id === "cluster" ? hash() : "";
          changed();
        }
        for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
        if (target) target.scrollIntoView();
        return;
      }
      const given = new URLSearchParams(location.hash.slice(1));
      for (const id of fields) $(id).value = given.get(id) || "";
      show(values());
    };
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", later(changed));
    form.addEventListener("change", changed);
    addEventListener("hashchange", follow);
    addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "/" && !typing) { event.preventDefault(); $("q").focus(); }
      if (event.key === "Escape" && event.target === $("q")) { $("q").value = ""; changed(); }
    });
    follow();
  };
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

  const list = () => {
    const rows = all(".change").map((element) => ({ element, inner: [] }));
    const of = new Map(rows.map((row) => [row.element, row]));
    for (const row of rows) {
      row.outer = of.get(row.element.parentElement.closest(".change"));
      if (row.outer) row.outer.inner.push(row);
    }
    // What a line says itself, without the lines below it.
    const text = (row) => {
      if (row.text === undefined) {
        const parts = [row.element.dataset.find];
        const add = (node) => { if (!node.classList.contains("below")) parts.push(node.textContent); };
        for (const child of row.element.children) if (child.className === "body") [...child.children].forEach(add); else add(child);
        row.text = parts.join(" ").toLowerCase();
      }
      return row.text;
    };
    const unfold = (open) => all(".change, .cluster").forEach((row) => { if (row.tagName === "DETAILS" && !row.hidden) row.open = open || row.className === "cluster"; });
    $("unfold").addEventListener("click", () => unfold(true));
    $("fold").addEventListener("click", () => unfold(false));
    search($("filter"), ["q", "action", "kind", "cluster"], (given) => {
      const wanted = words(given.q);
      let count = 0;
      for (const row of rows) {
        const data = row.element.dataset;
        row.fits = ["action", "kind"].every((name) => !given[name] || data[name] === given[name])
          && (!given.cluster || data.clusters.split(" ").includes(given.cluster)) && wanted.every((word) => text(row).includes(word));
        count += row.fits;
      }
      // A line stays with one below it; all below a line that fits stay, if none of them does by itself.
      for (const row of rows) {
        const beside = row.outer && row.outer.fits && !row.outer.inner.some((other) => other.fits);
        row.element.hidden = !(row.fits || beside || row.inner.some((inner) => inner.fits));
      }
      for (const cluster of all(".cluster")) cluster.hidden = !cluster.querySelector(".change:not([hidden])");
      const filtered = Object.values(given).some(Boolean);
      $("found").textContent = filtered ? `${count} of ${rows.length} entries` : "";
      for (const row of rows) {
        const holds = row.inner.some((inner) => inner.fits);
        if (filtered && row.element.tagName === "DETAILS" && !row.element.hidden && (holds || count <= 10)) row.element.open = true;
      }
    });
  };

  const graph = () => {
    const svg = document.querySelector(".nodes");
    if (!svg) return;
    const ROOM = 20, FOLDED = 38, GUTTER = 90, WIDTH = 250, MIDDLE = 21, LEFT = 10, MANY = 40, OPEN = 6;
    const wide = Number(svg.getAttribute("width"));
    const lanes = all(".lane").map((box) => {
      const inner = document.querySelector(`.lane-nodes[data-lane="${box.id}"]`);
      return { box, inner, title: box.querySelector(".lane-title"), height: Number(box.dataset.height), folded: svg.dataset.begin === "folded", y: 0 };
    });
    const nodes = new Map(all(".node").map((element) => {
      const shape = element.querySelector("rect"), lane = lanes.find((lane) => lane.inner.contains(element));
      return [element.id, { element, lane, x: Number(shape.getAttribute("x")), y: Number(shape.getAttribute("y")) }];
    }));
    const edges = all(".edge").map((element) => ({ element, from: nodes.get(element.dataset.from), to: nodes.get(element.dataset.to) }));
    const hide = (element, hidden) => { if (hidden) element.setAttribute("display", "none"); else element.removeAttribute("display"); };
    // Where an arrow that ends at a closed lane meets its box, coming from a node.
    const border = (lane, other) => lane.y < other.lane.y ? lane.y + FOLDED : lane.y;
    const path = ({ from, to }) => {
      const x1 = from.x, y1 = from.lane.y + from.y + MIDDLE, x2 = to.x + WIDTH + 3, y2 = to.lane.y + to.y + MIDDLE;
      if (from.lane.folded && to.lane.folded) {
        const top = from.lane.y + FOLDED / 2, end = to.lane.y + FOLDED / 2, bend = LEFT - Math.min(GUTTER - 14, 26 + Math.abs(end - top) / 6);
        return `M${LEFT} ${top}C${bend} ${top} ${bend} ${end} ${LEFT - 2} ${end}`;
      }
      if (to.lane.folded) { const end = border(to.lane, from); return `M${x1} ${y1}C${x1 - 36} ${y1} ${x1 - 36} ${(y1 + end) / 2} ${x1 - 36} ${end}`; }
      if (from.lane.folded) { const start = border(from.lane, to); return `M${x2 + 36} ${start}C${x2 + 36} ${(y2 + start) / 2} ${x2 + 36} ${y2} ${x2} ${y2}`; }
      const bend = Math.abs(x1 - x2) / 2;
      return `M${x1} ${y1}C${x1 - bend} ${y1} ${x2 + bend} ${y2} ${x2} ${y2}`;
    };
    const arrange = () => {
      let y = ROOM;
      for (const lane of lanes) {
        lane.y = y;
        const height = lane.folded ? FOLDED : lane.height;
        lane.box.setAttribute("transform", `translate(0 ${y})`);
        lane.box.querySelector(".outline").setAttribute("height", height);
        lane.title.setAttribute("aria-expanded", String(!lane.folded));
        lane.title.querySelector(".turn").textContent = lane.folded ? "▸" : "▾";
        lane.inner.setAttribute("transform", `translate(0 ${y})`);
        hide(lane.inner, lane.folded);
        y += height + ROOM;
      }
      const left = lanes.some((lane) => lane.folded) ? GUTTER : 0;
      svg.setAttribute("viewBox", `${-left} 0 ${wide + left} ${y}`);
      svg.setAttribute("width", wide + left);
      svg.setAttribute("height", y);
      // What leads from and to the same is drawn once.
      const drawn = new Map();
      for (const edge of edges) {
        const [from, to] = [edge.from, edge.to].map((end) => end.lane.folded ? end.lane.box.id : end.element.id);
        const first = drawn.get(`${from} ${to}`);
        edge.drawn = first || edge.element;
        hide(edge.element, first || from === to);
        if (!first) { drawn.set(`${from} ${to}`, edge.element); edge.element.setAttribute("d", path(edge)); }
      }
      // Of many between closed lanes only those of what is pointed at stand out.
      const between = edges.filter((edge) => edge.drawn === edge.element && edge.from.lane.folded && edge.to.lane.folded && edge.from.lane !== edge.to.lane);
      for (const edge of edges) edge.element.classList.toggle("faint", between.length > MANY && between.includes(edge));
    };
    const set = (folded) => { for (const lane of lanes) lane.folded = folded; arrange(); };
    const near = (touches) => {
      const lit = new Set(), kept = new Set();
      for (const edge of edges) if (touches && (touches(edge.from) || touches(edge.to))) { lit.add(edge.drawn); kept.add(edge.from).add(edge.to); }
      for (const edge of edges) {
        edge.element.classList.toggle("lit", lit.has(edge.element));
        edge.element.classList.toggle("dimmed", Boolean(touches) && !lit.has(edge.element));
      }
      for (const node of nodes.values()) node.element.classList.toggle("dimmed", Boolean(touches) && !kept.has(node) && !touches(node));
    };
    const follow = (element, touches) => {
      for (const [on, off] of [["mouseenter", "mouseleave"], ["focus", "blur"]]) {
        element.addEventListener(on, () => near(touches));
        element.addEventListener(off, () => near(null));
      }
    };
    for (const node of nodes.values()) follow(node.element, (other) => other === node);
    for (const lane of lanes) {
      follow(lane.title, (node) => node.lane === lane);
      const turn = () => { lane.folded = !lane.folded; arrange(); };
      lane.title.addEventListener("click", turn);
      lane.title.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); turn(); } });
    }
    $("unfold").addEventListener("click", () => set(false));
    $("fold").addEventListener("click", () => set(true));
    arrange();
    search($("find"), ["q"], (given) => {
      const wanted = words(given.q);
      const found = (text) => wanted.every((word) => text.toLowerCase().includes(word));
      let count = 0;
      near(null);
      for (const node of nodes.values()) {
        const fits = found(node.element.dataset.address);
        node.element.classList.toggle("dimmed", !fits);
        count += fits;
        node.lane.hits = (node.lane.hits || 0) + fits;
      }
      // Where most is found opens; what is found elsewhere is counted.
      const most = Math.max(...lanes.map((lane) => lane.hits));
      let open = 0;
      for (const lane of lanes) {
        if (wanted.length) lane.folded = !(lane.hits && 2 * lane.hits >= most && ++open <= OPEN);
        lane.title.querySelector(".hits").textContent = wanted.length ? `${lane.hits} found` : "";
        lane.hits = 0;
      }
      if (wanted.length) arrange();
      for (const row of all(".needs > li")) row.hidden = !found(row.textContent);
      for (const lane of all(".lane-words")) {
        lane.hidden = !lane.querySelector("li:not([hidden])");
        if (wanted.length && !lane.hidden) lane.open = true;
      }
      for (const edge of edges) edge.element.classList.toggle("dimmed", wanted.length > 0);
      $("found").textContent = wanted.length ? `${count} of ${nodes.size} resources` : "";
    });
  };

  if ($("filter")) list();
  if ($("find")) graph();
})();
