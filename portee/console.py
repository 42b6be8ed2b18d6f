"""What all commands share: where they print, how failures end, how long work shows its progress.

Exit codes: 0 done · 1 the input was refused · 2 the command was misused · 3 the installation is
at fault (no PostGIS, database unreachable) · 130 interrupted.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NoReturn

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from geo.errors import OperatorError, PorteeError
from geo.tables_out import Column, Dialect, Kind, csv_text, records_table, terminal_lines
from geo.wording import dates, figures
from geo.wording.figures import NO_FIGURE
from geo.wording.language import Language
from geo.wording.language import language as wording_language
from portee.language import _, foreign, language, many

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

REFUSED = 1
INSTALLATION = 3


def json_bytes(value: object) -> bytes:
    """Encode a value as indented JSON; types that JSON lacks are written as text."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # A name or a cell quoted from a file may hold half a character, which UTF-8 cannot.
        return json.dumps(value, default=str, indent=2, ensure_ascii=False).encode("utf-8", "replace")


def print_json(value: object) -> None:
    """Print a value as JSON on standard output, for machines."""
    typer.echo(json_bytes(value))


def print_csv(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, french: bool = False) -> None:
    """Print a table as CSV on standard output: RFC 4180, or the dialect that French Excel opens."""
    dialect = Dialect.EXCEL_FR if french else Dialect.RFC_4180
    typer.echo(csv_text(columns, rows, dialect).encode("utf-8", "replace"), nl=False)


def print_records_csv(records: Sequence[Mapping[str, object]], *, french: bool = False) -> None:
    """Print records that all have the same keys as CSV on standard output."""
    table = records_table("", records)
    print_csv(table.columns, table.rows, french=french)


def plain(text: str) -> str:
    """Return text of a file as a terminal may show it: no escape sequence, no direction override."""
    return "".join(c if c.isprintable() else " " for c in text)


def print_text(text: str, style: str = "") -> None:
    """Print a sentence that may quote a file: neither markup nor control characters act."""
    out.print(plain(text), style=style, markup=False)


def warn(text: str) -> None:
    """Print a warning on standard error."""
    err.print(plain(text), style="yellow", markup=False)


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", numbers: int = 0
) -> None:
    """Print a table: whole when standard output is no terminal, else fitted to its width.

    Parameters
    ----------
    headings
        One for each column.
    rows
        Cells of text, which may quote a file: nothing in them acts on the terminal.
    numbers
        How many of the last columns hold numbers, aligned to the right.
    """
    texts = len(headings) - numbers
    columns = [
        Column(heading, heading, Kind.TEXT if rank < texts else Kind.NUMBER)
        for rank, heading in enumerate(headings)
    ]
    cells = [["\n".join(map(plain, cell.split("\n"))) for cell in row] for row in rows]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if title:
        out.print(plain(title), style="bold", markup=False)
    for line in terminal_lines(columns, cells, width):
        typer.echo(line)


@contextmanager
def report_errors() -> Iterator[None]:
    """End a command with one clear sentence and its exit code when Portée foresaw the failure."""
    try:
        yield
    except PorteeError as problem:
        err.print(foreign(problem.message), style="bold red", markup=False)
        if problem.advice:
            err.print(foreign(problem.advice), markup=False)
        raise typer.Exit(INSTALLATION if isinstance(problem, OperatorError) else REFUSED) from problem


@contextmanager
def writing(option: str) -> Iterator[None]:
    """Turn a file that cannot be written into a misuse of the option that names it."""
    try:
        yield
    except OSError as problem:
        misused(_("écriture impossible : %(reason)s.", reason=problem.strerror), option, problem)


def misused(message: str, option: str | None = None, cause: BaseException | None = None) -> NoReturn:
    """Refuse a command line, naming the option at fault.

    Raises
    ------
    typer.BadParameter
        Always.
    """
    raise typer.BadParameter(message, param_hint=option and f"'{option}'") from cause


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be undone, unless `yes`; anything but yes ends the command.

    Raises
    ------
    typer.Abort
        If the answer is not yes.
    """
    if yes:
        return
    answer = typer.prompt(
        f"{plain(question)} {_('[o/N]')}", default="", show_default=False, prompt_suffix=" : "
    )
    if answer.strip().casefold() not in ("o", "oui", "y", "yes"):
        raise typer.Abort


def progress() -> Progress:
    """Return a progress bar on standard error, silent when that is not a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


@contextmanager
def reading(title: str) -> Iterator[Callable[[int], None]]:
    """Show the progress of reading a file; yields what to call with the rows read so far."""
    with progress() as bars:
        task = bars.add_task(plain(title), total=None)

        def advance(rows: int) -> None:
            bars.update(task, completed=rows)

        yield advance


def write_file(path: Path, content: bytes, option: str) -> None:
    """Write a file that an option names.

    Raises
    ------
    typer.BadParameter
        If it cannot be written.
    """
    with writing(option):
        path.write_bytes(content)


def wording() -> Language:
    """Return the language in which figures are written."""
    return wording_language(language())


def print_written(path: Path, octets: int, version: int) -> None:
    """Print which file was written, its size and the snapshot it shows."""
    print_text(
        _("%(file)s : %(size)s, état n° %(version)s.", file=path, size=file_size(octets), version=version)
    )


def count(number: float) -> str:
    """Return a count: « 12 345 », "12,345"."""
    return figures.count(number, wording())


def and_others(number: int) -> str:
    """Return the words for the rest of a list of which the first entries are printed."""
    return many("et %(shown)s autre", "et %(shown)s autres", number, shown=count(number))


def decimal(number: float | None, digits: int = 1) -> str:
    """Return a number with its decimals; a dash if there is none."""
    return NO_FIGURE if number is None else wording().digits(number, digits)


def percent(share: float | None) -> str:
    """Return a share in whole per cent; a dash if there is none."""
    return figures.percent(share, wording())


def travel_time(minutes: float | None) -> str:
    """Return a travel time: « 12 min », « 1 h 05 », « hors d'atteinte » for None."""
    return figures.reach_minutes(minutes, wording())


def euros(cents: int | None) -> str:
    """Return a sum of money given in cents: « 12,50 € », "€12.50"."""
    return figures.euros(cents, wording())


def file_size(octets: float) -> str:
    """Return the size of a file: « 350 ko », "350 kB"."""
    return figures.file_size(octets, wording())


def short_day(day: date) -> str:
    """Return a day in figures: « 03/12/2026 », "2026-12-03"."""
    return dates.short_date(day, wording())
