// Two groups compared: their difference in every draw, its interval, and how likely it is above 0.
poolwise.contrast = (() => {
  const DASH = "\u2212", UNSURE = "–";
  const number = (value, places) => value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places })
    .replace("-", DASH);
  const quantile = (sorted, share) => {
    const at = share * (sorted.length - 1), low = Math.floor(at), high = Math.ceil(at);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  };

  // What n draws can tell: 0 of 400 is not impossible, but less likely than 1 in 400.
  function percent(share, n) {
    if (share >= 1 - 0.5 / n) return `more than ${number(100 * (1 - 1 / n), 1)}\u202f%`;
    if (share <= 0.5 / n) return `less than ${number(100 / n, 1)}\u202f%`;
    return `${number(100 * share, 0)}\u202f%`;
  }

  function told({ step, places, unit, draws }, one, other, labels) {
    if (one === other) return UNSURE;
    const apart = draws[one].map((value, s) => (value - draws[other][s]) * step), n = apart.length;
    const sorted = apart.toSorted((a, b) => a - b), mean = apart.reduce((sum, each) => sum + each, 0) / n;
    const above = (apart.filter((each) => each > 0).length + apart.filter((each) => each === 0).length / 2) / n;
    const [low, high] = [quantile(sorted, 0.025), quantile(sorted, 0.975)], measure = unit ? `\u202f${unit}` : "";
    return `${labels[one]} less ${labels[other]}: ${number(mean, places)}${measure} (95\u202f% interval ${number(low, places)} to ` +
      `${number(high, places)}). ${labels[one]} is higher with a probability of ${percent(above, n)}.`;
  }

  function compare(node) {
    const data = poolwise.data.block(node.dataset.contrast), { labels } = poolwise.data.groups();
    const [one, other, what] = ["one", "other", "what"].map((name) => node.querySelector(`[name="${name}"]`));
    for (const select of [one, other]) select.append(...labels.map((label, group) => new Option(label, group)));
    other.selectedIndex = labels.length - 1;
    const show = () => {
      node.querySelector("output").textContent = told(data.terms[what ? what.selectedIndex : 0], Number(one.value), Number(other.value), labels);
    };
    node.addEventListener("change", show);
    document.addEventListener("groupselected", ({ detail }) => {
      if (detail.group === null) return;
      if (Number(other.value) === detail.group) other.value = one.value;
      one.value = detail.group;
      show();
    });
    node.hidden = false;
    show();
  }

  return { start: () => document.querySelectorAll("[data-contrast]").forEach(compare) };
})();
