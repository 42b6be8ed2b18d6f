"""Coverage as flat tables, and tables as CSV, XLSX, GeoPackage and GeoJSON.

Columns have stable English names with their unit; `meaning` describes each in French. Text that may
come from a source file is never interpreted as a formula in any format.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import geopandas
import numpy as np
import orjson
import pandas as pd
import pyogrio
import shapely
from shapely import Geometry, MultiPolygon

from geo import tables_out
from geo.coverage.compare import CoverageChange
from geo.coverage.gaps import Gap, question_text
from geo.coverage.measure import CAP_MIN, STALE_AFTER, Coverage
from geo.crs import WGS84, reproject
from geo.reach.straight_line import METHOD as STRAIGHT_LINE
from geo.tables_out import Column, Dialect, Kind, Table, clean, plain_value
from geo.territory.model import TerritoryKind
from geo.wording import dates, figures
from geo.wording.language import FRENCH, french_count

Rows: TypeAlias = Sequence[Mapping[str, object]]
"""A table; all rows have the same columns in the same order."""
About: TypeAlias = Sequence[tuple[str, str]]
"""Notes about a table: (heading, sentence) pairs in French."""

LAYER: Final = "couverture"
README: Final = tables_out.README
DEMONSTRATION: Final = "Données de démonstration : des lieux montrés ici sont inventés."

_MEANINGS: Final[dict[str, str]] = {
    "kind": "niveau du territoire",
    "code": "code INSEE de la commune, ou code du regroupement",
    "name": "nom",
    "population": "population municipale (habitants)",
    "people": "personnes comptées ; pour un écart : personnes au-delà du seuil",
    "site_count": "lieux du territoire qui conviennent (nombre)",
    "site_count_low": "les mêmes, si toutes les questions à trancher étaient des doublons (nombre)",
    "nearest_site_id": "identifiant du lieu le plus proche pour le plus grand nombre",
    "nearest_site_name": "nom de ce lieu",
    "median_min": "temps que la moitié des personnes ne dépasse pas (minutes)",
    "people_beyond": "personnes à plus du seuil (nombre)",
    "supply": "offre accessible pour 1 000 habitants (bassins flottants)",
    "supply_low": "la même, si toutes les questions à trancher étaient des doublons",
    "open_hours": "heures par semaine où un lieu est ouvert en deçà du seuil (heures)",
    "gap": f"écart : personnes × besoin × minutes au-delà du seuil (jusqu'à {figures.minutes(CAP_MIN)})",
    "gap_rank": "rang de l'écart, 1 pour le plus grand",
    "minutes": "temps médian de ces personnes jusqu'au lieu le plus proche (minutes)",
    "longitude": "longitude du point qui fait le plus grand écart (degrés, WGS 84)",
    "latitude": "latitude de ce point (degrés, WGS 84)",
    "unsuitable_site_id": "identifiant d'un lieu plus proche, mais qui ne convient pas",
    "unsuitable_site_name": "nom de ce lieu",
    "unsuitable_min": "temps jusqu'à ce lieu (minutes)",
    "missing": "ce qui manque à ce lieu",
    "sentence": "l'écart en une phrase",
    "gaining": "personnes qui passent en deçà du seuil (nombre)",
    "losing": "personnes qui passent au-delà du seuil (nombre)",
    "nearer": "personnes rapprochées d'une minute ou plus (nombre)",
    "farther": "personnes éloignées d'une minute ou plus (nombre)",
    "change_min": "variation moyenne du temps (minutes ; négative : plus proche)",
    "change_supply": "variation de l'offre accessible pour 1 000 habitants",
    "change_gap": "variation de l'écart (négative : il se réduit)",
    "beyond_min": "seuil de temps de la question (minutes)",
    "mode": "mode de déplacement : car (voiture), bicycle (vélo), foot (marche)",
    "method": "roads : temps par la route ; straight_line : estimation à vol d'oiseau",
    "fictitious": "vrai quand des lieux sont inventés (données de démonstration)",
}
_WITHIN: Final = re.compile(r"share_within_(\d+)_min")
_TEXTS: Final = frozenset(
    {
        *("kind", "code", "name", "nearest_site_id", "nearest_site_name", "mode", "method"),
        *("unsuitable_site_id", "unsuitable_site_name", "missing", "sentence"),
    }
)
_FORMATS: Final = {
    **dict.fromkeys(("population", "people", "people_beyond", "gap", "change_gap"), "#,##0"),
    **dict.fromkeys(("gaining", "losing", "nearer", "farther"), "#,##0"),
    **dict.fromkeys(("median_min", "minutes", "unsuitable_min", "open_hours", "change_min"), "0.0"),
    **dict.fromkeys(("supply", "supply_low", "change_supply"), "0.00"),
    **dict.fromkeys(("longitude", "latitude"), "0.00000"),
}
_DEGREE_DIGITS: Final = 6


def meaning(column: str) -> str:
    """Return the French description of a column, with its unit."""
    if within := _WITHIN.fullmatch(column):
        return f"part des personnes à {figures.minutes(int(within[1]))} au plus (de 0 à 1)"
    return _MEANINGS[column]


def territories_table(coverage: Coverage, kind: TerritoryKind) -> list[dict[str, object]]:
    """Return the coverage of every territory of a kind, one row each, sorted by code."""
    return [
        {
            "kind": row.kind.value,
            "code": row.code,
            "name": row.name,
            "population": row.population,
            "people": row.people,
            "site_count": row.site_count,
            "site_count_low": row.site_range.low,
            "nearest_site_id": row.nearest_site_id,
            "nearest_site_name": _site_name(coverage, row.nearest_site_id),
            "median_min": row.median_min,
            **{
                f"share_within_{minutes}_min": share
                for minutes, share in zip(coverage.question.minutes, row.share_within, strict=True)
            },
            "people_beyond": row.people_beyond,
            "supply": row.supply,
            "supply_low": row.supply_low,
            "open_hours": row.open_hours,
            "gap": row.gap,
            "gap_rank": row.gap_rank,
            **_context(coverage),
        }
        for row in coverage.by_territory(kind)
    ]


def gaps_table(coverage: Coverage, gaps: Iterable[Gap]) -> list[dict[str, object]]:
    """Return gaps of communes or places, one row each, in the order given; `code` is the commune's."""
    gaps = tuple(gaps)
    points = shapely.points([gap.xy for gap in gaps]) if gaps else np.array([])
    degrees = reproject(points, source=coverage.frame.snapshot.territory.metric_crs, target=WGS84)
    return [
        {
            "gap_rank": rank,
            "code": gap.commune,
            "name": gap.name,
            "people": gap.people,
            "minutes": gap.minutes,
            "gap": gap.gap,
            "nearest_site_id": gap.nearest_site_id,
            "nearest_site_name": _site_name(coverage, gap.nearest_site_id),
            "unsuitable_site_id": gap.unsuitable_site_id,
            "unsuitable_site_name": _site_name(coverage, gap.unsuitable_site_id),
            "unsuitable_min": gap.unsuitable_min,
            "missing": " | ".join(gap.missing),
            "sentence": gap.sentence,
            "longitude": round(float(point.x), _DEGREE_DIGITS),
            "latitude": round(float(point.y), _DEGREE_DIGITS),
            **_context(coverage),
        }
        for rank, (gap, point) in enumerate(zip(gaps, degrees, strict=True), start=1)
    ]


