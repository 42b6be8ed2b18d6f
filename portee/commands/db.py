"""`portee db`: the database Portée starts itself, or the server of `DATABASE_URL`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from geo.errors import DatabaseUnavailable, OperatorError
from geo.settings import Settings
from geo.store import backup, cluster
from geo.store.database import database_status, engine_for, migrate, open_engine, parse_url
from portee.console import INSTALLATION, out, print_json, progress, report_errors

app = typer.Typer(help="Start, stop, migrate, dump and restore the database.", no_args_is_help=True)


@app.command()
def start() -> None:
    """Start the embedded PostGIS, making it first if need be."""
    with report_errors():
        embedded = _embedded(Settings(), "started")
        cluster.start(embedded)
        _print_result(f"PostGIS runs in {embedded.folder} (process {cluster.status(embedded).pid}).")


@app.command()
def stop() -> None:
    """Stop the embedded PostGIS."""
    with report_errors():
        stopped = cluster.stop(_embedded(Settings(), "stopped"))
        _print_result("PostGIS has stopped." if stopped else "PostGIS was not running.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print the state as JSON.")] = False,
) -> None:
    """Tell whether the database answers and how far its tables are; starts nothing.

    Exit code 3 when it does not answer.
    """
    with report_errors():
        state = _state(Settings())
    if as_json:
        print_json(state)
    else:
        for name, value in (state["cluster"] or {}).items():
            _print_result(f"{name}: {value}")
        for name, value in (state["database"] or {}).items():
            _print_result(f"{name}: {value}")
        _print_result(state["problem"] or "The database answers.")
    if state["problem"]:
        raise typer.Exit(INSTALLATION)


@app.command("migrate")
def migrate_tables() -> None:
    """Bring the tables to the form this version of Portée works with."""
    with report_errors(), _closing(engine_for(Settings())) as engine:
        migrate(engine)
        _print_result(f"The tables are at revision {database_status(engine).revision}.")


@app.command()
def dump(
    file: Annotated[
        Path | None, typer.Argument(help="File to write; portee-<date>-<time>.dump by default.")
    ] = None,
) -> None:
    """Write all of Portée's tables to one file."""
    path = file or Path(f"portee-{datetime.now(UTC):%Y%m%d-%H%M%S}.dump")
    with report_errors():
        with _closing(engine_for(Settings())) as engine, progress() as bars:
            task = bars.add_task("Dumping", total=None)
            size = backup.dump(
                engine,
                path,
                progress=lambda done, total: bars.update(task, completed=done, total=total),
            )
        _print_result(f"Wrote {path} ({size / 1_000_000:.1f} MB).")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="Dump written by `portee db dump`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a dump in place of all that is in the database."""
    if not yes:
        typer.confirm(f"Replace everything in the database by what {file} holds?", abort=True)
    with report_errors():
        with _closing(engine_for(Settings())) as engine, progress() as bars:
            task = bars.add_task("Restoring", total=None)
            version = backup.restore(
                engine,
                file,
                progress=lambda done, total: bars.update(task, completed=done, total=total),
            )
        _print_result(f"Restored {file}; the snapshot is now version {version}.")


def _embedded(settings: Settings, verb: str) -> cluster.Cluster:
    if settings.database_url:
        raise OperatorError(
            f"DATABASE_URL names a server; only the embedded database is {verb} from here.",
            "To use the embedded one: unset DATABASE_URL",
        )
    return cluster.cluster_at(settings.home)


def _state(settings: Settings) -> dict[str, Any]:
    """Cluster (None on a server), database (None while it does not answer), and what is wrong."""
    state: dict[str, Any] = {"cluster": None, "database": None, "problem": None}
    if settings.database_url:
        engine = open_engine(parse_url(settings.database_url))
    else:
        embedded = cluster.cluster_at(settings.home)
        known = cluster.status(embedded)
        state["cluster"] = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(known).items()}
        if not known.running:
            return {**state, "problem": "The embedded database does not run. Start it: portee db start"}
        engine = open_engine(embedded.url())
    try:
        with _closing(engine):
            found = database_status(engine)
    except DatabaseUnavailable as problem:
        return {**state, "problem": str(problem)}
    return {**state, "database": {**asdict(found), "up_to_date": found.up_to_date}}


@contextmanager
def _closing(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def _print_result(sentence: str) -> None:
    out.print(sentence, markup=False)
