"""The lock names no GPU package and no registry, and pins all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

from tools.lock import lock_text, locks

ROOT = Path(__file__).parent.parent.parent


def test_gpu_packages_and_the_common_marker_are_dropped() -> None:
    compiled = "a==1 ; linux\nb==2 ; linux\nnvidia-x==3 ; linux\ntriton==4\nappnope==5 ; darwin\n"
    lines = lock_text(compiled, "a.in").splitlines()
    assert lines[0].endswith("Made by `make lock` from a.in.")
    assert lines[1:] == ["a==1", "b==2", "appnope==5 ; darwin"]


def test_every_dependency_is_pinned() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", lock, re.M))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for name in wanted:
        assert re.split(r"[\[<>=]", name)[0] in pinned, name
    assert "://" not in lock


def test_every_kernel_has_a_lock_that_pins_what_it_asks_for() -> None:
    for asked, lock in locks(ROOT).items():
        if asked.suffix == ".in":
            pinned = set(re.findall(r"^([a-z0-9.-]+)==", lock.read_text(), re.M))
            wanted = {re.split(r"[\[<>=]", line)[0] for line in asked.read_text().split()}
            assert wanted <= pinned
            assert "://" not in lock.read_text()
