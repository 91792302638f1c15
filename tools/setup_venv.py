"""Make .venv and install the lock into it; written for any Python 3, to say what is missing.

With a name it makes kernels/NAME/.venv from kernels/NAME.txt, and a kernel of JupyterLab of it.
"""

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


def main(name: str = "") -> int:
    venv = ROOT / "kernels" / name / ".venv" if name else VENV
    lock = f"kernels/{name}.txt" if name else "requirements.txt"
    lacking = problem()
    if lacking:
        print(lacking)
        return 2
    ready, python = venv / ".ready", venv / "bin" / "python"
    if ready.exists():
        ready.unlink()  # an installation that stops half way is none
    if not python.exists():
        print(f"making {venv.relative_to(ROOT)} with {sys.executable}", flush=True)
        run(sys.executable, "-m", "venv", str(venv))
    print(f"installing {lock} (a few minutes the first time)", flush=True)
    pip = (str(python), "-m", "pip", "install")
    # As constraints the versions hold for extras too; else pip tries every pandas[parquet].
    run(*pip, "--progress-bar", "off", "-r", lock, "-c", lock)
    run(*pip, "--quiet", "--no-deps", "--editable", ".")
    if name:  # where the JupyterLab of `make start` looks for kernels
        install = (str(python), "-m", "ipykernel", "install", "--prefix", sys.prefix)
        run(*install, "--name", name, "--display-name", f"Python 3 ({name})")
    ready.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
