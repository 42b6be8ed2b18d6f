"""Invented source files of sites, written to be opened by the readers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from geo.sites.readers import SourceFile, open_source


def csv_of(*records: dict[str, str], separator: str = ",") -> str:
    """Records as delimited text, with the columns of the first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def source(tmp_path: Path, data: object, name: str = "liste", **options: Any) -> SourceFile:
    """Write text, or data as JSON, to a file and open it as a source."""
    path = tmp_path / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return open_source(path, max_bytes=10_000_000, **options)


def feature(properties: object, coordinates: tuple[float, ...] = (0.5, 44.1)) -> dict[str, object]:
    """A GeoJSON feature with a point."""
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Point", "coordinates": list(coordinates)},
    }


def collection(*features: object) -> dict[str, object]:
    """A GeoJSON collection of features."""
    return {"type": "FeatureCollection", "name": "fictif", "features": list(features)}
