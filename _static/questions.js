/* Questions that answer: a "Check" button, what it found in words, and the answer kept.

   The page holds key and explanations already, in each question's <details>. */
"use strict";

(() => {
  const store = window.courseProgress;
  const progressPage = document.currentScript.dataset.progress;

  const boxes = [...document.querySelectorAll("fieldset.question")];
  const kept = make("span");

  boxes.forEach(enhance);
  boxes[boxes.length - 1]?.after(closing());

  function enhance(box) {
    const answers = box.querySelector(".question-answers");
    const button = make("button", "question-check", "Check");
    button.type = "button";
    const feedback = make("div", "question-feedback");
    answers.before(button, feedback);
    restore(box, store.read().state.questions[box.dataset.name]?.answer);
    // Only from now on is what stands in it read out.
    feedback.setAttribute("role", "status");
    button.addEventListener("click", () => check(box));
    box.addEventListener("input", () => show(box, "", []));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches(".question-field input")) check(box);
    });
  }

  function restore(box, answer) {
    if (box.dataset.kind === "number" && typeof answer === "string") {
      box.querySelector(".question-field input").value = answer;
    } else if (box.dataset.kind !== "number" && Array.isArray(answer)) {
      inputs(box).forEach((input, index) => (input.checked = answer.includes(index)));
    } else return;
    const found = judge(box);
    if (found.answer !== undefined) show(box, found.verdict, found.parts, found.right);
  }

  function check(box) {
    const found = judge(box);
    if (found.answer === undefined) {
      show(box, found.verdict, []);
      return;
    }
    const trouble = store.keepAnswer(box.dataset.name, found.right, found.answer);
    if (trouble) found.parts.push(make("p", "question-trouble", `Not saved: ${trouble}`));
    sayKept(trouble);
    show(box, found.verdict, found.parts, found.right);
  }

  /* What to say about the present answer; without `answer` where there is none to judge. */
  function judge(box) {
    if (box.dataset.kind === "number") return judgeNumber(box);
    const chosen = [];
    inputs(box).forEach((input, index) => input.checked && chosen.push(index));
    if (chosen.length === 0) return { verdict: "Choose an answer first." };
    return box.dataset.kind === "choice" ? judgeChoice(box, chosen) : judgeSeveral(box, chosen);
  }

  function judgeChoice(box, chosen) {
    const part = parts(box)[chosen[0]];
    const right = isRight(part);
    return { answer: chosen, right, verdict: right ? "Right." : "Not right.", parts: [copy(part)] };
  }

  function judgeSeveral(box, chosen) {
    const shown = [];
    const count = { right: 0, wrong: 0, left: 0 };
    parts(box).forEach((part, index) => {
      const ticked = chosen.includes(index);
      if (!ticked && !isRight(part)) return;
      const state = !ticked ? "left" : isRight(part) ? "right" : "wrong";
      count[state] += 1;
      const letter = String.fromCharCode(65 + index);
      const said = { right: "right", wrong: "wrong", left: "left out, and right" }[state];
      shown.push(copy(part, `${letter}: ${said}.`, state === "right"));
    });
    const right = count.wrong + count.left === 0;
    const verdict = right
      ? "Right: all of these, and no other."
      : `Not right yet: of your ${chosen.length}, ${count.right} right and ${count.wrong} wrong; ` +
        `${count.left} left out.`;
    return { answer: chosen, right, verdict, parts: shown };
  }

  function judgeNumber(box) {
    const text = box.querySelector(".question-field input").value.trim();
    if (!text) return { verdict: "Type a number first." };
    const unit = box.querySelector(".question-unit")?.textContent || "";
    const numbers = readings(text, unit);
    if (numbers.length === 0) {
      return { verdict: `“${text}” is not a number; type digits, such as 0.5 or 0,5.` };
    }
    const tolerance = Number(box.dataset.tolerance);
    const part = parts(box).find((one) => numbers.some((n) => within(n, one, tolerance)));
    if (part) {
      const right = isRight(part);
      return { answer: text, right, verdict: right ? "Right." : "Not right.", parts: [copy(part)] };
    }
    const hint = box.querySelector(".question-hint");
    const near = `${Number(tolerance.toPrecision(2))} ${unit}`.trim();
    const verdict = `Not right: ${text} is not within ${near} of the answer; try again.`;
    return { answer: text, right: false, verdict, parts: hint ? [copy(hint)] : [] };
  }

  /* A number as typed, with point or comma, perhaps with its unit; 1,234 has two readings. */
  function readings(text, unit) {
    const bare = unit && text.endsWith(unit) ? text.slice(0, -unit.length) : text;
    const plain = bare.replace(/[\s']/g, "").replace(/\u2212/g, "-");
    const found = [plain.replace(",", "."), plain.replace(/,(?=\d{3})/g, "")];
    return found.filter((one) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(one)).map(Number);
  }

  function within(number, part, tolerance) {
    // What is typed has few digits; a last digit of the machine must not decide.
    return Math.abs(number - Number(part.dataset.value)) <= tolerance * (1 + 1e-9);
  }

  function show(box, verdict, shown, right) {
    const feedback = box.querySelector(".question-feedback");
    box.classList.toggle("question-is-right", right === true);
    box.classList.toggle("question-is-wrong", right === false);
    feedback.replaceChildren();
    if (!verdict) return;
    const line = make("p", "question-verdict", verdict);
    if (right !== undefined) line.prepend(icon(right));
    feedback.append(line, ...shown);
  }

  /* A copy of an answer's explanation, under a heading of its own where one is given. */
  function copy(part, heading, good) {
    const twin = part.cloneNode(true);
    twin.querySelectorAll("[id]").forEach((one) => one.removeAttribute("id"));
    twin.querySelectorAll("button").forEach((one) => one.remove());
    const said = twin.querySelector(".question-said");
    if (said && heading) {
      const strong = make("strong", "", heading);
      strong.prepend(icon(good));
      said.replaceChildren(strong);
    }
    return twin;
  }

  function icon(good) {
    const mark = make("span", "question-icon", good ? "✓" : "✗");
    mark.setAttribute("aria-hidden", "true");
    return mark;
  }

  /* Under the last question: where answers are kept, and a way to take them along. */
  function closing() {
    const line = make("p", "question-kept");
    const button = make("button", "question-download", "Download your answers");
    button.type = "button";
    button.addEventListener("click", store.download);
    line.append(kept, " ", button);
    if (progressPage) {
      const link = make("a", "", "My progress");
      link.href = progressPage;
      line.append(" ", link);
    }
    sayKept(store.read().trouble);
    return line;
  }

  function sayKept(trouble) {
    kept.textContent = trouble
      ? `${trouble} Your answers last while this page is open; download them to keep them.`
      : "Your answers stay in this browser.";
  }

  function inputs(box) {
    return [...box.querySelectorAll(".question-choice input")];
  }

  function parts(box) {
    return [...box.querySelectorAll(".question-answer")];
  }

  function isRight(part) {
    return part.dataset.right === "yes";
  }

  function make(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }
})();
