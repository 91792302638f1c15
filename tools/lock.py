"""Compile what we ask for into locks, one for Linux and macOS each (`make lock`).

pyproject.toml becomes requirements.txt, and each kernels/NAME.in its kernels/NAME.txt.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEADER = "# Every version, for Linux and macOS (arm64). Made by `make lock` from {source}.\n"
# torch names these only for its GPU builds; the course runs on a CPU.
GPU_ONLY = re.compile(r"(nvidia-|cuda-|triton\b)")


def locks(root: Path) -> dict[Path, Path]:
    """The lock of each file that asks for packages."""
    kernels = sorted((root / "kernels").glob("*.in"))
    return {root / "pyproject.toml": root / "requirements.txt"} | {
        path: path.with_suffix(".txt") for path in kernels
    }


def lock_text(compiled: str, source: str) -> str:
    """Drop GPU packages, and the marker that merely repeats which machines we support."""
    lines = [line for line in compiled.splitlines() if line and not GPU_ONLY.match(line)]
    markers = Counter(line.partition(" ; ")[2] for line in lines)
    everywhere = markers.most_common(1)[0][0]
    lines = [line.removesuffix(f" ; {everywhere}") + "\n" for line in lines]
    return HEADER.format(source=source) + "".join(lines)


def main() -> int:
    for source, lock in locks(ROOT).items():
        name = source.relative_to(ROOT).as_posix()
        # uv keeps the versions it finds in its output file, unless the source rules them out.
        scratch = lock.with_suffix(".new")
        if lock.exists():
            shutil.copyfile(lock, scratch)
        command = ["uv", "pip", "compile", name, "--universal"]
        command += ["--all-extras"] if source.name == "pyproject.toml" else []
        command += ["--no-annotate", "--no-header", "--quiet", "--output-file", str(scratch)]
        compiled = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if compiled.returncode:
            scratch.unlink(missing_ok=True)
            print(f"make lock: no set of versions fits {name}; uv says: {compiled.stderr}")
            return 2
        text = lock_text(scratch.read_text(encoding="utf-8"), name)
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(lock)
    return 0


if __name__ == "__main__":
    sys.exit(main())