def changes_table(after: Coverage, changes: Iterable[CoverageChange]) -> list[dict[str, object]]:
    """Return the change in each territory, one row each, in the order given."""
    return [
        {
            "kind": change.kind.value,
            "code": change.code,
            "name": change.name,
            "people": change.people,
            "gaining": change.gaining,
            "losing": change.losing,
            "nearer": change.nearer,
            "farther": change.farther,
            "change_min": change.minutes,
            "change_supply": change.supply,
            "change_gap": change.gap,
            **_context(after),
        }
        for change in changes
    ]


def geometries(coverage: Coverage, kind: TerritoryKind) -> dict[str, MultiPolygon]:
    """Return the boundary of every territory of a kind by code, WGS 84."""
    return {group.code: group.boundary for group in coverage.frame.snapshot.territory.groupings_of(kind)}


def about(coverage: Coverage) -> list[tuple[str, str]]:
    """Return the notes of a coverage table: question, method, sources, uncertainty, date."""
    frame, question = coverage.frame, coverage.question
    snapshot = frame.snapshot
    method = frame.travel.label
    if frame.travel.method == STRAIGHT_LINE:
        method += f" × {figures.exact(frame.travel.detour_factor)}"
    rows = [
        ("Territoire", f"{snapshot.territory.name} ({snapshot.territory.code})"),
        ("Question", question_text(coverage)),
        ("Seuil", figures.minutes(question.beyond_min)),
        ("Méthode", method),
        ("Personnes", frame.people.label),
        ("Offre accessible", f"{question.supply.label} ; décroissance {question.decay.text}"),
        *(("Poids du besoin", _weighed(coverage, code, weight)) for code, weight in question.weights),
        *(("Incertitude", sentence) for sentence in uncertainty_sentences(coverage)),
        *(("Source", text) for text in source_lines(coverage)),
        ("État des données", f"n° {snapshot.version}, du {dates.long_date(snapshot.taken_at.date())}"),
        ("Calculé le", dates.long_date(frame.day)),
    ]
    return [("Avertissement", DEMONSTRATION), *rows] if snapshot.fictitious else rows


