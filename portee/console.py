"""What all commands share: where they print, how failures end, how long work shows its progress.

Exit codes: 0 done · 1 the input was refused · 2 the command was misused · 3 the installation is
at fault (no PostGIS, database unreachable) · 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from geo.errors import OperatorError, PorteeError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

REFUSED = 1
INSTALLATION = 3


def print_json(value: object) -> None:
    """Print a value as JSON on standard output, for machines."""
    typer.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))


@contextmanager
def failures_told() -> Iterator[None]:
    """End a command with one clear sentence and its exit code when Portée foresaw the failure."""
    try:
        yield
    except PorteeError as problem:
        err.print(problem.message, style="bold red", markup=False)
        if problem.advice:
            err.print(problem.advice, markup=False)
        raise typer.Exit(INSTALLATION if isinstance(problem, OperatorError) else REFUSED) from problem


def progress() -> Progress:
    """A progress bar on standard error, silent when that is not a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
