"""Pages of the fund, of the network and of a territory's account, rendered from frozen results.

Each page is self-contained: no script, no external resource.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import shapely
from markupsafe import Markup
from shapely import Geometry

from geo.crs import WGS84, reproject
from geo.funding.account_model import Section, TerritoryAccount
from geo.funding.ledger import Balance
from geo.funding.match_rule import MatchRule
from geo.funding.reports import UNPLACED, By, FundReport, Line
from geo.services.fund_reports import Fund, Member
from geo.snapshot import Snapshot
from geo.territory.model import Grouping, Territory, TerritoryKind
from geo.wording import dates, figures
from static_maps import charts
from static_maps.coverage_map import TEMPLATES, WrittenPage
from static_maps.csp import content_security_policy
from static_maps.page_shell import SHELL_STYLE, TOKENS, PageShell, french_shell
from static_maps.style import HIGHLIGHT, MONEY_COLOURS

POLICY: Final = content_security_policy(styles=[SHELL_STYLE], submits=True)
MEASURES: Final = {
    "contributed_cents": "Contributions",
    "matched_cents": "Abondement",
    "unmatched_cents": "Reste non abondé",
    "committed_cents": "Engagé",
    "paid_cents": "Payé",
    "available_cents": "Disponible",
}
ACTIONS_SHOWN: Final = 20
"""Latest actions of a partner that the page of the network lists."""
SMALLER: Final = (TerritoryKind.COMMUNE, TerritoryKind.CANTON, TerritoryKind.EPCI)


def _page(name: str, snapshot: Snapshot, *, entry: str, fictif: bool, **values: Any) -> WrittenPage:
    html = TEMPLATES.get_template(name).render(
        snapshot=snapshot,
        place=snapshot.territory.name,
        policy=POLICY,
        shell=french_shell(snapshot, entry, fictitious=fictif),
        **values,
    )
    return WrittenPage(html, POLICY)


def refused_page(
    title: str, problems: Sequence[str], *, entry: str = "", again: str = "", territory: str = ""
) -> WrittenPage:
    """The page that says why a question has no answer, one sentence for each problem.

    Parameters
    ----------
    entry
        Key in the menu of the page asked for.
    again
        Address of the page without its question; "" if there is none.
    """
    shell = PageShell(entry=entry, territory=territory)
    html = TEMPLATES.get_template("refused.html").render(
        title=title, problems=problems, again=again, policy=POLICY, shell=shell
    )
    return WrittenPage(html, POLICY)


# --- the fund


def rule_sentence(rule: MatchRule) -> str:
    """A rule of the match as a sentence: « À partir du 1er janvier 2026, 1 € … »."""
    rate = figures.exact(rule.rate_bp / 10_000)
    ceiling = (
        "sans plafond"
        if rule.ceiling_cents is None
        else f"dans la limite de {figures.euros(rule.ceiling_cents)} par année"
    )
    return (
        f"À partir du {dates.long_date(rule.day)}, pour chaque euro d'un partenaire, "
        f"le Département ajoute {rate} €, {ceiling}."
    )


def fund_page(snapshot: Snapshot, fund: Fund, *, fictif: bool, day: date) -> WrittenPage:
    """The page of the fund."""
    tables = [
        ("partenaires", "Par partenaire", fund.reports[By.PARTNER]),
        ("sources", "Par source", fund.reports[By.LEVEL]),
        ("lignes", "Par ligne d'action", fund.reports[By.LINE]),
        ("territoires", "Par territoire", fund.reports[fund.kind]),
    ]
    whole = fund.by_year.total
    return _page(
        "fund.html",
        snapshot,
        title="Le fonds",
        heading="Le fonds d'inclusion numérique",
        entry="fund",
        fictif=fictif,
        fund=fund,
        day=day,
        whole=whole,
        rules=[rule_sentence(rule) for rule in fund.rules],
        years=sorted((int(line.key) for line in fund.by_year.lines), reverse=True),
        kinds=list(TerritoryKind),
        tables=[
            (
                code,
                title,
                [(line, table_row(code, line)) for line in _lines(report, code)],
                report,
                columns(code),
            )
            for code, title, report in tables
        ],
        yearly=[(line, table_row("annees", line)) for line in fund.by_year.lines],
        year_columns=columns("annees"),
        parts=(where := parts(fund.balance)),
        bar=Markup(bar(where)),  # noqa: S704 - numbers only
        measures=MEASURES,
        leverage=leverage,
        unplaced=UNPLACED,
    )


def _lines(report: FundReport, table: str) -> list[Line]:
    """Lines of which the table has something to say."""
    return [line for line in report.lines if any(getattr(line, name) for name in columns(table))]


def columns(table: str) -> list[str]:
    """Return the measures of a table: receipts have no action line, expenses no source."""
    if table == "sources":
        return ["contributed_cents", "matched_cents", "unmatched_cents"]
    if table == "lignes":
        return ["committed_cents", "paid_cents"]
    if table == "territoires":
        return ["contributed_cents", "committed_cents", "paid_cents"]
    if table == "annees":
        return list(MEASURES)
    return [name for name in MEASURES if name != "available_cents"]


def table_row(table: str, line: Line) -> list[str]:
    """Write the sums of a line, in the order of the columns of a table."""
    return [figures.euros(getattr(line, name)) for name in columns(table)]


def leverage(line: Line) -> str:
    """Euros in the fund for each euro of a partner: « 2 € »; a dash without contributions."""
    found = line.leverage
    return figures.NO_FIGURE if found is None else figures.euros(float(found) * 100)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the fund's money: where it is, how much, which share, and its colour."""

    label: str
    cents: int
    share: str
    colour: str


