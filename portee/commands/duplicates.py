"""`portee sites duplicates`, `decide`, `decide-all`, `undecide`: which records are one place."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from geo.services import decide_sites
from geo.services.decide_sites import BulkDecision
from geo.settings import Settings
from geo.sites.export import format_cell
from geo.sites.model import SiteValues, SourceRecord
from geo.sites.record_json import values_to_json
from geo.store import record_pairs, records, territories
from geo.store.record_pairs import RecordPair
from portee.console import decimal, misused, print_json, print_table, print_text, report_errors
from portee.database import transaction
from portee.language import N_, _, many
from portee.options import AsJson, DryRun

app = typer.Typer()

COMPARED: Final = (
    "nom",
    "adresse",
    "code_postal",
    "commune",
    "telephone",
    "courriels",
    "site_web",
    "horaires",
    "services",
    "structure_parente",
    "pivot",
    "date_maj",
)
"""Fields of both records shown side by side; `--json` has all."""

PAIRS_SHOWN = 20

_A = Annotated[str, typer.Argument(help="Identifiant d'un lieu ou d'une fiche.")]
_B = Annotated[str, typer.Argument(help="Identifiant de l'autre lieu ou de l'autre fiche.")]
_Same = Annotated[bool, typer.Option("--same/--different", help="Si c'est un même lieu.", show_default=False)]


@app.command(
    help="Liste les paires de fiches qui pourraient être un même lieu, meilleur score d'abord, et ce que "
    "dit chacune."
)
def duplicates(
    every: Annotated[bool, typer.Option("--all", help="Aussi les paires déjà tranchées ou réunies.")] = False,
    merged: Annotated[
        bool,
        typer.Option(
            "--merged", help="Seulement les paires réunies sans décision, parce que c'est presque certain."
        ),
    ] = False,
    limit: Annotated[
        int, typer.Option(min=0, help="Nombre maximal de paires ; 0 pour toutes.")
    ] = PAIRS_SHOWN,
    as_json: AsJson = False,
) -> None:
    """List pairs of records that may be one place, best score first, with what each says."""
    if every and merged:
        misused(_("donnez --all ou --merged, pas les deux."), "--merged")
    with report_errors(), transaction(Settings()) as connection:
        known = record_pairs.all_pairs(connection)
        waiting = decide_sites.open_questions(connection)
        site_of = records.sites_of_records(connection)
        in_service = records.in_service(connection)
    if merged:
        pairs = [p for p in known if p.same is None and p.joins and site_of.get(p.a) == site_of.get(p.b)]
    else:
        pairs = known if every else waiting
    if as_json:
        print_json([_pair_to_dict(pair, site_of, in_service) for pair in pairs])
        return
    for pair in pairs[:limit] if limit else pairs:
        _print_pair(pair, site_of, in_service, waiting=pair in waiting)
    if merged:
        print_text(
            _(
                "%(pairs)s. Pour les séparer : portee sites decide A B --different.",
                pairs=many("%(num)s paire réunie", "%(num)s paires réunies", len(pairs)),
            )
        )
        return
    print_text(
        _(
            "%(pairs)s. Pour trancher : portee sites decide A B --same (ou --different).",
            pairs=possible_duplicates(len(waiting)),
        )
    )


@app.command(
    help="Décide si deux lieux, ou deux fiches, sont un même lieu. Les imports respectent la "
    "décision ; une autre la remplace."
)
def decide(a: _A, b: _B, same: _Same) -> None:
    """Decide whether two records are one place. Imports respect the decision; another one replaces it."""
    with report_errors(), transaction(Settings()) as connection:
        epsg = territories.load(connection).metric_crs
        decision = decide_sites.decide(connection, a, b, same=same, by=getpass.getuser(), epsg=epsg)
    print_text(
        _("Même lieu : « %(id)s ». Les deux adresses y mènent.", id=decision.shown)
        if decision.shown
        else _("Lieux différents : les deux sont montrés.")
    )


@app.command(
    "decide-all",
    help="Décide d'un coup toutes les paires qui attendent et dont le score est dans des limites. Les "
    "décisions déjà prises restent.",
)
def decide_all(
    same: _Same,
    min_score: Annotated[float, typer.Option(min=0, max=100, help="Plus petit score décidé.")],
    max_score: Annotated[float, typer.Option(min=0, max=100, help="Plus grand score décidé.")] = 100,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Decide at once all pairs that wait and whose score lies between limits."""
    with report_errors(), transaction(Settings()) as connection:
        epsg = territories.load(connection).metric_crs
        done = decide_sites.decide_all(
            connection,
            same=same,
            by=getpass.getuser(),
            epsg=epsg,
            min_score=min_score,
            max_score=max_score,
            dry_run=dry_run,
        )
        in_service = records.in_service(connection)
    if as_json:
        print_json(_bulk_to_dict(done))
        return
    for pair in done.pairs:
        score = _("%(score)s sur 100", score=decimal(pair.score))
        print_text(f"{score}  {_named(in_service[pair.a])}  /  {_named(in_service[pair.b])}")
    _print_changes(done)
    print_text(many("%(num)s paire décidée.", "%(num)s paires décidées.", len(done.pairs)))
    if dry_run:
        print_text(_("Essai : rien n'a été enregistré."), style="bold")


