// What the browser tests ask of a page from inside it; each answer is a list of complaints.
"use strict";

window.probe = (() => {
  const FOCUSABLE =
    "a[href], area[href], button, input, select, textarea, summary, iframe, [tabindex], [contenteditable='true']";
  // In these one element is in the tab order and the arrow keys move among the rest.
  const COMPOSITE =
    "[role=radiogroup], [role=tablist], [role=listbox], [role=menu], [role=toolbar], [role=tree], [role=grid]";
  const BLOCKS = "h1, h2, h3, h4, h5, h6, p, figcaption, table, pre, dt, img";

  const shown = (e) => e.checkVisibility({ visibilityProperty: true });
  const main = () => document.querySelector("main") || document.body;
  const article = () => main().querySelector("article") || main();
  const style = (e, pseudo) => getComputedStyle(e, pseudo);
  const follows = (a, b) => Boolean(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING);
  const words = (e) => (e.textContent || "").replace(/\s+/g, " ").trim();

  const named = (e) => {
    const id = e.id ? `#${e.id}` : "";
    const kind = typeof e.className === "string" && e.className ? `.${e.className.trim().split(/\s+/)[0]}` : "";
    const says = words(e) || e.getAttribute("aria-label") || e.getAttribute("src") || "";
    return `<${e.localName}${id}${kind}> ${says.slice(0, 40)}`.trim();
  };

  // Two frames on, with every transition at its end.
  const atRest = async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    await frame();
    await frame();
    for (const a of document.getAnimations()) if (a.effect.getComputedTiming().endTime < Infinity) a.finish();
    await frame();
  };

  // Content behind a toggle is content too.
  const openAll = () => {
    document.querySelectorAll("details").forEach((e) => (e.open = true));
    document.querySelectorAll("button.toggle-button-hidden").forEach((e) => e.click());
    document.querySelectorAll("img[loading=lazy]").forEach((e) => (e.loading = "eager"));
  };

  const untypeset = () =>
    [...document.querySelectorAll(".math")].filter((e) => !e.querySelector("mjx-container, math, svg"));

  const mathematics = () => [
    ...untypeset().map((e) => `not typeset: ${words(e).slice(0, 60)}`),
    ...[...document.querySelectorAll("mjx-merror, merror")].map((e) => `an error in ${named(e)}`),
  ];

  // --- figures ---------------------------------------------------------------------------------

  // Icons and badges are smaller; parts of a drawing are not figures of their own.
  const pictures = () =>
    [...article().querySelectorAll("img, svg")].filter((e) => {
      const box = e.getBoundingClientRect();
      const part = e.parentElement.closest("svg, mjx-container");
      return shown(e) && !part && (e.closest("figure") ? box.width > 40 : box.width > 100 && box.height > 60);
    });

  const alternative = (e) => {
    const own = e.getAttribute("alt") || e.getAttribute("aria-label") || words(e.querySelector("title") || new Text());
    const around = e.closest("[role=img], [role=figure], [role=group], [role=application]");
    const referred = (around && around.getAttribute("aria-labelledby")) || e.getAttribute("aria-labelledby");
    const label = referred && document.getElementById(referred);
    return own || (around && around.getAttribute("aria-label")) || (label ? words(label) : "");
  };

  const figures = () => {
    const found = [];
    for (const e of pictures()) {
      const text = alternative(e);
      if (text.length <= 15) found.push(`${named(e)}: its alt text is "${text}"`);
      const figure = e.closest("figure");
      const caption = figure && figure.querySelector("figcaption");
      if (!caption || !words(caption)) found.push(`${named(e)}: it has no caption`);
      else if (!follows(e, caption)) found.push(`${named(e)}: its caption comes before it`);
    }
    return found;
  };

  // Number the figures, for screenshots, and say where each SVG's texts are (fractions of its box).
  const numberFigures = async () => {
    const found = [];
    for (const [number, e] of pictures().entries()) {
      e.dataset.probe = number;
      found.push({ name: named(e), texts: await svgTexts(e) });
    }
    return found;
  };

  // A header that stays in place would cover a part of a tall figure's screenshot.
  const hideFixed = (hidden) => {
    for (const e of document.querySelectorAll("body *")) {
      if (/fixed|sticky/.test(style(e).position) && !e.contains(article())) {
        e.style.visibility = hidden ? "hidden" : "";
      }
    }
  };

  // Measured once, as it is the same in light and dark, and contained, or the page is laid out anew.
  const measured = new Map();
  const svgTexts = async (e) => {
    if (e.localName === "svg") return textBoxes(e);
    if (!/\.svg$|^data:image\/svg/.test(e.currentSrc)) return [];
    if (!measured.has(e.currentSrc)) measured.set(e.currentSrc, await measure(e));
    return measured.get(e.currentSrc);
  };

  const measure = async (e) => {
    const source = await (await fetch(e.currentSrc)).text();
    const holder = document.createElement("div");
    holder.style = "position: absolute; left: 0; top: 0; visibility: hidden; width: 1000px; height: 3000px; contain: strict";
    holder.innerHTML = source.slice(source.indexOf("<svg"));
    document.body.append(holder);
    const boxes = textBoxes(holder.querySelector("svg"));
    holder.remove();
    return boxes;
  };

  // Matplotlib draws each text as a group text_1, text_2, ...
  const textBoxes = (svg) => {
    const all = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text, g[id^=text_]")]
      .map((e) => [e, e.getBoundingClientRect()])
      .filter(([e, box]) => box.width > 1 && box.height > 1 && !e.parentElement.closest("g[id^=text_]"))
      .map(([e, box]) => ({
        text: (words(e) || ([...e.childNodes].find((n) => n.nodeType === Node.COMMENT_NODE) || {}).data || e.id).trim(),
        left: (box.left - all.left) / all.width,
        top: (box.top - all.top) / all.height,
        right: (box.right - all.left) / all.width,
        bottom: (box.bottom - all.top) / all.height,
      }));
  };

  // --- layout and reading order ----------------------------------------------------------------

  const clipped = (e) => {
    const how = style(e);
    return how.clip !== "auto" || how.clipPath !== "none" || e.closest("mjx-assistive-mml") !== null;
  };

  // How far content beyond the screen's edge can be reached: by scrolling a box that fits, or not.
  const holder = (e, width) => {
    for (let up = e.parentElement; up && up !== document.body; up = up.parentElement) {
      const how = style(up).overflowX;
      const fits = up.getBoundingClientRect().right <= width + 1;
      if (fits && (how === "auto" || how === "scroll")) return "scrolls";
      if (fits && (how === "hidden" || how === "clip")) return "cuts";
    }
    return "none";
  };

  const sideways = (width) => {
    const found = [];
    const whole = document.scrollingElement.scrollWidth;
    if (whole > width) found.push(`the page is ${whole} px wide on a screen of ${width} px`);
    const beyond = new Set();
    for (const e of main().querySelectorAll("*")) {
      const box = e.getBoundingClientRect();
      if (!box.width || !box.height || (box.right <= width + 1 && box.left >= -1)) continue;
      if (!shown(e) || clipped(e)) continue;
      const held = holder(e, width);
      if (held === "scrolls") continue;
      if (!beyond.has(e.parentElement)) {
        found.push(`${named(e)}: ${held === "cuts" ? "is cut off at" : "sticks out to"} ${Math.round(box.right)} px`);
      }
      beyond.add(e);
    }
    return found;
  };

  const headings = () => {
    const all = [...main().querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(shown);
    const found = [];
    const ones = all.filter((e) => e.localName === "h1").length;
    if (ones !== 1) found.push(`${ones} headings of level 1`);
    let level = 0;
    for (const e of all) {
      const next = Number(e.localName[1]);
      if (next > level + 1) found.push(`${named(e)}: level ${next} after level ${level}`);
      level = next;
    }
    return found;
  };

  // Words that only a style sheet says are missing without it, and for a search.
  const spokenByStyle = () => {
    const found = [];
    for (const e of article().querySelectorAll("*")) {
      for (const pseudo of ["::before", "::after"]) {
        const how = style(e, pseudo);
        const said = (how.content.match(/"(?:[^"\\]|\\.)*"/g) || []).join(" ");
        const seen = how.display !== "none" && how.visibility === "visible" && how.opacity !== "0";
        if (seen && shown(e) && /\p{L}{2,}/u.test(said)) found.push(`${named(e)}${pseudo} says ${said}`);
      }
    }
    return found;
  };

  // A block drawn above the one that it follows in the source, and not beside it, is out of order.
  const outOfOrder = () => {
    const blocks = [...article().querySelectorAll(BLOCKS)].filter(
      (e) => shown(e) && !clipped(e) && e.getBoundingClientRect().height > 0 && !e.parentElement.closest("table, pre, dt"),
    );
    const found = [];
    for (let i = 1; i < blocks.length; i++) {
      const [a, b] = [blocks[i - 1].getBoundingClientRect(), blocks[i].getBoundingClientRect()];
      if (b.bottom <= a.top + 1 && b.left < a.right - 1) {
        found.push(`${named(blocks[i])}: is drawn above ${named(blocks[i - 1])}, which it follows`);
      }
    }
    return found;
  };

  // Leaves the page without its style sheets: the last question to ask it.
  const withoutStyles = () => {
    const read = () => new Set(article().innerText.toLowerCase().match(/\p{L}{3,}/gu) || []);
    const before = read();
    for (const sheet of document.styleSheets) sheet.disabled = true;
    const after = read();
    const lost = [...before].filter((word) => !after.has(word));
    const found = lost.length ? [`not to be read without styles: ${lost.slice(0, 10).join(", ")}`] : [];
    const first = main().querySelector("h1");
    const link = document.querySelector("a[href^='#']");
    const target = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (first && !(target && target.contains(first))) {
      found.push("the first link inside the page does not lead to what holds its main heading");
    }
    return found;
  };

  const readingOrder = () => [...headings(), ...spokenByStyle(), ...outOfOrder()];

  // --- motion ----------------------------------------------------------------------------------

  const longest = (list) =>
    Math.max(...list.split(",").map((time) => parseFloat(time) * (time.trim().endsWith("ms") ? 1 : 1000)));

  const motion = () => {
    const found = document
      .getAnimations()
      .filter((a) => a.playState === "running" && a.effect.getComputedTiming().activeDuration > 1)
      .map((a) => `${named(a.effect.target)}: is moved by ${a.animationName || a.transitionProperty || "a script"}`);
    const add = (e, pseudo, what) => found.push(`${named(e)}${pseudo}: ${what}`);
    for (const e of document.querySelectorAll("*")) {
      if (style(e).scrollBehavior === "smooth") add(e, "", "scrolls smoothly");
      for (const pseudo of ["", "::before", "::after"]) {
        const how = style(e, pseudo || undefined);
        if (pseudo && how.content === "none") continue;
        const moves = how.transitionProperty !== "none" && longest(how.transitionDuration) > 1;
        if (moves) add(e, pseudo, `${how.transitionProperty} takes ${how.transitionDuration}`);
        if (how.animationName !== "none" && longest(how.animationDuration) > 1) {
          add(e, pseudo, `animation ${how.animationName} takes ${how.animationDuration}`);
        }
      }
    }
    return [...new Set(found)];
  };

  // --- keyboard --------------------------------------------------------------------------------

  const isScroller = (e) => {
    const how = style(e);
    const [x, y] = [/auto|scroll/.test(how.overflowX), /auto|scroll/.test(how.overflowY)];
    return (x && e.scrollWidth > e.clientWidth + 1) || (y && e.scrollHeight > e.clientHeight + 1);
  };

  const roving = (e) => {
    if (e.tabIndex < 0 && e.closest(COMPOSITE)) return true;
    // Of a radio group the tab order holds the checked one, or an end.
    return e.type === "radio" && Boolean(e.name);
  };

  // A plain tabindex=-1 target (a heading, say) is no control; a link or a button is.
  const mustBeReached = () =>
    [...document.querySelectorAll(FOCUSABLE)].filter(
      (e) =>
        shown(e) && !e.disabled && e.type !== "hidden" && !e.closest("[inert]") && !roving(e) &&
        (e.tabIndex >= 0 || e.matches("a[href], button, input, select, textarea")) &&
        (e.localName !== "summary" || e.parentElement.querySelector("summary") === e),
    );

  const scrollers = () =>
    [...document.querySelectorAll("body *")].filter((e) => shown(e) && isScroller(e));

  const radioGroups = () => {
    const groups = new Map();
    for (const e of document.querySelectorAll("input[type=radio][name]")) {
      if (shown(e) && !e.disabled) groups.set(e.name, [...(groups.get(e.name) || []), e]);
    }
    return [...groups.values()];
  };

  const LOOKS = [
    "boxShadow", "borderColor", "borderWidth", "backgroundColor", "textDecorationLine",
    "textDecorationThickness", "opacity", "visibility", "content",
  ];
  // The focus may be shown by what stands around a control: its label, or the card that it fills.
  const around = (e) => {
    const up = e.parentElement;
    return [e, up, up && up.parentElement, e.nextElementSibling].filter((part) => part && part !== document.body);
  };
  // A line of one pixel is easily missed; the browser's own (auto) is as wide as it has to be.
  const outline = (how) => {
    const drawn = how.outlineStyle !== "none" && !/, 0\)$/.test(how.outlineColor);
    const wide = how.outlineStyle === "auto" || parseFloat(how.outlineWidth) >= 2;
    return drawn && wide ? how.outlineWidth : "0px";
  };
  const looks = (e) =>
    around(e)
      .flatMap((part) => [style(part), style(part, "::before"), style(part, "::after")])
      .map((how) => [outline(how), ...LOOKS.map((name) => how[name])].join(" "))
      .join("\n");

  let walk = null;

  const startWalk = () => {
    // How a focus looks is asked in the moment that it comes.
    const still = document.createElement("style");
    still.textContent = "*, ::before, ::after { transition: none !important }";
    document.head.append(still);
    document.activeElement.blur();
    const expected = mustBeReached();
    const regions = scrollers();
    walk = { expected, regions, groups: radioGroups(), stops: [], plain: new Map(), unmarked: new Set() };
    for (const e of [...expected, ...regions, ...walk.groups.flat()]) walk.plain.set(e, looks(e));
    document.addEventListener("focusin", ({ target }) => {
      walk.stops.push(target);
      const plain = walk.plain.get(target);
      const shows = plain ? plain !== looks(target) : outline(style(target)) !== "0px";
      if (!shows) walk.unmarked.add(target);
    });
    if (expected.length) expected[0].focus();
    return expected.length + regions.length + walk.groups.length;
  };

  const endWalk = () => {
    const reached = new Set(walk.stops);
    const held = (region) => walk.stops.some((e) => region.contains(e));
    const found = [];
    const missed = walk.expected.filter((e) => !reached.has(e));
    const shut = walk.regions.filter((e) => !held(e));
    const unasked = walk.groups.filter((group) => !group.some((e) => reached.has(e))).map((group) => group[0]);
    for (const e of [...missed, ...shut, ...unasked]) found.push(`Tab never reaches ${named(e)}`);
    const again = walk.stops.indexOf(walk.stops[0], 1);
    const round = again < 0 ? walk.stops : walk.stops.slice(0, again);
    if (again < 0 && document.hasFocus() && document.activeElement !== document.body) {
      found.push(`Tab does not get out of ${named(document.activeElement)}`);
    }
    for (let i = 1; i < round.length; i++) {
      if (!follows(round[i - 1], round[i])) {
        found.push(`Tab goes back from ${named(round[i - 1])} to ${named(round[i])}`);
      }
    }
    for (const e of walk.expected.filter((e) => e.tabIndex > 0)) {
      found.push(`Tab goes to ${named(e)} before its turn, by tabindex ${e.tabIndex}`);
    }
    for (const e of walk.unmarked) found.push(`nothing shows the focus on ${named(e)}`);
    return found;
  };

  // A page may put the focus where it likes; Tab then starts from its top all the same.
  const startAtTop = () => {
    const top = document.createElement("span");
    top.tabIndex = -1;
    document.body.prepend(top);
    top.focus();
    addEventListener("keyup", () => top.remove(), { once: true });
  };

  // After the first Tab on a fresh page: is the focus on a visible link past the navigation?
  const skipLink = () => {
    const e = document.activeElement;
    const box = e.getBoundingClientRect();
    const visible = box.width > 1 && box.bottom > 0 && box.right > 0 && style(e).opacity !== "0";
    const target = e.localName === "a" && e.hash && document.getElementById(e.hash.slice(1));
    if (!target) return [`the first stop is ${named(e)}, no link to the main content`];
    if (!visible) return ["the link to the main content cannot be seen when it has the focus"];
    walk = { target };
    return [];
  };

  const skipped = () =>
    walk.target.contains(document.activeElement)
      ? []
      : [`the link to the main content leads to ${named(document.activeElement)}`];

  return {
    atRest, openAll, untypeset, mathematics, figures, numberFigures, hideFixed, sideways, readingOrder, withoutStyles,
    motion, startAtTop, startWalk, endWalk, skipLink, skipped,
  };
})();
