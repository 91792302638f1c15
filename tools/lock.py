"""Compile pyproject.toml into requirements.txt, one lock for Linux and macOS (`make lock`)."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.txt"
HEADER = "# Every version, for Linux and macOS (arm64). Made by `make lock` from pyproject.toml.\n"
# torch names these only for its GPU builds; the course runs on a CPU.
GPU_ONLY = re.compile(r"(nvidia-|cuda-|triton\b)")


def lock_text(compiled: str) -> str:
    """Drop GPU packages, and the marker that merely repeats which machines we support."""
    lines = [line for line in compiled.splitlines() if line and not GPU_ONLY.match(line)]
    markers = Counter(line.partition(" ; ")[2] for line in lines)
    everywhere = markers.most_common(1)[0][0]
    return HEADER + "".join(line.removesuffix(f" ; {everywhere}") + "\n" for line in lines)


def main() -> int:
    # uv keeps the versions it finds in its output file, unless pyproject.toml rules them out.
    scratch = LOCK.with_suffix(".new")
    if LOCK.exists():
        shutil.copyfile(LOCK, scratch)
    command = ["uv", "pip", "compile", "pyproject.toml", "--universal", "--all-extras"]
    command += ["--no-annotate", "--no-header", "--quiet", "--output-file", scratch.name]
    compiled = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if compiled.returncode:
        scratch.unlink(missing_ok=True)
        print(f"make lock: no set of versions fits pyproject.toml; uv says: {compiled.stderr}")
        return 2
    scratch.write_text(lock_text(scratch.read_text(encoding="utf-8")), encoding="utf-8")
    scratch.replace(LOCK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
