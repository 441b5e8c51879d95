// Where the reader is, what words mean, what paper needs; and the start of it all.
(() => {
  const GAP = 6;

  // The section at a third of the window's height is the current one.
  function followSections() {
    const links = new Map(Array.from(document.querySelectorAll("#sections a"), (link) => [link.hash.slice(1), link]));
    const seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting) current(links.get(target.id));
    }, { rootMargin: "-33% 0px -66% 0px" });
    function current(link) {
      for (const other of links.values()) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
    }
    for (const id of links.keys()) seen.observe(document.getElementById(id));
    const list = document.getElementById("sections");
    list.addEventListener("click", ({ target }) => { if (target.closest("a") && list.matches(":popover-open")) list.hidePopover(); });
  }

  // A meaning opens below its word, or above where there is no room; without this, at the window's lower edge.
  function placeMeanings() {
    let word = null;
    document.addEventListener("click", ({ target }) => { word = target.closest("button.term") ?? word; }, true);
    for (const meaning of document.querySelectorAll(".meaning")) {
      meaning.addEventListener("toggle", ({ newState }) => { if (newState === "open" && word) place(meaning, word); });
    }
  }

  // In the page's coordinates, so that it scrolls with its word.
  function place(meaning, word) {
    const at = word.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = meaning;
    const left = Math.max(GAP, Math.min(at.left, document.documentElement.clientWidth - width - GAP));
    const below = at.bottom + GAP, top = below + height > innerHeight ? Math.max(GAP, at.top - GAP - height) : below;
    Object.assign(meaning.style, { position: "absolute", inset: "auto", margin: "0",
      left: `${left + scrollX}px`, top: `${top + scrollY}px` });
  }

  // A link into a fold opens it.
  function unfoldForLinks() {
    const unfold = () => {
      const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target) return;
      for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
      target.scrollIntoView();
    };
    addEventListener("hashchange", unfold);
    document.addEventListener("click", ({ target }) => { if (target.closest("a")?.hash === location.hash) unfold(); });
    unfold();
  }

  poolwise.tables.start();
  poolwise.finder.start();
  poolwise.selection.start();
  poolwise.stages.start();
  poolwise.contrast.start();
  followSections();
  placeMeanings();
  unfoldForLinks();
  poolwise.figures.start().then(() => performance.mark("poolwise-interactive"));
})();
