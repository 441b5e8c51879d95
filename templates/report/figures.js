// Draws figures: those near the viewport first, the others when the browser is idle, all before printing.
poolwise.figures = (() => {
  const PRINT_WIDTH = 660, PRINT_PANEL_WIDTH = 210, PRINT_HEIGHT = 330, PRINT_HERO_HEIGHT = 250, PRINT_FRAME = 100, PRINT_ROW = 15, NEAR = "300px 0px", LETTER_WIDTH = 8;
  const CONFIG = { displaylogo: false, displayModeBar: matchMedia("(hover: hover)").matches ? "hover" : false,
    showTips: false, showSendToCloud: false, plotlyServerURL: "",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const plots = Array.from(document.querySelectorAll(".plot"));
  const near = new Set();
  const heights = new Map(); // plot → its height on screen, while it is on paper
  const waiting = new Map(); // plot → what to do once it is drawn
  const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50));
  const isDrawn = (node) => node.classList.contains("js-plotly-plot");
  const isPrinted = (node) => node.closest("#verdict, .asking") && !node.closest("details") && node.clientWidth > 0;
  const isSmall = (node) => node.classList.contains("small");
  const theme = () => poolwise.data.themes()[dark.matches ? "dark" : "light"];
  let isLoaded = false, isPrinting = false;

  // The shared file is fetched beside the text and never before it; a standalone report carries it at its end.
  function load() {
    const source = document.getElementById("plotly-source");
    if (!source) return new Promise((resolve) => addEventListener("DOMContentLoaded", resolve));
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source.href;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  const letters = (text) => text.replace(/&#?\w+;/g, "&").length; // as seen: Plotly is given entities

  // An axis title in lines no longer than its axis can be expected to be.
  function inLines(title, pixels) {
    const limit = Math.max(12, Math.floor(pixels / LETTER_WIDTH)), lines = [""];
    for (const word of title.split(" ")) {
      const line = lines.at(-1), longer = line ? `${line} ${word}` : word;
      if (line && letters(longer) > limit) lines.push(word);
      else lines[lines.length - 1] = longer;
    }
    return lines.join("<br>");
  }

  function fitted(layout, node) {
    const wrapped = (axis, pixels) => (axis?.title?.text ? { ...axis, title: { ...axis.title, text: inLines(axis.title.text, pixels) } } : axis);
    const longest = Math.max(0, ...(layout.yaxis?.ticktext ?? []).flatMap((tick) => tick.split("<br>")).map(letters));
    return { ...layout, xaxis: wrapped(layout.xaxis, node.clientWidth - Math.max(60, 7 * longest + 24)),
      yaxis: wrapped(layout.yaxis, node.clientHeight - 70) };
  }

  function draw(node) {
    if (isDrawn(node)) return;
    const spec = poolwise.data.block(node.dataset.spec);
    const config = isSmall(node) ? { ...CONFIG, displayModeBar: false } : CONFIG;
    node.replaceChildren();
    Plotly.newPlot(node, { data: poolwise.selection.marked(spec.data), layout: layoutOf(spec, node), config }).then(leaveOutToolbar);
    for (const picture of node.querySelectorAll(".main-svg")) picture.ariaHidden = "true"; // the label says it
    poolwise.selection.follow(node);
    resized.observe(node);
    for (const work of waiting.get(node) ?? []) work();
    waiting.delete(node);
  }

  const layoutOf = (spec, node) => ({ ...fitted(spec.layout, node), template: theme() });

  // A figure with all its rows in place of some, and back.
  function offerLonger(button) {
    const node = button.closest("figure").querySelector(".plot"), { height } = node.style, more = button.textContent;
    let isLonger = false;
    button.addEventListener("click", () => {
      isLonger = !isLonger;
      button.textContent = isLonger ? "Show fewer" : more;
      const spec = poolwise.data.block(isLonger ? button.dataset.longer : node.dataset.spec);
      node.style.height = isLonger ? `${button.dataset.height}px` : height;
      Plotly.react(node, poolwise.selection.marked(spec.data), layoutOf(spec, node));
    });
    whenDrawn(node, () => { button.hidden = false; });
  }

  // Plotly's toolbar is for pointers; the keyboard would have to pass nearly two hundred of its buttons.
  function leaveOutToolbar(node) {
    for (const button of node.querySelectorAll(".modebar-btn")) button.tabIndex = -1;
  }

  function whenDrawn(node, work) {
    if (isDrawn(node)) work();
    else waiting.set(node, [...(waiting.get(node) ?? []), work]);
  }

  // One figure a task, so that the page stays responsive.
  function drawNear() {
    const next = plots.find((node) => near.has(node) && !isDrawn(node));
    if (!next) return;
    draw(next);
    setTimeout(drawNear);
  }

  function drawRest() {
    const next = plots.find((node) => !isDrawn(node) && node.clientWidth > 0);
    if (!next) return;
    if (!isPrinting) draw(next);
    whenIdle(drawRest);
  }

  function follow(node, isNear) {
    if (isNear) near.add(node);
    else near.delete(node);
  }

  const resized = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (!isPrinting && contentRect.width > 0) Plotly.Plots.resize(target);
    }
  });

  // Names of rows stay apart, and the first page holds the answers too.
  function printedHeight(node) {
    const rows = node.layout.yaxis?.tickvals?.length ?? 0, least = node.closest("#verdict") ? PRINT_HERO_HEIGHT : PRINT_HEIGHT;
    return Math.min(node.clientHeight, Math.max(least, PRINT_FRAME + PRINT_ROW * rows));
  }

  // Nothing is wider or higher than a page.
  function toPaper() {
    if (!isLoaded) return;
    isPrinting = true;
    for (const node of plots.filter(isPrinted)) {
      draw(node);
      const width = isSmall(node) ? PRINT_PANEL_WIDTH : PRINT_WIDTH, height = printedHeight(node);
      heights.set(node, node.style.height);
      node.style.height = `${height}px`;
      Plotly.relayout(node, { template: poolwise.data.themes().light, width, height });
    }
  }

  function toScreen() {
    if (!isPrinting) return;
    isPrinting = false;
    for (const node of plots.filter(isPrinted)) {
      node.style.height = heights.get(node);
      Plotly.relayout(node, { template: theme(), width: null, height: null, autosize: true });
    }
  }

  function recolour() {
    for (const node of plots) if (isDrawn(node)) Plotly.relayout(node, { template: theme() });
  }

  function isInSight(node) {
    const { top, bottom, height } = node.getBoundingClientRect();
    return height > 0 && top < innerHeight && bottom > 0;
  }

  const watched = new IntersectionObserver((entries) => {
    for (const entry of entries) follow(entry.target, entry.isIntersecting);
    if (isLoaded) drawNear();
  }, { rootMargin: NEAR });

  // Resolved when the figures of the first screen are drawn. Without plotly.js the alternatives stay.
  async function start() {
    const first = plots.filter(isInSight);
    const drawn = load().then(() => { isLoaded = true; first.forEach(draw); });
    drawn.then(() => { drawNear(); whenIdle(drawRest); }, () => {});
    for (const node of plots) watched.observe(node);
    document.querySelectorAll(".longer").forEach(offerLonger);
    dark.addEventListener("change", recolour);
    addEventListener("beforeprint", toPaper);
    addEventListener("afterprint", toScreen);
    if (first.length) await drawn.catch(() => {});
  }

  return { plots, isDrawn, isNear: (node) => near.has(node), whenDrawn, start };
})();
