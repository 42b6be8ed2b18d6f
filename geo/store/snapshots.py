"""Version of the data, and the snapshot of the current version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, func, insert, select, text, update

from geo.sites.model import Site
from geo.snapshot import Snapshot
from geo.store import duplicates, indicators, people, roads, sites, territories
from geo.store.tables import data_version, import_run
from geo.territory.model import Provenance

CHANNEL = "portee_snapshot"
"""Channel that announces a new version; the payload is its number."""

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


def read(connection: Connection) -> Snapshot:
    """Read the snapshot of the current version.

    On a connection without a transaction, everything is read in one REPEATABLE READ transaction; inside
    the caller's, it is as consistent as that one. `taken_at` is when the version was published: the same
    for every reader.

    Raises
    ------
    SnapshotUnavailable
        If no territory has been loaded yet.
    """
    if not connection.in_transaction():
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    territory = territories.load(connection)
    published = connection.execute(select(data_version.c.version, data_version.c.changed_at)).one()
    decided = duplicates.listed(connection, undecided_only=False)
    left_out = duplicates.hidden_duplicates(decided)
    shown = tuple(site for site in sites.active(connection) if site.id not in left_out)
    return Snapshot(
        version=published.version,
        taken_at=published.changed_at,
        territory=territory,
        sites=shown,
        site_provenance=_provenance(connection, shown),
        roads=roads.current(connection),
        grid=people.current(connection, territory.metric_crs),
        indicators=tuple(each for _, each in sorted(indicators.read(connection).items())),
    )


def _provenance(connection: Connection, shown: Iterable[Site]) -> tuple[Provenance, ...]:
    """Return one source for each dataset with a shown site, from the last import of the dataset."""
    latest: dict[str, list[date]] = defaultdict(list)
    for site in shown:
        latest[site.jeu_de_donnees] += [site.date_maj] if site.date_maj else []
    dataset = func.unnest(import_run.c.datasets).label("dataset")
    columns = (dataset, import_run.c.label, import_run.c.licence, import_run.c.finished_at)
    imported = {row.dataset: row for row in connection.execute(select(*columns).order_by(import_run.c.id))}
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
