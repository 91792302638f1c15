"""Where a course keeps its files, and nbgrader's own API on them."""

import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets.config.loader import Config, PyFileConfigLoader

from grader.errors import CourseError

CONFIG = "nbgrader_config.py"


@dataclass(frozen=True)
class Course:
    """A course's root folder; every other place follows from it."""

    root: Path

    @property
    def solutions(self) -> Path:
        return self.root / "solutions"

    @property
    def labs(self) -> Path:
        return self.root / "labs"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def submitted(self) -> Path:
        return self.root / "submitted"

    def master(self, lab: str) -> Path:
        return self.solutions / lab / "lab.py"

    def released(self, lab: str) -> Path:
        return self.labs / lab / f"{lab}.ipynb"

    def lab_names(self) -> list[str]:
        """Every lab that has a master, in alphabetical order."""
        return sorted(path.parent.name for path in self.solutions.glob("*/lab.py"))


def find_course(start: Path) -> Course:
    """The course around `start`; CourseError where there is none."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / CONFIG).exists():
            return Course(folder)
    raise CourseError(f"{start} lies in no course (no {CONFIG} above it); name one by --course.")


def choose_labs(course: Course, names: list[str]) -> list[str]:
    """The labs named, or all; CourseError for a name that has no master."""
    known = course.lab_names()
    for name in names:
        if name not in known:
            raise CourseError(
                f"{course.master(name)} does not exist; the labs are {', '.join(known) or 'none'}."
            )
    return names or known


def require_released(course: Course, lab: str) -> Path:
    """The learner's notebook of a lab; CourseError where there is no such lab."""
    path = course.released(lab)
    if not path.exists():
        names = sorted(folder.name for folder in course.labs.glob("*") if folder.is_dir())
        raise CourseError(
            f"{path} does not exist; the labs here are {', '.join(names) or 'none'}."
        )
    return path


def nbgrader_config(course: Course) -> Config:
    """The course's nbgrader configuration, with paths made absolute."""
    config: Config = PyFileConfigLoader(CONFIG, path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    return config


def nbgrader_api(course: Course) -> Any:
    """nbgrader's API on the course's own files and gradebook."""
    # Most of the command line has no need of them, and they take most of a second to import.
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy.exc import SAWarning

    # nbgrader's models make SQLAlchemy 2 warn at every submission, to no consequence.
    warnings.filterwarnings("ignore", category=SAWarning)
    # nbgrader starts `alembic` by name when it makes a gradebook.
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([programs, os.environ["PATH"]])
    config = nbgrader_config(course)
    return NbGraderAPI(coursedir=CourseDirectory(config=config), config=config)
