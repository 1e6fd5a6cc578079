// The graph moves and zooms; j and k go through the changes of the SQL; a link opens what it leads to.
(() => {
  const box = document.querySelector(".graph");
  if (box) liveGraph(box);
  liveDiffs();

  function liveGraph(frame) {
    const svg = frame.querySelector("svg");
    const [width, height] = ["width", "height"].map((side) => Number(svg.getAttribute(side)));
    const tools = document.querySelector(".graph-tools");
    tools.hidden = false;
    frame.classList.add("live");
    const isNarrow = frame.clientWidth < 640;
    frame.style.height = `${Math.min(innerHeight * 0.7, Math.max(200, isNarrow ? height : height * Math.min(1, frame.clientWidth / width) + 8))}px`;
    const move = Panzoom(svg, {
      minScale: 0.05,
      maxScale: 4,
      step: 0.25,
      origin: "0 0",
      canvas: true,
      cursor: "grab",
    });
    const still = { animate: false, force: true };

    function show(x, y, scale) {
      move.zoom(scale, still);
      // The pan is in the drawing's own units.
      move.pan(
        (frame.clientWidth / 2 - x * scale) / scale,
        (frame.clientHeight / 2 - y * scale) / scale,
        still,
      );
    }
    const whole = () => Math.min(1, frame.clientWidth / width, frame.clientHeight / height);
    function fit() {
      show(width / 2, height / 2, whole());
    }
    function toChange() {
      const boxes = [...svg.querySelectorAll('[data-change="yes"]')].map((node) => node.getBBox());
      if (boxes.length === 0) return fit();
      const left = Math.min(...boxes.map((one) => one.x));
      const top = Math.min(...boxes.map((one) => one.y));
      const right = Math.max(...boxes.map((one) => one.x + one.width));
      const bottom = Math.max(...boxes.map((one) => one.y + one.height));
      const wanted = Math.min(
        1,
        frame.clientWidth / (right - left + 40),
        frame.clientHeight / (bottom - top + 40),
      );
      // Where all of it would be too small to read, as on a phone, the first change is shown instead.
      if (wanted < 0.55) return show(boxes[0].x + boxes[0].width / 2, boxes[0].y + boxes[0].height / 2, 0.8);
      // Where the whole is hardly smaller, its frames and names are in sight too.
      if (whole() > 0.8 * wanted) return fit();
      show((left + right) / 2, (top + bottom) / 2, wanted);
    }
    const zooms = { in: () => move.zoomIn(), out: () => move.zoomOut(), fit, change: toChange };
    for (const button of tools.querySelectorAll("[data-zoom]"))
      button.addEventListener("click", () => zooms[button.dataset.zoom]());
    frame.addEventListener(
      "wheel",
      (event) => {
        // The plain wheel scrolls the page, as everywhere.
        if (event.ctrlKey || event.metaKey) move.zoomWithWheel(event);
      },
      { passive: false },
    );
    frame.addEventListener("keydown", (event) => {
      const step = 60 / move.getScale();
      const keys = {
        ArrowLeft: () => move.pan(step, 0, { relative: true }),
        ArrowRight: () => move.pan(-step, 0, { relative: true }),
        ArrowUp: () => move.pan(0, step, { relative: true }),
        ArrowDown: () => move.pan(0, -step, { relative: true }),
        "+": zooms.in,
        "=": zooms.in,
        "-": zooms.out,
        0: fit,
      };
      const act = keys[event.key];
      if (!act || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      act();
    });
    // A node that gets the focus comes into sight.
    svg.addEventListener("focusin", (event) => {
      const node = event.target.closest?.(".node");
      if (!node?.matches(":focus-visible")) return;
      const at = node.getBBox();
      show(at.x + at.width / 2, at.y + at.height / 2, move.getScale());
      frame.scrollTo(0, 0);
    });
    // A drag that ends on a node is no click on it.
    let from;
    frame.addEventListener(
      "pointerdown",
      (event) => {
        from = [event.clientX, event.clientY];
      },
      true,
    );
    frame.addEventListener(
      "click",
      (event) => {
        if (from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) > 5) event.preventDefault();
      },
      true,
    );
    // Panzoom takes its own start a moment after it is made; ours comes behind it.
    setTimeout(() => {
      if (Math.min(frame.clientWidth / width, frame.clientHeight / height) < 0.8) toChange();
      else fit();
      frame.dataset.ready = "yes";
    });
  }

  function liveDiffs() {
    const keys = document.querySelector(".keys");
    if (!keys) return;
    keys.hidden = false;
    const diffs = [...document.querySelectorAll("details.diff")];
    for (const button of keys.querySelectorAll("[data-open]"))
      button.addEventListener("click", () => {
        for (const diff of diffs) diff.open = button.dataset.open === "yes";
      });
    const openTarget = () => {
      const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
      if (target instanceof HTMLDetailsElement) {
        target.open = true;
        target.scrollIntoView();
        target.querySelector("summary").focus({ preventScroll: true });
      }
    };
    addEventListener("hashchange", openTarget);
    document.addEventListener("click", (event) => {
      // A second click on the same link changes no address.
      if (event.target.closest?.("a.node") && !event.defaultPrevented) setTimeout(openTarget);
    });
    openTarget();
    const changes = [...document.querySelectorAll(".rows.changed")];
    let current = -1;
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, .graph"))
        return;
      if (event.key !== "j" && event.key !== "k") return;
      const here = changes.indexOf(document.activeElement?.closest?.(".rows.changed"));
      if (here >= 0) current = here;
      current = Math.max(0, Math.min(changes.length - 1, current + (event.key === "j" ? 1 : -1)));
      const change = changes[current];
      change.closest("details.diff").open = true;
      change.focus({ preventScroll: true });
      change.scrollIntoView({ block: "center" });
    });
  }
})();
