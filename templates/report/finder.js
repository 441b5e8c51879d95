// “Find a group”: a combobox over all labels, however many (the pattern of the ARIA Authoring Practices Guide).
poolwise.finder = (() => {
  const MOST_OPTIONS = 50;
  const box = document.querySelector(".finder");
  const input = document.getElementById("group-picker"), list = document.getElementById("group-options");
  const frame = box.querySelector(".options"), more = frame.querySelector("p");
  const chip = box.querySelector(".chosen"), name = document.getElementById("group-chosen");
  const { folded, count } = poolwise.texts;
  let keys = null, active = -1;

  // Positions of groups: those that begin with the words, then those with a word that does, then the others.
  function matches(words) {
    keys ??= poolwise.data.groups().labels.map(folded);
    const wanted = folded(words.trim()), ranks = [[], [], []];
    keys.forEach((key, group) => {
      const place = key.indexOf(wanted);
      if (place >= 0) ranks[place === 0 ? 0 : /[\s\p{P}]/u.test(key[place - 1]) ? 1 : 2].push(group);
    });
    return ranks.flat();
  }

  function option(group) {
    const { labels, sizes } = poolwise.data.groups();
    const item = document.createElement("li"), size = document.createElement("span");
    item.id = `group-option-${group}`;
    item.dataset.position = group;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    size.textContent = ` n = ${count(sizes[group])}`;
    item.append(labels[group], size);
    return item;
  }

  function open() {
    const found = matches(input.value);
    list.replaceChildren(...found.slice(0, MOST_OPTIONS).map(option));
    const rest = found.length - MOST_OPTIONS;
    more.textContent = !found.length ? "No group has this in its name." : rest > 0 ? `and ${count(rest)} more: type to narrow them down` : "";
    more.hidden = !more.textContent;
    frame.hidden = false;
    input.setAttribute("aria-expanded", "true");
    activate(found.length && input.value.trim() ? 0 : -1);
  }

  function close() {
    frame.hidden = true;
    input.setAttribute("aria-expanded", "false");
    activate(-1);
  }

  function activate(place) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = place;
    const item = list.children[place];
    if (!item) { input.removeAttribute("aria-activedescendant"); return; }
    item.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", item.id);
    frame.scrollTop = Math.max(item.offsetTop - frame.clientHeight / 2, 0);
  }

  function take(item) {
    if (!item) return;
    close();
    input.value = "";
    poolwise.selection.choose(Number(item.dataset.position));
  }

  function step(by) {
    if (frame.hidden) open();
    const last = list.children.length - 1;
    activate(active + by > last ? 0 : active + by < 0 ? last : active + by);
  }

  function onKey(event) {
    const isOpen = !frame.hidden;
    if (event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowUp") step(-1);
    else if (event.key === "Enter" && isOpen) take(list.children[Math.max(active, 0)]);
    else if (event.key === "Escape" && (isOpen || input.value)) { input.value = ""; close(); }
    else if (event.key === "Tab") { close(); return; }
    else return;
    event.preventDefault();
  }

  function show() {
    const group = poolwise.selection.chosen();
    chip.hidden = group === null;
    if (group === null) return;
    const { labels, sizes } = poolwise.data.groups();
    name.textContent = `${labels[group]}, n = ${count(sizes[group])}`;
  }

  function start() {
    box.hidden = false;
    input.addEventListener("input", open);
    input.addEventListener("click", open);
    input.addEventListener("keydown", onKey);
    input.addEventListener("blur", close);
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", ({ target }) => take(target.closest("li")));
    document.getElementById("group-clear").addEventListener("click", () => { poolwise.selection.choose(null); input.focus(); });
    document.addEventListener("groupselected", show);
  }

  return { start };
})();
