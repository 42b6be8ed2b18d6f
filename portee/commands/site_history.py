"""`portee sites history`: what imports changed in the records of a site, and what became of the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from geo.settings import Settings
from geo.sites.export import format_cell
from geo.sites.record_json import decode
from geo.store import history as stored
from geo.store import sites
from geo.store.history import RecordHistory
from geo.store.sites import SiteEvent
from portee.console import print_json, print_text, report_errors, short_day
from portee.database import transaction
from portee.language import N_, _
from portee.options import AsJson

app = typer.Typer()


@app.command(
    help="Affiche l'histoire d'un lieu, du plus ancien au plus récent : ce que les imports ont changé à ses "
    "fiches, et ce qu'il est devenu (réuni, séparé, tranché, corrigé, fermé, ouvert de nouveau)."
)
def history(
    site_id: Annotated[str, typer.Argument(metavar="ID", help="Identifiant du lieu.")],
    as_json: AsJson = False,
) -> None:
    """Print what imports changed in the records of a site and what became of it, oldest first."""
    with report_errors(), transaction(Settings()) as connection:
        changes = stored.history(connection, site_id)
        events = sites.events(connection, [site_id])
    every: list[RecordHistory | SiteEvent] = [*changes, *events]
    every.sort(key=_moment)
    if as_json:
        print_json([asdict(each) for each in every])
        return
    for each in every:
        what = _change(each) if isinstance(each, RecordHistory) else _event(each)
        print_text(f"{short_day(each.at) if each.at else ''}  {what}")


def _moment(each: RecordHistory | SiteEvent) -> datetime:
    if each.at is None:
        raise ValueError("a stored event has a moment")
    return each.at


def _change(change: RecordHistory) -> str:
    if change.kind in _HAPPENED:
        what = _(_HAPPENED[change.kind])
    else:
        what = f"{change.field} : {_shown(change.before)} → {_shown(change.after)}"
    return f"import {change.import_id} ({change.file_name})  {change.record} : {what}"


def _event(event: SiteEvent) -> str:
    detail = event.detail or {}
    template = _(_EVENTS[event.kind]) if event.kind in _EVENTS else event.kind
    by = f" ({event.author})" if event.author else ""
    return f"{template % _named(detail)}{by}"


def _named(detail: Mapping[str, Any]) -> dict[str, str]:
    """Return what the sentences about events name."""
    name = detail.get("field", "")
    value = decode(name, detail["value"]) if name and detail.get("value") is not None else ""
    same = detail.get("same")
    return {
        **{key: str(detail.get(key) or "?") for key in ("a", "b", "into", "from", "record", "reason")},
        "field": name,
        "value": _shown(value),
        "number": str(detail.get("correction", "")),
        "verdict": _(_VERDICTS[same]) if same is not None else "",
    }


def _shown(value: object) -> str:
    return format_cell(value) or _("inconnu")


_HAPPENED = {"new": N_("nouveau"), "retired": N_("retiré"), "returned": N_("revenu")}
_VERDICTS = {True: N_("même lieu"), False: N_("lieux différents")}
_EVENTS = {
    "created": N_("lieu créé"),
    "merged": N_("réuni avec « %(into)s »"),
    "split": N_("séparé de « %(from)s »"),
    "returned": N_("de retour"),
    "retired": N_("plus aucune source ne le liste"),
    "reused": N_("sa source emploie la fiche « %(record)s » pour un autre lieu"),
    "corrected": N_("correction n° %(number)s : %(field)s = %(value)s, %(reason)s"),
    "correction_ended": N_("correction n° %(number)s terminée : %(field)s"),
    "closed": N_("fermé : %(reason)s"),
    "removed": N_("retiré de la liste : %(reason)s"),
    "opened": N_("ouvert de nouveau"),
    "decided": N_("tranché, %(verdict)s : « %(a)s » et « %(b)s »"),
    "undecided": N_("décision reprise : « %(a)s » et « %(b)s »"),
    "reopened": N_("à trancher de nouveau : « %(a)s » et « %(b)s », %(reason)s"),
}
