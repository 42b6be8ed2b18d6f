"""Export sites as files with types: XLSX, GeoJSON, GeoPackage. The columns are those of the full CSV.

Coordinates are numbers, days are dates, facts are booleans, and what is not known is empty. Text is
written as it is: an XLSX cell of text never acts as a formula. The import of our own XLSX and GeoJSON
gives the same records as that of the CSV.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import date
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import orjson
import pyogrio
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84
from geo.sites.export import COLUMNS, format_cell, values_by_column, write_csv
from geo.sites.model import LOCAL_PREFIX, Site
from geo.tables_out import Column, Kind, clean, escape_apostrophe, sheet_bytes


class SitesFormat(StrEnum):
    """A kind of file that sites are exported as."""

    CSV = "csv"
    CSV_STRICT = "csv-strict"
    """The standard's 32 columns only, as its schema accepts them."""
    XLSX = "xlsx"
    GEOJSON = "geojson"
    GPKG = "gpkg"


FORMAT_BY_SUFFIX: Final = {
    ".csv": SitesFormat.CSV,
    ".xlsx": SitesFormat.XLSX,
    ".geojson": SitesFormat.GEOJSON,
    ".json": SitesFormat.GEOJSON,
    ".gpkg": SitesFormat.GPKG,
}
"""End of a file's name, in lower case, and the format it asks for."""

LAYER: Final = "lieux"
"""Title of the sheet, and name of the GeoPackage's layer."""

_COORDINATES: Final = ("latitude", "longitude")
_CODES: Final = ("id", "pivot", "code_postal", "code_insee", "telephone")
_PROPERTIES: Final = tuple(name for name in COLUMNS if name not in _COORDINATES)


def _columns_of(kind: str) -> frozenset[str]:
    """Return the columns whose field of `Site` has a type."""
    return frozenset(
        name
        for field in fields(Site)
        if str(field.type).split(" | ")[0] == kind
        for name in (field.name, f"{LOCAL_PREFIX}{field.name}")
        if name in COLUMNS
    )


_FACTS: Final = _columns_of("bool")
_DATES: Final = _columns_of("date")


def write_sites(sites: Sequence[Site], stream: BinaryIO, file_format: SitesFormat) -> int:
    """Write sites to a stream, one record each, in the order given.

    Returns
    -------
    Number of sites left out: those that lack a value the standard requires, in a strict CSV; else 0.
    """
    match file_format:
        case SitesFormat.CSV | SitesFormat.CSV_STRICT:
            text = TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
            try:
                return write_csv(sites, text, strict=file_format is SitesFormat.CSV_STRICT)
            finally:
                text.detach()
        case SitesFormat.XLSX:
            stream.write(xlsx_bytes(sites))
        case SitesFormat.GEOJSON:
            stream.writelines(geojson_chunks(sites))
        case SitesFormat.GPKG:
            stream.write(gpkg_bytes(sites))
    return 0


def xlsx_bytes(sites: Iterable[Site]) -> bytes:
    """Return sites as a workbook of one sheet, one row each, the headings in view."""
    columns = [Column(name, kind=_kind(name), number_format=_number_format(name)) for name in COLUMNS]
    rows = ([_flat(value) for value in values_by_column(site).values()] for site in sites)
    return sheet_bytes(LAYER, columns, rows)


def geojson_chunks(sites: Iterable[Site]) -> Iterator[bytes]:
    """Yield a GeoJSON FeatureCollection (RFC 7946), one site at a time; several values are a list.

    The coordinates are those of the geometry, which is null for a site without position.
    """
    yield b'{"type":"FeatureCollection","features":['
    for rank, site in enumerate(sites):
        yield (b",\n" if rank else b"\n") + orjson.dumps(_feature(site))
    yield b"\n]}\n"


def gpkg_bytes(sites: Sequence[Site]) -> bytes:
    """Return sites as a GeoPackage: a layer of points in WGS 84; several values are joined by `|`."""
    table = [values_by_column(site) for site in sites]
    points = [shapely.Point(site.longitude, site.latitude).wkb if site.located else None for site in sites]
    columns = [_typed(name, [row[name] for row in table]) for name in _PROPERTIES]
    with tempfile.TemporaryDirectory(prefix="portee-") as folder:
        path = Path(folder) / f"{LAYER}.gpkg"
        pyogrio.raw.write(
            path,
            geometry=np.array(points, dtype=object),
            field_data=[data for data, _ in columns],
            fields=list(_PROPERTIES),
            field_mask=[mask for _, mask in columns],
            driver="GPKG",
            layer=LAYER,
            geometry_type="Point",
            crs=f"EPSG:{WGS84}",
        )
        return path.read_bytes()


def _feature(site: Site) -> dict[str, object]:
    values = values_by_column(site)
    point = {"type": "Point", "coordinates": [site.longitude, site.latitude]} if site.located else None
    return {
        "type": "Feature",
        "id": site.id,
        "geometry": point,
        "properties": {name: _member(values[name]) for name in _PROPERTIES},
    }


def _member(value: object) -> object:
    """Return a value as JSON holds it: a list for several, null for none."""
    if isinstance(value, tuple):
        return [escape_apostrophe(text) if rank == 0 else text for rank, text in enumerate(map(_text, value))]
    return _flat(value)


def _flat(value: object) -> object:
    """Return a value as a cell with a type; None when unknown."""
    if value is None or isinstance(value, (bool, float, date)):
        return value
    return escape_apostrophe(format_cell(value)) or None


def _text(value: object) -> str:
    return format_cell((value,))


def _kind(name: str) -> Kind:
    return Kind.NUMBER if name in _COORDINATES else Kind.TEXT


def _number_format(name: str) -> str:
    """Return the format of a column's cells: a code stays text when it is edited, and keeps its zeros."""
    if name in _CODES:
        return "@"
    return "yyyy-mm-dd" if name in _DATES else ""


def _typed(name: str, values: list[object]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a field of the layer as an array, and which of its values are unknown."""
    flat = [_flat(value) for value in values]
    unknown = np.array([value is None for value in flat], dtype=bool)
    if name in _FACTS:
        return np.array([bool(value) for value in flat], dtype=bool), unknown
    if name in _DATES:
        return np.array(flat, dtype="datetime64[D]"), unknown
    texts = [None if value is None else clean(str(value)) for value in flat]
    return np.array(texts, dtype=object), unknown
