"""EPCI, cantons, arrondissements and the département, dissolved from their communes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import shapely

from geo.territory.model import Commune, Grouping, TerritoryKind
from geo.territory.tiling import polygons_of


def dissolve(communes: Sequence[Commune], context: Sequence[Commune] = ()) -> tuple[Grouping, ...]:
    """Group communes and dissolve their boundaries.

    Parameters
    ----------
    communes
        Communes of the territory, WGS 84.
    context
        Communes outside it: a grouping one of them also belongs to is `partial`.

    Returns
    -------
    One grouping per kind and code, sorted by kind then code; none for codes left empty. Where
    the communes tile (see `geo.territory.tiling`), shared borders vanish exactly.
    """
    # A coverage union merely drops shared edges: exact and quick, but it trusts its input.
    tile = shapely.coverage_is_valid([c.boundary for c in communes])
    union = shapely.coverage_union_all if tile else shapely.union_all
    groupings = []
    for kind in (
        TerritoryKind.CANTON,
        TerritoryKind.EPCI,
        TerritoryKind.ARRONDISSEMENT,
        TerritoryKind.DEPARTEMENT,
    ):
        members: dict[str, list[Commune]] = defaultdict(list)
        for commune in communes:
            members[commune.grouping(kind)[0]].append(commune)
        outside = {c.grouping(kind)[0] for c in context}
        for code in sorted(members.keys() - {""}):
            inside = sorted(members[code], key=lambda c: c.code)
            groupings.append(
                Grouping(
                    kind=kind,
                    code=code,
                    name=inside[0].grouping(kind)[1],
                    communes=tuple(c.code for c in inside),
                    population=sum(c.population for c in inside),
                    boundary=polygons_of(union([c.boundary for c in inside])),
                    partial=code in outside,
                )
            )
    return tuple(groupings)
