"""Accounts of territories: the data they are computed from, read once and cached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Final

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Coverage, Question, measure
from geo.funding.account import AccountData
from geo.funding.action_kinds import Kinds
from geo.funding.pass_reports import ACCEPTING
from geo.funding.reports import By, Line
from geo.lru_cache import LruCache
from geo.services.snapshot_view import SnapshotView
from geo.store import actions, audit, dated_snapshots, ledger_reports, passes
from geo.store.database import Connection
from geo.territory.model import Territory, TerritoryKind

YEARS_CACHED: Final = 4
"""Years of account data: each holds two coverages, and what is withheld takes seconds to compute."""


@dataclass(frozen=True, slots=True)
class FundingState:
    """What the database holds of money, passes, actions and dated states at one moment.

    Attributes
    ----------
    key
        Changes whenever any of them is written.
    pass_years
        Years in which passes were ordered.
    """

    key: tuple[object, ...]
    pass_years: frozenset[int]


def funding_state(connection: Connection) -> FundingState:
    """Return the present state of the funding data; cheap, however much there is."""
    counts = passes.counts(connection)
    digest = blake2b(digest_size=16)
    for values in (counts.order, counts.commune, counts.year, counts.given, counts.used, counts.expired):
        digest.update(values.tobytes())
    latest = [change.id for change in audit.list_(connection, limit=1)]
    names = [dated.name for dated in dated_snapshots.list_(connection)]
    return FundingState((*latest, *names, digest.digest()), frozenset(map(int, counts.year)))


def funded_years(connection: Connection, state: FundingState, today: date) -> tuple[int, ...]:
    """Return the years with money, passes or actions, and the present one; the latest first."""
    years = {int(line.key) for line in ledger_reports.report(connection, By.YEAR).lines}
    years |= {action.day.year for action in actions.list_(connection)}
    return tuple(sorted(years | state.pass_years | {today.year}, reverse=True))


def account_data(
    connection: Connection, view: SnapshotView, state: FundingState, year: int, kinds: Kinds
) -> AccountData:
    """Return what accounts of a year are computed from, read once for one state of the data and day."""
    cache: LruCache[AccountData] = view.service_cache("account data", YEARS_CACHED)
    context = view.context
    return cache.get_or_compute(
        (context.day, year, state.key), lambda: read_account_data(connection, context, year, kinds)
    )


def read_account_data(
    connection: Connection, context: AnalysisContext, year: int, kinds: Kinds
) -> AccountData:
    """Read what accounts of a year are computed from: coverage, money, passes and actions.

    Parameters
    ----------
    context
        The present sites and people; the year before is the last dated snapshot of it.
    kinds
        The declared kinds of action.
    """
    counts = passes.counts(connection)
    territory = context.snapshot.territory
    return AccountData(
        coverage=measure(context, Question()),
        accepting=measure(context, Question(filter=ACCEPTING)),
        before=_coverage_before(connection, context, year),
        kinds=kinds,
        money=_money(connection, territory, (year - 1, year)),
        passes=counts if counts.orders else None,
        actions=actions.list_(connection),
    )


def _money(connection: Connection, territory: Territory, years: tuple[int, ...]) -> dict[int, list[Line]]:
    """Return the fund's lines by commune; a year before its first entry is absent."""
    since = [int(line.key) for line in ledger_reports.report(connection, By.YEAR).lines]
    return {
        year: list(
            ledger_reports.report(connection, TerritoryKind.COMMUNE, year=year, territory=territory).lines
        )
        for year in years
        if since and min(since) <= year
    }


def _coverage_before(connection: Connection, context: AnalysisContext, year: int) -> Coverage | None:
    """Return the coverage of the latest dated snapshot of the year before, or None without one."""
    dated = [each for each in dated_snapshots.list_(connection) if each.day.year == year - 1]
    if not dated:
        return None
    latest = max(dated, key=lambda each: each.day)
    past = AnalysisContext(
        dated_snapshots.read(connection, latest.name, margin_km=context.snapshot.margin_km),
        context.travel,
        latest.day,
        store_times=False,
    )
    return measure(past, Question())
