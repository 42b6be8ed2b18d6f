"""What an import would change: records new, changed field by field, unchanged, vanished; pure.

A file speaks for the (dataset, département) pairs it holds records of. Only records of those
pairs can vanish: the neighbours' list does not retire ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from geo.crs import departement_code
from geo.errors import SuspiciousRetirement
from geo.sites.model import STORED_FIELDS, Site

LOCAL_FACTS: tuple[str, ...] = ("pass_numerique", "membre_reseau", "acces_fauteuil", "arrets")
"""Facts no national format carries: a file without their column says nothing about them."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a record, as it was and as it would be."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record that stays, with other values."""

    before: Site
    after: Site

    def fields(self) -> list[FieldChange]:
        """The fields that differ, in the order of the record."""
        return [
            FieldChange(name, old, new)
            for name in STORED_FIELDS
            if (old := getattr(self.before, name)) != (new := getattr(self.after, name))
        ]


@dataclass(frozen=True, slots=True)
class Difference:
    """What separates the records in service from those a file brings, sorted by identifier."""

    new: tuple[Site, ...] = ()
    changed: tuple[RecordChange, ...] = ()
    unchanged: int = 0
    vanished: tuple[Site, ...] = ()


def scope_of(site: Site) -> tuple[str, str]:
    """Dataset and département of a record: the pair a file must speak for to retire it.

    A record whose commune is not known counts in the département of its postal code.
    """
    return site.jeu_de_donnees, departement_code(site.code_insee or site.code_postal)


def compare(
    current: Mapping[str, Site],
    incoming: Iterable[Site],
    *,
    retired: Mapping[str, Site] = MappingProxyType({}),
    carried: Collection[str] = (),
    refused: Collection[str] = (),
) -> Difference:
    """Tell what a file's records would change among those in service.

    Parameters
    ----------
    current
        Records in service by public identifier; those of other datasets are left alone.
    incoming
        Accepted records of the file; identifiers are unique.
    retired
        Records no longer in service, as they last were: one that comes back is new.
    carried
        Local facts the file has a column for. It may empty those; the others are kept from the
        record as it is, or last was, when the file leaves them unsaid.
    refused
        Public identifiers of records the file lists but validation rejected: they have not
        vanished, the version in service stays.
    """
    kept = [name for name in LOCAL_FACTS if name not in carried]
    arriving = {site.id: site for site in incoming}
    spoken_for = {scope_of(site) for site in arriving.values()}
    new: list[Site] = []
    changed: list[RecordChange] = []
    unchanged = 0
    for site_id in sorted(arriving):
        before, after = current.get(site_id), arriving[site_id]
        if known := before or retired.get(site_id):
            unsaid = {
                n: fact
                for n in kept
                if _is_known(fact := getattr(known, n)) and not _is_known(getattr(after, n))
            }
            after = replace(after, **unsaid) if unsaid else after
        if before is None:
            new.append(after)
        elif before == after:
            unchanged += 1
        else:
            changed.append(RecordChange(before, after))
    vanished = tuple(
        current[site_id]
        for site_id in sorted(current.keys() - arriving.keys() - set(refused))
        if scope_of(current[site_id]) in spoken_for
    )
    return Difference(tuple(new), tuple(changed), unchanged, vanished)


def _is_known(fact: object) -> bool:
    return fact is not None and fact != ()


def require_plausible(difference: Difference, current: Mapping[str, Site]) -> None:
    """Refuse to retire more than half of what a dataset had in a département.

    Raises
    ------
    SuspiciousRetirement
        Naming the dataset and the département, with both counts.
    """
    before = Counter(scope_of(site) for site in current.values())
    for scope, gone in sorted(Counter(scope_of(site) for site in difference.vanished).items()):
        if 2 * gone > before[scope]:
            dataset, departement = scope
            raise SuspiciousRetirement(
                f"Ce fichier retirerait {gone} des {before[scope]} lieux du jeu de données "
                f"« {dataset} » dans le département {departement or 'inconnu'}.",
                "Vérifiez qu'il est complet ; s'il l'est, recommencez avec --accept-vanished.",
            )
