"""`portee print`: sheets to pin up and the directory of the département, as PDF files."""

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
from portee.console import (
    file_size,
    misused,
    plain,
    print_json,
    print_text,
    progress,
    report_errors,
    warn,
    write_file,
)
from portee.language import _
from portee.options import AsJson
from static_maps.print_content import DIRECTORY_NAME, Desk, slug, territory_directory, territory_sheet
from static_maps.print_layout import directory_pdf, sheet_pdf

Job = tuple[str, Callable[[], bytes]]


def print_(
    commune: Annotated[
        list[str],
        typer.Option(
            "--commune", metavar="CODE", help="Une commune : code INSEE ; à répéter pour plusieurs."
        ),
    ] = [],  # noqa: B006 - Typer reads, never mutates
    canton: Annotated[
        list[str],
        typer.Option("--canton", metavar="CODE", help="Un canton : code INSEE ; à répéter pour plusieurs."),
    ] = [],  # noqa: B006 - as above
    epci: Annotated[
        list[str],
        typer.Option("--epci", metavar="CODE", help="Un EPCI : code SIREN ; à répéter pour plusieurs."),
    ] = [],  # noqa: B006 - as above
    whole: Annotated[bool, typer.Option("--all", help="L'annuaire de tout le territoire.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Fichier PDF, ou dossier pour plusieurs ; le dossier courant par défaut."),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Langue du papier : fr ou en.")] = SOURCE,
    as_json: AsJson = False,
) -> None:
    """Write sheets a town hall can pin up, and the directory of all sites: large type, phone first."""
    if lang not in LANGUAGES:
        misused(
            _("« %(code)s » n'est pas une langue : %(known)s.", code=plain(lang), known=", ".join(LANGUAGES)),
            "--lang",
        )
    asked = [
        *((TerritoryKind.COMMUNE, code) for code in commune),
        *((TerritoryKind.CANTON, code) for code in canton),
        *((TerritoryKind.EPCI, code) for code in epci),
    ]
    if not (asked or whole):
        misused(_("dites ce qu'il faut imprimer : --commune, --canton, --epci ou --all."))
    with report_errors():
        settings = Settings()
        snapshot = _snapshot(settings)
        groups = [snapshot.territory.find(code, kind) for kind, code in dict.fromkeys(asked)]
        if not settings.public_url:
            warn(
                _(
                    "PORTEE_PUBLIC_URL n'est pas définie : le papier mène à "
                    "http://127.0.0.1:%(port)s, qui ne "
                    "s'ouvre que sur cette machine.",
                    port=DEFAULT_PORT,
                )
            )
        desk = _desk(settings, snapshot, lang)
        jobs = _jobs(desk, groups, whole=whole)
        folder = _folder(out, len(jobs))
        files = []
        with progress() as bar:
            task = bar.add_task(_("Papier"), total=len(jobs))
            for name, make in jobs:
                path = folder / name if folder else out
                assert path is not None  # noqa: S101 - without a folder, one file was named
                content = make()
                write_file(path, content, "--out")
                files.append((path, len(content)))
                bar.advance(task)
    if as_json:
        print_json([{"file": str(path), "bytes": size} for path, size in files])
    else:
        for path, size in files:
            print_text(f"{path} : {file_size(size)}")


def _snapshot(settings: Settings) -> Snapshot:
    engine = engine_for(settings)
    try:
        with engine.connect() as connection:
            return snapshots.read(connection, margin_km=settings.margin_km)
    finally:
        engine.dispose()


def _desk(settings: Settings, snapshot: Snapshot, lang: str) -> Desk:
    view = SnapshotView(snapshot, home=settings.home, detour_factor=settings.detour_factor)
    base = settings.public_url.rstrip("/") or f"http://127.0.0.1:{DEFAULT_PORT}"
    return Desk(view, Calendar(zone=settings.school_zone), lang, base, datetime.now(TIME_ZONE))


def _jobs(desk: Desk, groups: list[Grouping], *, whole: bool) -> list[Job]:
    """Return names of files, each with the function that renders it."""
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
    """Return the folder to write to; None where `out` is the one file.

    Raises
    ------
    typer.BadParameter
        If the folder does not exist, or there are several files and `out` is not a folder.
    """
    if out is None:
        return Path()
    if out.is_dir():
        return out
    if count > 1:
        misused(
            _("%(count)s fichiers demandent un dossier ; %(name)s n'en est pas un.", count=count, name=out),
            "--out",
        )
    if not out.parent.is_dir():
        misused(_("pas de dossier %(folder)s.", folder=out.parent), "--out")
    return None
