"""Compare imported records with the active ones: new, changed, unchanged and vanished. No I/O.

The scope of a file is the set of (dataset, département) pairs of its records. Only records in that
scope can vanish, so importing the list of a neighbouring département does not retire ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from geo.crs import departement_code
from geo.errors import SuspiciousRetirement
from geo.sites.model import VALUE_FIELDS, SourceRecord, is_known

LOCAL_FACTS: tuple[str, ...] = (
    "pass_numerique",
    "membre_reseau",
    "acces_fauteuil",
    "arrets",
)
"""Facts that no national format has; a file without their column does not change them."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """The value of one field before and after an import."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class RecordChange:
    """An active record whose values change."""

    before: SourceRecord
    after: SourceRecord

    def fields(self) -> list[FieldChange]:
        """Return the fields that differ, in the order of `SiteValues`."""
        return [
            FieldChange(name, old, new)
            for name in VALUE_FIELDS
            if (old := getattr(self.before, name)) != (new := getattr(self.after, name))
        ]


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference between the active records and those of a file, sorted by key."""

    new: tuple[SourceRecord, ...] = ()
    changed: tuple[RecordChange, ...] = ()
    unchanged: int = 0
    vanished: tuple[SourceRecord, ...] = ()


def scope_of(record: SourceRecord) -> tuple[str, str]:
    """Return the dataset and département of a record: a file that has this pair can retire it.

    A record without INSEE code belongs to the département of its postal code.
    """
    return record.jeu_de_donnees, departement_code(record.code_insee or record.code_postal)


def compare(
    current: Mapping[str, SourceRecord],
    incoming: Iterable[SourceRecord],
    *,
    retired: Mapping[str, SourceRecord] = MappingProxyType({}),
    provided: Collection[str] = (),
    refused: Collection[str] = (),
) -> Difference:
    """Compare the records of a file with the active ones.

    Parameters
    ----------
    current
        Active records by key; those of other datasets are ignored.
    incoming
        Accepted records of the file; keys are unique.
    retired
        Last state of retired records. One that comes back counts as new.
    provided
        Local facts the file has a column for, which it may therefore clear. The others keep the
        value of the active (or retired) record when the file gives none.
    refused
        Keys of records that are in the file but were rejected by validation. They
        have not vanished: the active version stays.
    """
    preserved = [name for name in LOCAL_FACTS if name not in provided]
    arriving = {record.key: record for record in incoming}
    file_scopes = {scope_of(record) for record in arriving.values()}
    new: list[SourceRecord] = []
    changed: list[RecordChange] = []
    unchanged = 0
    for key in sorted(arriving):
        before, after = current.get(key), arriving[key]
        if known := before or retired.get(key):
            previous = {
                n: fact
                for n in preserved
                if is_known(fact := getattr(known, n)) and not is_known(getattr(after, n))
            }
            after = replace(after, **previous) if previous else after
        if before is None:
            new.append(after)
        elif before == after:
            unchanged += 1
        else:
            changed.append(RecordChange(before, after))
    vanished = tuple(
        current[key]
        for key in sorted(current.keys() - arriving.keys() - set(refused))
        if scope_of(current[key]) in file_scopes
    )
    return Difference(tuple(new), tuple(changed), unchanged, vanished)


@dataclass(frozen=True, slots=True)
class ImportContent:
    """What an import listed: its records, and the arguments `provided` and `refused` of `compare`."""

    records: tuple[SourceRecord, ...]
    provided: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


@dataclass(slots=True)
class RecordState:
    """Records in service and retired ones, by key, after some imports."""

    in_service: dict[str, SourceRecord] = field(default_factory=dict)
    retired: dict[str, SourceRecord] = field(default_factory=dict)

    def apply(self, difference: Difference) -> None:
        """Apply what one import changes."""
        for record in (*difference.new, *(change.after for change in difference.changed)):
            self.in_service[record.key] = record
            self.retired.pop(record.key, None)
        for record in difference.vanished:
            self.retired[record.key] = self.in_service.pop(record.key)


def replay(imports: Iterable[ImportContent]) -> RecordState:
    """Return the records after some imports, as if only these had been made, in this order."""
    state = RecordState()
    for content in imports:
        state.apply(
            compare(
                state.in_service,
                content.records,
                retired=state.retired,
                provided=content.provided,
                refused=content.refused,
            )
        )
    return state


def between(current: Mapping[str, SourceRecord], wanted: Mapping[str, SourceRecord]) -> Difference:
    """Return what turns some records in service into others, whatever files say."""
    return Difference(
        new=tuple(wanted[key] for key in sorted(wanted.keys() - current.keys())),
        changed=tuple(
            RecordChange(current[key], wanted[key])
            for key in sorted(wanted.keys() & current.keys())
            if current[key] != wanted[key]
        ),
        unchanged=sum(current[key] == wanted[key] for key in wanted.keys() & current.keys()),
        vanished=tuple(current[key] for key in sorted(current.keys() - wanted.keys())),
    )


def require_plausible(difference: Difference, current: Mapping[str, SourceRecord]) -> None:
    """Check that at most half of a dataset's records in any département vanish.

    Raises
    ------
    SuspiciousRetirement
        If more than half vanish; the message names the dataset, the département and both counts.
    """
    before = Counter(map(scope_of, current.values()))
    for scope, gone in sorted(Counter(map(scope_of, difference.vanished)).items()):
        if 2 * gone > before[scope]:
            dataset, departement = scope
            raise SuspiciousRetirement(
                f"Ce fichier retirerait {gone} des {before[scope]} lieux du jeu de données "
                f"« {dataset} » dans le département {departement or 'inconnu'}.",
                "Vérifiez qu'il est complet ; s'il l'est, recommencez avec --accept-vanished.",
            )
