"""Refusals of the passes' triggers, translated to French; and those that need no database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from geo.errors import RefusedPasses
from geo.funding.passes import Event, EventKind
from geo.wording import dates

REFUSED: Final = "PASS1"
"""SQLSTATE of refusals by `geo/store/sql/pass_guards.sql`."""


def require_complete(event: Event) -> None:
    """Require the fields that an event of its kind needs.

    Raises
    ------
    RefusedPasses
        If one is missing.
    """
    missing = (
        "de référence"
        if not event.reference.strip()
        else "de nombre de pass"
        if not event.count
        else "d'événement corrigé"
        if event.count < 0 and not event.corrects
        else "de nombre négatif, alors qu'il corrige"
        if event.count > 0 and event.corrects
        else "de commune"
        if event.kind is EventKind.GIVEN and not event.commune
        else "de lieu"
        if event.kind in (EventKind.USED, EventKind.REIMBURSED) and not event.site
        else ""
    )
    if missing:
        raise RefusedPasses(
            f"L'événement {event.reference} n'a pas {missing}.", "Complétez-le.", reference=event.reference
        )


@contextmanager
def refusals(connection: Connection) -> Iterator[None]:
    """Open a savepoint, rolled back when the database refuses; raise the refusal in French.

    Raises
    ------
    RefusedPasses
        If a trigger of the passes refuses, or a reference was used meanwhile.
    """
    try:
        with connection.begin_nested():
            yield
    except DBAPIError as problem:
        refusal = _as_refusal(problem.orig)
        if refusal is None:
            raise
        raise refusal from problem


def _as_refusal(problem: BaseException | None) -> RefusedPasses | None:
    """Translate an error of the driver; None if it is not a refusal."""
    if isinstance(problem, psycopg.errors.UniqueViolation):
        return RefusedPasses(
            "Une référence vient d'être employée par un autre envoi.",
            "Recommencez : ce qui est déjà enregistré ne comptera pas deux fois.",
        )
    if not isinstance(problem, psycopg.Error) or problem.sqlstate != REFUSED:
        return None
    facts = json.loads(problem.diag.message_detail or "{}")
    return _RULES[facts["rule"]](facts)


def _wrong_day(facts: Mapping[str, Any]) -> RefusedPasses:
    day, begins, ends = (
        f"{dates.long_date(date.fromisoformat(facts[k]))}" for k in ("day", "ordered_on", "expires_on")
    )
    kind = EventKind(facts["kind"]).label
    return RefusedPasses(
        f"L'événement {facts['reference']} est du {day} : des pass {kind} ne le peuvent pas être ce jour-là, "
        f"la commande {facts['order']} étant du {begins} et valable jusqu'au {ends}.",
        "Corrigez la date ou la commande.",
        reference=facts["reference"],
    )


def _wrong_correction(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"L'événement {facts['reference']} ne peut corriger {facts['corrected']} "
        f"({facts['count']} pass, {facts['taken']} retirés en tout).",
        "Une correction a les mêmes commande, nature, date, commune, partenaire et lieu que ce qu'elle "
        "corrige, n'en retire pas plus que son nombre, et ne se corrige pas elle-même.",
        reference=facts["reference"],
    )


def _more_than_ordered(facts: Mapping[str, Any]) -> RefusedPasses:
    left = facts["ordered"] - facts["given"]
    return RefusedPasses(
        f"La commande {facts['order']} est de {facts['ordered']} pass, dont {facts['given']} déjà donnés : "
        f"il en reste {left}, et non {facts['asked']}.",
        "Vérifiez le nombre, ou enregistrez la commande suivante.",
    )


def _more_than_given(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"Au {dates.long_date(date.fromisoformat(facts['day']))}, {facts['gone']} pass de la commande "
        f"{facts['order']} seraient utilisés ou expirés, pour {facts['given']} donnés ; "
        f"avant cet envoi il en restait {facts['remaining']} à utiliser, toutes dates confondues.",
        "Vérifiez nombres et dates ; si des pass ont été dits expirés à tort, corrigez d'abord cela.",
    )


def _more_than_used(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"Le lieu {facts['site']} serait remboursé de {facts['reimbursed']} pass de la commande "
        f"{facts['order']}, pour {facts['used']} utilisés.",
        "Enregistrez d'abord les pass utilisés, ou corrigez le nombre.",
    )


def _wrong_funders(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"Les financeurs de la commande {facts['reference']} ne sont pas tous connus, ou ne paient pas "
        f"ses {facts['count']} pass.",
        "Enregistrez d'abord les partenaires, et donnez à chacun ses pass.",
    )


def _not_rewritable(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"La table {facts['table']} ne se réécrit pas.", "Enregistrez une correction : un événement négatif."
    )


_RULES: Final[Mapping[str, Callable[[Mapping[str, Any]], RefusedPasses]]] = {
    "day": _wrong_day,
    "correction": _wrong_correction,
    "ordered": _more_than_ordered,
    "given": _more_than_given,
    "used": _more_than_used,
    "funders": _wrong_funders,
    "append-only": _not_rewritable,
    "summed": _not_rewritable,
}


def duplicate_reference(reference: str) -> RefusedPasses:
    """Return the refusal of a reference that another event has."""
    return RefusedPasses(
        f"La référence {reference} est déjà celle d'un autre événement.",
        "Donnez une autre référence, ou enregistrez une correction de cet événement.",
        reference=reference,
    )


def unknown_order(event: Event) -> RefusedPasses:
    """Return the refusal of an event whose order does not exist."""
    return RefusedPasses(
        f"L'événement {event.reference} nomme la commande « {event.order} », qui n'existe pas.",
        "Enregistrez d'abord la commande : portee passes order.",
        reference=event.reference,
    )
