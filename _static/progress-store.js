/* What a reader has done, kept in this browser's storage and nowhere else.

   {"format": 1,
    "questions": {NAME: {"right": true, "answer": [0] or "9.1", "date": "2026-11-21T10:00:00Z"}},
    "labs": {LAB: {QUESTION: {"outcome": "right", "points": 4, "earned": 4, "date": "..."}}}}

   `grader check` keeps the same file beside the labs. Where storage is refused, or holds what
   cannot be read, everything works on in memory and `keep` says so. */
"use strict";

window.courseProgress = (() => {
  const KEY = "progress:" + document.currentScript.dataset.book;
  const NAME = /^[A-Za-z0-9]+([_.-][A-Za-z0-9]+)*$/;
  const OUTCOMES = ["right", "wrong", "error", "not attempted", "answered"];
  const MOST_BYTES = 2e6;
  let memory = empty(); // what storage would not take

  function empty() {
    return { format: 1, questions: {}, labs: {} };
  }

  /* What is known: storage and memory together, and why storage is of no use, if so. */
  function read() {
    let text = null;
    try {
      text = window.localStorage.getItem(KEY);
    } catch {
      return { state: memory, trouble: "This browser refuses to keep anything for this page." };
    }
    if (text === null) return { state: memory, trouble: "" };
    try {
      return { state: merge(parse(text, "What this browser kept"), memory), trouble: "" };
    } catch (error) {
      const advice = "Erase it on the page “My progress” to keep answers again.";
      return { state: memory, trouble: `${error.message} ${advice}` };
    }
  }

  /* Merge into what is known and save it; returns why it was not saved, or "". */
  function keep(more) {
    const { state, trouble } = read();
    memory = merge(memory, more);
    if (trouble) return trouble;
    try {
      window.localStorage.setItem(KEY, JSON.stringify(merge(state, more)));
    } catch {
      return "This browser has no room to keep it.";
    }
    memory = empty();
    return "";
  }

  function keepAnswer(name, right, answer) {
    const date = new Date().toISOString();
    return keep({ ...empty(), questions: { [name]: { right, answer, date } } });
  }

  function erase() {
    memory = empty();
    try {
      window.localStorage.removeItem(KEY);
    } catch {
      // Nothing is kept where nothing can be.
    }
  }

  /* Of two states the later entry of each question, in the book and in labs. */
  function merge(one, other) {
    const merged = empty();
    merged.questions = later(one.questions, other.questions);
    for (const lab of new Set([...Object.keys(one.labs), ...Object.keys(other.labs)])) {
      merged.labs[lab] = later(one.labs[lab] || {}, other.labs[lab] || {});
    }
    return merged;
  }

  function later(one, other) {
    const merged = { ...one };
    for (const [name, entry] of Object.entries(other)) {
      const newer = Date.parse(merged[name]?.date) > Date.parse(entry.date);
      if (!newer) merged[name] = entry;
    }
    return merged;
  }

  /* The state in a text; an Error whose message is a sentence where there is none. */
  function parse(text, source) {
    if (text.length > MOST_BYTES) throw new Error(`${source} is too large for a progress file.`);
    let data;
    try {
      data = JSON.parse(text);
    } catch {
      throw new Error(`${source} is damaged or no progress file: it is not JSON.`);
    }
    if (!isObject(data) || !("format" in data)) {
      throw new Error(`${source} is no progress file: it names no format.`);
    }
    if (data.format !== 1) {
      throw new Error(`${source} has format ${data.format}, and this book reads format 1.`);
    }
    const { questions = {}, labs = {} } = data;
    check(questions, isAnswer, `${source} holds an answer that is damaged`);
    if (!isObject(labs)) throw new Error(`${source} is damaged: its labs are no list of labs.`);
    for (const [lab, results] of Object.entries(labs)) {
      const said = `${source} holds a result of the lab ${lab} that is damaged`;
      if (!NAME.test(lab)) throw new Error(`${said}: the lab's name.`);
      check(results, isResult, said);
    }
    return { format: 1, questions, labs };
  }

  function check(entries, isSound, said) {
    if (!isObject(entries)) throw new Error(`${said}: all of it.`);
    for (const [name, entry] of Object.entries(entries)) {
      const sound = NAME.test(name) && isObject(entry) && !isNaN(Date.parse(entry.date));
      if (!sound || !isSound(entry)) throw new Error(`${said}: ${name}.`);
    }
  }

  function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }

  function isAnswer({ right, answer }) {
    const chosen = Array.isArray(answer) && answer.every(Number.isInteger);
    return typeof right === "boolean" && (chosen || typeof answer === "string");
  }

  function isResult({ outcome, points, earned }) {
    return OUTCOMES.includes(outcome) && Number.isFinite(points) && Number.isFinite(earned);
  }

  function download() {
    const text = JSON.stringify(read().state, null, 1) + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "progress.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  return { read, keep, keepAnswer, erase, parse, download };
})();
