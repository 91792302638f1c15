"""Environments are made from locks: the main one, and one for each extra kernel."""

import sys
from pathlib import Path

import pytest

from tools import setup_venv


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would be run for the course in `tmp_path`; a command that holds 'broken' fails."""
    ran: list[tuple[str, ...]] = []

    def call(command: tuple[str, ...], cwd: str) -> int:
        ran.append(command)
        if command[1:3] == ("-m", "venv"):
            (Path(command[3]) / "bin").mkdir(parents=True)
        return int(any("broken" in part for part in command))

    (tmp_path / "requirements.txt").touch()
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "own.txt").touch()
    (tmp_path / "kernels" / "broken.txt").touch()
    monkeypatch.setattr(setup_venv, "ROOT", tmp_path)
    monkeypatch.setattr(setup_venv, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup_venv, "NEEDED_GB", 0)
    monkeypatch.setattr(setup_venv.subprocess, "call", call)
    return ran


def test_the_main_environment_holds_the_main_lock(
    commands: list[tuple[str, ...]], tmp_path: Path
) -> None:
    assert setup_venv.main() == 0
    assert (tmp_path / ".venv" / ".ready").exists()
    assert commands[1][-4:] == ("-r", "requirements.txt", "-c", "requirements.txt")
    assert not any("ipykernel" in command for command in commands)


def test_a_kernel_has_an_environment_of_its_own_and_a_name_in_jupyterlab(
    commands: list[tuple[str, ...]], tmp_path: Path
) -> None:
    assert setup_venv.main("own") == 0
    assert (tmp_path / "kernels" / "own" / ".venv" / ".ready").exists()
    assert {command[0] for command in commands[1:]} == {
        str(tmp_path / "kernels" / "own" / ".venv" / "bin" / "python")
    }
    assert commands[1][-4:] == ("-r", "kernels/own.txt", "-c", "kernels/own.txt")
    assert commands[-1][3:7] == ("install", "--prefix", sys.prefix, "--name")
    assert not (tmp_path / ".venv").exists()


def test_an_installation_that_stops_is_not_ready(
    commands: list[tuple[str, ...]], tmp_path: Path
) -> None:
    ready = tmp_path / "kernels" / "broken" / ".venv" / ".ready"
    ready.parent.mkdir(parents=True)
    ready.touch()
    with pytest.raises(SystemExit):
        setup_venv.main("broken")
    assert not ready.exists()
