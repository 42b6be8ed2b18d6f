"""`portee indicators`: figures of need per commune or IRIS; load them, list them, remove them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from geo.people.indicators import COMMUNE, IRIS, LoadedIndicator, read_indicator
from geo.settings import Settings
from geo.store import indicators as stored_indicators
from geo.store import snapshots, territories
from geo.territory.model import Territory
from portee.commands.people import commune_names, counted, print_findings
from portee.console import REFUSED, plain, print_json, print_text, progress, report_errors
from portee.database import transaction

app = typer.Typer(help="Indicators of need, used as weights one can see.", no_args_is_help=True)

_LEVELS = {IRIS: "par IRIS", COMMUNE: "par commune"}
_JSON = typer.Option("--json", help="Print the result as JSON.")


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX with one row per commune or IRIS.")],
    code: Annotated[str, typer.Option(help="Short name to keep it under: ifn.")],
    name: Annotated[str, typer.Option(help="Name shown to readers, in French.")],
    column: Annotated[str, typer.Option(help="Column of values.")],
    area_column: Annotated[
        str | None, typer.Option(help="Column of INSEE or IRIS codes; by default, found by its name.")
    ] = None,
    inhabitants_column: Annotated[
        str | None,
        typer.Option(help="Column of inhabitants that weights IRIS; by default, found by its name."),
    ] = None,
    where: Annotated[
        list[str],
        typer.Option(help="COLUMN=VALUE: only rows that hold it, when an area has several."),
    ] = [],  # noqa: B006 - Typer reads, never mutates
    unit: Annotated[str, typer.Option(help="Unit shown beside values.")] = "",
    vintage: Annotated[str, typer.Option(help="Year or date of the figures, shown with every result.")] = "",
    producer: Annotated[str, typer.Option(help="Who made them, shown likewise.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the file, shown likewise.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be; store nothing.")] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Load an indicator, in place of the one of the same code; IRIS are brought to communes."""
    if lost := [each for each in where if "=" not in each]:
        raise typer.BadParameter(f"write COLUMN=VALUE, not {lost[0]}.", param_hint="--where")
    settings = Settings()
    with report_errors():
        with transaction(settings) as connection:
            territory = territories.load(connection)
        with progress() as bars:
            task = bars.add_task(plain(file.name), total=None)
            loaded = read_indicator(
                file,
                territory,
                code=code,
                name=name,
                column=column,
                area_column=area_column,
                inhabitants_column=inhabitants_column,
                where=dict(_halves(each) for each in where),
                unit=unit,
                vintage=vintage,
                producer=producer,
                licence=licence,
                max_bytes=settings.import_max_mb * 1_000_000,
                progress=lambda rows: bars.update(task, completed=rows),
            )
        version = None
        if not dry_run:
            with transaction(settings) as connection:
                stored_indicators.save(connection, loaded)
                version = snapshots.publish(connection)
    if as_json:
        print_json(_as_json(loaded, version))
    else:
        _print_result(loaded, territory, version)


@app.command("list")
def list_indicators(as_json: Annotated[bool, _JSON] = False) -> None:
    """List the indicators loaded, with their sources."""
    with report_errors(), transaction(Settings()) as connection:
        found = stored_indicators.described(connection)
    if as_json:
        print_json([asdict(stored) for stored in found])
        return
    if not found:
        print_text(
            "Aucun indicateur. Pour en charger un : "
            "portee indicators load FICHIER --code … --name … --column …"
        )
        return
    for stored in found:
        told, source = stored.indicator, stored.indicator.provenance
        print_text(f"{told.code} : {told.name}", style="bold")
        print_text(
            f"    {_LEVELS[told.level]}, colonne {stored.column} ; {len(told.values)} communes, "
            f"de {_range(told.values.values())} {told.unit}".rstrip()
        )
        print_text(f"    {source.producer}, {source.vintage}, {source.licence}", style="dim")


@app.command()
def remove(
    code: Annotated[str, typer.Argument(help="Code of the indicator.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove an indicator."""
    if not yes:
        typer.confirm(f"Remove the indicator {code}?", abort=True)
    with report_errors(), transaction(Settings()) as connection:
        removed = stored_indicators.remove(connection, code)
        if removed:
            snapshots.publish(connection)
    print_text(
        f"Indicateur « {code} » retiré." if removed else f"Aucun indicateur ne porte le code « {code} »."
    )
    if not removed:
        raise typer.Exit(REFUSED)


def _halves(text: str) -> tuple[str, str]:
    column, _, value = text.partition("=")
    return column.strip(), value.strip()


def _range(values: Collection[float]) -> str:
    return f"{min(values):.6g} à {max(values):.6g}".replace(".", ",") if values else ""


def _as_json(loaded: LoadedIndicator, version: int | None) -> dict[str, object]:
    told = loaded.indicator
    return {
        "file": loaded.file_name,
        "code": told.code,
        "name": told.name,
        "unit": told.unit,
        "level": told.level,
        "column": loaded.column,
        "provenance": asdict(told.provenance),
        **loaded.summary(),
        "values": dict(told.values),
        "issues": [asdict(issue) for issue in loaded.findings.kept],
        "dry_run": version is None,
        "snapshot_version": version,
    }


def _print_result(loaded: LoadedIndicator, territory: Territory, version: int | None) -> None:
    told, tally = loaded.indicator, loaded.tally
    print_text(
        f"{loaded.file_name} : {told.name} (colonne {loaded.column}, codes de la colonne "
        f"{loaded.area_column})",
        style="bold",
    )
    source = told.provenance
    print_text(f"{source.producer}, {source.vintage}, {source.licence}")
    unselected = f" · non choisies {counted(tally.unselected)}" if tally.unselected else ""
    print_text(
        f"Lignes lues {counted(tally.read)} · acceptées {counted(tally.accepted)} · hors du territoire "
        f"{counted(tally.outside)}{unselected} · rejetées {counted(tally.rejected)}"
    )
    print_findings(loaded.findings)
    if told.level == COMMUNE:
        print_text("Valeurs par commune.")
    elif loaded.inhabitants_column:
        print_text(
            f"Valeurs par IRIS, moyennes par commune pondérées par la colonne {loaded.inhabitants_column}."
        )
    else:
        print_text("Valeurs par IRIS, moyennes simples par commune : le fichier ne dit pas les habitants.")
    print_text(
        f"Communes renseignées : {len(told.values)}, de {_range(told.values.values())} {told.unit}".rstrip()
    )
    print_text(
        f"Communes sans valeur : {len(loaded.missing)}"
        + (f" : {commune_names(list(loaded.missing), territory)}" if loaded.missing else "")
    )
    if version is None:
        print_text("Essai : rien n'a été enregistré.", style="bold")
    else:
        print_text(f"Indicateur « {told.code} » enregistré.", style="green")
