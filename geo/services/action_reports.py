"""Totals of actions, and which of them may be published (`geo.funding.disclosure_control`)."""

from __future__ import annotations

from collections.abc import Iterable

from geo.funding import disclosure_control
from geo.funding.account_sections import persons_of_actions
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action, Total
from geo.territory.model import Territory, TerritoryKind


def is_publishable(
    total: Total,
    kinds: Kinds,
    actions: Iterable[Action],
    territory: Territory,
    *,
    year: int | None,
    commune: str | None,
) -> bool:
    """Whether a total of a commune, or of the département, may be published.

    Parameters
    ----------
    actions
        All actions of the kind of the total, whatever their commune and year.
    year
        Year of the total; None for all years: the total of every year must then be publishable.
    commune
        INSEE code; None for the whole département.
    """
    if not total.secret:
        return True
    kind = kinds[total.kind]
    derived = {each.name: each.of for each in kind.derived}
    measure = derived.get(total.name, total.name)
    place = (
        (TerritoryKind.DEPARTEMENT, territory.code) if commune is None else (TerritoryKind.COMMUNE, commune)
    )
    own = [a for a in actions if a.kind == total.kind and a.commune in territory.own_codes]
    for each in [year] if year is not None else sorted({a.day.year for a in own}):
        published = disclosure_control.published_together(persons_of_actions(own, kind, each), territory)
        if published.get((*place, measure)) is None:
            return False
    return True
