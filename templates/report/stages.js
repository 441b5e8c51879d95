// The controls of an animated figure: Play, and a slider from stage to stage. Where motion is unwelcome only the slider.
poolwise.stages = (() => {
  const STAGE_MILLISECONDS = 900, PAUSE_MILLISECONDS = 500;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

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
    poolwise.figures.whenDrawn(plot, () => { controls.hidden = false; });
  }

  return { start: () => document.querySelectorAll(".stages").forEach(animate) };
})();
