"""The yearly statement of a partner: one page on A4, what it gave, what was added, what became of it.

Sums only, by month: the entries themselves are the ledger's, which is not for all to read. Typst sets
it as it does the report; the same statement gives the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from geo.funding.match_rule import MatchRule, rule_on
from geo.funding.reports import Line
from geo.services.fund_reports import Statement
from geo.wording import dates, figures
from static_maps.funding_pages import leverage, rule_sentence
from static_maps.typeset import typeset

USES_SHOWN: Final = 8


def statement_pdf(statement: Statement) -> bytes:
    """Write a statement.

    Returns
    -------
    A tagged PDF of one page, in French. It claims PDF/UA-1 unless a name has a letter its fonts lack.
    """
    return typeset("statement", contents(statement), day=statement.day)


def contents(statement: Statement) -> dict[str, Any]:
    """What the template shows, all of it words."""
    line, partner = statement.line, statement.partner
    fictif = partner.fictif or line.fictif or statement.fund.fictif
    facts = [partner.kind.label.capitalize()]
    if partner.siret:
        facts.append(f"SIRET {partner.siret}")
    if statement.conventions:
        facts.append("convention " + ", ".join(c.reference for c in statement.conventions))
    return {
        "territory": statement.territory,
        "title": f"Relevé de l'année {statement.year}",
        "partner": partner.name,
        "facts": " · ".join(facts),
        "notice": "Données de démonstration" if fictif else None,
        "created": {"year": statement.day.year, "month": statement.day.month, "day": statement.day.day},
        "figures": [
            {"value": figures.euros(line.contributed_cents), "label": "apporté au fonds"},
            {"value": figures.euros(line.matched_cents), "label": "ajouté par le Département"},
            {
                "value": figures.euros(line.contributed_cents + line.matched_cents),
                "label": "dans le fonds, grâce à vous",
            },
            {"value": leverage(line), "label": "dans le fonds pour chaque euro apporté"},
        ],
        "rules": [rule_sentence(rule) for rule in _in_force(statement.rules, statement.year)],
        "unmatched": _unmatched(line),
        "months": _months(statement),
        "total": [
            "Année",
            *(
                figures.euros(getattr(line, n))
                for n in ("contributed_cents", "matched_cents", "unmatched_cents")
            ),
        ],
        "uses": _uses(statement),
        "sentences": _sentences(statement),
        "footer": f"Établi le {dates.long_date(statement.day)}, d'après le grand livre du fonds ; "
        + ("année close." if statement.closed else "année non close : ces sommes peuvent encore changer."),
    }


def _in_force(rules: Sequence[MatchRule], year: int) -> list[MatchRule]:
    """The rules in force some day of a year, by day."""
    first = rule_on(rules, date(year, 1, 1))
    return [r for r in rules if r == first or r.day.year == year]


def _unmatched(line: Line) -> str:
    if line.unmatched_cents <= 0:
        return ""
    return (
        f"Le plafond de l'année a joué : {figures.euros(line.unmatched_cents)} n'ont pas été abondés. "
        "Ce reste est gardé, et peut l'être quand il y a de nouveau de la place sous le plafond."
    )


def _months(statement: Statement) -> list[list[str]]:
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in statement.received:
        for at, cents in enumerate((each.amount_cents, each.matched_cents, each.unmatched_cents)):
            sums[each.day.month][at] += cents
    return [
        [dates.month(month).capitalize(), *(figures.euros(c) for c in sums[month])] for month in sorted(sums)
    ]


def _uses(statement: Statement) -> list[list[str]]:
    """What the fund did in the year, the largest first; the smallest together."""
    lines = sorted(
        (u for u in statement.uses if u.committed_cents or u.paid_cents),
        key=lambda u: (-u.paid_cents, -u.committed_cents, u.key),
    )
    shown = [(u.name, u.committed_cents, u.paid_cents) for u in lines[:USES_SHOWN]]
    if rest := lines[USES_SHOWN:]:
        shown.append(
            (
                f"Autres lignes ({len(rest)})",
                sum(u.committed_cents for u in rest),
                sum(u.paid_cents for u in rest),
            )
        )
    return [[name, figures.euros(committed), figures.euros(paid)] for name, committed, paid in shown]


def _sentences(statement: Statement) -> list[str]:
    line, whole = statement.line, statement.whole
    found = [
        f"Depuis le début, vous avez apporté {figures.euros(whole.contributed_cents)}, "
        f"auxquels le Département a ajouté {figures.euros(whole.matched_cents)}."
    ]
    if sum(each.amount_cents for each in statement.received) != line.contributed_cents:
        found.append(
            "Des écritures ont été annulées : le détail par mois ne compte que les contributions en vigueur, "
            "le total de l'année compte aussi les annulations qui y sont datées."
        )
    if line.committed_cents or line.paid_cents:
        found.append(
            f"Pour vos propres actions, le fonds a engagé {figures.euros(line.committed_cents)} "
            f"et payé {figures.euros(line.paid_cents)} en {statement.year}."
        )
    return found
