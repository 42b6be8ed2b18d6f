"""Records made from the cells of a row: what rows may refer to, and checks that need a whole row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

from geo.funding import actions, partners, passes
from geo.funding.action_kinds import Kinds
from geo.funding.ledger import Commitment, Contribution, Level, Payment
from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole
from geo.funding.passes import Event, EventKind, Order
from geo.funding.template_columns import Template
from geo.people.tables import quoted
from geo.sites.commune_names import normalized_commune_name
from geo.territory.model import Territory
from geo.wording import dates

Record = (
    Partner | SiteLink | Convention | Contribution | Commitment | Payment | Order | Event | actions.Action
)
"""What a row may be read as."""


@dataclass(frozen=True)
class RowReferences:
    """What rows may refer to."""

    territory: Territory
    partners: Collection[str]
    sites: Collection[str]
    orders: Mapping[str, Order]
    kinds: Kinds

    @cached_property
    def communes(self) -> dict[str, list[str]]:
        """Codes of communes by folded name: the territory's own, else its neighbours'."""
        found: dict[str, list[str]] = {}
        for commune in self.territory.communes:
            found.setdefault(normalized_commune_name(commune.name), []).append(commune.code)
        own = set(found)
        for commune in self.territory.context:
            if (name := normalized_commune_name(commune.name)) not in own:
                found.setdefault(name, []).append(commune.code)
        return found


class RowFault(Exception):
    """A row is wrong as a whole: the column to show it at; code, reason and advice as arguments."""

    def __init__(self, name: str, *finding: str) -> None:
        super().__init__(*finding)
        self.name = name


Values = dict[str, Any]
"""Parsed cells of a row by the name of their column; None: empty."""


@dataclass(frozen=True)
class RowContext:
    """What rows of one file are checked against."""

    template: Template
    references: RowReferences
    today: date


def build_record(values: Values, context: RowContext) -> Record:
    """Build the record of a row of any kind but actions, from its parsed cells.

    Raises
    ------
    RowFault, PorteeError
        If its cells contradict each other, or what they refer to.
    """
    return _BUILDERS[context.template.kind](values, context)


def record_key(template: Template, record: Record) -> tuple[object, ...]:
    """Return the fields that identify a record among those of its kind."""
    return tuple(getattr(record, _KEY_FIELDS.get(name, name)) for name in template.key)


def _partner(v: Values, _: RowContext) -> Record:
    return partners.checked(
        Partner(
            code=v["code"],
            name=v["name"],
            kind=PartnerKind(v["kind"]),
            siret=(v["siret"] or "").replace(" ", ""),
            contact_role=v["contact_role"] or "",
            website=v["website"] or "",
            note=v["note"] or "",
            network_from=v["network_from"],
            network_to=v["network_to"],
            fictif=bool(v["fictif"]),
        )
    )


def _link(v: Values, _: RowContext) -> Record:
    return SiteLink(v["partner"], v["site"], SiteRole(v["role"]))


def _convention(v: Values, _: RowContext) -> Record:
    return partners.checked_convention(Convention(v["partner"], v["year"], v["reference"], v["note"] or ""))


def _contribution(v: Values, _: RowContext) -> Record:
    return Contribution(
        reference=v["reference"],
        day=v["day"],
        amount_cents=v["amount"],
        partner_code=v["partner"],
        level=Level(v["level"]),
        commune=v["commune"],
        memo=v["memo"] or "",
        fictif=bool(v["fictif"]),
    )


def _commitment(v: Values, _: RowContext) -> Record:
    return Commitment(
        reference=v["reference"],
        day=v["day"],
        amount_cents=v["amount"],
        action_line=v["action_line"],
        partner_code=v["partner"],
        commune=v["commune"],
        site_id=v["site"],
        memo=v["memo"] or "",
        fictif=bool(v["fictif"]),
    )


def _payment(v: Values, _: RowContext) -> Record:
    return Payment(
        reference=v["reference"],
        day=v["day"],
        amount_cents=v["amount"],
        commitment=v["commitment"],
        partner_code=v["partner"],
        commune=v["commune"],
        site_id=v["site"],
        memo=v["memo"] or "",
        fictif=bool(v["fictif"]),
    )


def _pass_order(v: Values, context: RowContext) -> Record:
    if unknown := [code for code, _ in v["funders"] if code not in context.references.partners]:
        raise RowFault(
            "funders",
            "partenaire_inconnu",
            f"Aucun partenaire ne porte le code {quoted(unknown)}.",
            "Enregistrez d'abord le partenaire.",
        )
    order = Order(
        reference=v["reference"],
        day=v["day"],
        count=v["count"],
        expires_on=v["expires_on"],
        funders=v["funders"],
        face_value_cents=v["value"] or passes.FACE_VALUE_CENTS,
        note=v["note"] or "",
        fictif=bool(v["fictif"]),
    )
    passes.require_order(order)
    return order


def _event(v: Values, context: RowContext) -> Record:
    event = Event(
        v["reference"],
        v["order"],
        EventKind(v["kind"]),
        v["day"],
        v["count"],
        v["commune"] or "",
        v["partner"] or "",
        v["site"] or "",
        v["corrects"] or "",
    )
    kind, day, order = event.kind, event.day, context.references.orders[event.order]
    if day > context.today or day < order.day:
        reason = (
            "Ce jour n'est pas encore venu."
            if day > context.today
            else f"La commande n'a été passée que le {dates.long_date(order.day)}."
        )
        raise RowFault("day", "date_impossible", reason, "Corrigez la date ou la commande.")
    if (day > order.expires_on) != (kind is EventKind.EXPIRED) and kind is not EventKind.REIMBURSED:
        reason = f"Le dernier jour de ces pass est le {dates.long_date(order.expires_on)}."
        raise RowFault("day", "date_impossible", reason, "Corrigez la date ou la commande.")
    if event.count == 0 or (event.count < 0) != bool(event.corrects):
        raise RowFault(
            "count",
            "correction_incomplete",
            "Un nombre de pass est au-dessus de zéro, ou négatif s'il corrige un événement.",
            "Nommez l'événement corrigé dans la colonne Corrige, et donnez un nombre négatif.",
        )
    for name, needed in (
        ("commune", kind is EventKind.GIVEN),
        ("site", kind in (EventKind.USED, EventKind.REIMBURSED)),
        ("commitment", kind is EventKind.REIMBURSED),
    ):
        if needed and not v[name]:
            reason = f"Des pass {kind.label} demandent : {context.template.heading(name)}."
            raise RowFault(name, "valeur_absente", reason, "Complétez la ligne.")
    return event


_BUILDERS: Final[Mapping[str, Callable[[Values, RowContext], Record]]] = {
    "partners": _partner,
    "partner-sites": _link,
    "conventions": _convention,
    "contributions": _contribution,
    "commitments": _commitment,
    "payments": _payment,
    "pass-orders": _pass_order,
    "pass-events": _event,
}

_KEY_FIELDS: Final = {"partner": "partner_code", "site": "site_id"}
