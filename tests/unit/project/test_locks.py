"""Lock files: everything pinned to a hash, nothing tied to one machine or one registry."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-territory.txt")
ADDRESS_OR_PATH = re.compile(r"://|^\s*(-|--\w)|\s@\s|(^|\s)\.{0,2}/", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> dict[str, tuple[str, int]]:
    """Package → version and number of hashes."""
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text("utf-8"))
    found = {}
    for entry in entries:
        if pin := re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", entry):
            found[folded(pin[1])] = (pin[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)))
    return found


def wanted(requirements: list[str]) -> set[str]:
    return {folded(re.match(r"[\w.-]+", r)[0]) for r in requirements}  # type: ignore[index]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path(lock):
    text = "\n".join(line for line in (ROOT / lock).read_text("utf-8").splitlines() if "--hash=" not in line)
    assert not ADDRESS_OR_PATH.search(text)


@pytest.mark.parametrize(
    "line",
    [
        "--trusted-host example.org",
        "--find-links wheels",
        "# -r pyproject.toml, /home/somebody/portee",
        "numpy @ file:///wheels/numpy.whl",
    ],
)
def test_the_check_would_notice(line):
    assert ADDRESS_OR_PATH.search(line)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock):
    found = pins(lock)
    assert found and all(hashes for _, hashes in found.values())


def test_every_dependency_is_locked():
    extras = PROJECT["optional-dependencies"]
    runtime = wanted(PROJECT["dependencies"]) | wanted(extras["build"]) | wanted(extras["parquet"])
    assert runtime <= pins("requirements.txt").keys()
    assert runtime | wanted(extras["dev"]) <= pins("requirements-dev.txt").keys()


def test_the_lock_for_tests_holds_all_of_the_other():
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def test_npm_lock_names_no_registry():
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    packages = {name: told for name, told in lock["packages"].items() if name}
    assert packages
    assert all("resolved" not in told and told["integrity"] for told in packages.values())
