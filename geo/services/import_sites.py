"""Import a file of sites: read, validate, compare, then store in one transaction.

The only module that knows readers, validation and the store. Its first half touches nothing but
the file; its second half runs in the caller's transaction, behind a lock, so that an import that
fails leaves the previous state and imports run one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from geo import gc_pause
from geo.errors import SuspiciousRetirement
from geo.hours.weekly import TIME_ZONE
from geo.services import correct_sites, demonstration
from geo.services.demonstration import Demonstration
from geo.services.record_lifecycle import apply_difference, retired_records
from geo.services.site_register import SiteChanges
from geo.sites.corrections import SourceChange
from geo.sites.difference import LOCAL_FACTS, Difference, compare, require_plausible
from geo.sites.import_run import ImportRun
from geo.sites.location_evidence import AddressLocator
from geo.sites.model import LOCAL_PREFIX, RawRow, Severity, SourceRecord, Validated
from geo.sites.readers import open_source
from geo.sites.validate import exported_id, row_key, validate
from geo.store import datasets, imports, records, snapshots
from geo.store.database import Connection
from geo.territory.former_communes import FormerCommunes
from geo.territory.margin import Margin
from geo.territory.model import Territory

IMPORTER: Final = "import"
"""Author of what an import does by itself, for the history."""


@dataclass(frozen=True)
class ValidatedFile:
    """A file read and validated; nothing of it is stored yet.

    `carried` are the local facts the file has a column for, `refused` the keys of the records it
    lists that validation rejected, `exported` the identifiers that sites have in our own export, by key
    of their record. Records beyond `margin` were only counted; None: there is no margin.
    """

    file_name: str
    sha256: str
    format: str
    label: str
    encoding: str
    started_at: datetime
    validated: Validated
    licence: str = ""
    carried: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    exported: Mapping[str, str] = field(default_factory=dict)
    margin: Margin | None = None

    @property
    def datasets(self) -> tuple[str, ...]:
        """Datasets the accepted records belong to, sorted."""
        return tuple(sorted({record.jeu_de_donnees for record in self.validated.records}))


@dataclass(frozen=True)
class PreparedImport:
    """What an import would change, known before anything is stored.

    `suspicious` is the refusal an import without `accept_vanished` would meet; None when none.
    """

    arrival: ValidatedFile
    difference: Difference
    suspicious: SuspiciousRetirement | None = None


@dataclass(frozen=True)
class ImportedSites:
    """What an import has stored: the run it is recorded as, and what became of the sites.

    Attributes
    ----------
    demonstration
        Datasets of invented sites that left, because real ones arrived.
    fund_obstacle
        In French, why the invented fund stays; "" if it left too or there was none.
    corrections
        Corrections of whose field the file says something new, which is not shown.
    """

    prepared: PreparedImport
    run_id: int
    changes: SiteChanges
    demonstration: tuple[str, ...] = ()
    fund_obstacle: str = ""
    corrections: tuple[SourceChange, ...] = ()


@dataclass
class _ObservedRows:
    """Iterates over rows, and records their columns and keys on the way."""

    rows: Iterator[RawRow]
    dataset: str
    columns: set[str] = field(default_factory=set)
    key_by_place: dict[tuple[str, int], str] = field(default_factory=dict)
    """Key of the record by sheet and line."""
    exported: dict[str, str] = field(default_factory=dict)
    """Identifier of the site by key of the record, in our own export."""

    def __iter__(self) -> Iterator[RawRow]:
        for row in self.rows:
            self.columns.update(row.values)
            key = self.key_by_place[row.sheet, row.line] = row_key(row, self.dataset)
            if site_id := exported_id(row):
                self.exported[key] = site_id
            yield row


@gc_pause.gc_disabled()
def read(
    path: Path,
    *,
    territory: Territory,
    today: date,
    max_bytes: int,
    dataset: str | None = None,
    mapping: Path | None = None,
    vintage: date | None = None,
    lenient: bool = False,
    licence: str = "",
    progress: Callable[[int], None] | None = None,
    addresses: AddressLocator | None = None,
    former: FormerCommunes = FormerCommunes(),
    margin: Margin | None = None,
) -> ValidatedFile:
    """Read and validate a file; touches no database but that of addresses.

    Parameters
    ----------
    dataset
        Name of the dataset the records belong to; None: the usual one of the file's format.
    mapping
        Column mapping of a plain spreadsheet; see `geo.sites.readers.open_source`.
    vintage
        Date of the list, for records without one.
    lenient
        Read a file that lacks some columns of its format.
    licence
        Licence of the file, said in the sources of every answer.
    progress
        Called with the number of rows read so far.
    addresses, former, margin
        Address base, register of former communes and extent served; see `geo.sites.validate.validate`.

    Raises
    ------
    UnreadableFile
        If the file as a whole cannot be read.
    """
    started_at = datetime.now(UTC)
    source = open_source(path, mapping=mapping, max_bytes=max_bytes, vintage=vintage, lenient=lenient)
    name = dataset or source.dataset
    watched = _ObservedRows(source.rows(), name)
    validated = validate(
        watched,
        territory=territory,
        dataset=name,
        today=today,
        progress=progress,
        addresses=addresses,
        former=former,
        margin=margin,
    )
    rejected = {(i.sheet, i.line) for i in validated.issues if i.severity is Severity.REJECTED}
    validated.issues[:0] = source.issues
    return ValidatedFile(
        file_name=path.name,
        sha256=source.sha256,
        format=source.format,
        label=source.label,
        encoding=source.encoding,
        started_at=started_at,
        validated=validated,
        licence=licence,
        carried=frozenset(fact for fact in LOCAL_FACTS if f"{LOCAL_PREFIX}{fact}" in watched.columns),
        margin=margin,
        exported=watched.exported,
        refused=frozenset(watched.key_by_place[place] for place in rejected if place in watched.key_by_place),
    )


def _with_stored_sources(arrival: ValidatedFile, current: Mapping[str, SourceRecord]) -> ValidatedFile:
    """Give rows of our own export the source of the record that they were exported from.

    The source that a site shows may be that of another of its records; without this, its row would be
    a new record, and the stored one would vanish.
    """
    stored: dict[tuple[str, str], list[SourceRecord]] = {}
    for record in current.values() if arrival.exported else ():
        stored.setdefault((record.jeu_de_donnees, record.local_id), []).append(record)
    keys = {record.key for record in arrival.validated.records}
    found, exported = [], dict(arrival.exported)
    for record in arrival.validated.records:
        same = stored.get((record.jeu_de_donnees, record.local_id), [])
        is_other = record.key in exported and record.key not in current
        if is_other and len(same) == 1 and same[0].key not in keys:
            exported[same[0].key] = exported.pop(record.key)
            found.append(replace(record, source=same[0].source))
        else:
            found.append(record)
    return replace(arrival, validated=replace(arrival.validated, records=found), exported=exported)


def prepare(connection: Connection, arrival: ValidatedFile) -> PreparedImport:
    """Compare a file with the active records; stores nothing.

    Active records beyond the margin of the import stay as they are: whether the file lists them was not
    asked.
    """
    current = records.in_service(connection, datasets=arrival.datasets)
    arrival = _with_stored_sources(arrival, current)
    if margin := arrival.margin:
        beyond = {key for key, record in current.items() if not margin.includes(record)}
        arrival = replace(arrival, refused=arrival.refused | beyond)
    difference = compare(
        current,
        arrival.validated.records,
        retired=retired_records(connection, arrival.datasets),
        provided=arrival.carried,
        refused=arrival.refused,
    )
    try:
        require_plausible(difference, current)
    except SuspiciousRetirement as problem:
        return PreparedImport(arrival, difference, problem)
    return PreparedImport(arrival, difference)


@gc_pause.gc_disabled()
def apply(
    connection: Connection, arrival: ValidatedFile, *, territory: Territory, accept_vanished: bool = False
) -> ImportedSites:
    """Store a file inside the caller's transaction: run, records, sites, snapshot.

    Waits for an import under way to end, then compares again, so that what is stored is the
    difference with what is in service at that moment. The snapshot's version grows with each
    import, as the day a source was last seen is part of what answers say.

    Raises
    ------
    SuspiciousRetirement
        If more than half of a dataset would vanish from a département, unless `accept_vanished`.
    """
    imports.wait_for_turn(connection)
    datasets.require_in_service(connection, arrival.datasets)
    prepared = prepare(connection, arrival)
    if prepared.suspicious and not accept_vanished:
        raise prepared.suspicious
    arrival = prepared.arrival
    leaving = leaving_demonstration(connection, arrival)
    difference = replace(
        prepared.difference, vanished=(*prepared.difference.vanished, *leaving.records.values())
    )
    run = _run(arrival, difference)
    if leaving.records:
        run = replace(run, detail={"demonstration": list(leaving.datasets)})
    run_id = imports.record(connection, run, arrival.validated.issues)
    datasets.add(connection, arrival.datasets)
    obstacle = demonstration.leave(connection, run_id, leaving.datasets, IMPORTER) if leaving.records else ""
    today = datetime.now(TIME_ZONE).date()
    contradicted = correct_sites.changed_by_sources(connection, today)
    changes = apply_difference(
        connection, run_id, difference, epsg=territory.metric_crs, exported=arrival.exported
    )
    records.save_content(connection, run_id, arrival.validated.records)
    differing = tuple(e for e in correct_sites.changed_by_sources(connection, today) if e not in contradicted)
    snapshots.publish(connection)
    return ImportedSites(prepared, run_id, changes, leaving.datasets, obstacle, differing)


def leaving_demonstration(connection: Connection, arrival: ValidatedFile) -> Demonstration:
    """Return the invented records that leave, since the file brings a real one."""
    arriving = arrival.validated.records
    if all(record.fictif for record in arriving):
        return Demonstration({})
    keys = {record.key for record in arriving}
    found = demonstration.in_service(connection).records
    return Demonstration({key: record for key, record in found.items() if key not in keys})


def _run(arrival: ValidatedFile, difference: Difference) -> ImportRun:
    tally = arrival.validated.tally
    return ImportRun(
        file_name=arrival.file_name,
        sha256=arrival.sha256,
        format=arrival.format,
        datasets=arrival.datasets,
        started_at=arrival.started_at,
        finished_at=datetime.now(UTC),
        read=tally.read,
        accepted=tally.accepted,
        rejected=tally.rejected,
        flagged=tally.flagged,
        repaired=tally.repaired,
        outside=tally.outside,
        new=len(difference.new),
        changed=len(difference.changed),
        unchanged=difference.unchanged,
        vanished=len(difference.vanished),
        label=arrival.label,
        licence=arrival.licence,
        provided=tuple(sorted(arrival.carried)),
        refused=tuple(sorted(arrival.refused)),
        has_content=True,
    )
