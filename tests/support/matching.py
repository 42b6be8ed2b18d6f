"""Invented records to match, and the verdict on two of them."""

from __future__ import annotations

from typing import Any

from geo.crs import LAMBERT_93
from geo.sites.matching_records import RecordMatch, match_records
from geo.sites.model import SourceRecord
from tests.support.world import record

PUBLIC_SIRET = "21470000000026"
PRIVATE_SIRET = "45000000000026"


def matched(*records: SourceRecord, changed: set[str] | None = None) -> list[RecordMatch]:
    """The matches of some records."""
    return match_records(records, epsg=LAMBERT_93, changed=changed)


def verdict(a: SourceRecord, b: SourceRecord) -> str:
    """The verdict on two records, the same in both orders; "apart" without one."""
    found, reverse = matched(a, b), matched(b, a)
    assert found == reverse
    return found[0].verdict if found else "apart"


def one(local_id: str, x_km: float | None = 5.0, **changes: Any) -> SourceRecord:
    """A record of a list of its own, at one invented place."""
    values: dict[str, Any] = {
        "nom": "Médiathèque du Moulin fictif",
        "adresse": "12 rue des Lilas",
        "jeu_de_donnees": f"jeu-{local_id}",
        "source": f"source {local_id}",
        **changes,
    }
    return record(local_id, x_km, **values)


def listed(local_id: str, x_km: float | None = 5.0, **changes: Any) -> SourceRecord:
    """The same, all of one list."""
    return one(local_id, x_km, **{"jeu_de_donnees": "essai", "source": "Essai", **changes})
