"""`portee sites`: list, check and export the sites in service."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from geo.coverage.undecided import site_range
from geo.hours import parse
from geo.services import correct_sites
from geo.services.decide_sites import open_questions
from geo.settings import Settings
from geo.sites.export_files import FORMAT_BY_SUFFIX, SitesFormat, write_sites
from geo.sites.model import Position, Site
from geo.store import record_pairs, snapshots
from portee.commands import corrections, duplicates, site_history
from portee.commands.corrections import today
from portee.commands.duplicates import possible_duplicates
from portee.console import (
    misused,
    print_json,
    print_table,
    print_text,
    report_errors,
    writing,
)
from portee.coverage_options import WHERE_HELP, site_filter
from portee.database import transaction
from portee.language import _, many
from portee.options import AsJson

app = typer.Typer(
    help="Lister, vérifier, corriger, fermer, comparer et exporter les lieux en service.",
    no_args_is_help=True,
)
for _group in (corrections, duplicates, site_history):
    app.add_typer(_group.app)

EXAMPLES_SHOWN = 5
"""Identifiers named for each finding of `sites check`; `--json` holds them all."""


@app.command("list", help="Liste les lieux en service.")
def list_sites(
    where: Annotated[list[str], typer.Option(help=WHERE_HELP)] = [],  # noqa: B006 - Typer reads, never mutates
    limit: Annotated[int, typer.Option(min=0, help="Nombre maximal de lieux affichés ; 0 pour tous.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the sites in service."""
    asked = site_filter(where)
    with report_errors():
        found = [site for site in _in_service() if asked.matches(site)]
    shown = found[:limit] if limit else found
    if as_json:
        print_json({"total": len(found), "sites": [{"id": site.id, **asdict(site)} for site in shown]})
        return
    print_table(
        (_("identifiant"), _("nom"), _("commune"), _("téléphone"), _("horaires")),
        [(s.id, s.nom, f"{s.code_postal} {s.commune}", s.telephone, s.horaires) for s in shown],
    )
    print_text(_("Lieux montrés : %(shown)s sur %(all)s.", shown=len(shown), all=len(found)))


@app.command(
    help="Signale ce qui mérite un regard : positions et horaires inconnus ou réparés, doublons possibles."
)
def check(
    as_json: AsJson = False,
) -> None:
    """Report what deserves attention: flags, unknown positions, repaired or unknown hours, duplicates."""
    with report_errors(), transaction(Settings()) as connection:
        sites = snapshots.shown_sites(connection, today()).sites
        pairs = open_questions(connection)
        changes = correct_sites.changed_by_sources(connection, today())
        ids = {site.id for site in sites}
        counted = site_range(ids, record_pairs.questions(connection, ids))
    findings = _findings(sites)
    # A site in several datasets counts in each of them.
    datasets = Counter(name for site in sites for name in site.datasets)
    if as_json:
        print_json(
            {
                "sites": len(sites),
                "range": {"low": counted.low, "high": counted.high, "questions": counted.questions},
                "datasets": dict(sorted(datasets.items())),
                "findings": findings,
                "duplicates": [asdict(pair) for pair in pairs],
                "corrections": [corrections.source_change_to_dict(each) for each in changes],
            }
        )
        return
    print_table(
        (_("jeu de données"), _("lieux")),
        sorted((name, str(count)) for name, count in datasets.items()),
        numbers=1,
    )
    print_table(
        (_("constat"), _("lieux"), _("par exemple")),
        [
            (
                name,
                str(len(ids)),
                ", ".join(ids[:EXAMPLES_SHOWN]) + ("…" if len(ids) > EXAMPLES_SHOWN else ""),
            )
            for name, ids in findings.items()
        ],
    )
    corrections.print_source_changes(changes)
    print_text(
        _(
            "%(sites)s lieux en service, %(pairs)s à trancher.",
            sites=len(sites),
            pairs=possible_duplicates(len(pairs)),
        )
    )
    if not counted.certain:
        print_text(
            many(
                "%(high)s lieux, entre %(low)s et %(high)s selon %(num)s question à trancher.",
                "%(high)s lieux, entre %(low)s et %(high)s selon %(num)s questions à trancher.",
                counted.questions,
                low=counted.low,
                high=counted.high,
            )
        )


