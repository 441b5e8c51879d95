"use strict";
// Adds to the page what depends on when and how it is read; everything else is there without it.
(function () {
  const form = document.querySelector("form.search");
  if (!form) return;
  const list = document.querySelector(".studies");
  const found = document.querySelector(".found");
  const units = JSON.parse(form.dataset.units);

  function ago(seconds) {
    if (seconds <= -60) return "dated in the future";
    if (seconds < 60) return "just now";
    const [, size, name] = units.find(([limit]) => limit === null || seconds < limit);
    const count = Math.max(Math.floor(seconds / size), 1);
    return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  }

  const textOf = (element) => element.textContent.toLowerCase();
  const now = Date.now();
  const studies = [...list.children].map((element) => {
    const { status, staleFrom, urgency, urgencyIfStale } = element.dataset;
    const isStale = Boolean(staleFrom) && now >= Date.parse(staleFrom);
    const moment = element.querySelector(".fresh time");
    if (moment) {
      element.querySelector(".ago").textContent = ago((now - Date.parse(moment.dateTime)) / 1000);
      element.querySelector(".stale").hidden = !isStale;
    }
    return { element, status, isStale, urgency: Number(isStale ? urgencyIfStale : urgency), rows: null, text: null };
  });

  // Texts are gathered at the first search: a page may hold thousands of runs.
  function read(study) {
    if (study.text !== null) return;
    study.text = [...study.element.querySelectorAll(".standing, .said, :scope > details > summary")].map(textOf).join("\n");
    study.rows = [...study.element.querySelectorAll("tbody tr")].map((row) => {
      const link = row.querySelector("a");
      return { row, text: textOf(row) + decodeURI(link.getAttribute("href")).toLowerCase() };
    });
  }

  // What was opened to show what was found is closed again; what the reader opened stays.
  function unfold(fold, isWanted) {
    if (isWanted && !fold.open) fold.dataset.opened = "";
    else if (isWanted || !("opened" in fold.dataset)) return;
    else delete fold.dataset.opened;
    fold.open = isWanted;
  }

  function shown(study, words, status, freshness) {
    if (status && study.status !== status) return false;
    if (freshness && (study.isStale ? "stale" : "fresh") !== freshness) return false;
    if (!words.length && !study.rows) return true;
    read(study);
    const isNamed = words.every((word) => study.text.includes(word));
    let n = 0;
    for (const { row, text } of study.rows) {
      row.hidden = !isNamed && !words.every((word) => text.includes(word));
      n += row.hidden ? 0 : 1;
    }
    for (const fold of study.element.querySelectorAll("details")) {
      const rows = [...fold.querySelectorAll("tbody tr")];
      fold.hidden = rows.length > 0 && rows.every((row) => row.hidden);
      unfold(fold, !isNamed && !fold.hidden);
    }
    return isNamed || n > 0;
  }

  function filter() {
    const asked = new FormData(form);
    const words = asked.get("q").toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const study of studies) {
      study.element.hidden = !shown(study, words, asked.get("status"), asked.get("freshness"));
      n += study.element.hidden ? 0 : 1;
    }
    const isAsked = words.length || asked.get("status") || asked.get("freshness");
    found.textContent = isAsked ? `${n} of ${studies.length} studies` : "";
  }

  // The page says where each study stands in every order; what has become stale since it was made is moved here.
  function order() {
    const asked = form.elements.order.value;
    const rank = ({ element }) => Number(element.dataset[asked === "look" ? "newest" : asked]);
    const urgency = (study) => (asked === "look" ? study.urgency : 0);
    const sorted = [...studies].sort((a, b) => urgency(a) - urgency(b) || rank(a) - rank(b));
    list.append(...sorted.map((study) => study.element));
  }

  form.addEventListener("input", filter);
  form.elements.order.addEventListener("change", order);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  order();
  filter();
})();
