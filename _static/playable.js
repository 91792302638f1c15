"use strict";

// Figures to play with. The page carries every frame (package `playable`); sliders choose one. Words
// follow from the page alone; the drawing library is fetched when a reader first touches a slider.
(() => {
  const LIBRARY = new URL("vendor/plotly/plotly-basic.min.js", document.currentScript.src).href;
  const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false };
  const HEIGHT = 280; // of a panel without its legend
  const LEGEND_ROW = 20;
  let library = null;

  function loadLibrary() {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = LIBRARY;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error(`cannot load ${LIBRARY}`));
      document.head.append(script);
    });
    return library;
  }

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // The theme's colors at this moment, as the page's style sheet has them.
  function theme(root) {
    const style = getComputedStyle(root);
    const probe = document.createElement("span");
    root.append(probe);
    // What the browser makes of light-dark(), which the library does not understand.
    const color = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const look = {
      text: color("--pst-color-text-base"),
      ground: color("--pst-color-surface"),
      grid: color("--playable-grid"),
      family: style.fontFamily,
      line: (place) => style.getPropertyValue(`--playable-color-${place}`).trim(),
    };
    probe.remove();
    return look;
  }

  // Six hex digits and an alpha, as rgba(): what the library understands as a fill.
  function faded(hex, alpha) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
  }

  function trace(data, packed, panel, look) {
    const along = (axis) => {
      const { range, scale } = panel[axis];
      if (packed[axis] !== null) return data.lists[packed[axis]];
      return scale === "log" ? range.map((end) => 10 ** end) : range;
    };
    const color = look.line(packed.color);
    const out = {
      type: "scatter",
      x: along("x"),
      y: along("y"),
      name: packed.name ?? "",
      showlegend: "name" in packed,
      opacity: packed.fill ? 1 : packed.alpha ?? 1,
    };
    if (packed.fill) {
      const fillcolor = faded(color, packed.alpha ?? 1);
      return { ...out, mode: "lines", fill: "toself", fillcolor, line: { width: 0 }, hoverinfo: "skip" };
    }
    const modes = [packed.dash ? "lines" : "", packed.marker ? "markers" : ""];
    return {
      ...out,
      mode: modes.filter(Boolean).join("+"),
      line: { color, dash: packed.dash || "solid", width: packed.width },
      marker: { color, symbol: packed.marker, size: 1.4 * (packed.size ?? 0) },
    };
  }

  function axis(described, look) {
    const out = {
      title: { text: described.label, standoff: 8, font: { size: 13 } },
      type: described.scale,
      range: described.range,
      fixedrange: true,
      automargin: true,
      zeroline: false,
      showline: true,
      linecolor: look.text,
      gridcolor: look.grid,
      ticks: "outside",
      tickcolor: look.text,
    };
    if (described.ticks) {
      out.tickvals = described.ticks;
      out.ticktext = described.names;
    }
    return out;
  }

  // All panels leave room for the longest legend, so that their axes are in line.
  function layout(panel, rows, look) {
    const top = 26 + rows * LEGEND_ROW + (panel.title ? 24 : 0);
    return {
      height: HEIGHT + top,
      margin: { l: 56, r: 12, t: top, b: 48 },
      title: { text: panel.title, x: 0, xref: "paper", y: 0.98, yanchor: "top", font: { size: 15 } },
      font: { family: look.family, size: 13, color: look.text },
      paper_bgcolor: "rgba(0, 0, 0, 0)",
      plot_bgcolor: "rgba(0, 0, 0, 0)",
      xaxis: axis(panel.x, look),
      yaxis: axis(panel.y, look),
      legend: { x: 0, y: 1.01, yanchor: "bottom", itemclick: false, itemdoubleclick: false },
      hoverlabel: { bgcolor: look.ground, bordercolor: look.text, font: { color: look.text } },
      dragmode: false,
    };
  }

  function makeFigure(script, number) {
    const data = JSON.parse(script.textContent);
    const figure = [...document.querySelectorAll("figure")].findLast(
      (one) => one.compareDocumentPosition(script) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
    const positions = data.sliders.map((slider) => slider.start);
    const sentences = data.frames.map((one) => one.says);
    const longest = sentences.reduce((a, b) => (b.length > a.length ? b : a));
    const says = element("output", { id: `playable-says-${number}` });
    const note = element("span", { class: "playable-note", role: "status" });
    const named = (traces) => traces.filter((place) => "name" in data.traces[place]).length;
    const legendRows = Math.max(...data.frames.flatMap((one) => one.panels.map(named)));
    const boxes = data.panels.map(() => element("div", { class: "playable-panel" }));
    const drawing = element(
      "div",
      { class: "playable-drawing", role: "img", "aria-labelledby": says.id, hidden: "" },
      ...boxes,
    );
    let plotly = null;

    const frame = () => {
      let place = 0;
      data.sliders.forEach((slider, i) => (place = place * slider.values.length + positions[i]));
      return data.frames[place];
    };

    const redraw = () => {
      const { says: words, panels } = frame();
      if (says.textContent !== words) says.textContent = words;
      if (!plotly) return;
      const look = theme(drawing);
      data.panels.forEach((panel, i) => {
        const traces = panels[i].map((place) => trace(data, data.traces[place], panel, look));
        plotly.react(boxes[i], traces, layout(panel, legendRows, look), CONFIG);
      });
    };

    const touch = async () => {
      if (plotly) return;
      note.textContent = "Fetching the drawing …";
      try {
        const loaded = await loadLibrary();
        if (plotly) return;
        plotly = loaded;
        note.textContent = "";
        drawing.hidden = false;
        figure.classList.add("playable-live");
        redraw();
      } catch {
        note.textContent =
          "The drawing library could not be loaded, so the picture stays as it is; " +
          "the sentence below follows the sliders all the same.";
      }
    };

    const sliders = data.sliders.map((slider, i) => {
      const input = element("input", {
        type: "range",
        id: `playable-${number}-${i}`,
        min: 0,
        max: slider.values.length - 1,
        step: 1,
        autocomplete: "off",
      });
      const shown = element("span", { class: "playable-value", "aria-hidden": "true" });
      const move = () => {
        positions[i] = Number(input.value);
        shown.textContent = slider.texts[positions[i]];
        input.setAttribute("aria-valuetext", slider.texts[positions[i]]);
      };
      input.value = slider.start;
      move();
      input.addEventListener("input", () => {
        move();
        redraw();
        touch();
      });
      const label = element("label", { for: input.id }, slider.label);
      return element("div", { class: "playable-slider" }, label, input, shown);
    });

    const title = element("span", { class: "playable-title", id: `playable-title-${number}` });
    title.textContent = "Play with this figure";
    const controls = element(
      "div",
      { class: "playable-controls", role: "group", "aria-labelledby": title.id },
      element("p", { class: "playable-head" }, title, note),
      ...sliders,
      element("div", { class: "playable-says", "data-longest": longest }, says),
    );
    for (const kind of ["pointerdown", "focusin"]) controls.addEventListener(kind, touch);
    figure.before(controls);
    figure.querySelector("figcaption").before(drawing);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    redraw();
  }

  document.querySelectorAll("script.playable").forEach(makeFigure);
})();
