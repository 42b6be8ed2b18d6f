"""Compare imported records with the active ones: new, changed, unchanged and vanished. No I/O.

The scope of a file is the set of (dataset, département) pairs of its records. Only records in that
scope can vanish, so importing the list of a neighbouring département does not retire ours.
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

    before: Site
    after: Site

    def fields(self) -> list[FieldChange]:
        """Return the fields that differ, in the order of `Site`."""
        return [
            FieldChange(name, old, new)
            for name in STORED_FIELDS
            if (old := getattr(self.before, name)) != (new := getattr(self.after, name))
        ]


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference between the active records and those of a file, sorted by identifier."""

    new: tuple[Site, ...] = ()
    changed: tuple[RecordChange, ...] = ()
    unchanged: int = 0
    vanished: tuple[Site, ...] = ()


def scope_of(site: Site) -> tuple[str, str]:
    """Return the dataset and département of a record: a file that has this pair can retire it.

    A record without INSEE code belongs to the département of its postal code.
    """
    return site.jeu_de_donnees, departement_code(site.code_insee or site.code_postal)


def compare(
    current: Mapping[str, Site],
    incoming: Iterable[Site],
    *,
    retired: Mapping[str, Site] = MappingProxyType({}),
    provided: Collection[str] = (),
    refused: Collection[str] = (),
) -> Difference:
    """Compare the records of a file with the active ones.

    Parameters
    ----------
    current
        Active records by public identifier; those of other datasets are ignored.
    incoming
        Accepted records of the file; identifiers are unique.
    retired
        Last state of retired records. One that comes back counts as new.
    provided
        Local facts the file has a column for, which it may therefore clear. The others keep the
        value of the active (or retired) record when the file gives none.
    refused
        Public identifiers of records that are in the file but were rejected by validation. They
        have not vanished: the active version stays.
    """
    preserved = [name for name in LOCAL_FACTS if name not in provided]
    arriving = {site.id: site for site in incoming}
    file_scopes = {scope_of(site) for site in arriving.values()}
    new: list[Site] = []
    changed: list[RecordChange] = []
    unchanged = 0
    for site_id in sorted(arriving):
        before, after = current.get(site_id), arriving[site_id]
        if known := before or retired.get(site_id):
            previous = {
                n: fact
                for n in preserved
                if _is_known(fact := getattr(known, n)) and not _is_known(getattr(after, n))
            }
            after = replace(after, **previous) if previous else after
        if before is None:
            new.append(after)
        elif before == after:
            unchanged += 1
        else:
            changed.append(RecordChange(before, after))
    vanished = tuple(
        current[site_id]
        for site_id in sorted(current.keys() - arriving.keys() - set(refused))
        if scope_of(current[site_id]) in file_scopes
    )
    return Difference(tuple(new), tuple(changed), unchanged, vanished)


def _is_known(fact: object) -> bool:
    return fact is not None and fact != ()


def require_plausible(difference: Difference, current: Mapping[str, Site]) -> None:
    """Check that at most half of a dataset's records in any département vanish.

    Raises
    ------
    SuspiciousRetirement
        If more than half vanish; the message names the dataset, the département and both counts.
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
