"""The static site: a folder that any web host serves and a double click opens.

Scripts, styles and reusable data files are beside `index.html`. The page requests no other host
than the base map's.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.export import about, csv_bytes, geojson_bytes, geometries, territories_table
from geo.coverage.measure import Coverage, Question, measure
from geo.sites.export import write_csv
from geo.sites.export_files import geojson_chunks
from geo.snapshot import Snapshot
from geo.tables_out import Dialect
from geo.territory.model import TerritoryKind
from static_maps import assets
from static_maps.coverage_map import Link, coverage_map, render_page
from static_maps.settings import MapSettings

DOWNLOADS: Final[tuple[Link, ...]] = (
    ("lieux (CSV du standard)", "data/lieux.csv"),
    ("lieux (CSV pour Excel)", "data/lieux-excel.csv"),
    ("lieux (GeoJSON)", "data/lieux.geojson"),
    ("communes (GeoJSON)", "data/communes.geojson"),
    *((f"accès par {kind.label} (CSV)", f"data/acces-{kind.value}.csv") for kind in TerritoryKind),
    ("sources (JSON)", "data/sources.json"),
)
"""Links to the files beside the page: label and relative address."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """Result of `render`: the page, the number and size of the files, and the version of their data."""

    index: Path
    files: int
    octets: int
    snapshot_version: int


def render(frame: AnalysisContext, out: Path, *, settings: MapSettings | None = None) -> Rendered:
    """Write the static site of an analysis context into a folder, creating the folder if needed.

    The same context gives the same bytes. `index.html` is replaced last, so that a site being
    updated never shows a page whose files are missing; other files of the folder stay.

    Raises
    ------
    MissingAssets
        If the npm packages are not installed.
    """
    snapshot = frame.snapshot
    coverage = measure(frame, Question())
    tables = {kind: territories_table(coverage, kind) for kind in TerritoryKind}
    canvas = coverage_map(coverage, settings=settings or MapSettings(), downloads=DOWNLOADS)
    page = render_page(canvas).html
    files = {
        "data/lieux.csv": _sites_csv(snapshot, Dialect.LINES),
        "data/lieux-excel.csv": _sites_csv(snapshot, Dialect.EXCEL_FR),
        "data/lieux.geojson": b"".join(geojson_chunks(snapshot.sites)),
        "data/communes.geojson": geojson_bytes(
            tables[TerritoryKind.COMMUNE], geometries(coverage, TerritoryKind.COMMUNE), about=about(coverage)
        ),
        **{
            f"data/acces-{kind.value}.csv": csv_bytes(rows, Dialect.EXCEL_FR) for kind, rows in tables.items()
        },
        "data/sources.json": _json(_sources(coverage)),
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


def _sites_csv(snapshot: Snapshot, dialect: Dialect) -> bytes:
    stream = io.StringIO(newline="")
    write_csv(snapshot.sites, stream, dialect=dialect)
    return stream.getvalue().encode()


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_DATACLASS) + b"\n"


def _sources(coverage: Coverage) -> dict[str, object]:
    """Return the sources of the figures and the method that computes them."""
    frame = coverage.frame
    snapshot, travel = frame.snapshot, frame.travel
    return {
        "territory": {"code": snapshot.territory.code, "name": snapshot.territory.name},
        "snapshot": {"version": snapshot.version, "taken_at": snapshot.taken_at},
        "day": frame.day,
        "fictitious": snapshot.fictitious,
        "mode": coverage.question.mode,
        "method": travel.method,
        "method_label": travel.label,
        "detour_factor": travel.detour_factor,
        "people": frame.people.label,
        "about": [{"heading": heading, "text": text} for heading, text in about(coverage)],
        "sources": snapshot.provenance,
    }
