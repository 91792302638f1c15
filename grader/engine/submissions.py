"""List and read what was handed in: plain files within limits, never through a link."""

import glob
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import full_split, parse_utc

from grader.engine.model import Specification, Submission
from grader.errors import CourseError

NOTEBOOK_BYTES = 50_000_000
FILES_BYTES = 20_000_000  # of the other files together
FILES = 200
DEPTH = 5
TIMESTAMP = "timestamp.txt"
_TIMESTAMP_BYTES = 200
_DATE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d[\w:.+-]*( [\w+-]+(/[\w+-]+)*)?", re.ASCII)
_Place = tuple[str, ...]
_NAME_CHARACTERS = 128  # as many as the gradebook's column holds


@dataclass(frozen=True)
class Timestamp:
    """When a submission was handed in; `note` says what is wrong with an unreadable time."""

    when: datetime | None = None
    text: str = ""
    note: str = ""


def students(coursedir: CourseDirectory, assignment: str) -> list[str]:
    """Who has a folder of the assignment, in alphabetical order, as nbgrader would list them."""
    step = coursedir.submitted_directory
    # Path.glob would take in hidden folders, which nbgrader does not.
    folders = glob.glob(str(folder_pattern(coursedir, step, assignment)))  # noqa: PTH207
    names = {folder_student(coursedir, step, assignment, f) for f in folders if Path(f).is_dir()}
    return sorted(names - {"", *coursedir.student_id_exclude.split(",")})


def folder_pattern(coursedir: CourseDirectory, step: str, assignment: str) -> Path:
    """A glob pattern of every student's folder; `*` matches no name that begins with a dot."""
    pattern = coursedir.directory_structure.format(
        nbgrader_step=glob.escape(step), student_id="*", assignment_id=glob.escape(assignment)
    )
    return Path(os.path.normpath(Path(glob.escape(coursedir.root)) / pattern))


def folder_student(coursedir: CourseDirectory, step: str, assignment: str, folder: str) -> str:
    """Whose folder this is; empty where it is nobody's."""
    expression = coursedir.format_path(
        re.escape(os.path.normpath(step)), "(?P<student>[^/]*)", re.escape(assignment), escape=True
    )
    match = re.fullmatch(expression, folder)
    return match["student"] if match else ""


def read_submission_files(
    coursedir: CourseDirectory, spec: Specification, student: str
) -> Submission:
    """What a student handed in; CourseError where it is more than, or not, plain files.

    Left out are links and other things that are no plain files, notebooks of other names, and
    files in whose place the assignment has its own. The digest covers the time of submission.
    """
    _check_name(coursedir, student)
    reading = _Reading(coursedir, spec, where=_where(coursedir, spec.assignment, student))
    with _opened(coursedir, spec.assignment, student) as folder:
        _read_folder(reading, folder, PurePosixPath())
    if not reading.notebooks:
        names = ", ".join(f"{notebook.name}.ipynb" for notebook in spec.notebooks)
        raise CourseError(
            f"{reading.where} holds no {names} that is a plain file; rename the notebook or ask "
            "for it."
        )
    digest = _digest(reading)
    return Submission(student, reading.notebooks, reading.files, digest)


def timestamp(coursedir: CourseDirectory, assignment: str, student: str) -> Timestamp:
    """The time that a submission's timestamp.txt says, in UTC as nbgrader reads it."""
    with _opened(coursedir, assignment, student) as folder:
        try:
            content = _read_plain(TIMESTAMP, folder, _TIMESTAMP_BYTES)
        except FileNotFoundError:
            return Timestamp()
        except OSError:
            content = None
    text = "" if content is None else content.decode("utf-8", errors="replace").strip()
    unreadable = Timestamp(note=f"{TIMESTAMP} holds no time, so lateness is unknown")
    if not _DATE.fullmatch(text):
        return unreadable
    try:
        return Timestamp(parse_utc(text), text)
    except Exception:  # a parser of others, on a learner's text
        return unreadable


@dataclass
class _Reading:
    """A submission while it is read."""

    coursedir: CourseDirectory
    spec: Specification
    where: str
    notebooks: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    time: bytes = b""
    entries: int = 0
    places: tuple[set[_Place], set[_Place]] = field(init=False)

    def __post_init__(self) -> None:
        self.places = _places(self.spec)

    @property
    def bytes_left(self) -> int:
        return FILES_BYTES - sum(len(content) for content in self.files.values())


def _where(coursedir: CourseDirectory, assignment: str, student: str) -> str:
    return str(coursedir.format_path(coursedir.submitted_directory, student, assignment))


def _check_name(coursedir: CourseDirectory, student: str) -> None:
    odd = not student.isprintable() or student.strip() != student or set(student) & set("*?[]/\\")
    if odd or not student or student.startswith(".") or len(student) > _NAME_CHARACTERS:
        raise CourseError(
            f"{coursedir.submitted_directory}: {student!r} is no student id that nbgrader takes; "
            "rename the folder."
        )


