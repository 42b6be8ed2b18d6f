"""Computations that tests run as jobs; apart, so that their processes import next to nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

from geo.errors import UnknownTerritory


def double(question, report):
    report(0.5, "À moitié")
    return {"double": 2 * question["number"]}


def noted(question, report):
    """Note the process it runs in, then wait until it is let go."""
    folder = Path(question["folder"])
    with (folder / "runs").open("a") as runs:
        runs.write(f"{os.getpid()}\n")
    report(0.25, "Un quart")
    while not (folder / "go").exists():
        time.sleep(0.02)
    return os.getpid()


def foreseen(question, report):
    raise UnknownTerritory("Aucun territoire.", "Cherchez-en un autre.")


def unprintable(question, report):
    report(float("nan"), "\x00\udcff")
    raise UnknownTerritory("x\x00y" + "z" * 1_000)


def unforeseen(question, report):
    raise ZeroDivisionError("secret detail")


def not_json(question, report):
    return float("nan")


def not_storable(question, report):
    return "\x00"


def vanishing(question, report):
    os._exit(9)


def scaled(factor, question, report):
    return factor * question
