"""`portee import`: source files into the store, with what each would change told first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from os.path import commonprefix
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TaskID

from geo.errors import PorteeError
from geo.services import import_sites
from geo.settings import Settings
from geo.sites import issue_report
from geo.sites.difference import RecordChange
from geo.sites.duplicate_detection import Proposal
from geo.sites.model import Issue, ItinerantStop, Severity, Site
from geo.store import territories
from portee.console import REFUSED, json_bytes, plain, print_json, print_text, progress, report_errors
from portee.database import transaction

_ROWS = {
    "read": "Lignes lues",
    "accepted": "acceptées",
    "rejected": "rejetées",
    "flagged": "signalées",
    "repaired": "réparées",
}
_RECORDS = {
    "new": "Lieux nouveaux",
    "changed": "modifiés",
    "unchanged": "inchangés",
    "vanished": "disparus",
}
_SEVERITIES = {
    Severity.REJECTED: ("Rejet", "red"),
    Severity.FLAGGED: ("Signalement", "yellow"),
    Severity.REPAIRED: ("Réparation", ""),
}

DATASET_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

LINES_SHOWN = 3
"""Lines told for each kind of issue; the report file holds them all."""

RECORDS_SHOWN = 10
"""Records told of each kind of change; `--json` and the database hold them all."""


@dataclass(frozen=True)
class ImportOutcome:
    """What became of one file: stored as a run, or only compared (`run` is None)."""

    prepared: import_sites.PreparedImport
    run: int | None = None
    duplicates: tuple[Proposal, ...] = ()

    def counts(self) -> dict[str, int]:
        """Counts of the file; `read == accepted + rejected`."""
        difference = self.prepared.difference
        return {
            **asdict(self.prepared.arrival.validated.tally),
            "new": len(difference.new),
            "changed": len(difference.changed),
            "unchanged": difference.unchanged,
            "vanished": len(difference.vanished),
        }


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Source files, imported in order.")],
    dataset: Annotated[
        str | None,
        typer.Option(help="Dataset the records belong to; by default, the usual one of the file's format."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="TOML file telling which column of a spreadsheet holds which field.")
    ] = None,
    vintage: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Date of the list, for records that bear none; by default, the one in the file's name.",
        ),
    ] = None,
    licence: Annotated[
        str, typer.Option(help="Licence of the files, named beside the data wherever it is shown.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would change, field by field; store nothing.")
    ] = False,
    accept_vanished: Annotated[
        bool,
        typer.Option("--accept-vanished", help="Retire records even when more than half of a dataset goes."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write every issue to this .csv or .json file (needs one FILE).")
    ] = None,
) -> None:
    """Import sites: read, validate, compare with what is in service, store in one transaction.

    Each FILE is stored whole or not at all. The first that is refused ends the command: those
    before it are stored, those after it are not. Exit code 1 when a file is refused or none of
    its records is accepted.
    """
    if report and (len(files) > 1 or report.suffix not in (".csv", ".json")):
        raise typer.BadParameter(
            "give one FILE, and a name that ends in .csv or .json.", param_hint="--report"
        )
    if dataset and not DATASET_NAME.fullmatch(dataset):
        raise typer.BadParameter("use lower-case letters, digits and single hyphens.", param_hint="--dataset")
    outcomes: list[ImportOutcome] = []
    refusal: PorteeError | None = None
    with report_errors():
        settings = Settings()
        with transaction(settings) as connection:
            territory = territories.load(connection)
        for file in files:
            try:
                with progress() as bars:
                    task = bars.add_task(plain(file.name), total=None)

                    def advance(rows: int, bars: Progress = bars, task: TaskID = task) -> None:
                        bars.update(task, completed=rows)

                    arrival = import_sites.read(
                        file,
                        territory=territory,
                        today=datetime.now(UTC).date(),
                        max_bytes=settings.import_max_mb * 1_000_000,
                        dataset=dataset,
                        mapping=mapping,
                        vintage=vintage.date() if vintage else None,
                        licence=licence,
                        progress=advance,
                    )
                if dry_run:
                    with transaction(settings) as connection:
                        outcome = ImportOutcome(import_sites.prepare(connection, arrival))
                else:
                    with transaction(settings) as connection:
                        loaded = import_sites.apply(
                            connection, arrival, territory=territory, accept_vanished=accept_vanished
                        )
                    outcome = ImportOutcome(loaded.prepared, loaded.run_id, loaded.duplicates)
            except PorteeError as problem:
                refusal = problem
                break
            outcomes.append(outcome)
            if report:
                try:
                    _write_report(report, outcome)
                except OSError as problem:
                    raise typer.BadParameter(f"{problem.strerror}.", param_hint="--report") from problem
            if not as_json:
                _print_result(outcome, accept_vanished)
        if as_json and outcomes:
            print_json(_as_json(outcomes, several=len(files) > 1))
        if refusal:
            raise refusal
    if any(o.counts()["read"] and not o.counts()["accepted"] for o in outcomes):
        raise typer.Exit(REFUSED)


def _as_json(outcomes: list[ImportOutcome], *, several: bool) -> dict[str, Any]:
    """One file: its object. Several: their counts added, their issues in turn, and `files`."""
    told = [_file_as_json(outcome) for outcome in outcomes]
    if not several:
        return told[0]
    issues = [{"file": one["file"], **issue} for one in told for issue in one["issues"]]
    return {
        **{name: sum(one[name] for one in told) for name in (*_ROWS, *_RECORDS)},
        "issues": issues,
        "files": told,
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
            *({"id": site.id, "nom": site.nom, "change": "new"} for site in difference.new),
            *(
                {
                    "id": change.after.id,
                    "nom": change.after.nom,
                    "change": "changed",
                    "fields": [asdict(f) for f in change.fields()],
                }
                for change in difference.changed
            ),
            *({"id": site.id, "nom": site.nom, "change": "vanished"} for site in difference.vanished),
        ],
        "duplicates": [asdict(proposal) for proposal in outcome.duplicates],
    }


def _write_report(path: Path, outcome: ImportOutcome) -> None:
    if path.suffix == ".json":
        path.write_bytes(json_bytes(_file_as_json(outcome)))
    else:
        with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            issue_report.issues_csv(outcome.prepared.arrival.validated.issues, stream)


def _print_result(outcome: ImportOutcome, accept_vanished: bool) -> None:
    """Print what became of a file: counts, issues by kind, differences field by field."""
    prepared = outcome.prepared
    arrival, difference = prepared.arrival, prepared.difference
    print_text(f"{arrival.file_name} : {arrival.label} ({arrival.encoding})", style="bold")
    counts = outcome.counts()
    for counted in (_ROWS, _RECORDS):
        print_text(" · ".join(f"{words} {_count(counts[name])}" for name, words in counted.items()))
    _print_issues(arrival.validated.issues)
    _print_sites("Nouveau", difference.new)
    _print_changes(difference.changed)
    _print_sites("Disparu", difference.vanished)
    if found := len(outcome.duplicates):
        told = "1 doublon possible" if found == 1 else f"{_count(found)} doublons possibles"
        print_text(f"{told} : voyez « portee sites duplicates ».", style="yellow")
    if outcome.run is not None:
        print_text(f"Enregistré : import n° {outcome.run}.", style="green")
        return
    if prepared.suspicious and not accept_vanished:
        print_text(str(prepared.suspicious), style="yellow")
    print_text("Essai : rien n'a été enregistré.", style="bold")


def _print_issues(issues: list[Issue]) -> None:
    by_kind: dict[tuple[int, str], list[Issue]] = defaultdict(list)
    for issue in issues:
        by_kind[list(Severity).index(issue.severity), issue.code].append(issue)
    for _, group in sorted(by_kind.items()):
        first = group[0]
        word, style = _SEVERITIES[first.severity]
        quoted = [f"ligne {i.line}" + (f" « {i.value} »" if i.value else "") for i in group[:LINES_SHOWN]]
        more = [f"et {_count(len(group) - LINES_SHOWN)} autres"] if len(group) > LINES_SHOWN else []
        print_text(f"{word}, {_count(len(group))} × {first.code} ({first.field})", style=style)
        print_text(f"    {_shared_reason(group)} {first.advice}")
        print_text(f"    {', '.join([*quoted, *more])}", style="dim")


def _shared_reason(group: list[Issue]) -> str:
    """The reason of all issues of a kind; without its last detail when that differs between them."""
    reasons = [issue.reason for issue in group]
    shared = commonprefix(reasons).rpartition(" : ")[0]  # noqa: RUF071 - texts, not paths
    return reasons[0] if len(set(reasons)) == 1 or not shared else f"{shared}."


def _print_sites(word: str, sites: Sequence[Site]) -> None:
    for site in sites[:RECORDS_SHOWN]:
        print_text(f"{word} : {_named(site)}")
    _print_rest(len(sites))


def _print_changes(changes: Sequence[RecordChange]) -> None:
    for change in changes[:RECORDS_SHOWN]:
        print_text(f"Modifié : {_named(change.after)}")
        for field in change.fields():
            print_text(f"    {field.field} : {_value(field.before)} → {_value(field.after)}")
    _print_rest(len(changes))


def _named(site: Site) -> str:
    return f"{', '.join(part for part in (site.nom, site.commune) if part)} [{site.id}]"


def _print_rest(total: int) -> None:
    if total > RECORDS_SHOWN:
        print_text(f"    … et {_count(total - RECORDS_SHOWN)} autres.")


def _value(value: object) -> str:
    """A field's value as a reader sees it."""
    if value in (None, "", ()):
        return "(vide)"
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, tuple):
        return " | ".join(_value(each) for each in value)
    if isinstance(value, ItinerantStop):
        return f"{value.place} @ {value.day} {value.hours}"
    return str(value)


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
