"""Build sites from their records. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from geo.sites.field_rules import FieldRules, pool
from geo.sites.model import Site, SourceRecord


def build_site(site_id: str, records: Sequence[SourceRecord], rules: FieldRules) -> Site:
    """Return the site that some records describe, with the values that the rules choose.

    Its dataset is that of its identifier, so that an export can be imported again under it.
    """
    pooled = pool(records, rules)
    values = {**pooled.values, "jeu_de_donnees": site_id.partition("--")[0]}
    keys = tuple(sorted(record.key for record in records))
    return Site(id=site_id, records=keys, origins=pooled.origins, conflicts=pooled.conflicts, **values)


def build_sites(
    groups: Sequence[tuple[str, ...]],
    ids: Sequence[str],
    records: Mapping[str, SourceRecord],
    rules: FieldRules,
) -> dict[str, Site]:
    """Return the site of each group of keys of records, by identifier."""
    return {
        site_id: build_site(site_id, [records[key] for key in keys], rules)
        for site_id, keys in zip(ids, groups, strict=True)
    }
