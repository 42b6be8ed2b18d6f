"""`portee indicators`: load, list and remove indicators of need per commune or IRIS."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from geo.people.aggregation import FigureKind
from geo.people.indicators import COMMUNE, IRIS, LoadedIndicator, Weights, read_indicator
from geo.settings import Settings
from geo.store import indicators as stored_indicators
from geo.store import snapshots, territories
from geo.territory.files import read_former_communes
from geo.territory.model import Territory
from geo.wording import figures
from portee.commands.people import commune_names, print_findings
from portee.console import (
    REFUSED,
    confirm,
    count,
    misused,
    print_json,
    print_text,
    reading,
    report_errors,
    wording,
)
from portee.database import transaction
from portee.language import N_, _
from portee.options import AsJson, DryRun, Yes

app = typer.Typer(help="Indicateurs de besoin, utilisés comme poids explicites.", no_args_is_help=True)

_LEVELS = {IRIS: N_("par IRIS"), COMMUNE: N_("par commune")}

_HOW = {
    None: N_("somme"),
    Weights.FILE: N_("moyenne pondérée par les habitants du fichier"),
    Weights.REGISTER: N_("moyenne pondérée par la dernière population connue des anciennes communes"),
    Weights.EQUAL: N_("moyenne simple : leurs habitants ne sont pas connus"),
}
"""How values of former communes are combined; None: counts."""


@app.command(
    help="Charge un indicateur à la place de celui qui a le même code ; les IRIS sont ramenés aux communes."
)
def load(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX ou Parquet : une ligne par commune ou par IRIS.")],
    code: Annotated[str, typer.Option(help="Nom court : ifn.")],
    name: Annotated[str, typer.Option(help="Nom affiché, en français.")],
    column: Annotated[str, typer.Option(help="Colonne des valeurs.")],
    area_column: Annotated[
        str | None, typer.Option(help="Colonne des codes INSEE ou IRIS ; par défaut, reconnue à son nom.")
    ] = None,
    inhabitants_column: Annotated[
        str | None,
        typer.Option(help="Colonne d'habitants qui pondère les IRIS ; par défaut, reconnue à son nom."),
    ] = None,
    kind: Annotated[
        FigureKind | None,
        typer.Option(
            help="Nature des valeurs : count (nombres, additionnés), rate (taux, moyenne pondérée par les "
            "habitants), score (médianes, indices : la même moyenne, approchée) ; par défaut, devinée."
        ),
    ] = None,
    where: Annotated[
        list[str],
        typer.Option(help="COLONNE=VALEUR : seulement ces lignes, si un territoire en a plusieurs."),
    ] = [],  # noqa: B006 - Typer reads, never mutates
    unit: Annotated[str, typer.Option(help="Unité affichée après les valeurs.")] = "",
    vintage: Annotated[
        str, typer.Option(help="Année ou date des chiffres, affichée avec les résultats.")
    ] = "",
    producer: Annotated[str, typer.Option(help="Producteur, affiché avec les résultats.")] = "",
    licence: Annotated[str, typer.Option(help="Licence du fichier, affichée avec les résultats.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Load an indicator in place of the one with the same code; IRIS are aggregated to communes."""
    if lost := [each for each in where if "=" not in each]:
        misused(_("« %(text)s » n'est pas COLONNE=VALEUR.", text=lost[0]), "--where")
    settings = Settings()
    with report_errors():
        with transaction(settings) as connection:
            territory = territories.load(connection)
        with reading(file.name) as advance:
            loaded = read_indicator(
                file,
                territory,
                former=read_former_communes(settings.territory_dir, territory.code),
                kind=kind,
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
                progress=advance,
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


@app.command("list", help="Liste les indicateurs chargés et leurs sources.")
def list_indicators(as_json: AsJson = False) -> None:
    """List the loaded indicators and their sources."""
    with report_errors(), transaction(Settings()) as connection:
        found = stored_indicators.described(connection)
    if as_json:
        print_json([asdict(stored) for stored in found])
        return
    if not found:
        print_text(
            _(
                "Aucun indicateur. Pour en charger un : portee indicators load FICHIER --code … --name … "
                "--column …"
            )
        )
        return
    for stored in found:
        indicator, source = stored.indicator, stored.indicator.provenance
        print_text(f"{indicator.code} : {indicator.name}", style="bold")
        summary = _(
            "%(level)s, colonne %(column)s ; %(count)s communes, de %(range)s %(unit)s",
            level=_(_LEVELS[indicator.level]),
            column=stored.column,
            count=len(indicator.values),
            range=_range(indicator.values.values()),
            unit=indicator.unit,
        )
        print_text(f"    {summary}".rstrip())
        print_text(f"    {source.producer}, {source.vintage}, {source.licence}", style="dim")


@app.command(help="Retire un indicateur.")
def remove(
    code: Annotated[str, typer.Argument(help="Code de l'indicateur.")],
    yes: Yes = False,
) -> None:
    """Remove an indicator."""
    confirm(_("Retirer l'indicateur « %(code)s » ?", code=code), yes=yes)
    with report_errors(), transaction(Settings()) as connection:
        removed = stored_indicators.remove(connection, code)
        if removed:
            snapshots.publish(connection)
    print_text(
        _("Indicateur « %(code)s » retiré.", code=code)
        if removed
        else _("Aucun indicateur n'a le code « %(code)s ».", code=code)
    )
    if not removed:
        raise typer.Exit(REFUSED)


def _halves(text: str) -> tuple[str, str]:
    column, _equals, value = text.partition("=")
    return column.strip(), value.strip()


def _range(values: Collection[float]) -> str:
    if not values:
        return ""
    least, most = (figures.exact(float(f"{each:.6g}"), wording()) for each in (min(values), max(values)))
    return _("%(least)s à %(most)s", least=least, most=most)


def _as_json(loaded: LoadedIndicator, version: int | None) -> dict[str, object]:
    indicator = loaded.indicator
    return {
        "file": loaded.file_name,
        "code": indicator.code,
        "name": indicator.name,
        "unit": indicator.unit,
        "level": indicator.level,
        "column": loaded.column,
        "provenance": asdict(indicator.provenance),
        **loaded.summary(),
        "values": dict(indicator.values),
        "issues": [asdict(issue) for issue in loaded.findings.first],
        "dry_run": version is None,
        "snapshot_version": version,
    }


def _print_result(loaded: LoadedIndicator, territory: Territory, version: int | None) -> None:
    indicator, tally = loaded.indicator, loaded.tally
    print_text(
        _(
            "%(file)s : %(name)s (colonne %(column)s, codes de la colonne %(codes)s)",
            file=loaded.file_name,
            name=indicator.name,
            column=loaded.column,
            codes=loaded.area_column,
        ),
        style="bold",
    )
    source = indicator.provenance
    print_text(f"{source.producer}, {source.vintage}, {source.licence}")
    unselected = _(" · non choisies %(count)s", count=count(tally.unselected)) if tally.unselected else ""
    print_text(
        _(
            "Lignes lues %(read)s · acceptées %(accepted)s · hors du territoire %(outside)s%(unselected)s · "
            "rejetées %(rejected)s",
            unselected=unselected,
            **{name: count(getattr(tally, name)) for name in ("read", "accepted", "outside", "rejected")},
        )
    )
    print_findings(loaded.findings)
    _print_aggregation(loaded, territory)
    print_text(
        _(
            "Communes renseignées : %(count)s, de %(range)s %(unit)s",
            count=len(indicator.values),
            range=_range(indicator.values.values()),
            unit=indicator.unit,
        ).rstrip()
    )
    print_text(
        _("Communes sans valeur : %(count)s", count=len(loaded.missing))
        + (f" : {commune_names(list(loaded.missing), territory)}" if loaded.missing else "")
    )
    if version is None:
        print_text(_("Essai : rien n'a été enregistré."), style="bold")
    else:
        print_text(_("Indicateur « %(code)s » enregistré.", code=indicator.code), style="green")


def _print_aggregation(loaded: LoadedIndicator, territory: Territory) -> None:
    """Print how values of IRIS and of former communes became values of communes."""
    if loaded.indicator.level == COMMUNE:
        print_text(_("Valeurs par commune."))
    elif loaded.kind is FigureKind.COUNT:
        print_text(_("Valeurs par IRIS, additionnées par commune."))
    elif loaded.inhabitants_column:
        print_text(
            _(
                "Valeurs par IRIS, moyennes par commune pondérées par la colonne %(column)s.",
                column=loaded.inhabitants_column,
            )
        )
    else:
        print_text(_("Valeurs par IRIS, moyennes simples par commune : le fichier ne dit pas les habitants."))
    combined = loaded.indicator.level == IRIS or bool(loaded.carried)
    if combined and loaded.kind is FigureKind.SCORE:
        print_text(
            _("Médianes, indices ou scores : leur moyenne n'est qu'une approximation."),
            style="yellow",
        )
    if combined and not loaded.kind_asked:
        print_text(_("Nature des valeurs devinée : %(kind)s (--kind la donne).", kind=loaded.kind.value))
    for commune, each in loaded.carried.items():
        name = f"{territory.commune_by_code[commune].name} ({commune})"
        how = _(_HOW[each.weights]) if len(each.codes) > 1 else _("reprise telle quelle")
        print_text(f"    {name} ← {', '.join(each.codes)} : {how}")