def parts(balance: Balance) -> list[Part]:
    """Where all the money of the fund is: paid, set aside, available; nothing when there is none."""
    found = (
        ("payé", balance.paid_cents),
        ("engagé, pas encore payé", balance.committed_cents),
        ("disponible", balance.available_cents),
    )
    whole = sum(cents for _, cents in found)
    if not whole:
        return []
    shares = figures.percents([cents for _, cents in found])
    return [
        Part(label, cents, share, colour)
        for (label, cents), share, colour in zip(found, shares, MONEY_COLOURS, strict=True)
    ]


def bar(found: Sequence[Part]) -> str:
    """The parts as one bar, whose words stand in the list below it."""
    whole, drawn, at = sum(part.cents for part in found), [], 0.0
    for part in found:
        share = 760 * part.cents / whole
        drawn.append(
            f'<rect x="{at:.1f}" y="0" width="{share:.1f}" height="30" fill="{part.colour}" '
            f'stroke="{charts.INK}" stroke-opacity=".5"/>'
        )
        at += share
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" aria-hidden="true" viewBox="0 0 760 30" '
        f'preserveAspectRatio="none">{"".join(drawn)}</svg>'
    )


# --- the network


def network_page(snapshot: Snapshot, found: Sequence[Member], *, day: date, fictif: bool) -> WrittenPage:
    """The page of the network: members on a day first, then the other partners."""
    return _page(
        "network.html",
        snapshot,
        title="Le réseau",
        heading="Le réseau d'inclusion numérique",
        entry="network",
        fictif=fictif,
        day=day,
        members=[m for m in found if m.partner.is_member(day)],
        others=[m for m in found if not m.partner.is_member(day)],
        shown=ACTIONS_SHOWN,
    )


# --- the account of a territory


def territory_page(
    snapshot: Snapshot,
    account: TerritoryAccount,
    *,
    years: Sequence[int],
    shape: str,
    deserts: Sequence[str] = (),
) -> WrittenPage:
    """The page of an account.

    Parameters
    ----------
    years
        Those a reader may choose.
    shape
        The territory in its département, as `locator` draws it.
    deserts
        A sentence for each of its communes where passes were given and none can be used near enough.
    """
    group = snapshot.territory.find(account.code, account.kind)
    return _page(
        "territory.html",
        snapshot,
        title=f"{account.name} : compte {account.year}",
        heading=f"{account.name} : compte {account.year}",
        entry="territories",
        fictif=account.fictif,
        account=account,
        kind=account.kind,
        usual=usual,
        sentences=[s for s in account.summary if not s.startswith("Données de démonstration")],
        larger=larger(snapshot.territory, group),
        smaller=smaller(snapshot.territory, group),
        years=years,
        deserts=deserts,
        shape=Markup(shape),  # noqa: S704 - numbers only
    )


def usual(section: Section) -> tuple[date, str]:
    """Return the date and source that most figures of a section share, written once above them."""
    [(found, _)] = Counter((f.day, f.source) for f in section.figures).most_common(1)
    return found


def larger(territory: Territory, group: Grouping) -> list[Grouping]:
    """The territories that hold all of one, the smallest first."""
    inside = set(group.communes)
    return [
        each
        for each in sorted(territory.groupings, key=lambda g: (len(g.communes), g.code))
        if inside <= set(each.communes) and (each.kind, each.code) != (group.kind, group.code)
    ]


def smaller(territory: Territory, group: Grouping) -> list[tuple[TerritoryKind, list[Grouping]]]:
    """The territories within one, by kind and name; communes last."""
    if group.kind is TerritoryKind.COMMUNE:
        return []
    inside = set(group.communes)
    found = []
    for kind in (TerritoryKind.EPCI, TerritoryKind.CANTON, TerritoryKind.COMMUNE):
        within = [
            g for g in territory.groupings_of(kind) if set(g.communes) <= inside and kind is not group.kind
        ]
        if within:
            found.append((kind, sorted(within, key=lambda g: g.name)))
    return found


def locator(territory: Territory, group: Grouping) -> str:
    """Where a territory lies in its département, as a small drawing without words."""
    whole = next(territory.groupings_of(TerritoryKind.DEPARTEMENT)).boundary
    shapes = reproject([whole, group.boundary], source=WGS84, target=territory.metric_crs)
    west, south, east, north = shapely.total_bounds(shapes[:1])
    step = max(east - west, north - south) / 300
    size = f"{(east - west) / step + 4:.0f} {(north - south) / step + 4:.0f}"

    def path(shape: Geometry) -> str:
        lines = []
        for ring in shapely.get_rings(shapely.get_parts(shapely.simplify(shape, step))):
            xy = shapely.get_coordinates(ring)
            points = np.column_stack([(xy[:, 0] - west) / step + 2, (north - xy[:, 1]) / step + 2])
            lines.append("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) + "Z")
        return "".join(lines)

    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
        'aria-hidden="true" fill-rule="evenodd">'
        f'<path d="{path(shapes[0])}" fill="{TOKENS["paper"]}" stroke="{TOKENS["map-line"]}" '
        'stroke-width="1.5"/>'
        f'<path d="{path(shapes[1])}" fill="{HIGHLIGHT[0]}" stroke="{HIGHLIGHT[1]}" stroke-width="1"/></svg>'
    )
