/* What a page can do beside being read: color mode, menu, contents, copying, scrolling by keyboard. */
"use strict";

(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const icon = (name) => `<i class="fa-solid fa-${name}" aria-hidden="true"></i>`;

  function remember(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch (refused) {
      // The mode then lasts until the page is left.
    }
  }

  function colorMode() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const button = document.querySelector(".theme-switch-button");
    const names = { auto: "as the system", light: "light", dark: "dark" };
    const apply = (mode) => {
      root.dataset.mode = mode;
      root.dataset.theme = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
      button.setAttribute("aria-label", `Color mode: ${names[mode]}`);
      button.title = `Color mode: ${names[mode]}`;
    };
    apply(root.dataset.mode);
    dark.addEventListener("change", () => apply(root.dataset.mode));
    button.addEventListener("click", () => {
      // The first step from "auto" is always a change that one sees.
      const modes = dark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
      apply(modes[(modes.indexOf(root.dataset.mode) + 1) % modes.length]);
      remember("mode", root.dataset.mode);
      remember("theme", root.dataset.theme);
    });
  }

  function menu() {
    const button = document.querySelector(".menu-button");
    const nav = document.querySelector(".book-nav");
    const show = (open) => {
      nav.classList.toggle("open", open);
      button.setAttribute("aria-expanded", String(open));
      button.innerHTML = icon(open ? "xmark" : "bars");
    };
    button.addEventListener("click", () => show(!nav.classList.contains("open")));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (nav.classList.contains("open")) {
        show(false);
        button.focus();
      }
      all(".menu[open]").forEach((each) => each.removeAttribute("open"));
    });
    document.addEventListener("click", (event) => {
      all(".menu[open]").forEach((each) => each.contains(event.target) || each.removeAttribute("open"));
    });
    const here = nav.querySelector("[aria-current]");
    if (here) nav.scrollTop = here.offsetTop - nav.clientHeight / 2;
  }

  function contents() {
    const details = document.querySelector(".page-contents");
    if (!details) return;
    const wide = matchMedia("(min-width: 80rem)");
    wide.addEventListener("change", () => (details.open = wide.matches));
    const links = new Map(all("a", details).map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const sections = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    const mark = () => {
      // The last section that has begun above the upper third of the window.
      const begun = sections.filter((each) => each.getBoundingClientRect().top < innerHeight / 3);
      links.forEach((link) => link.removeAttribute("aria-current"));
      if (begun.length) links.get(begun.at(-1).id).setAttribute("aria-current", "true");
    };
    let waiting = false;
    const later = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        mark();
      });
    };
    addEventListener("scroll", later, { passive: true });
    later();
  }

  async function copyText(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done ? undefined : Promise.reject(new Error("The browser refuses to copy."));
  }

  function copying() {
    const said = Object.assign(document.createElement("div"), { className: "visually-hidden" });
    said.setAttribute("role", "status");
    document.body.append(said);
    all(".cell_input .highlight, .bd-article > section div.highlight").forEach((block) => {
      if (block.closest(".cell_output") || block.querySelector(".copy-button")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy-button";
      button.setAttribute("aria-label", "Copy the code");
      button.innerHTML = icon("copy");
      button.addEventListener("click", async () => {
        let done = true;
        await copyText(block.querySelector("pre").innerText.trimEnd()).catch(() => (done = false));
        said.textContent = done ? "Copied." : "Not copied: the browser refuses.";
        button.innerHTML = icon(done ? "check" : "xmark");
        button.classList.toggle("done", done);
        setTimeout(() => {
          button.innerHTML = icon("copy");
          button.classList.remove("done");
          said.textContent = "";
        }, 2000);
      });
      block.append(button);
    });
  }

  function scrollByKeyboard() {
    // Only what is wider than its place can be reached and has a name: nothing else is in the way.
    const check = (each) => {
      const wide = each.scrollWidth > each.clientWidth + 1;
      const name = each.dataset.label;
      if (wide) {
        each.tabIndex = 0;
        each.setAttribute("role", name ? "region" : "group");
        each.setAttribute("aria-label", name || (each.matches("pre") ? "Code" : "Formula"));
      } else {
        ["tabindex", "role", "aria-label"].forEach((name) => each.removeAttribute(name));
      }
    };
    const observer = new ResizeObserver((entries) => entries.forEach((each) => check(each.target)));
    all(".table-frame, .figure-frame, .highlight pre, div.math").forEach((each) => observer.observe(each));
  }

  function printing() {
    const opened = [];
    addEventListener("beforeprint", () => {
      // Answers and ways deeper; the code that draws a figure stays folded.
      all(".bd-article details:not([open], .hide)").forEach((each) => {
        each.open = true;
        opened.push(each);
      });
      all("img[loading]").forEach((image) => (image.loading = "eager"));
    });
    addEventListener("afterprint", () => opened.splice(0).forEach((each) => (each.open = false)));
  }

  function searchKey() {
    document.addEventListener("keydown", (event) => {
      const wanted = event.key === "k" && (event.ctrlKey || event.metaKey);
      const field = document.querySelector("input[type=search]");
      if (!wanted || !field) return;
      event.preventDefault();
      field.focus();
      field.select();
    });
  }

  [colorMode, menu, contents, copying, scrollByKeyboard, printing, searchKey].forEach((part) => part());
})();
