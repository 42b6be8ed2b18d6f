"""The static site: a folder that any web host, or a double click, can show.

Everything lies beside `index.html`: scripts, styles and the data as files one can reuse. The
page asks no other host but the base map's.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import orjson
import shapely

from geo.coverage.access import DEFAULTS, AccessParameters, Coverage, access, records
from geo.sites.export import write_csv
from geo.sites.model import LOCAL_FIELDS, standard_values
from geo.snapshot import Snapshot
from geo.territory.model import Kind
from static_maps import assets
from static_maps.coverage_map import Link, coverage_map, written
from static_maps.settings import MapSettings

DOWNLOADS: Final[tuple[Link, ...]] = (
    ("lieux (CSV du standard)", "data/lieux.csv"),
    ("lieux (GeoJSON)", "data/lieux.geojson"),
    ("communes (GeoJSON)", "data/communes.geojson"),
    *((f"accès par {kind.label} (CSV)", f"data/acces-{kind.value}.csv") for kind in Kind),
    ("sources (JSON)", "data/sources.json"),
)
"""Files offered beside the page: what the link says, where it leads."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was written, and from what."""

    index: Path
    files: int
    octets: int
    snapshot_version: int


def render(
    snapshot: Snapshot,
    out: Path,
    *,
    settings: MapSettings | None = None,
    parameters: AccessParameters = DEFAULTS,
) -> Rendered:
    """Write the static site of a snapshot into a folder, made if it is not there.

    The same snapshot gives the same bytes. `index.html` is replaced last, so that a site being
    renewed never shows a page whose files are not there yet; other files of the folder stay.

    Raises
    ------
    MissingAssets
        If the npm packages are not installed.
    """
    coverages = {kind: access(snapshot, kind, parameters) for kind in Kind}
    by_commune = coverages[Kind.COMMUNE]
    canvas = coverage_map(snapshot, coverages, settings=settings or MapSettings(), downloads=DOWNLOADS)
    page = written(canvas).html
    sites = io.StringIO(newline="")
    write_csv(snapshot.sites, sites)
    files = {
        "data/lieux.csv": sites.getvalue().encode(),
        "data/lieux.geojson": _json(_collection(_site_features(snapshot))),
        "data/communes.geojson": _json(_collection(_commune_features(snapshot, by_commune))),
        **{f"data/acces-{kind.value}.csv": _table(coverage) for kind, coverage in coverages.items()},
        "data/sources.json": _json(_sources(snapshot, by_commune)),
        "index.html": page.encode(),
    }
    assets.copy_for_site(out / "static")
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(content)
        fresh.replace(path)
    return Rendered(
        index=out / "index.html",
        files=len(files),
        octets=sum(map(len, files.values())),
        snapshot_version=snapshot.version,
    )


def _collection(features: list[dict[str, object]]) -> dict[str, object]:
    return {"type": "FeatureCollection", "features": features}


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_DATACLASS) + b"\n"


def _site_features(snapshot: Snapshot) -> list[dict[str, object]]:
    """Sites as RFC 7946 features; those without a point have no geometry."""
    return [
        {
            "type": "Feature",
            "id": site.id,
            "geometry": {"type": "Point", "coordinates": [site.longitude, site.latitude]}
            if site.located
            else None,
            "properties": {
                **{k: v for k, v in standard_values(site) if k not in ("latitude", "longitude")},
                **{name: getattr(site, name) for name in LOCAL_FIELDS},
            },
        }
        for site in snapshot.sites
    ]


def _commune_features(snapshot: Snapshot, coverage: Coverage) -> list[dict[str, object]]:
    """Communes with their full boundary (six decimals) and their access."""
    shapes = [c.boundary for c in snapshot.territory.communes]
    told = shapely.to_geojson(shapely.transform(shapes, lambda xy: np.round(xy, 6)))
    geometry = {c.code: text for c, text in zip(snapshot.territory.communes, told, strict=True)}
    return [
        {
            "type": "Feature",
            "id": row["code"],
            "geometry": orjson.Fragment(geometry[str(row["code"])]),
            "properties": row,
        }
        for row in records(coverage)
    ]


def _table(coverage: Coverage) -> bytes:
    """Access as CSV: UTF-8, commas, one line per territory."""
    rows = records(coverage)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _sources(snapshot: Snapshot, coverage: Coverage) -> dict[str, object]:
    """What the figures were made from and how."""
    return {
        "territory": {"code": snapshot.territory.code, "name": snapshot.territory.name},
        "snapshot": {"version": snapshot.version, "taken_at": snapshot.taken_at},
        "fictitious": snapshot.fictitious,
        "method": coverage.method,
        "detour_factor": coverage.parameters.detour_factor,
        "people": coverage.people,
        "sources": snapshot.provenance,
    }