def source_lines(coverage: Coverage) -> tuple[str, ...]:
    """Return the sources of the figures: subject, producer, vintage, licence."""
    return tuple(
        f"{each.subject} : " + ", ".join(part for part in (each.producer, each.vintage, each.licence) if part)
        for each in coverage.frame.snapshot.provenance
    )


def uncertainty_sentences(coverage: Coverage) -> tuple[str, ...]:
    """Return French sentences on the uncertainty of the figures."""
    sure, within = coverage.uncertainty, figures.minutes(coverage.question.beyond_min)
    if not sure.sites:
        return ("Aucun lieu ne répond aux critères.",)
    sentences = [
        french_count("%(num)s lieu répond aux critères", "%(num)s lieux répondent aux critères", sure.sites)
    ]
    if not coverage.site_range.certain:
        sentences[0] += f", {coverage.site_range.between}"
        sentences += undecided_sentences(coverage)
    if coverage.question.slot:
        opened = french_count(
            "%(num)s lieu est ouvert, à coup sûr",
            "%(num)s lieux sont ouverts, à coup sûr",
            len(coverage.counted),
        )
        sentences.append(f"{opened}, au moment demandé ({coverage.question.slot.label})")
    if sure.unlocated:
        sentences.append(
            french_count(
                "%(num)s lieu est sans position et n'approche personne",
                "%(num)s lieux sont sans position et n'approchent personne",
                sure.unlocated,
            )
        )
    if sure.approximate:
        placed = french_count(
            "%(num)s lieu est placé à la mairie", "%(num)s lieux sont placés à la mairie", sure.approximate
        )
        without = FRENCH.plural("sans lui", "sans eux", sure.approximate)
        sentences.append(placed + _moved(sure.share, sure.share_without_approximate, within, without))
    if sure.stale:
        checked = french_count(
            "%(num)s lieu n'a pas été vérifié depuis %(days)s jours ou ne dit pas quand",
            "%(num)s lieux n'ont pas été vérifiés depuis %(days)s jours ou ne disent pas quand",
            sure.stale,
            days=STALE_AFTER.days,
        )
        without = FRENCH.plural("sans lui", "sans eux", sure.stale)
        sentences.append(checked + _moved(sure.share, sure.share_without_stale, within, without))
    if sure.hours_unknown:
        unknown = french_count(
            "%(num)s lieu a des horaires inconnus",
            "%(num)s lieux ont des horaires inconnus",
            sure.hours_unknown,
        )
        if coverage.question.slot:
            if_open = FRENCH.plural("s'il était ouvert", "s'ils étaient ouverts", sure.hours_unknown)
            unknown += _moved(sure.share, sure.share_if_unknown_open, within, if_open)
        sentences.append(unknown)
    return tuple(f"{sentence}." for sentence in sentences)


def undecided_sentences(coverage: Coverage) -> list[str]:
    """Return French sentences, without full stop, on what undecided questions change in the territory."""
    sentences = []
    whole, *_ = coverage.by_territory(TerritoryKind.DEPARTEMENT)
    if not whole.site_range.certain:
        sentences.append(f"Dans le territoire, {whole.site_range.sentence}")
    high, low = (figures.decimal(value) for value in (whole.supply, whole.supply_low))
    if low != high:
        sentences.append(
            f"L'offre moyenne est entre {low} et {high} ({coverage.question.supply.label}), "
            "selon les mêmes questions"
        )
    return sentences


def csv_bytes(rows: Rows, dialect: Dialect = Dialect.LINES) -> bytes:
    """Return a table as CSV in UTF-8; nothing for an empty table."""
    table = tables_out.records_table("", rows)
    return tables_out.csv_bytes(table.columns, table.rows, dialect)


def xlsx_bytes(sheets: Mapping[str, Rows], about: About) -> bytes:
    """Return tables as a workbook, one sheet each, after a sheet that explains them."""
    return tables_out.xlsx_bytes([_table(title, rows) for title, rows in sheets.items()], about, frozen="D2")


