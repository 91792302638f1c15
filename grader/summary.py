"""What an instructor reads after grading: a table, and the same as JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from grader.atomic import replacing
from grader.autograde import Graded


def needs_person(graded: Sequence[Graded]) -> list[Graded]:
    """Those in which something went wrong that a person must look at."""
    return [one for one in graded if one.record.needs_person]


def summary(graded: Sequence[Graded]) -> str:
    """Counts by outcome, the mean, and a line for each submission that needs a person."""
    fresh = sum(one.fresh for one in graded)
    counts = Counter(one.outcome for one in graded)
    scored = [one.record for one in graded if not one.record.problem]
    lines = [f"{len(graded)} submissions: {fresh} graded now, {len(graded) - fresh} unchanged"]
    lines += [f"  {name:8} {counts[name]:6}" for name in sorted(counts)]
    if scored:
        mean = sum(record.score for record in scored) / len(scored)
        lines.append(f"  mean     {mean:6.2f} of {scored[0].max_score:g} points")
    waiting = sum(one.record.needs_manual_grade for one in graded)
    if waiting:
        lines.append(f"  {waiting} hold answers in words that wait for a grade")
    if any(one.record.isolation == "none" for one in graded):
        lines.append("  graded without isolation: learners' code ran with your rights")
    for one in needs_person(graded):
        reason = one.record.problem or "; ".join(one.record.events) or "see its record"
        lines.append(f"  look at {one.student}: {reason}")
    return "\n".join(lines)


def write_json(graded: Sequence[Graded], path: Path) -> None:
    """Write every result at once: a reader sees the old file or the new one."""
    rows = [
        {"student": one.student, "outcome": one.outcome, "fresh": one.fresh, **asdict(one.record)}
        for one in graded
    ]
    with replacing(path) as scratch:
        scratch.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
