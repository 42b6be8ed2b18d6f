"""Commands of `portee sites` that set values over the sources, close sites and open them again."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from geo.errors import InvalidCorrection
from geo.services import correct_sites
from geo.services.correct_sites import ListedCorrection, Places
from geo.services.correction_files import read_corrections
from geo.services.snapshot_view import present_moment
from geo.settings import Settings
from geo.sites.correction_values import WantedCorrection
from geo.sites.corrections import STATUS_FIELD, Correction, SourceChange, State, Status
from geo.sites.export import format_cell
from geo.sites.issue_report import issue_records
from geo.sites.model import Issue
from geo.store import territories
from geo.store.address_locator import locator
from geo.territory.files import read_former_communes
from portee.commands.funding_files import write_issues
from portee.commands.people import quoted_line
from portee.console import REFUSED, and_others, misused, print_json, print_text, report_errors, short_day
from portee.database import transaction
from portee.language import N_, _, foreign, many
from portee.options import ISO_DAY, AsJson, DryRun

app = typer.Typer()

ISSUES_SHOWN = 20

SiteId = Annotated[str, typer.Argument(metavar="ID", help="Identifiant du lieu.")]
Reason = Annotated[str, typer.Option(help="Pourquoi ; gardé dans l'historique.")]
On = Annotated[
    datetime | None,
    typer.Option("--on", formats=ISO_DAY, help="Premier jour où cela vaut ; aujourd'hui par défaut."),
]
Until = Annotated[
    datetime | None,
    typer.Option("--until", formats=ISO_DAY, help="Dernier jour où cela vaut ; sans fin par défaut."),
]


@app.command(
    help="Corrige un lieu : la valeur donnée passe devant celle des sources, et tient à travers les imports."
    "\n\n"
    "Quand une source change ensuite ce champ, « portee sites corrections » le signale."
)
def correct(
    site_id: SiteId,
    reason: Reason,
    phone: Annotated[str | None, typer.Option(help="Numéro de téléphone.")] = None,
    hours: Annotated[str | None, typer.Option(help="Horaires, par exemple « Mo-Fr 09:00-12:00 ».")] = None,
    email: Annotated[str | None, typer.Option(help="Adresses électroniques, séparées par |.")] = None,
    website: Annotated[str | None, typer.Option(help="Adresses web, séparées par |.")] = None,
    address: Annotated[str | None, typer.Option(help="Numéro et voie.")] = None,
    closures: Annotated[
        str | None, typer.Option(help="Fermetures, séparées par |, par exemple « en août » ou « Aug 01-15 ».")
    ] = None,
    fields: Annotated[
        list[str],
        typer.Option("--field", metavar="CHAMP=VALEUR", help="Un autre champ du standard ou des nôtres."),
    ] = [],  # noqa: B006 - Typer reads, never mutates
    clear: Annotated[
        list[str], typer.Option(metavar="CHAMP", help="Dit que la valeur de ce champ n'est pas connue.")
    ] = [],  # noqa: B006
    on: On = None,
    until: Until = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Set values over those of the sources; they stand through every import."""
    named = {
        "telephone": phone,
        "horaires": hours,
        "courriels": email,
        "site_web": website,
        "adresse": address,
        "fermetures": closures,
    }
    values = {name: text for name, text in named.items() if text is not None}
    for each in fields:
        name, equals, text = each.partition("=")
        if not equals:
            misused(_("écrivez CHAMP=VALEUR."), "--field")
        if name in values:
            misused(_("le champ « %(name)s » est donné deux fois.", name=name), "--field")
        values[name] = text
    if empty := [name for name, text in values.items() if not text.strip()]:
        misused(_("pour dire que la valeur n'est pas connue : --clear %(name)s.", name=empty[0]), empty[0])
    if twice := [name for name in clear if name in values]:
        misused(_("le champ « %(name)s » est donné deux fois.", name=twice[0]), "--clear")
    values |= dict.fromkeys(clear, "")
    wanted = WantedCorrection(site_id, values, reason, _day(on), _day(until))
    with report_errors(), transaction(Settings()) as connection, _places(connection) as places:
        made = correct_sites.correct(
            connection,
            [wanted],
            author=getpass.getuser(),
            today=today(),
            places=places,
            dry_run=dry_run,
        )
    _print_made(made, dry_run=dry_run, as_json=as_json)


