"""Make .venv and install the lock into it; written for any Python 3, to say what is missing."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NEEDED_GB = 5


def problem() -> str:
    """One sentence on what this machine lacks, or nothing."""
    if not (3, 11, 5) <= sys.version_info[:3] < (3, 13):
        version = ".".join(str(part) for part in sys.version_info[:3])
        return (
            f"This is Python {version}, the course needs 3.11.5 to 3.12; install one and run "
            "'make start PYTHON=python3.12'."
        )
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < NEEDED_GB and not VENV.exists():
        return f"Only {free:.1f} GB are free here and the course needs {NEEDED_GB}; make room."
    if importlib.util.find_spec("ensurepip") is None:
        return "This Python has no venv; on Debian or Ubuntu run 'apt install python3-venv'."
    return ""


def run(*command: str) -> None:
    """Run one step; where it fails, say which and stop."""
    if subprocess.call(command, cwd=str(ROOT)):
        print(f"Setting up stopped at '{' '.join(command[1:])}'; see above, then run it again.")
        sys.exit(2)


def main() -> int:
    lacking = problem()
    if lacking:
        print(lacking)
        return 2
    python = VENV / "bin" / "python"
    if not python.exists():
        print(f"making .venv with {sys.executable}", flush=True)
        run(sys.executable, "-m", "venv", str(VENV))
    print("installing requirements.txt (a few minutes the first time)", flush=True)
    pip = (str(python), "-m", "pip", "install")
    run(*pip, "--progress-bar", "off", "-r", "requirements.txt")
    run(*pip, "--quiet", "--no-deps", "--editable", ".")
    (VENV / ".ready").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
