// One chosen group, marked wherever the report shows it.
poolwise.selection = (() => {
  const FADED = 0.15, DIMMED = 0.3, DIMMED_INK = "rgba(128,128,128,0.4)", FEWEST_PIXELS = 10, GROWTH = 1.5, DRAG_PIXELS = 4;
  const root = document.documentElement;
  const ofGroup = (group) => document.querySelectorAll(`[data-group="${group}"]`);
  const groupsOf = (trace) => trace.meta?.groups;
  let chosen = null;

  function choose(group) {
    if (group === chosen) return;
    const before = chosen;
    chosen = group;
    if (group === null) delete root.dataset.selectedGroup;
    else root.dataset.selectedGroup = group;
    if (before !== null) ofGroup(before).forEach(mark);
    if (group !== null) ofGroup(group).forEach(mark);
    remember();
    announce();
    markPlots();
    document.dispatchEvent(new CustomEvent("groupselected", { detail: { group } }));
  }

  // A row or panel, marked or not as its group is the chosen one.
  function mark(node) {
    const is = chosen !== null && Number(node.dataset.group) === chosen;
    node.classList.toggle("is-selected", is);
    if (is) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.querySelector("button.group-name")?.setAttribute("aria-pressed", is);
    if (is && node.tagName === "TR") reveal(node);
  }

  // Scrolls the row's own box, never the page.
  function reveal(row) {
    const box = row.closest(".table"), head = row.closest("table").tHead.offsetHeight;
    if (box.scrollHeight <= box.clientHeight) return;
    const { top, bottom } = row.getBoundingClientRect(), frame = box.getBoundingClientRect();
    if (top < frame.top + head || bottom > frame.bottom) box.scrollTop += top - frame.top - (box.clientHeight - head) / 2;
  }

  function announce() {
    const { labels, sizes } = poolwise.data.groups();
    document.getElementById("announcer").textContent = chosen === null ? "No group is marked."
      : `${labels[chosen]}, n = ${sizes[chosen].toLocaleString("en")}, is marked in tables and figures.`;
  }

  // In the address, beside the sections' anchors: the label holds for the next report too.
  function remember() {
    const hash = chosen === null ? "" : "#group=" + encodeURIComponent(poolwise.data.groups().labels[chosen]);
    if (!hash && !location.hash.startsWith("#group=")) return;
    try { history.replaceState(null, "", hash || location.pathname + location.search); } catch { /* stays in memory */ }
  }

  function recall() {
    if (!location.hash.startsWith("#group=")) return;
    let label = "";
    try { label = decodeURIComponent(location.hash.slice("#group=".length)); } catch { return; }
    const group = poolwise.data.groups().labels.indexOf(label);
    if (group >= 0) choose(group);
  }

  // Traces with the chosen group's points kept and the others faded; its lines are drawn again on top.
  function marked(traces) {
    const own = traces.filter((trace) => !trace.meta?.isOverlay);
    const overlays = chosen === null ? [] : own.filter(isLine).map(overlay).filter(Boolean);
    return [...own.map((trace) => (!groupsOf(trace) ? trace : isLine(trace) ? dimmed(trace) : faded(trace))), ...overlays];
  }

  // Lines of other groups, beside the chosen group's own, which is drawn again on top.
  function dimmed(trace) {
    const base = trace.meta.opacity ?? trace.opacity ?? 1, isBeside = chosen !== null && placesOf(trace).length > 0;
    return { ...trace, opacity: isBeside ? DIMMED * base : base, meta: { ...trace.meta, opacity: base } };
  }

  const isLine = (trace) => Boolean(groupsOf(trace)) && trace.type.startsWith("scatter") && trace.mode === "lines";

  function placesOf(trace) {
    const places = [];
    groupsOf(trace).forEach((group, place) => { if (group === chosen) places.push(place); });
    return places;
  }

  // A figure that does not show the group stays as it is.
  function faded(trace) {
    const places = chosen === null ? [] : placesOf(trace);
    if (!places.length) return { ...trace, selectedpoints: null };
    const size = trace.marker?.size;
    const marker = typeof size === "number" ? { opacity: 1, size: Math.max(FEWEST_PIXELS, size * GROWTH) } : { opacity: 1 };
    if (trace.mode === "markers+text") return { ...trace, selectedpoints: places, selected: { marker: { opacity: 0 } },
      unselected: { marker: { opacity: 0 }, textfont: { color: DIMMED_INK } } };
    const isBar = trace.type === "bar";
    return { ...trace, selectedpoints: places, selected: { marker: isBar ? { opacity: 1 } : marker },
      unselected: { marker: { opacity: FADED } } };
  }

  function overlay(trace) {
    const places = placesOf(trace);
    if (!places.length) return null;
    const width = 1.5 + (trace.line?.width ?? 2);
    return { ...trace, x: places.map((k) => trace.x[k]), y: places.map((k) => trace.y[k]), opacity: 1,
      line: { ...trace.line, width }, meta: { isOverlay: true }, showlegend: false, hoverinfo: "skip" };
  }

  // Those in sight first, one a task.
  function markPlots() {
    const { plots, isDrawn, isNear } = poolwise.figures;
    const todo = plots.filter((node) => isDrawn(node) && node.data.some(groupsOf));
    todo.sort((a, b) => isNear(b) - isNear(a));
    const group = chosen;
    (function next() {
      const node = todo.shift();
      if (!node || group !== chosen) return;
      Plotly.react(node, marked(node.data), node.layout);
      setTimeout(next);
    })();
  }

  // A drawn figure's points choose their groups; a panel as a whole chooses its own.
  function follow(node) {
    node.on("plotly_click", ({ points }) => {
      const group = points[0].data.meta?.groups?.[points[0].pointIndex ?? points[0].pointNumber];
      if (group >= 0) choose(group);
    });
  }

  // Plotly swallows clicks on its figures, so a press and release at one place counts.
  function followPanels() {
    let start = null;
    addEventListener("pointerdown", (event) => { start = event; }, true);
    addEventListener("pointerup", (event) => {
      const panel = start?.target.closest?.(".panel[data-group]");
      const moved = start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
      if (panel && start.button === 0 && moved <= DRAG_PIXELS) choose(Number(panel.dataset.group));
    }, true);
  }

  function onClick({ target }) {
    const node = target.closest("[data-group]");
    const other = target.closest("a, button:not(.group-name), input");
    if (!node || (other && node.contains(other)) || String(getSelection())) return;
    choose(Number(node.dataset.group));
  }

  // Names become buttons, so that a keyboard reaches them: one Tab stop a table, arrows within.
  function equip(container) {
    const buttons = Array.from(container.querySelectorAll(".group-name:not(button)"), (name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "group-name";
      button.textContent = name.textContent;
      button.setAttribute("aria-pressed", "false");
      name.replaceWith(button);
      return button;
    });
    buttons.forEach((button, place) => { button.tabIndex = place ? -1 : 0; });
    container.querySelectorAll("[data-group]").forEach(mark);
  }

  function onKey(event) {
    if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector(":popover-open")) choose(null);
    const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const button = event.target.closest?.("button.group-name");
    if (!step || !button) return;
    const buttons = Array.from(button.closest("tbody, .panels").querySelectorAll("button.group-name"))
      .filter((one) => one.checkVisibility?.() ?? true);
    const next = buttons[buttons.indexOf(button) + step];
    if (!next) return;
    event.preventDefault();
    button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function start() {
    document.querySelectorAll("tbody, .panels").forEach(equip);
    followPanels();
    document.addEventListener("click", onClick);
    document.addEventListener("keydown", onKey);
    addEventListener("hashchange", recall);
    recall();
  }

  return { choose, chosen: () => chosen, equip, marked, follow, start };
})();