@app.command(help="Termine une correction : la valeur des sources est montrée de nouveau.")
def uncorrect(
    number: Annotated[int, typer.Argument(metavar="N", help="Numéro de la correction.")],
) -> None:
    """End a correction: the sources' value is shown again."""
    with report_errors(), transaction(Settings()) as connection:
        ended = correct_sites.uncorrect(connection, number, author=getpass.getuser())
    for each in ended:
        print_text(_("Terminée : %(correction)s", correction=_described(each)))


@app.command(
    "corrections",
    help="Liste les corrections en vigueur, à venir et terminées, et dit lesquelles une source contredit "
    "depuis.",
)
def list_corrections(
    site_id: Annotated[str | None, typer.Argument(metavar="ID", help="Seulement celles de ce lieu.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Aussi celles qui sont passées ou terminées.")] = False,
    differing: Annotated[
        bool, typer.Option("--differing", help="Seulement celles dont la source a changé depuis.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List corrections, and say of which ones the sources have changed since."""
    with report_errors(), transaction(Settings()) as connection:
        found = correct_sites.listed(connection, today(), site_id=site_id)
    over = (State.PAST, State.ENDED)
    shown = [
        each
        for each in found
        if (every or each.state not in over) and (not differing or each.change is not None)
    ]
    if as_json:
        print_json([listed_to_dict(each) for each in shown])
        return
    for each in shown:
        name = each.site_name or each.site_id
        print_text(f"{_described(each.correction)} ({_(_STATES[each.state])})  {name} [{each.site_id}]")
        if each.correction.field != STATUS_FIELD:
            print_text(
                "    " + _("la source disait : %(value)s", value=shown_value(each.correction.source_value))
            )
        if each.change:
            print_text("    " + now_said(each.change), style="yellow")
        print_text(
            "    "
            + _("%(author)s : %(reason)s", author=each.correction.author, reason=each.correction.reason)
        )
    print_text(many("%(num)s correction.", "%(num)s corrections.", len(shown)))


@app.command(
    "import-corrections",
    help="Enregistre les corrections d'un fichier CSV ou XLSX : toutes ses lignes, ou aucune."
    "\n\n"
    "Une ligne par lieu : id, les champs corrigés, raison, jusqu_au ; ou une par valeur : id, champ, valeur, "
    "raison, jusqu_au. Une case vide ne corrige rien ; « inconnu » dit que la valeur n'est pas connue. Les "
    "lieux que le fichier ne nomme pas restent tels quels.",
)
def import_corrections(
    file: Annotated[Path, typer.Argument(metavar="FICHIER", help="CSV ou XLSX.")],
    reason: Annotated[str, typer.Option(help="Raison des lignes qui n'en donnent pas.")] = "",
    dry_run: DryRun = False,
    report: Annotated[
        Path | None, typer.Option(help="Écrit tous les problèmes dans ce fichier .csv.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Store the corrections of a file: all of its rows, or none."""
    settings = Settings()
    issues: tuple[Issue, ...] = ()
    made: list[Correction] = []
    with report_errors():
        found = read_corrections(file, max_bytes=settings.import_max_mb * 1_000_000, reason=reason)
        try:
            with transaction(settings) as connection, _places(connection) as places:
                made = correct_sites.correct(
                    connection,
                    found.wanted,
                    author=getpass.getuser(),
                    today=today(),
                    places=places,
                    dry_run=dry_run,
                    known_issues=found.issues,
                    skip_shown=True,
                )
        except InvalidCorrection as problem:
            issues = problem.issues
            if report:
                write_issues(report, issues)
            if as_json:
                print_json(
                    {"file": file.name, "read": found.read, "made": [], "issues": issue_records(issues)}
                )
                raise typer.Exit(REFUSED) from None
            _print_issues(issues)
            raise
    if as_json:
        content = [asdict(each) for each in made]
        print_json({"file": file.name, "read": found.read, "dry_run": dry_run, "made": content, "issues": []})
        return
    print_text(many("%(num)s ligne lue.", "%(num)s lignes lues.", found.read))
    _print_made(made, dry_run=dry_run, as_json=False)


@app.command(help="Ferme un lieu : il n'est plus proposé, sa page dit qu'il est fermé et pourquoi.")
def close(site_id: SiteId, reason: Reason, on: On = None, until: Until = None) -> None:
    """Close a site, for good or until a day."""
    with report_errors(), transaction(Settings()) as connection:
        made = correct_sites.set_status(
            connection,
            site_id,
            Status.CLOSED,
            author=getpass.getuser(),
            reason=reason,
            today=today(),
            day=_day(on),
            until=_day(until),
        )
    print_text(_("Fermé : %(correction)s", correction=_described(made)))


@app.command(help="Retire de la liste un lieu qui n'aurait pas dû y être ; « reopen » le remet.")
def retire(site_id: SiteId, reason: Reason) -> None:
    """Take a site out of the list."""
    with report_errors(), transaction(Settings()) as connection:
        made = correct_sites.set_status(
            connection, site_id, Status.RETIRED, author=getpass.getuser(), reason=reason, today=today()
        )
    print_text(_("Retiré : %(correction)s", correction=_described(made)))


@app.command(help="Ouvre de nouveau un lieu fermé, ou remet dans la liste un lieu retiré.")
def reopen(site_id: SiteId) -> None:
    """Open a closed site again, or put a retired one back in the list."""
    with report_errors(), transaction(Settings()) as connection:
        ended = correct_sites.reopen(connection, site_id, author=getpass.getuser())
    print_text(_("Ouvert de nouveau : « %(id)s ».", id=ended[0].site_id))


def listed_to_dict(each: ListedCorrection) -> dict[str, Any]:
    """Return a correction as JSON, with what has become of it."""
    return {
        **asdict(each.correction),
        "state": each.state,
        "shown_on": each.site_id,
        "site_name": each.site_name,
        "source_now": each.change.value if each.change else each.correction.source_value,
        "source_changed": each.change is not None,
    }


def source_change_to_dict(change: SourceChange) -> dict[str, Any]:
    """Return as JSON what the sources now say of a corrected field."""
    return {**asdict(change.correction), "source_now": change.value, "agrees": change.agrees}


def now_said(change: SourceChange) -> str:
    """Return the sentence that says what the sources say now instead of what they said."""
    if change.agrees:
        return _("la source dit désormais la même chose : la correction peut être terminée.")
    return _("la source dit désormais : %(value)s", value=shown_value(change.value))


def print_source_changes(changes: Sequence[SourceChange]) -> None:
    """Print of which corrections the sources have changed."""
    for each in changes:
        text = f"n° {each.correction.id}, {each.correction.site_id}, {each.correction.field}"
        print_text(_("Correction %(which)s, %(change)s", which=text, change=now_said(each)), style="yellow")


def shown_value(value: object) -> str:
    """Return the value of a field as text."""
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    return format_cell(value) or _("inconnu")


def today() -> date:
    """Return the present day where the sites are."""
    return present_moment().date()


def _described(each: Correction) -> str:
    number = f"n° {each.id}  " if each.id else ""
    what = (
        _(_STATUSES[each.value])
        if each.field == STATUS_FIELD
        else f"{each.field} = {shown_value(each.value)}"
    )
    since = _("depuis le %(day)s", day=short_day(each.day))
    until = _("jusqu'au %(day)s", day=short_day(each.until)) if each.until else ""
    return f"{number}{what}, {since} {until}".rstrip()


_STATES = {
    State.IN_FORCE: N_("en vigueur"),
    State.COVERED: N_("recouverte par une autre"),
    State.TO_COME: N_("à venir"),
    State.PAST: N_("passée"),
    State.ENDED: N_("terminée"),
}
_STATUSES = {Status.CLOSED.value: N_("fermé"), Status.RETIRED.value: N_("retiré de la liste")}


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


@contextmanager
def _places(connection: Connection) -> Iterator[Places]:
    territory = territories.load(connection)
    former = read_former_communes(Settings().territory_dir, territory.code)
    yield Places(territory, locator(connection), former)


def _print_made(made: Sequence[Correction], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json([asdict(each) for each in made])
        return
    for each in made:
        was = _("la source dit : %(value)s", value=shown_value(each.source_value))
        print_text(f"{each.site_id}  {_described(each)} ({was})")
    print_text(
        many("%(num)s valeur corrigée.", "%(num)s valeurs corrigées.", len(made))
        if made
        else _("Rien à changer : ces corrections sont déjà en vigueur.")
    )
    if dry_run:
        print_text(_("Essai : rien n'a été enregistré."), style="bold")


def _print_issues(issues: Sequence[Issue]) -> None:
    for each in issues[:ISSUES_SHOWN]:
        print_text(f"{quoted_line(each)}, {each.field} : {foreign(each.reason)} {foreign(each.advice)}")
    if len(issues) > ISSUES_SHOWN:
        print_text(f"    … {and_others(len(issues) - ISSUES_SHOWN)}.")
