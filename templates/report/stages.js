// In a set of panels, one line a group moves through its rows, from one model's line to the next's: Play, and a slider.
// Where motion is unwelcome only the slider. And the panels that are not seen at first.
poolwise.stages = (() => {
  const STAGE_MILLISECONDS = 900, PAUSE_MILLISECONDS = 500, FAINT = 0.3, BOLDER = 1.5;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const isModel = (trace) => Boolean(trace.meta?.model);
  const placesOf = (plot, is) => plot.data.flatMap((trace, place) => (is(trace) ? [place] : []));
  const movingOf = (plot) => placesOf(plot, (trace) => Boolean(trace.meta?.isMoving))[0];

  function bold({ x, y, line }) {
    return { x, y, line: { ...line, width: line.width + BOLDER } };
  }

  // To the model's line in this panel; where it has none, the line stays where it is. No model: all lines, as at first.
  async function show(plot, model) {
    const moving = movingOf(plot);
    if (!model) {
      if (moving === undefined) return;
      await Plotly.deleteTraces(plot, moving);
      await Plotly.restyle(plot, { opacity: 1 }, placesOf(plot, isModel));
      return;
    }
    const line = plot.data.find((trace) => trace.meta?.model === model);
    if (!line) return;
    if (moving === undefined) {
      await Plotly.restyle(plot, { opacity: FAINT }, placesOf(plot, isModel));
      await Plotly.addTraces(plot, { type: "scatter", mode: "lines", hoverinfo: "skip", meta: { isMoving: true }, ...bold(line) });
      return;
    }
    const duration = still.matches ? 0 : STAGE_MILLISECONDS;
    await Plotly.animate(plot, { data: [bold(line)], traces: [moving] }, { mode: "immediate",
      transition: { duration, easing: "cubic-in-out" }, frame: { duration, redraw: false } });
  }

  function animate(controls) {
    const panels = document.getElementById(controls.dataset.animates);
    const plots = Array.from(panels.querySelectorAll(".plot"));
    const [button, slider, output] = ["button", "input", "output"].map((name) => controls.querySelector(name));
    const stages = Array.from(controls.querySelectorAll("option"));
    let run = 0, model = "";

    function goTo(stage) {
      model = stages[stage].dataset.model;
      slider.value = stage;
      slider.setAttribute("aria-valuetext", stages[stage].label);
      output.textContent = stages[stage].label;
      const drawn = plots.filter((plot) => poolwise.figures.isDrawn(plot));
      return Promise.allSettled(drawn.map((plot) => show(plot, model)));
    }

    async function play() {
      const mine = ++run;
      for (let stage = 1; stage < stages.length && mine === run; stage += 1) {
        await goTo(stage);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
      }
    }

    slider.addEventListener("input", () => { run += 1; goTo(Number(slider.value)); });
    button.addEventListener("click", play);
    button.hidden = still.matches;
    still.addEventListener("change", () => { button.hidden = still.matches; });
    slider.setAttribute("aria-valuetext", stages[0].label);
    for (const plot of plots) poolwise.figures.whenDrawn(plot, () => { controls.hidden = false; show(plot, model).catch(() => {}); });
  }

  function showAll(button) {
    const panels = button.closest(".panels"), less = `Show ${button.dataset.fewer} only`, all = button.textContent;
    button.hidden = false;
    button.addEventListener("click", () => {
      button.textContent = panels.classList.toggle("fewer") ? all : less;
    });
  }

  function start() {
    document.querySelectorAll(".stages").forEach(animate);
    document.querySelectorAll(".panels .all").forEach(showAll);
  }

  return { start };
})();
