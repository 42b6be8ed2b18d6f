"""Version of the data, and the snapshot of the current version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, select, text, update

from geo.hours.weekly import TIME_ZONE
from geo.sites.corrections import STATUS_FIELD, Status, active_by_site, corrected
from geo.sites.model import Site
from geo.snapshot import ClosedSite, Snapshot
from geo.store import corrections, indicators, people, record_pairs, roads, sites, territories
from geo.store.tables import data_version, import_run
from geo.territory.margin import MARGIN_KM, Margin
from geo.territory.model import Provenance

CHANNEL = "portee_snapshot"
"""Channel that announces a new version; the payload is its number."""

ONE_DAY: Final = timedelta(days=1)

UNDATED = "date inconnue"
UNLICENSED = "licence non indiquée"


def publish(connection: Connection) -> int:
    """Increment the version and return it; listeners are notified when the transaction commits."""
    counted = (
        update(data_version)
        .values(version=data_version.c.version + 1, changed_at=func.clock_timestamp())
        .returning(data_version.c.version)
    )
    version = connection.execute(counted).scalar()
    if version is None:
        first = insert(data_version).values(version=1, changed_at=func.clock_timestamp())
        version = connection.execute(first.returning(data_version.c.version)).scalar_one()
    connection.execute(
        text("SELECT pg_notify(:channel, :version)"), {"channel": CHANNEL, "version": str(version)}
    )
    return int(version)


def version(connection: Connection) -> int:
    """Return the current version; 0 before anything was published."""
    return connection.scalar(select(data_version.c.version)) or 0


@dataclass(frozen=True)
class ShownSites:
    """Sites as people see them on a day.

    Attributes
    ----------
    sites
        Open ones with their corrections, sorted by identifier.
    closed
        Those that a correction closes, by identifier.
    redirects
        Identifiers of merged sites, each with that of the site that stands for it.
    changes_on
        First later day on which a correction begins or ends; None: none does.
    changed_on
        Last day, up to the present one, on which a correction began or ended by itself; None: none did.
    """

    sites: tuple[Site, ...]
    closed: Mapping[str, ClosedSite]
    redirects: Mapping[str, str]
    changes_on: date | None
    changed_on: date | None = None


def shown_sites(connection: Connection, today: date) -> ShownSites:
    """Return the sites as people see them on a day: pooled values under corrections, without closed ones.

    An invented site is never shown beside a real one.
    """
    return show(sites.stored(connection).values(), connection, today)


def show(pooled: Iterable[Site], connection: Connection, today: date) -> ShownSites:
    """Return some pooled sites under the corrections that apply on a day."""
    redirects = sites.redirects(connection)
    standing = [
        replace(each, site_id=redirects.get(each.site_id, each.site_id))
        for each in corrections.standing(connection)
    ]
    active = active_by_site(standing, today)
    shown, closed = [], {}
    for each in pooled:
        of_site = active.get(each.id, {})
        site = corrected(each, of_site)
        status = of_site.get(STATUS_FIELD)
        if status is None:
            shown.append(site)
        elif status.value == Status.CLOSED:
            closed[site.id] = ClosedSite(site, status.day, status.until, status.reason)
    days = [each.day for each in standing] + [each.until + ONE_DAY for each in standing if each.until]
    if any(not site.fictif for site in shown):
        shown = [site for site in shown if not site.fictif]
    return ShownSites(
        tuple(shown),
        closed,
        redirects,
        min((day for day in days if day > today), default=None),
        max((day for day in days if day <= today), default=None),
    )


def read(connection: Connection, today: date | None = None, *, margin_km: float = MARGIN_KM) -> Snapshot:
    """Read the snapshot of the current version.

    On a connection without a transaction, everything is read in one REPEATABLE READ transaction; inside
    the caller's, it is as consistent as that one. `taken_at` is when the version was published, or the
    later midnight at which a correction began or ended: the same for every reader.

    Parameters
    ----------
    today
        Day for which corrections apply; None: the present one.
    margin_km
        Sites farther outside the territory are left out, though stored: they can serve nobody in it.

    Raises
    ------
    SnapshotUnavailable
        If no territory has been loaded yet.
    """
    if not connection.in_transaction():
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    territory = territories.load(connection)
    published = connection.execute(select(data_version.c.version, data_version.c.changed_at)).one()
    everywhere = shown_sites(connection, today or datetime.now(TIME_ZONE).date())
    shown = within(everywhere, Margin(territory, margin_km))
    taken_at = published.changed_at
    if shown.changed_on is not None:
        taken_at = max(taken_at, datetime.combine(shown.changed_on, time.min, TIME_ZONE).astimezone(UTC))
    return Snapshot(
        version=published.version,
        taken_at=taken_at,
        territory=territory,
        sites=shown.sites,
        site_provenance=provenance(connection, shown.sites),
        roads=roads.current(connection),
        grid=people.current(connection, territory.metric_crs),
        indicators=tuple(each for _, each in sorted(indicators.read(connection).items())),
        closed=shown.closed,
        redirects=shown.redirects,
        questions=record_pairs.questions(connection, {site.id for site in shown.sites}),
        changes_on=shown.changes_on,
        margin_km=margin_km,
    )


def within(shown: ShownSites, margin: Margin) -> ShownSites:
    """Return the sites of a territory and its margin; those whose place is not known are among them."""
    return replace(shown, sites=tuple(site for site in shown.sites if margin.includes(site)))


def provenance(
    connection: Connection, shown: Iterable[Site], until: datetime | None = None
) -> tuple[Provenance, ...]:
    """Return one source for each dataset that a shown site has a record of, from its last import.

    Parameters
    ----------
    until
        Only imports finished by then; None: all.
    """
    latest: dict[str, list[date]] = defaultdict(list)
    for site in shown:
        for key, day in _days(site).items():
            latest[key.partition("--")[0]] += [day] if day else []
    dataset = func.unnest(import_run.c.datasets).label("dataset")
    columns = (dataset, import_run.c.label, import_run.c.licence, import_run.c.finished_at)
    runs = select(*columns).where(import_run.c.kind == "import", import_run.c.undone_by.is_(None))
    if until is not None:
        runs = runs.where(import_run.c.finished_at <= until)
    imported = {row.dataset: row for row in connection.execute(runs.order_by(import_run.c.id))}
    found = []
    for name, dates in sorted(latest.items()):
        run = imported.get(name)
        found.append(
            Provenance(
                subject=f"Lieux « {name} »",
                producer=(run and run.label) or name,
                vintage=max(dates).isoformat() if dates else UNDATED,
                licence=(run and run.licence) or UNLICENSED,
                retrieved=run.finished_at.date() if run else None,
            )
        )
    return tuple(found)


def _days(site: Site) -> dict[str, date | None]:
    """Return the `date_maj` of each record of a site: the one shown, or one of the conflicts."""
    days: dict[str, date | None] = dict.fromkeys(site.records)
    shown = site.origin("date_maj")
    days |= dict.fromkeys(shown.records if shown else (), site.date_maj)
    return days | {each.record: each.day for each in site.conflicts if each.field == "date_maj"}
