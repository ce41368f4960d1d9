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
    const rows = all(".change");
    const texts = new Map();
    const text = (row) => {
      if (!texts.has(row)) texts.set(row, (row.dataset.place + " " + row.textContent).toLowerCase());
      return texts.get(row);
    };
    const unfold = (open) => all(".change, .cluster, .within").forEach((row) => { if (row.tagName === "DETAILS" && !row.hidden) row.open = open || row.className === "cluster"; });
    $("unfold").addEventListener("click", () => unfold(true));
    $("fold").addEventListener("click", () => unfold(false));
    search($("filter"), ["q", "action", "kind", "cluster"], (given) => {
      const wanted = words(given.q);
      let count = 0;
      for (const row of rows) {
        const fits = ["action", "kind", "cluster"].every((name) => !given[name] || row.dataset[name] === given[name])
          && wanted.every((word) => text(row).includes(word));
        row.hidden = !fits;
        count += fits;
      }
      for (const cluster of all(".cluster")) cluster.hidden = !cluster.querySelector(".change:not([hidden])");
      const filtered = Object.values(given).some(Boolean);
      $("found").textContent = filtered ? `${count} of ${rows.length} changes` : "";
      if (filtered) for (const within of all(".within")) within.open = Boolean(within.querySelector(".change:not([hidden])"));
      if (filtered && count <= 10) rows.forEach((row) => { if (!row.hidden && row.tagName === "DETAILS") row.open = true; });
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
