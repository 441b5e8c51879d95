// Tables that sort, are searched and saved as CSV. A table of many groups is drawn a page at a time from its columns.
poolwise.tables = (() => {
  const SEARCH_FROM = 10, PAGE_ROWS = 50;
  const { numberOf, folded, csvCell, csv, count } = poolwise.texts;
  const collator = new Intl.Collator("en", { numeric: true });

  function make(tag, className, properties = {}) {
    return Object.assign(document.createElement(tag), { className, ...properties });
  }

  // The rows as they stand in the page: per column, texts and what stands below them.
  function standingRows(table) {
    const rows = Array.from(table.tBodies[0].rows);
    const below = (cell) => cell.querySelector(".detail")?.textContent ?? "";
    return {
      count: rows.length,
      texts: (column) => rows.map(({ cells }) => cells[column].textContent.trim().slice(0, -below(cells[column]).length || undefined).trim()),
      details: (column) => rows.map(({ cells }) => below(cells[column])),
      show(order, isShown) {
        for (const row of order) rows[row].hidden = !isShown[row];
        table.tBodies[0].append(...order.map((row) => rows[row]));
      },
    };
  }

  // The rows as embedded columns, and the page of them that is shown.
  function embeddedRows(table) {
    const { groups, cells, details } = poolwise.data.block(`${table.id}-rows`);
    const heads = Array.from(table.tHead.rows[0].cells);
    const pages = makePages(table);
    let shown = groups.map((_, row) => row), page = 0;

    function cell(row, column) {
      const node = make(column ? "td" : "th", heads[column].classList.contains("number") ? "number" : "");
      if (column) node.append(cells[column][row]);
      else node.append(make("span", "group-name", { textContent: cells[column][row] }));
      if (!column) node.scope = "row";
      if (details[column]?.[row]) node.append(" ", make("span", "detail", { textContent: details[column][row] }));
      return node;
    }

    function line(row) {
      const node = make("tr", "");
      node.dataset.group = groups[row];
      node.append(...heads.map((_, column) => cell(row, column)));
      return node;
    }

    function draw() {
      const first = page * PAGE_ROWS, part = shown.slice(first, first + PAGE_ROWS);
      table.tBodies[0].replaceChildren(...part.map(line));
      poolwise.selection.equip(table.tBodies[0]);
      pages.show(first, part.length, shown.length);
    }

    function turnTo(number) {
      page = number;
      draw();
      table.closest(".table").scrollTop = 0;
    }

    function turnToChosen() {
      const group = poolwise.selection.chosen();
      const place = group === null ? -1 : shown.findIndex((row) => groups[row] === group);
      if (place < 0 || Math.floor(place / PAGE_ROWS) === page) return;
      page = Math.floor(place / PAGE_ROWS);
      draw();
    }

    pages.previous.addEventListener("click", () => turnTo(page - 1));
    pages.next.addEventListener("click", () => turnTo(page + 1));
    document.addEventListener("groupselected", turnToChosen);
    turnToChosen();
    turnToChosen({ detail: { group: poolwise.selection.chosen() } });
    return {
      count: groups.length,
      texts: (column) => cells[column],
      details: (column) => (details[column]?.length ? details[column] : groups.map(() => "")),
      show(order, isShown) {
        shown = order.filter((row) => isShown[row]);
        turnTo(0);
      },
    };
  }

  function makePages(table) {
    const nav = make("nav", "table-page", { ariaLabel: `Pages of “${titleOf(table)}”` });
    const previous = make("button", "previous", { type: "button", textContent: "Previous" });
    const next = make("button", "next", { type: "button", textContent: "Next" });
    const where = make("output", "");
    nav.append(previous, where, next);
    table.closest(".table").after(nav);
    function show(first, length, total) {
      previous.disabled = first === 0;
      next.disabled = first + length >= total;
      where.textContent = total ? `${count(first + 1)} to ${count(first + length)} of ${count(total)}` : "none";
    }
    show(0, Math.min(PAGE_ROWS, Number(table.dataset.rows)), Number(table.dataset.rows));
    return { previous, next, show };
  }

  const titleOf = (table) => document.getElementById(table.getAttribute("aria-labelledby")).textContent;

  // A number per row to sort by, NaN where the cell is missing.
  function sortKeys(texts, isNumber) {
    if (isNumber) return texts.map(numberOf);
    const different = Array.from(new Set(texts)).sort(collator.compare);
    const ranks = new Map(different.map((text, rank) => [text, text === "" || text === "–" ? NaN : rank]));
    return texts.map((text) => ranks.get(text));
  }

  function sorted(keys, direction) {
    const compare = (a, b) => (Number.isNaN(keys[a]) - Number.isNaN(keys[b])) || direction * (keys[a] - keys[b]) || a - b;
    return keys.map((_, row) => row).sort(compare);
  }

  function equip(table) {
    const heads = Array.from(table.tHead.rows[0].cells);
    const isNumber = heads.map((head) => head.classList.contains("number"));
    const tools = table.closest(".table-frame").querySelector(".table-tools");
    const n = Number(table.dataset.rows), all = Array.from({ length: n }, (_, row) => row);
    let rows = null, order = all, isShown = all.map(() => true), words = null;
    const keys = [];
    const source = () => (rows ??= document.getElementById(`${table.id}-rows`) ? embeddedRows(table) : standingRows(table));

    function sortBy(column) {
      const now = heads[column].getAttribute("aria-sort");
      const next = now === "ascending" ? "descending" : now === "descending" ? "none" : "ascending";
      heads.forEach((head, k) => head.setAttribute("aria-sort", k === column ? next : "none"));
      keys[column] ??= sortKeys(source().texts(column), isNumber[column]);
      order = next === "none" ? all : sorted(keys[column], next === "ascending" ? 1 : -1);
      source().show(order, isShown);
    }

    // Words of the columns that are no numbers, a text per row.
    function wordsOfRows() {
      const columns = heads.map((_, column) => column).filter((column) => !isNumber[column]).map(source().texts);
      return all.map((row) => folded(columns.map((texts) => texts[row]).join(" ")));
    }

    function filter(input, output) {
      words ??= wordsOfRows();
      const wanted = folded(input.value.trim());
      isShown = words.map((text) => text.includes(wanted));
      const found = isShown.filter(Boolean).length;
      output.textContent = wanted ? `${count(found)} of ${count(n)} rows` : `${count(n)} rows`;
      source().show(order, isShown);
    }

    function save() {
      const columns = heads.flatMap((head, column) => {
        const title = head.querySelector(".column-title").textContent, unit = head.querySelector(".unit")?.textContent;
        const details = source().details(column), named = unit ? `${title} (${unit})` : title;
        const texts = { title: named, texts: source().texts(column), isNumber: isNumber[column] };
        return details.some(Boolean) ? [texts, { title: `${title}: ${head.dataset.detail ?? "detail"}`, texts: details }] : [texts];
      });
      const lines = order.map((row) => columns.map(({ texts, isNumber: is }) => csvCell(texts[row], is)));
      download(`${table.id}.csv`, csv([columns.map(({ title }) => csvCell(title, false)), ...lines]));
    }

    heads.forEach((head, column) => addSorter(head, () => sortBy(column)));
    if (n > SEARCH_FROM) addSearch(table, tools, n, filter);
    const button = make("button", "table-csv", { type: "button", textContent: "CSV", ariaLabel: `CSV of “${titleOf(table)}”, all ${count(n)} rows` });
    button.addEventListener("click", save);
    tools.append(button);
    if (document.getElementById(`${table.id}-rows`)) lazily(table, source);
  }

  // A table of many groups reads its columns when it is looked at, not before the page answers.
  function lazily(table, read) {
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      read();
    }, { rootMargin: "200px" });
    seen.observe(table);
  }

  function addSorter(head, onClick) {
    const button = make("button", "sort", { type: "button" });
    const unit = head.querySelector(".unit");
    button.append(...Array.from(head.childNodes).filter((node) => node !== unit));
    head.prepend(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", onClick);
  }

  function addSearch(table, tools, n, filter) {
    const input = make("input", "table-search", { type: "search", placeholder: "Search", ariaLabel: `Search in “${titleOf(table)}”` });
    const output = make("output", "table-count", { textContent: `${count(n)} rows` });
    input.addEventListener("input", () => filter(input, output));
    tools.append(output, input);
  }

  function download(name, text) {
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    make("a", "", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  return { start: () => document.querySelectorAll("table[data-table]").forEach(equip) };
})();