def _table(title: str, rows: Rows) -> Table:
    columns = [
        Column(
            name,
            meaning(name),
            Kind.TEXT if name in _TEXTS else Kind.NUMBER,
            "0.0%" if _WITHIN.fullmatch(name) else _FORMATS.get(name, ""),
        )
        for name in _columns(rows)
    ]
    return Table(title, columns, [list(row.values()) for row in rows])


def gpkg_bytes(
    rows: Rows,
    geometries: Mapping[str, Geometry],
    *,
    epsg: int = WGS84,
    about: About = (),
    layer: str = LAYER,
) -> bytes:
    """Return a table as a GeoPackage with one layer in WGS 84.

    Parameters
    ----------
    geometries
        Polygons by the value of each row's `code`; a row without one has no geometry.
    epsg
        CRS of the geometries.
    about
        Kept as the layer's description.
    """
    columns = {
        name: pd.Series([plain_value(row[name]) for row in rows], dtype=_dtype(name, rows))
        for name in _columns(rows)
    }
    shapes = [_multi(geometries.get(str(row["code"]))) for row in rows]
    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs=epsg).to_crs(WGS84)
    with tempfile.TemporaryDirectory(prefix="portee-") as folder:
        path = Path(folder) / f"{LAYER}.gpkg"
        said = "\n".join(f"{heading} : {text}" for heading, text in about)
        with warnings.catch_warnings():
            # An empty table has no geometry to take the type from; the layer says MultiPolygon.
            warnings.simplefilter("ignore", UserWarning)
            pyogrio.write_dataframe(
                frame,
                path,
                driver="GPKG",
                layer=layer,
                geometry_type="MultiPolygon",
                layer_options={"IDENTIFIER": layer, "DESCRIPTION": clean(said)},
            )
        return path.read_bytes()


def geojson_bytes(
    rows: Rows, geometries: Mapping[str, Geometry], *, epsg: int = WGS84, about: About = ()
) -> bytes:
    """Return a table as GeoJSON (RFC 7946), outer rings counter-clockwise, with `about` beside the features.

    Parameters as `gpkg_bytes`.
    """
    shapes = np.array([geometries.get(str(row["code"])) for row in rows], dtype=object)
    degrees = reproject(shapes, source=epsg, target=WGS84) if epsg != WGS84 else shapes
    collection = {
        "type": "FeatureCollection",
        "about": [{"heading": clean(heading), "text": clean(text)} for heading, text in about],
        "features": [
            {
                "type": "Feature",
                "id": str(row["code"]),
                "properties": {name: plain_value(value) for name, value in row.items()},
                "geometry": _geojson(shape),
            }
            for row, shape in zip(rows, degrees, strict=True)
        ],
    }
    return orjson.dumps(collection)


def _context(coverage: Coverage) -> dict[str, object]:
    """Return the columns that make a row understandable on its own."""
    frame, question = coverage.frame, coverage.question
    return {
        "beyond_min": question.beyond_min,
        "mode": question.mode.value,
        "method": frame.travel.method,
        "fictitious": frame.snapshot.fictitious,
    }


def _site_name(coverage: Coverage, site_id: str | None) -> str | None:
    return coverage.frame.snapshot.site(site_id).nom if site_id else None


def _weighed(coverage: Coverage, code: str, weight: float) -> str:
    indicator = next(i for i in coverage.frame.snapshot.indicators if i.code == code)
    return f"{indicator.name} : {figures.exact(weight)}"


def _moved(share: float | None, other: float | None, within: str, case: str) -> str:
    """Say how far the share of people within reach moves in another case."""
    if share is None or other is None:
        return ""
    now, then = figures.percent(share), figures.percent(other)
    if now == then:
        return f" : {case}, la part des personnes à {within} ou moins ne change pas"
    return f" : {case}, la part des personnes à {within} ou moins passerait de {now} à {then}"


def _columns(rows: Rows) -> list[str]:
    return list(rows[0]) if rows else []


def _dtype(name: str, rows: Rows) -> Any:
    if name in _TEXTS:
        return object
    values = [row[name] for row in rows if row[name] is not None]
    if values and all(isinstance(value, bool) for value in values):
        return bool
    if values and all(isinstance(value, int) for value in values):
        return "Int64"
    return np.float64


def _multi(shape: Geometry | None) -> Geometry | None:
    if shape is None or isinstance(shape, MultiPolygon):
        return shape
    return MultiPolygon([shape])


def _geojson(shape: Geometry | None) -> orjson.Fragment | None:
    if shape is None:
        return None
    rounded = shapely.transform(shape, lambda degrees: degrees.round(_DEGREE_DIGITS))
    return orjson.Fragment(shapely.to_geojson(shapely.orient_polygons(rounded)).encode())
