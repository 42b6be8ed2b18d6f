"""Disclosure control of counts of persons by territory: no small count is published or derivable.

Every output of the service must withhold the same cells of the same counts, which is why these functions
are deterministic and cached. The method is in `geo.funding.cell_suppression`; limits in docs/secrecy.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from geo.funding.cell_suppression import CountTable, suppress
from geo.territory.model import Territory, TerritoryKind

THRESHOLD: Final = 5
"""Smallest count of persons that is published."""

TOTAL: Final = "total"
"""Name of the column that sums the others."""

Key = tuple[TerritoryKind, str, str]
"""Kind and code of a territory, name of a column."""


def territorial(
    counts: Mapping[str, Mapping[str, int]],
    territory: Territory,
    *,
    kinds: Sequence[TerritoryKind] = tuple(TerritoryKind),
) -> tuple[CountTable, list[Key]]:
    """Return counts by commune and column with all their totals, by territory and over columns.

    Parameters
    ----------
    counts
        INSEE code of a commune of the territory → column → persons; absent ones are 0. Several columns
        are summed in one more, `TOTAL`.
    kinds
        Kinds of territory to total by; communes are always rows.

    Returns
    -------
    The table, and the territory and column of each of its rows.
    """
    columns = sorted({column for by_column in counts.values() for column in by_column})
    groups = {kind: sorted(territory.groupings_of(kind), key=lambda g: g.code) for kind in TerritoryKind}
    # Communes are rows even when their kind is not asked for: all totals are sums of them.
    places = [(TerritoryKind.COMMUNE, g) for g in groups[TerritoryKind.COMMUNE]]
    places += [(kind, g) for kind in kinds if kind is not TerritoryKind.COMMUNE for g in groups[kind]]
    width = len(columns) + (len(columns) > 1)
    cells = np.zeros((len(places), width), dtype=np.int64)
    row_of = {g.code: row for row, (kind, g) in enumerate(places) if kind is TerritoryKind.COMMUNE}
    for code, by_column in counts.items():
        for column, value in by_column.items():
            cells[row_of[code], columns.index(column)] = value
    sums: list[tuple[int, tuple[int, ...]]] = []
    for row, (kind, group) in enumerate(places):
        if kind is not TerritoryKind.COMMUNE:
            members = [row_of[code] for code in group.communes]
            cells[row] = cells[members].sum(axis=0)
            sums += [(row * width + c, tuple(m * width + c for m in members)) for c in range(width)]
    if width > len(columns):
        cells[:, -1] = cells[:, :-1].sum(axis=1)
        first = [row * width for row in range(len(places))]
        sums += [(at + width - 1, tuple(range(at, at + width - 1))) for at in first]
    names = [*columns, TOTAL][:width]
    keys = [(kind, group.code, name) for kind, group in places for name in names]
    return CountTable(cells.ravel(), tuple(sums)), keys


def published(
    counts: Mapping[str, Mapping[str, int]], territory: Territory, threshold: int = THRESHOLD
) -> dict[Key, int | None]:
    """Return publishable counts by territory of every kind and column; None where withheld.

    Several columns are parts of a whole, `TOTAL`, which is published too: see `territorial`.
    """
    table, keys = territorial(counts, territory)
    withheld = _suppress_cached(table.counts.tobytes(), table.sums, threshold)
    rows = zip(keys, table.counts.tolist(), withheld, strict=True)
    return {key: None if is_withheld else count for key, count, is_withheld in rows}


def published_together(
    counts: Mapping[str, Mapping[str, int]], territory: Territory, threshold: int = THRESHOLD
) -> dict[Key, int | None]:
    """Return publishable counts of several measures that do not add up, but reveal each other.

    Passes given and used, or households and devices: where one is withheld in a territory, all are,
    except zeros.
    """
    found: dict[Key, int | None] = {}
    for name in sorted({measure for by_measure in counts.values() for measure in by_measure}):
        found |= published({code: {name: n.get(name, 0)} for code, n in counts.items()}, territory, threshold)
    hidden = {key[:2] for key, count in found.items() if count is None}
    # Withholding more than a measure needs keeps it safe: fewer of its counts are known.
    return {key: None if count and key[:2] in hidden else count for key, count in found.items()}


@lru_cache(maxsize=512)
def _suppress_cached(
    counts: bytes, sums: tuple[tuple[int, tuple[int, ...]], ...], threshold: int
) -> tuple[bool, ...]:
    """Cache which cells of a table are withheld: a write to one table leaves the others in the cache."""
    table = CountTable(np.frombuffer(counts, dtype=np.int64), sums)
    return tuple(suppress(table, threshold).any.tolist())
