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
    const nodes = all(".node"), edges = all(".edge");
    const near = (node) => {
      const id = node && node.id, kept = new Set(node ? [id] : []);
      for (const edge of edges) {
        const lit = id && (edge.dataset.from === id || edge.dataset.to === id);
        edge.classList.toggle("lit", Boolean(lit));
        edge.classList.toggle("dimmed", Boolean(id && !lit));
        if (lit) kept.add(edge.dataset.from).add(edge.dataset.to);
      }
      for (const other of nodes) other.classList.toggle("dimmed", Boolean(id) && !kept.has(other.id));
    };
    for (const node of nodes) {
      node.addEventListener("mouseenter", () => near(node));
      node.addEventListener("mouseleave", () => near(null));
      node.addEventListener("focus", () => near(node));
      node.addEventListener("blur", () => near(null));
    }
    search($("find"), ["q"], (given) => {
      const wanted = words(given.q);
      let count = 0;
      for (const node of nodes) {
        const fits = wanted.every((word) => node.dataset.address.toLowerCase().includes(word));
        node.classList.toggle("dimmed", !fits);
        count += fits;
      }
      for (const row of all(".needs > li")) row.hidden = !wanted.every((word) => row.textContent.toLowerCase().includes(word));
      for (const edge of edges) edge.classList.toggle("dimmed", wanted.length > 0);
      $("found").textContent = wanted.length ? `${count} of ${nodes.length} resources` : "";
    });
  };

  if ($("filter")) list();
  if ($("find")) graph();
})();