@app.command(
    help="Reprend une décision : les deux fiches sont comparées comme si elle n'avait pas été prise."
)
def undecide(a: _A, b: _B, as_json: AsJson = False) -> None:
    """Take a decision back: both records are matched as if it never was."""
    with report_errors(), transaction(Settings()) as connection:
        epsg = territories.load(connection).metric_crs
        done = decide_sites.undecide(connection, a, b, by=getpass.getuser(), epsg=epsg)
    if as_json:
        print_json(_bulk_to_dict(done))
        return
    _print_changes(done)
    print_text(many("%(num)s décision reprise.", "%(num)s décisions reprises.", len(done.pairs)))


def possible_duplicates(number: int) -> str:
    """Return a number of pairs of records that may be one place."""
    return many("%(num)s doublon possible", "%(num)s doublons possibles", number)


_DECISIONS = {True: N_("même lieu"), False: N_("lieux différents")}


def _print_pair(
    pair: RecordPair,
    site_of: Mapping[str, str],
    in_service: Mapping[str, SourceRecord],
    *,
    waiting: bool,
) -> None:
    decision = "" if waiting else f" : {_(_DECISIONS[pair.joins])}"
    if not waiting and pair.decided_by:
        decision += f" ({pair.decided_by})"
    score = _("%(score)s sur 100", score=decimal(pair.score))
    print_text(f"{score}, {', '.join(pair.reasons)}{decision}", style="bold")
    for key in (pair.a, pair.b):
        print_text(f"    {_named(in_service[key])} [{key}] → {site_of.get(key, '')}")
    cells = [
        (name, format_cell(getattr(in_service[pair.a], name)), format_cell(getattr(in_service[pair.b], name)))
        for name in COMPARED
    ]
    if differing := [row for row in cells if row[1] != row[2]]:
        print_table((_("champ"), pair.a, pair.b), differing)
    print_text("")


def _pair_to_dict(
    pair: RecordPair, site_of: Mapping[str, str], in_service: Mapping[str, SourceRecord]
) -> dict[str, Any]:
    keys = (pair.a, pair.b)
    return {
        **asdict(pair),
        "sites": {key: site_of.get(key) for key in keys},
        "records": {key: values_to_json(in_service[key]) for key in keys},
    }


def _bulk_to_dict(done: BulkDecision) -> dict[str, Any]:
    return {
        "pairs": [asdict(pair) for pair in done.pairs],
        "merged": dict(done.changes.merged),
        "created": done.changes.created,
        "changed": done.changes.changed,
        "retired": done.changes.retired,
    }


def _print_changes(done: BulkDecision) -> None:
    for old, new in done.changes.merged.items():
        print_text(_("Réuni : « %(id)s » mène désormais à « %(into)s ».", id=old, into=new))
    _print_ids(_("Lieux créés ou séparés"), done.changes.created)


def _print_ids(title: str, ids: Sequence[str]) -> None:
    if ids:
        print_text(f"{title} : {', '.join(ids)}")


def _named(site: SiteValues) -> str:
    return ", ".join(part for part in (site.nom, site.commune) if part)
