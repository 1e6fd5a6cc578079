// The values under the pointer, or where the arrow keys went.
(() => {
  for (const chart of document.querySelectorAll(".chart")) {
    const xs = chart.dataset.x.split(" ").map(Number);
    const when = chart.dataset.when.split("|");
    const says = chart.dataset.say.split("|");
    const svg = chart.querySelector(":scope > svg");
    const cursor = chart.querySelector(".cursor");
    const output = chart.querySelector(".say");
    const before = output.textContent;
    let at = xs.length - 1;
    const show = (index) => {
      at = Math.max(0, Math.min(xs.length - 1, index));
      cursor.setAttribute("x1", xs[at]);
      cursor.setAttribute("x2", xs[at]);
      cursor.setAttribute("visibility", "visible");
      output.textContent = `${when[at]}: ${says[at]}`;
    };
    const hide = () => {
      cursor.setAttribute("visibility", "hidden");
      output.textContent = before;
    };
    const nearest = (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      let best = 0;
      for (let index = 1; index < xs.length; index++)
        if (Math.abs(xs[index] - x) < Math.abs(xs[best] - x)) best = index;
      show(best);
    };
    svg.addEventListener("pointermove", nearest);
    svg.addEventListener("pointerdown", nearest);
    svg.addEventListener("pointerleave", hide);
    chart.addEventListener("focus", () => show(xs.length - 1));
    chart.addEventListener("blur", hide);
    chart.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -xs.length, End: xs.length };
      if (!(event.key in steps)) return;
      event.preventDefault();
      show(at + steps[event.key]);
    });
  }
})();
