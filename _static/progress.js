/* The page "My progress": what this browser keeps, set into the table of all there is. */
"use strict";

(() => {
  const store = window.courseProgress;
  const table = document.querySelector(".progress-table");
  const controls = document.querySelector(".progress-controls");
  const status = document.getElementById("progress-status");
  const MARKS = { right: "✓", wrong: "✗", open: "·" };

  controls.hidden = false;
  byId("progress-export").addEventListener("click", store.download);
  byId("progress-import").addEventListener("change", importFile);
  byId("progress-erase").addEventListener("click", erase);
  window.addEventListener("storage", () => show());
  window.addEventListener("pageshow", () => show());
  say(show());

  async function importFile(event) {
    const file = event.target.files[0];
    if (!file) return;
    let said;
    try {
      const state = store.parse(await file.text(), `The file ${file.name}`);
      const trouble = store.keep(state);
      const count = Object.keys(state.questions).length;
      said = `Imported ${count} answers and the results of ${Object.keys(state.labs).length} labs.`;
      if (trouble) said += ` Not saved: ${trouble} What you imported lasts while this page is open.`;
    } catch (error) {
      said = `${error.message} Nothing was imported.`;
    }
    event.target.value = ""; // The same file can be chosen again.
    show();
    say(said);
  }

  function erase() {
    const asked = "Erase all answers and lab results that this browser keeps for this book?";
    if (!window.confirm(asked)) return;
    store.erase();
    show();
    say("Erased: this browser keeps nothing of this book any more.");
  }

  /* Fill the table; returns why storage is of no use, if so. */
  function show() {
    const { state, trouble } = store.read();
    for (const body of table.tBodies) {
      const sum = { right: 0, all: 0 };
      for (const row of body.rows) {
        if (row.classList.contains("progress-section")) continue;
        const one = row.dataset.lab ? showLab(row, state.labs) : showPage(row, state.questions);
        sum.right += one.right;
        sum.all += one.all;
      }
      const head = body.querySelector(".progress-section .progress-done");
      if (head) head.textContent = `${sum.right} of ${sum.all} questions right`;
    }
    return trouble && `${trouble} Export and import work while this page is open.`;
  }

  function showPage(row, questions) {
    const links = [...row.querySelectorAll("[data-question]")];
    let right = 0;
    links.forEach((link, index) => {
      const kept = questions[link.dataset.question];
      const state = !kept ? "open" : kept.right ? "right" : "wrong";
      const words = { right: "right", wrong: "not right yet", open: "not answered" }[state];
      right += kept?.right ? 1 : 0;
      link.textContent = `${index + 1} ${MARKS[state]}`;
      link.setAttribute("aria-label", `Question ${index + 1}: ${words}`);
      link.title = words;
    });
    row.querySelector(".progress-done").textContent = `${right} of ${links.length} right`;
    return { right, all: links.length };
  }

  function showLab(row, labs) {
    const all = Number(row.dataset.count);
    const results = Object.entries(labs[row.dataset.lab] || {});
    const right = results.filter(([, one]) => one.outcome === "right").length;
    const [done, list] = [row.querySelector(".progress-done"), row.lastElementChild];
    if (results.length === 0) {
      done.textContent = `0 of ${all} right`;
      list.textContent = "No result yet: import the progress.json beside your labs.";
      return { right: 0, all };
    }
    const earned = results.reduce((sum, [, one]) => sum + one.earned, 0);
    done.textContent = `${right} of ${all} right, ${+earned.toFixed(2)} of ${row.dataset.points} points`;
    const days = results.map(([, one]) => one.date.slice(0, 10)).sort();
    const said = results.map(([name, one]) => `${name}: ${one.outcome}`).join(", ");
    list.textContent = `${said} (checked ${days[days.length - 1]})`;
    return { right, all };
  }

  function say(text) {
    status.textContent = text;
  }

  function byId(id) {
    return document.getElementById(id);
  }
})();
