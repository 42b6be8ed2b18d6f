"""What accounts of territories are made from, read in one go."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Coverage, Question, measure
from geo.funding.account import AccountData
from geo.funding.actions import Kinds
from geo.funding.pass_reports import ACCEPTING
from geo.funding.reports import By, Line
from geo.store import actions, dated_snapshots, ledger, passes
from geo.territory.model import Territory, TerritoryKind


def read(connection: Connection, frame: AnalysisContext, year: int, kinds: Kinds) -> AccountData:
    """What accounts of a year are made from: coverage, and all that is kept of money, passes, actions.

    Parameters
    ----------
    frame
        The present sites and people; the year before is that of the last dated snapshot of it.
    kinds
        Of action, as declared.
    """
    counts = passes.counts(connection)
    territory = frame.snapshot.territory
    return AccountData(
        coverage=measure(frame, Question()),
        accepting=measure(frame, Question(filter=ACCEPTING)),
        before=_before(connection, frame, year),
        kinds=kinds,
        money=_money(connection, territory, (year - 1, year)),
        passes=counts if counts.orders else None,
        actions=actions.list_(connection),
    )


def _money(connection: Connection, territory: Territory, years: tuple[int, ...]) -> dict[int, list[Line]]:
    """Lines of the fund by commune; a year before its first entry is not there."""
    since = [int(line.key) for line in ledger.report(connection, By.YEAR).lines]
    return {
        year: list(ledger.report(connection, TerritoryKind.COMMUNE, year=year, territory=territory).lines)
        for year in years
        if since and min(since) <= year
    }


def _before(connection: Connection, frame: AnalysisContext, year: int) -> Coverage | None:
    """Coverage of the latest dated snapshot of the year before; None where none was kept."""
    last = date(year - 1, 12, 31)
    then = [kept for kept in dated_snapshots.list_(connection) if kept.day.year == last.year]
    if not then:
        return None
    latest = max(then, key=lambda kept: kept.day)
    past = AnalysisContext(
        dated_snapshots.read(connection, latest.name), frame.travel, latest.day, store_times=False
    )
    return measure(past, Question())
