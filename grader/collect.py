"""Take submissions in: from a folder or a zip of notebooks, or from nbgrader's exchange."""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from grader.atomic import replacing
from grader.course import Course, nbgrader_api
from grader.errors import CourseError
from grader.release import last_line
from grader.submission import read_submission

STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
LARGEST_BYTES = 50_000_000


def collect_exchange(course: Course, lab: str) -> None:
    """Collect from nbgrader's exchange what learners submitted there."""
    result = nbgrader_api(course).collect(lab)
    if not result["success"]:
        raise CourseError(f"collecting {lab} from the exchange failed: {last_line(result)}")


def collect_files(course: Course, lab: str, origin: Path) -> tuple[list[str], list[str]]:
    """Collect `<student>.ipynb` or `<student>/**/<lab>.ipynb` from a folder or a zip.

    Returns the students taken in, and a sentence for each file that was not. A file that is
    refused leaves what this student had submitted before as it is.
    """
    if not origin.exists():
        raise CourseError(f"{origin} does not exist; name a folder or a zip of notebooks.")
    taken, refused = [], []
    with _as_folder(origin) as folder:
        for path in sorted(folder.rglob("*.ipynb")):
            relative = path.relative_to(folder)
            if relative.name.startswith(".") or ".ipynb_checkpoints" in relative.parts:
                continue
            try:
                student = _student(relative, lab)
                if student in taken:
                    raise CourseError(f"{path} is a second notebook of {student}; keep one.")
                _take(course, lab, student, path)
                taken.append(student)
            except CourseError as error:
                refused.append(str(error).replace(str(path), str(origin / relative)))
    if not taken and not refused:
        raise CourseError(f"{origin} holds no notebook; expected STUDENT.ipynb in it.")
    return taken, refused


def _student(relative: Path, lab: str) -> str:
    if len(relative.parts) == 1:
        student = relative.stem
    elif relative.name == f"{lab}.ipynb":
        student = relative.parts[0]
    else:
        raise CourseError(f"{relative} is not named {lab}.ipynb; rename it.")
    if not STUDENT.fullmatch(student):
        raise CourseError(
            f"{relative}: '{student}' is no student id; use letters, digits, . _ @ -."
        )
    return student


def _take(course: Course, lab: str, student: str, path: Path) -> None:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_BYTES:
        raise CourseError(f"{path} is no plain file of up to 50 MB; ask for the notebook itself.")
    read_submission(path, lab)
    target = course.submitted / student / lab
    target.mkdir(parents=True, exist_ok=True)
    with replacing(target / f"{lab}.ipynb") as scratch:
        shutil.copyfile(path, scratch)
    submitted_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    with replacing(target / "timestamp.txt") as scratch:  # nbgrader stops at half a time
        scratch.write_text(f"{submitted_at:%Y-%m-%d %H:%M:%S.%f} UTC")


def _opened(origin: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(origin)
    except zipfile.BadZipFile:
        raise CourseError(f"{origin} is a broken zip; download it again.") from None


@contextmanager
def _as_folder(origin: Path) -> Iterator[Path]:
    """The folder itself, or a temporary one with a zip's notebooks in it."""
    if origin.is_dir():
        yield origin
        return
    if not zipfile.is_zipfile(origin):
        raise CourseError(f"{origin} is neither a folder nor a zip; name one of those.")
    with tempfile.TemporaryDirectory() as scratch, _opened(origin) as archive:
        folder = Path(scratch)
        for member in archive.infolist():
            name = PurePosixPath(member.filename)
            if member.is_dir() or name.suffix != ".ipynb" or name.parts[0] == "__MACOSX":
                continue
            if name.is_absolute() or ".." in name.parts:
                raise CourseError(f"{origin}: '{name}' points outside the archive; remove it.")
            if member.file_size > LARGEST_BYTES:
                raise CourseError(f"{origin}: '{name}' is larger than 50 MB; remove it.")
            try:
                archive.extract(member, folder)
            except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
                raise CourseError(
                    f"{origin}: '{name}' cannot be unpacked; zip the notebooks again."
                ) from None
        yield folder
