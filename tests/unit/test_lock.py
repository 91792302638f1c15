"""The lock names no GPU package and no registry, and pins all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

from tools.lock import lock_text

ROOT = Path(__file__).parent.parent.parent


def test_gpu_packages_and_the_common_marker_are_dropped() -> None:
    compiled = "a==1 ; linux\nb==2 ; linux\nnvidia-x==3 ; linux\ntriton==4\nappnope==5 ; darwin\n"
    assert lock_text(compiled).splitlines()[1:] == ["a==1", "b==2", "appnope==5 ; darwin"]


def test_every_dependency_is_pinned() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", lock, re.M))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for name in wanted:
        assert re.split(r"[\[<>=]", name)[0] in pinned, name
    assert "://" not in lock
