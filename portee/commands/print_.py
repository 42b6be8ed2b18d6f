"""`portee print`: sheets of paper to pin up, and the directory of the département, as PDF files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from geo.hours.calendar import Calendar
from geo.hours.weekly import TIME_ZONE
from geo.services.snapshot_view import SnapshotView
from geo.settings import Settings
from geo.snapshot import Snapshot
from geo.store import snapshots
from geo.store.database import engine_for
from geo.territory.model import Grouping, TerritoryKind
from geo.wording.language import LANGUAGES, SOURCE
from portee.commands.serve import DEFAULT_PORT
from portee.console import err, plain, print_json, print_text, progress, report_errors
from static_maps.print_content import DIRECTORY_NAME, Desk, slug, territory_directory, territory_sheet
from static_maps.print_layout import directory_pdf, sheet_pdf

Job = tuple[str, Callable[[], bytes]]

_EACH = "INSEE code; repeat for several."


def print_(
    commune: Annotated[list[str], typer.Option("--commune", metavar="CODE", help=f"A commune: {_EACH}")] = [],  # noqa: B006 - Typer reads, never mutates
    canton: Annotated[list[str], typer.Option("--canton", metavar="CODE", help=f"A canton: {_EACH}")] = [],  # noqa: B006 - as above
    epci: Annotated[
        list[str], typer.Option("--epci", metavar="CODE", help="An EPCI: SIREN code; repeat for several.")
    ] = [],  # noqa: B006 - as above
    whole: Annotated[bool, typer.Option("--all", help="The directory of the whole territory.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="PDF file, or folder for several; the working folder if not given."),
    ] = None,
    lang: Annotated[
        str, typer.Option("--lang", help=f"Language of the paper: {', '.join(LANGUAGES)}.")
    ] = SOURCE,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
) -> None:
    """Write sheets a town hall can pin up, and the directory of all sites: large type, phone first."""
    if lang not in LANGUAGES:
        raise typer.BadParameter(f"“{plain(lang)}” is none of {', '.join(LANGUAGES)}.", param_hint="--lang")
    asked = [
        *((TerritoryKind.COMMUNE, code) for code in commune),
        *((TerritoryKind.CANTON, code) for code in canton),
        *((TerritoryKind.EPCI, code) for code in epci),
    ]
    if not (asked or whole):
        raise typer.BadParameter("Say what to print: --commune, --canton, --epci or --all.")
    with report_errors():
        settings = Settings()
        snapshot = _snapshot(settings)
        groups = [snapshot.territory.find(code, kind) for kind, code in dict.fromkeys(asked)]
        if not settings.public_url:
            err.print(
                f"PORTEE_PUBLIC_URL is not set: paper leads to http://127.0.0.1:{DEFAULT_PORT}, "
                "which opens on this machine only.",
                style="yellow",
                markup=False,
            )
        desk = _desk(settings, snapshot, lang)
        jobs = _jobs(desk, groups, whole=whole)
        folder = _folder(out, len(jobs))
        written = []
        with progress() as bar:
            task = bar.add_task("Paper", total=len(jobs))
            for name, make in jobs:
                path = folder / name if folder else out
                assert path is not None  # noqa: S101 - without a folder, one file was named
                content = make()
                try:
                    path.write_bytes(content)
                except OSError as problem:
                    raise typer.BadParameter(f"{path}: {problem.strerror}.", param_hint="--out") from problem
                written.append((path, len(content)))
                bar.advance(task)
    if as_json:
        print_json([{"file": str(path), "bytes": size} for path, size in written])
    else:
        for path, size in written:
            print_text(f"{path} : {size / 1_000:.0f} ko")


def _snapshot(settings: Settings) -> Snapshot:
    engine = engine_for(settings)
    try:
        with engine.connect() as connection:
            return snapshots.read(connection)
    finally:
        engine.dispose()


def _desk(settings: Settings, snapshot: Snapshot, lang: str) -> Desk:
    view = SnapshotView(snapshot, home=settings.home, detour_factor=settings.detour_factor)
    base = settings.public_url.rstrip("/") or f"http://127.0.0.1:{DEFAULT_PORT}"
    return Desk(view, Calendar(zone=settings.school_zone), lang, base, datetime.now(TIME_ZONE))


def _jobs(desk: Desk, groups: list[Grouping], *, whole: bool) -> list[Job]:
    """Names of files, each with what makes it."""
    jobs: list[Job] = [
        (
            f"affiche-{group.kind.value}-{group.code}-{slug(group.name)}.pdf",
            partial(_sheet, desk, group),
        )
        for group in groups
    ]
    if whole:
        name = slug(desk.view.snapshot.territory.name)
        jobs.append((f"{DIRECTORY_NAME}-{name}.pdf", lambda: directory_pdf(territory_directory(desk))))
    return jobs


def _sheet(desk: Desk, group: Grouping) -> bytes:
    return sheet_pdf(territory_sheet(desk, group.kind, group.code))


def _folder(out: Path | None, count: int) -> Path | None:
    """The folder files go to; None where `out` is the one file.

    Raises
    ------
    typer.BadParameter
        If the folder is not there, or several files were to be one.
    """
    if out is None:
        return Path()
    if out.is_dir():
        return out
    if count > 1:
        raise typer.BadParameter(f"{count} files need a folder, and {out} is none.", param_hint="--out")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"no folder {out.parent}.", param_hint="--out")
    return None
