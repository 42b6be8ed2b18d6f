"""What the pages of the fund, the network and the statements show, read from the database at one moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from geo.errors import InvalidParameter
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action
from geo.funding.ledger import Balance
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Convention, Partner, SiteLink
from geo.funding.reports import By, FundReport, Line
from geo.snapshot import Snapshot
from geo.store import actions, ledger, ledger_reports, partners
from geo.store.database import Connection
from geo.territory.model import Territory, TerritoryKind


@dataclass(frozen=True)
class Fund:
    """The fund: balance, match rules and reports.

    Attributes
    ----------
    reports
        By partner, source, action line and kind of territory: of `year`, or since the beginning.
    by_year
        All years.
    kind
        Of the territories.
    statements
        Years with a statement, by code of the partner, the latest first.
    """

    balance: Balance
    rules: tuple[MatchRule, ...]
    by_year: FundReport
    reports: Mapping[By | TerritoryKind, FundReport]
    year: int | None
    kind: TerritoryKind
    last_close: date | None
    statements: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def fictif(self) -> bool:
        """Whether some of it is invented."""
        return self.by_year.fictif


def read_fund(connection: Connection, territory: Territory, year: int | None, kind: TerritoryKind) -> Fund:
    """Read the fund, of one year or since the beginning."""
    by_year = ledger_reports.report(connection, By.YEAR)
    reports: dict[By | TerritoryKind, FundReport] = {
        by: ledger_reports.report(connection, by, year=year) for by in (By.PARTNER, By.LEVEL, By.LINE)
    }
    reports[kind] = ledger_reports.report(connection, kind, year=year, territory=territory)
    statements: dict[str, list[int]] = defaultdict(list)
    for line in reversed(by_year.lines):
        if year in (None, int(line.key)):
            for each in ledger_reports.report(connection, By.PARTNER, year=int(line.key)).lines:
                if each.key:
                    statements[each.key].append(int(line.key))
    return Fund(
        balance=ledger.balance(connection),
        rules=tuple(ledger.rules(connection)),
        by_year=by_year,
        reports=reports,
        year=year,
        kind=kind,
        last_close=ledger.last_close(connection),
        statements=statements,
    )


@dataclass(frozen=True)
class Member:
    """A partner, its sites (name, commune, role), and its contributions and actions by year.

    `actions`: the latest first, each with the label of its kind and the name of its commune.
    """

    partner: Partner
    conventions: tuple[Convention, ...]
    sites: tuple[tuple[str, str, str], ...]
    years: tuple[tuple[int, Line | None, int], ...]
    actions: tuple[tuple[Action, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """All partners, and whether some of what is said of them is invented."""

    members: tuple[Member, ...]
    fictif: bool


def read_network(connection: Connection, snapshot: Snapshot, kinds: Kinds) -> Network:
    """Read all partners with their sites, contributions and actions."""
    known = partners.list_(connection)
    by_year = {
        int(line.key): ledger_reports.report(connection, By.PARTNER, year=int(line.key))
        for line in ledger_reports.report(connection, By.YEAR).lines
    }
    led = actions.list_(connection)
    fictif = (
        snapshot.fictitious
        or any(partner.fictif for partner in known)
        or any(report.fictif for report in by_year.values())
        or any(action.fictif for action in led)
    )
    members = network_members(
        known,
        conventions=partners.conventions(connection),
        links=partners.partner_sites(connection),
        by_year=by_year,
        actions=led,
        kinds=kinds,
        snapshot=snapshot,
    )
    return Network(tuple(members), fictif)


def network_members(
    partners: Sequence[Partner],
    *,
    conventions: Sequence[Convention],
    links: Sequence[SiteLink],
    by_year: Mapping[int, FundReport],
    actions: Iterable[Action],
    kinds: Kinds,
    snapshot: Snapshot,
) -> list[Member]:
    """Return each partner with what it brings, by year, the latest first.

    Parameters
    ----------
    by_year
        Year → report by partner.
    actions
        All actions, whoever led them.
    """
    sites = {site.id: site for site in snapshot.sites}
    own: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for link in links:
        if site := sites.get(link.site_id):
            own[link.partner_code].append((site.nom, site.commune, link.role.label))
    signed: dict[str, list[Convention]] = defaultdict(list)
    for each in conventions:
        signed[each.partner_code].append(each)
    lines = {(line.key, year): line for year, report in by_year.items() for line in report.lines}
    led_by: dict[str, list[Action]] = defaultdict(list)
    for action in sorted(actions, key=lambda a: (a.day, a.reference), reverse=True):
        if action.partner_code is not None:
            led_by[action.partner_code].append(action)
    towns = {group.code: group.name for group in snapshot.territory.groupings_of(TerritoryKind.COMMUNE)}
    members = []
    for partner in partners:
        own_actions = led_by[partner.code]
        led = Counter(action.day.year for action in own_actions)
        years = sorted({y for c, y in lines if c == partner.code} | set(led), reverse=True)
        members.append(
            Member(
                partner,
                tuple(signed[partner.code]),
                tuple(sorted(own[partner.code])),
                tuple((y, lines.get((partner.code, y)), led[y]) for y in years),
                tuple(
                    (a, kinds[a.kind].label if a.kind in kinds else a.kind, towns.get(a.commune, a.commune))
                    for a in own_actions
                ),
            )
        )
    return members


@dataclass(frozen=True, slots=True)
class Gift:
    """A contribution that was not reversed: its day, and what the Département added, in cents."""

    day: date
    amount_cents: int
    matched_cents: int
    unmatched_cents: int


@dataclass(frozen=True)
class Statement:
    """The yearly statement of a partner.

    Attributes
    ----------
    line, whole
        The partner's sums, of the year and since the beginning.
    received
        Its contributions of the year, without those reversed since.
    uses
        What the whole fund committed and paid in the year, by action line.
    fund
        The whole fund's sums of the year.
    closed
        Whether the year's accounts are closed: its figures are final.
    """

    partner: Partner
    conventions: Sequence[Convention]
    year: int
    line: Line
    whole: Line
    received: Sequence[Gift]
    rules: Sequence[MatchRule]
    uses: Sequence[Line]
    fund: Line
    closed: bool
    territory: str
    day: date


def read_statement(connection: Connection, territory: str, code: str, year: int, day: date) -> Statement:
    """Read the statement of a partner for a year.

    Parameters
    ----------
    territory
        Name printed on it.
    day
        Date printed on it.

    Raises
    ------
    UnknownPartner
        If no partner has the code.
    InvalidParameter
        If the partner has no entry in the year.
    """
    partner = partners.find(connection, code)
    report = ledger_reports.report(connection, By.PARTNER, year=year)
    line = next((each for each in report.lines if each.key == code), None)
    if line is None:
        raise InvalidParameter(
            f"« {partner.name} » n'a rien apporté ni reçu en {year}.",
            "Les relevés qui existent sont dans le tableau des partenaires du fonds.",
            parameter="year",
        )
    last_close = ledger.last_close(connection)
    return Statement(
        partner=partner,
        conventions=tuple(c for c in partners.conventions(connection, code) if c.year == year),
        year=year,
        line=line,
        whole=next(e for e in ledger_reports.report(connection, By.PARTNER).lines if e.key == code),
        received=tuple(
            Gift(each.entry.day, each.entry.amount_cents, each.matched_cents, each.unmatched_cents)
            for each in ledger.received(connection, year=year, partner_code=code)
            if each.entry.reversed_by is None
        ),
        rules=tuple(ledger.rules(connection)),
        uses=tuple(ledger_reports.report(connection, By.LINE, year=year).lines),
        fund=report.total,
        closed=last_close is not None and last_close >= date(year, 12, 31),
        territory=territory,
        day=day,
    )