def _findings(sites: Iterable[Site]) -> dict[str, list[str]]:
    """Return the identifiers of sites by finding: flags by code, then what is repaired or unknown."""
    flags: dict[str, list[str]] = {}
    noticed: dict[str, list[str]] = {
        "a_la_mairie": [],
        "sans_position": [],
        "horaires_corriges": [],
        "horaires_inconnus": [],
    }
    for site in sites:
        for code in site.signalements:
            flags.setdefault(code, []).append(site.id)
        if site.position is Position.APPROXIMATIVE:
            noticed["a_la_mairie"].append(site.id)
        if site.position is Position.INCONNUE:
            noticed["sans_position"].append(site.id)
        read = parse.read_expression(site.horaires)
        if read and read != site.horaires:
            noticed["horaires_corriges"].append(site.id)
        if not read:
            noticed["horaires_inconnus"].append(site.id)
    return {**dict(sorted(flags.items())), **noticed}


@app.command(
    help="Exporte les lieux en service : CSV du standard national (nos colonnes après ses 32), XLSX, "
    "GeoJSON ou GeoPackage."
)
def export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FICHIER", help="Fichier à écrire ; - pour la sortie standard."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FICHIER", help="Comme l'argument FICHIER.")
    ] = None,
    file_format: Annotated[
        SitesFormat | None,
        typer.Option("--format", help="Format du fichier ; par défaut, celui que dit la fin de son nom."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Comme --format csv-strict : seulement les 32 colonnes du standard."),
    ] = False,
) -> None:
    """Export the sites in service as the standard's CSV, our own columns after its 32, or with types."""
    if (file is None) == (output is None):
        misused(_("donnez un fichier, et un seul : FICHIER ou -o FICHIER."), "FICHIER")
    path = output or file or Path("-")
    chosen = _chosen_format(path, file_format, strict=strict)
    with report_errors():
        sites = _in_service()
    if str(path) == "-":
        write_sites(sites, sys.stdout.buffer, chosen)
        return
    with writing("FICHIER"):
        left_out = _write_whole(path, sites, chosen)
    print_text(_("%(count)s lieux écrits dans %(file)s.", count=len(sites) - left_out, file=path))
    if left_out:
        print_text(
            _(
                "%(count)s lieux laissés de côté : il leur manque une valeur que le standard exige.",
                count=left_out,
            )
        )


def _chosen_format(path: Path, given: SitesFormat | None, *, strict: bool) -> SitesFormat:
    """Return the format asked for, else that of the file's name; CSV for standard output."""
    if strict:
        if given not in (None, SitesFormat.CSV, SitesFormat.CSV_STRICT):
            misused(_("seul le CSV a une forme stricte."), "--strict")
        return SitesFormat.CSV_STRICT
    if given:
        return given
    if str(path) == "-":
        return SitesFormat.CSV
    guessed = FORMAT_BY_SUFFIX.get(path.suffix.lower())
    if guessed is None:
        misused(
            _(
                "le nom de « %(file)s » ne dit pas son format ; donnez --format, ou un nom qui finit par "
                "%(endings)s.",
                file=path.name,
                endings=", ".join(FORMAT_BY_SUFFIX),
            ),
            "--format",
        )
    return guessed


def _write_whole(file: Path, sites: Sequence[Site], file_format: SitesFormat) -> int:
    """Write to a temporary file, then rename it, so that no reader sees half an export.

    Return how many sites a strict export leaves out.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            left_out = write_sites(sites, stream, file_format)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
        return left_out
    finally:
        temporary.unlink(missing_ok=True)


def _in_service() -> list[Site]:
    with transaction(Settings()) as connection:
        return list(snapshots.shown_sites(connection, today()).sites)