@contextmanager
def _opened(coursedir: CourseDirectory, assignment: str, student: str) -> Iterator[int]:
    """A descriptor of a submission's folder, reached without following a learner's link."""
    parts = full_split(coursedir.directory_structure)
    own = next(
        (n for n, part in enumerate(parts) if "{student_id}" in part or "{assignment_id}" in part),
        len(parts),
    )
    names = {
        "nbgrader_step": coursedir.submitted_directory,
        "student_id": student,
        "assignment_id": assignment,
    }
    steps = [part.format(**names) for part in parts]
    where = _where(coursedir, assignment, student)
    folder = -1
    try:
        folder = os.open(Path(coursedir.root, *steps[:own]), os.O_RDONLY | os.O_DIRECTORY)
        for step in steps[own:]:
            parent, folder = folder, _open_folder(step, folder)
            os.close(parent)
        yield folder
    except (FileNotFoundError, NotADirectoryError):
        raise CourseError(f"{where} is no folder; collect the submission again.") from None
    except OSError as error:
        raise CourseError(
            f"{where} cannot be read: {error.strerror or error}; collect it again."
        ) from None
    finally:
        if folder >= 0:
            os.close(folder)


def _open_folder(name: str, parent: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def _read_folder(reading: _Reading, folder: int, place: PurePosixPath) -> None:
    with os.scandir(folder) as found:
        entries = sorted(_counted(reading, found), key=lambda entry: entry.name)
    for entry in entries:
        path = place / entry.name
        if not entry.name.isprintable() or "\\" in entry.name:
            continue
        if entry.is_dir(follow_symlinks=False):
            if not _ignored(reading.coursedir, entry.name):
                _read_subfolder(reading, entry.name, folder, path)
        elif entry.is_file(follow_symlinks=False):
            _take(reading, entry.name, folder, path)


def _counted(reading: _Reading, found: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder; CourseError before there are too many to hold."""
    for entry in found:
        reading.entries += 1
        if reading.entries > FILES + len(reading.spec.data) + len(reading.spec.notebooks):
            raise CourseError(f"{reading.where} holds more than {FILES} files; take some out.")
        yield entry


def _read_subfolder(reading: _Reading, name: str, parent: int, path: PurePosixPath) -> None:
    if len(path.parts) > DEPTH:
        raise CourseError(
            f"{reading.where} is nested more than {DEPTH} folders deep; move its files up."
        )
    folder = _open_folder(name, parent)
    try:
        _read_folder(reading, folder, path)
    finally:
        os.close(folder)


def _take(reading: _Reading, name: str, folder: int, path: PurePosixPath) -> None:
    """Read one plain file, if it is of those that are graded or kept."""
    relative = path.as_posix()
    notebook = next((n.name for n in reading.spec.notebooks if f"{n.name}.ipynb" == relative), "")
    if notebook:
        reading.notebooks[notebook] = _within(reading, name, folder, path, NOTEBOOK_BYTES)
    elif relative == TIMESTAMP:
        reading.time = _read_plain(name, folder, _TIMESTAMP_BYTES) or b"too long"
    elif name.endswith(".ipynb") or _ignored(reading.coursedir, name):
        return
    elif not _in_the_way(reading, path):
        reading.files[relative] = _within(reading, name, folder, path, reading.bytes_left)


def _ignored(coursedir: CourseDirectory, name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in coursedir.ignore)


def _places(spec: Specification) -> tuple[set[_Place], set[_Place]]:
    """Where the assignment has files and folders of its own, alike on any file system."""
    names = [*spec.data, *(f"{notebook.name}.ipynb" for notebook in spec.notebooks), TIMESTAMP]
    files = {_place(PurePosixPath(name)) for name in names}
    return files, {place[:n] for place in files for n in range(1, len(place))}


def _place(path: PurePosixPath) -> _Place:
    return tuple(part.casefold() for part in path.parts)


def _in_the_way(reading: _Reading, path: PurePosixPath) -> bool:
    """Whether the assignment has a file of this name, above or below it."""
    files, folders = reading.places
    place = _place(path)
    return place in folders or any(place[:n] in files for n in range(1, len(place) + 1))


def _within(reading: _Reading, name: str, folder: int, path: PurePosixPath, most: int) -> bytes:
    content = _read_plain(name, folder, most)
    if content is None:
        allowed = NOTEBOOK_BYTES if path.suffix == ".ipynb" else FILES_BYTES
        what = "file" if path.suffix == ".ipynb" else "submission's other files"
        raise CourseError(
            f"{reading.where}/{path} is too large: a {what} may take {allowed // 1_000_000} MB; "
            "make it smaller."
        )
    return content


def _read_plain(name: str, folder: int, most: int) -> bytes | None:
    """A plain file's content, or None where it is longer than `most`; OSError for anything else.

    The name is opened once: what is checked is what is read, and a pipe does not block.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with open(os.open(name, flags, dir_fd=folder), "rb") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{name} is no plain file")
        content = file.read(most + 1)
    return content if len(content) <= most else None


def _digest(reading: _Reading) -> str:
    digest = hashlib.sha256()
    parts = {"time": reading.time}
    parts |= {f"notebook {name}": content for name, content in reading.notebooks.items()}
    parts |= {f"file {name}": content for name, content in reading.files.items()}
    for name, content in sorted(parts.items()):
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()
