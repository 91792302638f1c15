"""Text of the book that is made from data: what is covered, and how labs were verified."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools import pages

FOLDER = Path("_build") / "generated"


@dataclass(frozen=True)
class Topic:
    """One topic of the curriculum; `section` is page#label, empty while it is to come."""

    id: str
    subject: str
    title: str
    section: str = ""
    questions: tuple[str, ...] = ()


def read_topics(root: Path) -> list[Topic]:
    """Every topic in curriculum.yml, in its order."""
    subjects = yaml.safe_load((root / "curriculum.yml").read_text(encoding="utf-8"))["subjects"]
    topics = []
    for subject, entries in subjects.items():
        for topic_id, entry in entries.items():
            if isinstance(entry, str):
                topics.append(Topic(topic_id, subject, entry))
            else:
                questions = tuple(entry["questions"])
                topics.append(
                    Topic(topic_id, subject, entry["title"], entry["section"], questions)
                )
    return topics


def built_pages(root: Path) -> list[str]:
    """Pages in _toc.yml as paths under chapters/, without suffix; the index is no such page."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))

    def files(node: Any) -> list[str]:
        if isinstance(node, list):
            return [name for part in node for name in files(part)]
        if not isinstance(node, dict):
            return []
        own = [node[key] for key in ("root", "file") if key in node]
        return own + [name for value in node.values() for name in files(value)]

    inside = [name for name in files(toc) if name.startswith("chapters/")]
    return [name.removeprefix("chapters/") for name in inside]


def covered(root: Path) -> str:
    """Markdown: a table of what is taught, then what is to come, by subject."""
    topics = read_topics(root)
    lines = ["| topic | section | practiced in |", "| --- | --- | --- |"]
    for topic in topics:
        if topic.section:
            label = topic.section.partition("#")[2]
            practiced = ", ".join(question.replace("/", ": ") for question in topic.questions)
            lines.append(f"| {topic.title} ({topic.subject}) | {{ref}}`{label}` | {practiced} |")
    taught = sum(bool(topic.section) for topic in topics)
    lines += ["", f"{taught} of {len(topics)} topics are taught so far. Still to come:", ""]
    lines.append("{.no-glossary}")
    waiting: dict[str, list[str]] = {}
    for topic in topics:
        if not topic.section:
            waiting.setdefault(topic.subject, []).append(topic.title)
    for subject, titles in waiting.items():
        lines.append(f"- **{subject}**: {', '.join(titles)}")
    return "\n".join(lines) + "\n"


def read_reports(root: Path) -> list[dict[str, Any]]:
    """The published verification reports, one per lab."""
    reports: list[dict[str, Any]] = json.loads(
        (root / "chapters" / "verified.json").read_text(encoding="utf-8")
    )
    return reports


def verified(root: Path) -> str:
    """Markdown: the table of `grader verify`, a row per lab."""
    lines = [
        "| lab | questions | points | seeds | wrong caught | right kept | other answers by "
        "| time (budget), s | memory, MB | CPU to verify, s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for r in read_reports(root):
        others = f"replay ({', '.join(r['replayed'])})" if r["replayed"] else "fork"
        lines.append(
            f"| {r['lab']} | {r['questions']} | {r['points']:g} | {len(r['seeds'])} "
            f"| {r['wrong_caught']} of {r['wrong_answers']} "
            f"| {r['right_kept']} of {r['right_answers']} | {others} "
            f"| {r['wall_s']:.0f} ({r['budget_s']}) | {r['memory_mb']:.0f} | {r['cpu_s']:.0f} |"
        )
    lines += ["", _varying(read_reports(root))]
    return "\n".join(lines) + "\n"


def _varying(reports: list[dict[str, Any]]) -> str:
    reasons = [f"{r['lab']}: {reason}" for r in reports for reason in r["varies"]]
    if not reasons:
        return "No cell of these labs is excused from giving the same output twice."
    return f"Cells excused from giving the same output twice: {'; '.join(reasons)}."


def budgets(root: Path, lab: str) -> str:
    """Markdown: one lab's measured costs, for the lab's page."""
    report = next(report for report in read_reports(root) if report["lab"] == lab)
    return (
        f"The model answers run in {report['wall_s']:.0f} s (budget {report['budget_s']} s) and "
        f"{report['memory_mb']:.0f} MB (budget 1,500 MB) on one core, without a network. "
        f"{report['questions']} questions, {report['points']:g} points; the tests catch "
        f"{report['wrong_caught']} of {report['wrong_answers']} known wrong answers and pass "
        f"{report['right_kept']} of {report['right_answers']} right ones of another make.\n"
    )


def write_all(root: Path) -> None:
    """Write each generated text, touching only what changed (Sphinx then reads only that)."""
    texts = {"covered.md": covered(root), "verified.md": verified(root)}
    texts["pages.md"] = pages.markdown(root)
    for report in read_reports(root):
        texts[f"budgets-{report['lab']}.md"] = budgets(root, report["lab"])
    for name, text in texts.items():
        target = root / FOLDER / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
