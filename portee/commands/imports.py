"""`portee import`: import source files of sites, or show what they would change."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from os.path import commonprefix
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from geo.errors import PorteeError
from geo.services import import_sites
from geo.services.site_register import SiteChanges
from geo.settings import Settings
from geo.sites import issue_report, readers
from geo.sites.corrections import SourceChange
from geo.sites.difference import RecordChange
from geo.sites.model import Issue, ItinerantStop, Severity, SourceRecord
from geo.store import territories
from geo.store.address_locator import locator
from geo.territory.files import read_former_communes
from geo.territory.margin import Margin
from geo.territory.model import Territory
from portee.commands.corrections import print_source_changes, source_change_to_dict
from portee.commands.duplicates import possible_duplicates
from portee.commands.funding_files import write_issues
from portee.commands.people import quoted_line
from portee.console import (
    REFUSED,
    and_others,
    count,
    json_bytes,
    misused,
    print_json,
    print_text,
    reading,
    report_errors,
    write_file,
)
from portee.database import transaction
from portee.language import N_, _, foreign
from portee.options import AsJson

_ROWS = {
    "read": N_("Lignes lues"),
    "accepted": N_("acceptées"),
    "rejected": N_("rejetées"),
    "outside": N_("hors territoire"),
    "flagged": N_("signalées"),
    "repaired": N_("réparées"),
}
_RECORDS = {
    "new": N_("Lieux nouveaux"),
    "changed": N_("modifiés"),
    "unchanged": N_("inchangés"),
    "vanished": N_("disparus"),
}
_SEVERITIES = {
    Severity.REJECTED: (N_("Rejet"), "red"),
    Severity.FLAGGED: (N_("Signalement"), "yellow"),
    Severity.REPAIRED: (N_("Réparation"), ""),
}

DATASET_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

LINES_SHOWN = 3
"""Lines printed for each kind of issue; the report file holds them all."""

RECORDS_SHOWN = 10
"""Records printed of each kind of change; `--json` and the database hold them all."""


@dataclass(frozen=True)
class ImportOutcome:
    """Outcome for one file: stored as a run, or only compared (`run` is None)."""

    prepared: import_sites.PreparedImport
    run: int | None = None
    changes: SiteChanges = field(default_factory=SiteChanges)
    demonstration: tuple[str, ...] = ()
    fund_obstacle: str = ""
    corrections: tuple[SourceChange, ...] = ()

    def counts(self) -> dict[str, int]:
        """Counts of the file; `read == accepted + rejected + outside`."""
        difference = self.prepared.difference
        return {
            **asdict(self.prepared.arrival.validated.tally),
            "new": len(difference.new),
            "changed": len(difference.changed),
            "unchanged": difference.unchanged,
            "vanished": len(difference.vanished),
        }


def import_files(
    files: Annotated[
        list[Path], typer.Argument(metavar="FICHIER...", help="Fichiers sources, importés dans l'ordre.")
    ],
    dataset: Annotated[
        str | None,
        typer.Option(help="Jeu de données des fiches ; par défaut, celui du format du fichier."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Fichier TOML qui associe les colonnes d'un tableur aux champs.")
    ] = None,
    vintage: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Date de la liste, pour les fiches sans date ; par défaut, celle du nom du fichier.",
        ),
    ] = None,
    lenient: Annotated[
        bool,
        typer.Option(
            "--lenient",
            help="Lit aussi un fichier auquel manquent des colonnes de son format : ces valeurs restent "
            "inconnues.",
        ),
    ] = False,
    licence: Annotated[str, typer.Option(help="Licence des fichiers, affichée avec les données.")] = "",
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Montre ce qui changerait, champ par champ, sans rien enregistrer."),
    ] = False,
    margin_km: Annotated[
        float | None,
        typer.Option(
            "--margin-km",
            min=0,
            max=2_000,
            help="Marge autour du territoire, en kilomètres : plus loin, les lieux sont seulement comptés ; "
            "par défaut, celle des réglages.",
        ),
    ] = None,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--all", help="Enregistre aussi les lieux plus lointains ; les pages ne les montrent pas."
        ),
    ] = False,
    accept_vanished: Annotated[
        bool,
        typer.Option(
            "--accept-vanished",
            help="Retire les fiches disparues même si c'est plus de la moitié d'un jeu de données.",
        ),
    ] = False,
    suggest_mapping: Annotated[
        bool,
        typer.Option(
            "--suggest-mapping",
            help="N'importe rien : propose un fichier TOML de correspondance pour ce FICHIER, à relire.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Fichier de la correspondance proposée ; la sortie standard par défaut."
        ),
    ] = None,
    as_json: AsJson = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Écrit tous les problèmes dans ce fichier .csv ou .json (pour un seul FICHIER)."),
    ] = None,
) -> None:
    """Import sites: read, validate, compare with what is in service, store in one transaction.

    Each FILE is stored whole or not at all. The first that is refused ends the command: those
    before it are stored, those after it are not. Exit code 1 when a file is refused or none of
    its records is accepted.
    """
    if report and (len(files) > 1 or report.suffix not in (".csv", ".json")):
        misused(_("donnez un seul FICHIER, et un nom qui finit par .csv ou .json."), "--report")
    if dataset and not DATASET_NAME.fullmatch(dataset):
        misused(_("des minuscules, des chiffres et des traits d'union simples."), "--dataset")
    if suggest_mapping:
        _suggest_mapping(files, output)
        return
    if output:
        misused(_("« --output » ne vaut qu'avec --suggest-mapping."), "--output")
    outcomes: list[ImportOutcome] = []
    refusal: PorteeError | None = None
    with report_errors():
        settings = Settings()
        margin = _margin_km(settings, margin_km, everywhere=everywhere)
        with transaction(settings) as connection:
            territory = territories.load(connection)
        for file in files:
            try:
                arrival = _read(
                    file,
                    settings,
                    territory,
                    dataset=dataset,
                    mapping=mapping,
                    vintage=vintage.date() if vintage else None,
                    lenient=lenient,
                    licence=licence,
                    margin_km=margin,
                )
                with transaction(settings) as connection:
                    outcome = _outcome(
                        connection, arrival, territory, dry_run=dry_run, accept_vanished=accept_vanished
                    )
            except PorteeError as problem:
                refusal = problem
                break
            outcomes.append(outcome)
            if report:
                _write_report(report, outcome)
            if not as_json:
                _print_result(outcome, accept_vanished)
        if as_json and outcomes:
            print_json(_as_json(outcomes, several=len(files) > 1))
        if refusal:
            raise refusal
    if any(o.counts()["rejected"] and not o.counts()["accepted"] for o in outcomes):
        raise typer.Exit(REFUSED)


def _suggest_mapping(files: Sequence[Path], output: Path | None) -> None:
    """Write the draft of a mapping for one file."""
    if len(files) != 1:
        misused(_("donnez un seul FICHIER."), "--suggest-mapping")
    with report_errors():
        draft = readers.suggest_mapping(files[0], max_bytes=Settings().import_max_mb * 1_000_000)
    if output is None:
        typer.echo(draft, nl=False)
        return
    if output.exists():
        misused(_("« %(file)s » existe déjà : il n'est pas remplacé.", file=output), "--output")
    write_file(output, draft.encode(), "--output")
    print_text(
        _("Correspondance écrite dans %(file)s : relisez-la, puis importez avec --mapping.", file=output)
    )


def _margin_km(settings: Settings, given: float | None, *, everywhere: bool) -> float | None:
    """Return the margin of an import in kilometres; None: no limit."""
    if everywhere and given is not None:
        misused(_("--all enregistre tout : ne donnez pas de marge."), "--margin-km")
    if everywhere:
        return None
    return settings.margin_km if given is None else given


def _read(
    file: Path, settings: Settings, territory: Territory, *, margin_km: float | None, **options: Any
) -> import_sites.ValidatedFile:
    with reading(file.name) as advance, transaction(settings) as connection:
        return import_sites.read(
            file,
            territory=territory,
            today=datetime.now(UTC).date(),
            max_bytes=settings.import_max_mb * 1_000_000,
            progress=advance,
            addresses=locator(connection),
            former=read_former_communes(settings.territory_dir, territory.code),
            margin=None if margin_km is None else Margin(territory, margin_km),
            **options,
        )


def _outcome(
    connection: Connection,
    arrival: import_sites.ValidatedFile,
    territory: Territory,
    *,
    dry_run: bool,
    accept_vanished: bool,
) -> ImportOutcome:
    """Store the records of a file, or only compare them."""
    if dry_run:
        leaving = import_sites.leaving_demonstration(connection, arrival).datasets
        return ImportOutcome(import_sites.prepare(connection, arrival), demonstration=leaving)
    loaded = import_sites.apply(connection, arrival, territory=territory, accept_vanished=accept_vanished)
    return ImportOutcome(
        loaded.prepared,
        loaded.run_id,
        loaded.changes,
        loaded.demonstration,
        loaded.fund_obstacle,
        loaded.corrections,
    )


def _as_json(outcomes: list[ImportOutcome], *, several: bool) -> dict[str, Any]:
    """Return the object of one file; for several, summed counts, all issues, and `files`."""
    each = [_file_as_json(outcome) for outcome in outcomes]
    if not several:
        return each[0]
    issues = [{"file": one["file"], **issue} for one in each for issue in one["issues"]]
    return {
        **{name: sum(one[name] for one in each) for name in (*_ROWS, *_RECORDS)},
        "issues": issues,
        "files": each,
    }


def _file_as_json(outcome: ImportOutcome) -> dict[str, Any]:
    arrival, difference = outcome.prepared.arrival, outcome.prepared.difference
    return {
        **outcome.counts(),
        "issues": issue_report.issue_records(arrival.validated.issues),
        "file": arrival.file_name,
        "format": arrival.format,
        "datasets": arrival.datasets,
        "dry_run": outcome.run is None,
        "run": outcome.run,
        "suspicious": str(outcome.prepared.suspicious) if outcome.prepared.suspicious else None,
        "differences": [
            *({"id": record.key, "nom": record.nom, "change": "new"} for record in difference.new),
            *(
                {
                    "id": change.after.key,
                    "nom": change.after.nom,
                    "change": "changed",
                    "fields": [asdict(f) for f in change.fields()],
                }
                for change in difference.changed
            ),
            *({"id": record.key, "nom": record.nom, "change": "vanished"} for record in difference.vanished),
        ],
        "sites": {
            "created": outcome.changes.created,
            "changed": outcome.changes.changed,
            "merged": dict(outcome.changes.merged),
            "retired": outcome.changes.retired,
        },
        "demonstration": outcome.demonstration,
        "questions": [asdict(pair) for pair in outcome.changes.questions],
        "corrections": [source_change_to_dict(each) for each in outcome.corrections],
        "reopened": [{"pair": asdict(pair), "reason": reason} for pair, reason in outcome.changes.reopened],
    }


def _write_report(path: Path, outcome: ImportOutcome) -> None:
    if path.suffix == ".json":
        write_file(path, json_bytes(_file_as_json(outcome)), "--report")
    else:
        write_issues(path, outcome.prepared.arrival.validated.issues)


def _print_result(outcome: ImportOutcome, accept_vanished: bool) -> None:
    """Print the outcome for a file: counts, issues by kind, differences field by field."""
    prepared = outcome.prepared
    arrival, difference = prepared.arrival, prepared.difference
    print_text(f"{arrival.file_name} : {arrival.label} ({arrival.encoding})", style="bold")
    counts = outcome.counts()
    for words in (_ROWS, _RECORDS):
        print_text(" · ".join(f"{_(word)} {count(counts[name])}" for name, word in words.items()))
    _print_issues(arrival.validated.issues)
    _print_records(_("Nouveau"), difference.new)
    _print_changes(difference.changed)
    _print_records(_("Disparu"), difference.vanished)
    _print_site_changes(outcome.changes)
    print_source_changes(outcome.corrections)
    if outcome.demonstration:
        print_text(
            _("La démonstration laisse la place : %(names)s.", names=", ".join(outcome.demonstration)),
            style="yellow",
        )
    if outcome.fund_obstacle:
        print_text(_("Le fonds fictif reste : %(reason)s.", reason=outcome.fund_obstacle), style="yellow")
    if outcome.run is not None:
        print_text(_("Enregistré : import n° %(run)s.", run=outcome.run), style="green")
        return
    if prepared.suspicious and not accept_vanished:
        print_text(foreign(str(prepared.suspicious)), style="yellow")
    print_text(_("Essai : rien n'a été enregistré."), style="bold")


def _print_site_changes(changes: SiteChanges) -> None:
    """Print which sites an import merged, and how many pairs wait for a decision."""
    for merged, into in list(changes.merged.items())[:RECORDS_SHOWN]:
        print_text(_("Réuni : « %(id)s » mène désormais à « %(into)s ».", id=merged, into=into))
    _print_rest(len(changes.merged))
    for _pair, reason in changes.reopened:
        print_text(_("À trancher de nouveau : %(reason)s.", reason=reason), style="yellow")
    if changes.questions:
        pairs = possible_duplicates(len(changes.questions))
        print_text(_("%(pairs)s : voyez « portee sites duplicates ».", pairs=pairs), style="yellow")


def _print_issues(issues: list[Issue]) -> None:
    by_kind: dict[tuple[int, str, str], list[Issue]] = defaultdict(list)
    for issue in issues:
        by_kind[list(Severity).index(issue.severity), issue.code, issue.field or ""].append(issue)
    for _kind, group in sorted(by_kind.items()):
        first = group[0]
        word, style = _SEVERITIES[first.severity]
        quoted = [quoted_line(issue) for issue in group[:LINES_SHOWN]]
        rest = len(group) - LINES_SHOWN
        more = [and_others(rest)] if rest > 0 else []
        where = f" ({first.field})" if first.field else ""
        print_text(f"{_(word)}, {count(len(group))} × {first.code}{where}", style=style)
        print_text(f"    {_shared_reason(group)} {first.advice}")
        print_text(f"    {', '.join([*quoted, *more])}", style="dim")


def _shared_reason(group: list[Issue]) -> str:
    """Return the reason of issues of one kind, without its last detail when that differs between them."""
    reasons = [issue.reason for issue in group]
    shared = commonprefix(reasons).rpartition(" : ")[0]  # noqa: RUF071 - texts, not paths
    return reasons[0] if len(set(reasons)) == 1 or not shared else f"{shared}."


def _print_records(word: str, found: Sequence[SourceRecord]) -> None:
    for record in found[:RECORDS_SHOWN]:
        print_text(f"{word} : {_named(record)}")
    _print_rest(len(found))


def _print_changes(changes: Sequence[RecordChange]) -> None:
    for change in changes[:RECORDS_SHOWN]:
        print_text(_("Modifié : %(site)s", site=_named(change.after)))
        for each in change.fields():
            print_text(f"    {each.field} : {_value(each.before)} → {_value(each.after)}")
    _print_rest(len(changes))


def _named(record: SourceRecord) -> str:
    return f"{', '.join(part for part in (record.nom, record.commune) if part)} [{record.key}]"


def _print_rest(total: int) -> None:
    if total > RECORDS_SHOWN:
        print_text(f"    … {and_others(total - RECORDS_SHOWN)}.")


def _value(value: object) -> str:
    """Return the value of a field as text for people."""
    if value in (None, "", ()):
        return _("(vide)")
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, tuple):
        return " | ".join(_value(each) for each in value)
    if isinstance(value, ItinerantStop):
        return f"{value.place} @ {value.day} {value.hours}"
    return str(value)
