"""`portee sites`: what is in service, what to check in it, which records are one place, the export."""

from __future__ import annotations

import getpass
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from geo.hours import parse
from geo.settings import Settings
from geo.sites.export import format_cell, write_csv
from geo.sites.model import Position, Site
from geo.store import duplicates as stored_duplicates
from geo.store import history as stored_history
from geo.store import sites as stored_sites
from geo.store import snapshots
from portee.console import out, plain, print_json, print_text, report_errors
from portee.coverage_options import WHERE_HELP, site_filter
from portee.database import transaction

app = typer.Typer(help="List, check, compare and export the sites in service.", no_args_is_help=True)

EXAMPLES_SHOWN = 5
"""Identifiers named for each finding of `sites check`; `--json` holds them all."""


@app.command("list")
def list_sites(
    where: Annotated[list[str], typer.Option(help=WHERE_HELP)] = [],  # noqa: B006 - Typer reads, never mutates
    limit: Annotated[int, typer.Option(min=0, help="Sites shown at most; 0 for all.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print the sites with all their fields.")] = False,
) -> None:
    """List the sites in service."""
    asked = site_filter(where)
    with report_errors():
        found = [site for site in _in_service() if asked.matches(site)]
    kept = found[:limit] if limit else found
    if as_json:
        print_json({"total": len(found), "sites": [{"id": site.id, **asdict(site)} for site in kept]})
        return
    _print_table(
        ("identifiant", "nom", "commune", "téléphone", "horaires"),
        ((s.id, s.nom, f"{s.code_postal} {s.commune}", s.telephone, s.horaires) for s in kept),
    )
    print_text(f"Lieux montrés : {len(kept)} sur {len(found)}.")


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="Print every finding with its sites.")] = False,
) -> None:
    """Tell what deserves a look: flags, unknown places, mended and unknown hours, possible duplicates."""
    with report_errors(), transaction(Settings()) as connection:
        sites = stored_sites.active(connection)
        pairs = stored_duplicates.listed(connection)
    findings = _findings(sites)
    if as_json:
        print_json(
            {
                "sites": len(sites),
                "datasets": dict(sorted(Counter(site.jeu_de_donnees for site in sites).items())),
                "findings": findings,
                "duplicates": [asdict(pair) for pair in pairs],
            }
        )
        return
    _print_table(
        ("jeu de données", "lieux"),
        sorted((name, str(count)) for name, count in Counter(s.jeu_de_donnees for s in sites).items()),
    )
    _print_table(
        ("constat", "lieux", "par exemple"),
        (
            (
                name,
                str(len(ids)),
                ", ".join(ids[:EXAMPLES_SHOWN]) + ("…" if len(ids) > EXAMPLES_SHOWN else ""),
            )
            for name, ids in findings.items()
        ),
    )
    print_text(f"{len(sites)} lieux en service, {_pairs(len(pairs))} à trancher.")


def _pairs(count: int) -> str:
    return "1 doublon possible" if count == 1 else f"{count} doublons possibles"


def _findings(sites: Iterable[Site]) -> dict[str, list[str]]:
    """Finding → identifiers it is true of: flags by code, then what is mended or simply not known."""
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


@app.command()
def duplicates(
    every: Annotated[bool, typer.Option("--all", help="Decided pairs too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the pairs as JSON.")] = False,
) -> None:
    """List pairs of records that may be one place, best score first."""
    with report_errors(), transaction(Settings()) as connection:
        pairs = stored_duplicates.listed(connection, undecided_only=not every)
        name_of = {site.id: _named(site) for site in stored_sites.active(connection)}
    if as_json:
        print_json([asdict(pair) for pair in pairs])
        return
    for pair in pairs:
        decision = "" if pair.same is None else f" : {_DECISIONS[pair.same]}"
        print_text(f"{pair.score:.1f} sur 100, ".replace(".", ",") + ", ".join(pair.reasons) + decision)
        print_text(f"    {name_of[pair.a]} [{pair.a}]")
        print_text(f"    {name_of[pair.b]} [{pair.b}]")
    print_text(f"{_pairs(len(pairs))}. Pour trancher : portee sites decide A B --same (ou --different).")


@app.command()
def history(
    site_id: Annotated[str, typer.Argument(metavar="ID", help="Identifier of the record.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
) -> None:
    """Tell all that imports did to a record, in service or retired, oldest first."""
    with report_errors(), transaction(Settings()) as connection:
        changes = stored_history.history(connection, site_id)
    if as_json:
        print_json([asdict(change) for change in changes])
        return
    for change in changes:
        what = (
            _HAPPENED.get(change.kind) or f"{change.field} : {_shown(change.before)} → {_shown(change.after)}"
        )
        print_text(f"{change.at:%d/%m/%Y}  import {change.import_id} ({change.file_name})  {what}")


_HAPPENED = {"new": "nouveau", "retired": "retiré", "returned": "revenu"}


def _shown(value: object) -> str:
    return format_cell(value) or "inconnu"


def _named(site: Site) -> str:
    return ", ".join(part for part in (site.nom, site.commune) if part)


_DECISIONS = {True: "même lieu", False: "lieux différents"}


@app.command()
def decide(
    a: Annotated[str, typer.Argument(help="Identifier of the record that stays.")],
    b: Annotated[str, typer.Argument(help="Identifier of the record no longer shown if both are one place.")],
    same: Annotated[
        bool,
        typer.Option("--same/--different", help="Whether both records are one place.", show_default=False),
    ],
) -> None:
    """Decide whether two records are one place. Imports keep the decision; another one replaces it."""
    with report_errors(), transaction(Settings()) as connection:
        stored_duplicates.decide(connection, a, b, same=same, by=getpass.getuser())
        snapshots.publish(connection)
    print_text(
        f"Même lieu : « {b} » n'est plus montré." if same else "Lieux différents : les deux sont montrés."
    )


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV file to write; - for standard output.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Only the standard's 32 columns, as its schema accepts them.")
    ] = False,
) -> None:
    """Export the records in service in the national standard's CSV, our own columns after its 32."""
    with report_errors():
        sites = _in_service()
    if str(file) == "-":
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        write_csv(sites, sys.stdout, strict=strict)
        return
    try:
        left_out = _write_whole(file, sites, strict=strict)
    except OSError as problem:
        raise typer.BadParameter(f"cannot be written: {problem.strerror}.", param_hint="FILE") from problem
    print_text(f"{len(sites) - left_out} lieux écrits dans {file}.")
    if left_out:
        print_text(f"{left_out} lieux laissés de côté : il leur manque une valeur que le standard exige.")


def _write_whole(file: Path, sites: Iterable[Site], *, strict: bool) -> int:
    """Write beside the file, then take its place: a reader never meets half an export.

    Returns how many sites a strict export leaves out.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="") as stream:
            left_out = write_csv(sites, stream, strict=strict)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(file)
        return left_out
    finally:
        beside.unlink(missing_ok=True)


def _in_service() -> list[Site]:
    with transaction(Settings()) as connection:
        return stored_sites.active(connection)


def _print_table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print rows of text that may quote a file: nothing in it acts on the terminal."""
    table = Table(*(Column(heading, overflow="fold") for heading in headings))
    for row in rows:
        table.add_row(*(Text("\n".join(plain(line) for line in cell.split("\n"))) for cell in row))
    out.print(table)
