"""The process of one job: compute, and report progress and outcome to the runner.

Imports little, so that the process starts fast with what its own computation needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from geo.errors import PorteeError

Report = Callable[[float, str], None]
"""Reports the progress of a computation, from 0 to 1, and its current step, in French."""

Kind = Callable[[Any, Report], Any]
"""A computation: question and report in, result out, question and result being JSON values.

A function at the top level of a module, or a `functools.partial` of one: its process imports it.
"""

BROKEN: Final = "Le calcul s'est arrêté sur une erreur inattendue ; elle est notée dans le journal."


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a computation ended: its result as JSON text, or why it has none.

    `failure` is for readers, `trace` for the log.
    """

    result: str | None = None
    failure: str = ""
    trace: str = ""


def main(descriptor: int) -> None:
    """Receive a computation and its question from the runner; send it progress and outcome.

    Sends pairs (fraction, message), then a `JobOutcome`.

    Parameters
    ----------
    descriptor
        Of a two-way pipe to the runner, which sends one pair (kind, question).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the runner, which then ends us
    runner = Connection(descriptor)

    def report(fraction: float, message: str) -> None:
        runner.send((float(fraction), message))

    try:
        kind, question = runner.recv()
        threading.Thread(target=_die_with, args=(runner,), daemon=True).start()
        outcome = JobOutcome(json.dumps(kind(question, report), allow_nan=False))
    except PorteeError as problem:
        outcome = JobOutcome(failure=str(problem))
    except Exception:
        outcome = JobOutcome(failure=BROKEN, trace=traceback.format_exc())
    runner.send(outcome)


def _die_with(runner: Connection) -> None:
    """End this process when its runner's has ended, even killed.

    Computations that last leave other threads their turn: SciPy's solvers release the interpreter.
    """
    with contextlib.suppress(EOFError, OSError):
        runner.recv()  # the runner sends nothing more: this returns when it has ended
    os._exit(1)
