// Draws the charts of the page from the JSON blocks beside them: when they come into view, all before printing,
// in the colours of the reader's screen, with a legend instead of labels at line ends where the page is narrow.
(() => {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const shared = read("shared");
  const darkColours = new Map(Object.entries(shared.dark));
  const screenIsDark = matchMedia("(prefers-color-scheme: dark)");
  const plots = [...document.querySelectorAll(".plot")];
  const drawn = new Set();
  const NARROW = 560;
  const TOO_NARROW = 120; // hidden, or a window on its way to another size: nothing to draw into
  let printing = false;

  const recolour = (value) => {
    if (typeof value === "string") return darkColours.get(value) ?? value;
    if (Array.isArray(value)) return value.map(recolour);
    if (ArrayBuffer.isView(value)) return value;
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recolour(item)]));
    }
    return value;
  };

  const fromSteps = ({ from, step, bdata }) => {
    const { buffer } = Uint8Array.from(atob(bdata), (character) => character.charCodeAt(0));
    return Float64Array.from(new Uint16Array(buffer), (steps) => from + steps * step);
  };

  // A chart's figure, with the parts put in that stand in the page once; Plotly may change them.
  const figure = (plot) => {
    const { shared: places, times, ...own } = read(plot.dataset.chart);
    for (const [part, ...place] of places) {
      const key = place.pop();
      place.reduce((whole, step) => whole[step], own)[key] = structuredClone(shared.parts[part]);
    }
    for (const n of times) own.data[n].x = fromSteps(own.data[n].x);
    return own;
  };

  const specification = (plot) => {
    let { data, layout } = figure(plot);
    const scheme = screenIsDark.matches && !printing ? "dark" : "light";
    if (scheme === "dark") {
      data = recolour(data);
      layout = recolour(layout);
    }
    const width = plot.clientWidth;
    if (width < NARROW) {
      const annotations = layout.annotations ?? [];
      // Labels at line ends cost too much of a narrow plot, unless they are short.
      if (annotations.some((item) => item.name === "direct-label") && layout.margin.r > width / 8) {
        layout.annotations = annotations.filter((item) => item.name !== "direct-label");
        layout.showlegend = true;
        layout.margin = { ...layout.margin, r: 10, t: 34 };
      }
      const axis = layout.xaxis ?? {};
      if (Array.isArray(axis.ticktext)) {
        const every = Math.ceil((axis.ticktext.length * 56) / (width - 76));
        axis.ticktext = axis.ticktext.map((text, n) => (n % every ? "" : text));
      }
      layout.xaxis = { tickangle: 0, ...axis };
    }
    return {
      scheme,
      data,
      // A finger that scrolls the page must not zoom the chart.
      layout: { ...layout, width, height: plot.clientHeight, dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom" },
      config: { displayModeBar: false, displaylogo: false, showTips: false, plotlyServerURL: "" },
    };
  };

  // A chart that cannot be drawn holds up no other; its words stand below it.
  const draw = async (plot) => {
    drawn.add(plot);
    if (plot.clientWidth < TOO_NARROW) return;
    try {
      const { scheme, data, layout, config } = specification(plot);
      await Plotly.react(plot, data, layout, config);
      plot.dataset.drawn = scheme;
    } catch (error) {
      console.error(error);
    }
  };

  const waiting = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        waiting.unobserve(entry.target);
        draw(entry.target);
      }
    },
    { rootMargin: "500px" },
  );
  plots.forEach((plot) => waiting.observe(plot));

  const widths = new WeakMap();
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const width = target.clientWidth;
      if (width < TOO_NARROW) continue;
      if (drawn.has(target) && widths.get(target) !== width) draw(target);
      widths.set(target, width);
    }
  });
  plots.forEach((plot) => resized.observe(plot));

  screenIsDark.addEventListener("change", () => drawn.forEach(draw));

  // Printing lays out for paper only after this event: the class does it before, so that charts get its widths.
  const print = (starts) => {
    if (printing === starts) return;
    printing = starts;
    document.documentElement.classList.toggle("printing", starts);
    (starts ? plots : drawn).forEach(draw);
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
})();
