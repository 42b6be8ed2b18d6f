"""What all commands share: where they print, how failures end, how long work shows its progress.

Exit codes: 0 done · 1 the input was refused · 2 the command was misused · 3 the installation is
at fault (no PostGIS, database unreachable) · 130 interrupted.
"""

from __future__ import annotations

import json
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


def json_bytes(value: object) -> bytes:
    """A value as indented JSON; what JSON has no word for is written as text."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # A name or a cell quoted from a file may hold half a character, which UTF-8 cannot.
        return json.dumps(value, default=str, indent=2, ensure_ascii=False).encode("utf-8", "replace")


def print_json(value: object) -> None:
    """Print a value as JSON on standard output, for machines."""
    typer.echo(json_bytes(value))


def plain(text: str) -> str:
    """Text of a file as a terminal may show it: no escape sequence, no direction override."""
    return "".join(c if c.isprintable() else " " for c in text)


def print_text(text: str, style: str = "") -> None:
    """Print a sentence that may quote a file: neither markup nor control characters act."""
    out.print(plain(text), style=style, markup=False)


@contextmanager
def report_errors() -> Iterator[None]:
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
