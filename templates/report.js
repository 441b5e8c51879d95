// Draws the report's figures from the JSON beside them. Text and tables do not need it.
(() => {
  "use strict";
  const PRINT_WIDTH = 660, PRINT_PANEL_WIDTH = 210, STAGE_MILLISECONDS = 900, PAUSE_MILLISECONDS = 500;
  const CONFIG = { displaylogo: false, displayModeBar: matchMedia("(hover: hover)").matches ? "hover" : false, showTips: false,
    showSendToCloud: false, plotlyServerURL: "",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const themes = read("figure-themes");
  const theme = () => themes[dark.matches ? "dark" : "light"];
  const plots = Array.from(document.querySelectorAll(".plot"));
  const isDrawn = (node) => node.classList.contains("js-plotly-plot");

  function draw(node) {
    const spec = read(node.dataset.spec);
    node.replaceChildren();
    const config = node.classList.contains("small") ? { ...CONFIG, displayModeBar: false } : CONFIG;
    return Plotly.newPlot(node, { data: spec.data, frames: spec.frames || [],
      layout: { ...spec.layout, template: theme() }, config });
  }

  function drawRest() {
    for (const node of plots) if (!isDrawn(node)) draw(node);
  }

  // One figure at a time, from the top, so that the page stays responsive.
  function drawNext() {
    const node = plots.find((candidate) => !isDrawn(candidate));
    if (!node) return;
    draw(node);
    setTimeout(drawNext);
  }

  const resized = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (isDrawn(target) && contentRect.width > 0) Plotly.Plots.resize(target);
    }
  });

  function recolour(template) {
    for (const node of plots) if (isDrawn(node)) Plotly.relayout(node, { template });
  }

  function toPaper() {
    drawRest();
    for (const node of plots) {
      const width = node.classList.contains("small") ? PRINT_PANEL_WIDTH : PRINT_WIDTH;
      Plotly.relayout(node, { template: themes.light, width, height: node.clientHeight });
    }
  }

  function toScreen() {
    for (const node of plots) {
      Plotly.relayout(node, { template: theme(), width: null, height: null, autosize: true });
    }
  }

  function animate(controls) {
    const plot = document.querySelector("#" + CSS.escape(controls.dataset.animates) + " .plot");
    const [button, slider, output] = ["button", "input", "output"].map((name) => controls.querySelector(name));
    const names = Array.from(controls.querySelectorAll("option"), (option) => option.label);
    let run = 0;

    function show(stage) {
      const duration = still.matches ? 0 : STAGE_MILLISECONDS;
      slider.value = stage;
      slider.setAttribute("aria-valuetext", names[stage]);
      output.textContent = names[stage];
      return Plotly.animate(plot, [names[stage]], { mode: "immediate", transition: { duration, easing: "cubic-in-out" },
        frame: { duration, redraw: false } });
    }

    async function play() {
      const mine = ++run;
      for (let stage = 0; stage < names.length && mine === run; stage += 1) {
        await show(stage).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
      }
    }

    slider.addEventListener("input", () => { run += 1; show(Number(slider.value)).catch(() => {}); });
    button.addEventListener("click", play);
    button.hidden = still.matches;
    still.addEventListener("change", () => { button.hidden = still.matches; });
    slider.setAttribute("aria-valuetext", names[0]);
    controls.hidden = false;
  }

  if (typeof Plotly === "undefined") return;
  drawNext();
  plots.forEach((node) => resized.observe(node));
  document.querySelectorAll(".stages").forEach(animate);
  dark.addEventListener("change", () => recolour(theme()));
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", toScreen);
})();
