// Reads the page's JSON blocks, each once, when something asks for it.
poolwise.data = (() => {
  const once = (make) => { let made; return () => (made ??= make()); };
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const lists = once(() => read("figure-data"));
  const unfolded = new Map();

  // Long lists may be stored in a shorter form: tasks/view/figures/pool.py says how.
  function list(place) {
    const stored = lists()[place];
    if (Array.isArray(stored)) return stored;
    if (!unfolded.has(place)) unfolded.set(place, unfold(resolved(stored)));
    return unfolded.get(place);
  }

  function unfold({ texts, at, columns, joined, of }) {
    if (texts) return at.map((k) => texts[k]);
    if (columns) return columns[0].map((_, row) => columns.map((column) => column[row]));
    return of[0].map((start, k) => start + joined + of[1][k]);
  }

  function resolved(value) {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(resolved);
    if ("pooled" in value) return list(value.pooled);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item)]));
  }

  const groups = once(() => resolved(read("group-names")));
  const themes = once(() => read("figure-themes"));
  return { block: (id) => resolved(read(id)), groups, themes };
})();
