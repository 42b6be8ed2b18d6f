"""Read files of the Base Adresse Nationale: addresses and lieux-dits of a département.

Every row is counted as accepted, doubled, outside or rejected: see docs/addresses.md.
"""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84, project, reproject
from geo.errors import UnreadableFile
from geo.people.model import Findings
from geo.places.query_words import STREET_TYPES
from geo.sites.model import Issue, Severity
from geo.sites.readers import delimited
from geo.sites.readers.encoding import inspect_file
from geo.sites.text import clean_text, fold
from geo.territory.files import sha256_of
from geo.territory.model import Territory
from geo.wording import figures

PRODUCER: Final = "Base Adresse Nationale"
LICENCE: Final = "Licence Ouverte 2.0"
WHERE: Final = "https://adresse.data.gouv.fr, rubrique des données à télécharger"

MAX_BYTES: Final = 4_000_000_000
"""Largest unpacked file read, in bytes; the file of all of France is about this size."""

MARGIN_M: Final = 15_000.0
"""How far outside the territory addresses are included, in metres: sites here may serve them."""

AGREEMENT_M: Final = 100.0
"""Maximum distance in metres between the two pairs of coordinates of a row."""

NAMELESS_FROM: Final = 5_000
"""Numbers from this one on mean « no number » in the register (lieux-dits are 5001 or 99999)."""

NAME_MAX: Final = 200

_ADDRESSES = ("id", "numero", "rep", "nom_voie", "code_postal", "code_insee", "nom_commune", "lon", "lat")
_LIEUX_DITS = ("id", "nom_lieu_dit", "code_postal", "code_insee", "nom_commune", "lon", "lat")
_ID = re.compile(r"((?:\d\d|2[AB])\d{3}_[0-9a-z]{4,8})(?:_(\d{1,5})((?:_[0-9a-z]{1,20})*))?", re.IGNORECASE)
_COMMUNE = re.compile(r"(?:\d\d|2[AB])\d{3}")
_POSTCODE = re.compile(r"\d{5}")
_BANO = re.compile(r"[0-9A-Z]{5,12}-\w+")
_PROGRESS_EVERY = 4_096
_CELL_MAX = 200


@dataclass(frozen=True, slots=True)
class Number:
    """A house number of a street: « 12 bis » is 12 and "bis". WGS 84 degrees."""

    number: int
    repetition: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Street:
    """A street or a hamlet, with its sorted house numbers.

    `id` is that of the register (`47001_0010`); `former` is the name of its commune before a merger.
    Its point (WGS 84 degrees) is that of the house number nearest to the centre of all of them.
    """

    id: str
    hamlet: bool
    name: str
    postcode: str
    commune: str
    commune_name: str
    former: str
    longitude: float
    latitude: float
    numbers: tuple[Number, ...] = ()


@dataclass(slots=True)
class AddressTally:
    """Counts of rows. Invariant: `read == accepted + doubled + outside + rejected`."""

    read: int = 0
    accepted: int = 0
    doubled: int = 0
    outside: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class AddressFile:
    """A file that was read: its name, hash, counts and findings."""

    file_name: str
    sha256: str
    tally: AddressTally
    findings: Findings

    def summary(self) -> dict[str, Any]:
        """Return the counts and reasons, as stored."""
        return {**asdict(self.tally), "reasons": dict(self.findings.count)}


@dataclass(frozen=True)
class Addresses:
    """Streets and hamlets sorted by identifier, and their source files."""

    streets: tuple[Street, ...]
    files: tuple[AddressFile, ...]

    @property
    def number_count(self) -> int:
        """Number of house numbers of all streets."""
        return sum(len(street.numbers) for street in self.streets)


@dataclass(slots=True)
class _AddressColumns:
    """Valid rows as columns, one entry per row."""

    line: list[int] = field(default_factory=list)
    street: list[str] = field(default_factory=list)
    number: list[int | None] = field(default_factory=list)
    repetition: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    postcode: list[str] = field(default_factory=list)
    commune: list[str] = field(default_factory=list)
    commune_name: list[str] = field(default_factory=list)
    former: list[str] = field(default_factory=list)
    degrees: list[tuple[float, float]] = field(default_factory=list)
    metres: list[tuple[float, float]] = field(default_factory=list)


def read_addresses(
    paths: Sequence[Path],
    territory: Territory,
    *,
    margin_m: float = MARGIN_M,
    progress: Callable[[int], None] | None = None,
) -> Addresses:
    """Read files of the Base Adresse Nationale, of addresses or lieux-dits, optionally gzipped.

    Parameters
    ----------
    territory
        Rows farther than `margin_m` metres from its communes are counted as outside.
    progress
        Called every 4,096 rows and at the end of each file with the number of rows read.

    Raises
    ------
    UnreadableFile
        If a file is not a BAN file, or none of its rows is usable.
    """
    within = _within(territory, margin_m)
    streets: dict[str, Street] = {}
    files = []
    done = 0
    for path in paths:
        before = done

        def report_progress(rows: int, before: int = before) -> None:
            if progress:
                progress(before + rows)

        file, found = _read(path, territory, within, report_progress)
        done += file.tally.read
        files.append(file)
        for street in found:
            known = streets.get(street.id)
            # The same identifier may be a lieu-dit in one file and a street with numbers in another.
            if known is None or len(street.numbers) > len(known.numbers):
                streets[street.id] = street
    return Addresses(tuple(sorted(streets.values(), key=lambda s: s.id)), tuple(files))


def _read(
    path: Path, territory: Territory, within: shapely.Geometry, report_progress: Callable[[int], None]
) -> tuple[AddressFile, list[Street]]:
    tally, findings, rows = AddressTally(), Findings(), _AddressColumns()
    with _unpacked(path) as plain:
        encoding = inspect_file(plain, max_bytes=MAX_BYTES).encoding
        columns, cells = _opened(plain, path.name, encoding)
        for line, row in cells:
            tally.read += 1
            if tally.read % _PROGRESS_EVERY == 0:
                report_progress(tally.read)
            problem = _read_row(line, row, columns, rows)
            if problem:
                tally.rejected += 1
                findings.add(problem)
    report_progress(tally.read)
    streets = _streets(rows, territory, within, tally, findings)
    file = AddressFile(path.name, sha256_of(path), tally, findings)
    if not streets:
        raise _nothing(file, territory)
    return file, streets


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Yield the path of the file, or of a temporary file with the content of a .gz."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
    except OSError:
        packed = False  # the text reader reports it with a better message
    if not packed:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="portee-adresses-") as folder:
        plain = Path(folder) / path.name.removesuffix(".gz")
        try:
            with gzip.open(path) as stream, plain.open("wb") as out:
                shutil.copyfileobj(_SizeLimitedStream(stream, path.name), out, 1 << 20)
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise UnreadableFile(
                f"Le fichier compressé « {path.name} » est abîmé ou coupé.", "Téléchargez-le à nouveau."
            ) from problem
        yield plain


class _SizeLimitedStream:
    """A stream that refuses to yield more than `MAX_BYTES`, against decompression bombs."""

    def __init__(self, stream: gzip.GzipFile, name: str) -> None:
        self._stream, self._name, self._left = stream, name, MAX_BYTES

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise UnreadableFile(
                f"« {self._name} » est trop gros une fois décompressé.", "Donnez le fichier d'un département."
            )
        return chunk


def _opened(path: Path, name: str, encoding: str) -> tuple[dict[str, int], Iterator[tuple[int, list[str]]]]:
    """Return the index of each column by name, and the rows below the header."""
    first: list[str] = []
    for separator in (";", ",", "\t"):
        cells = delimited.rows(path, encoding, separator)
        _, header = next(cells, (0, []))
        columns = {cell.replace("\ufeff", "").strip().lower(): rank for rank, cell in enumerate(header)}
        if columns.keys() >= set(_ADDRESSES) or columns.keys() >= set(_LIEUX_DITS):
            return columns, cells
        first = max(first, header, key=len)
    raise _unknown(name, first)


def _unknown(name: str, header: list[str]) -> UnreadableFile:
    wanted = (
        f"Donnez le fichier « adresses-<département>.csv » (ou .csv.gz) de la {PRODUCER}, à télécharger "
        f"sur {WHERE}. Ses colonnes sont séparées par « ; » : {', '.join(_ADDRESSES)}…"
    )
    if header and _BANO.fullmatch(header[0].strip()) and len(header) in (7, 8):
        return UnreadableFile(
            f"« {name} » est un fichier BANO (OpenStreetMap), pas de la {PRODUCER} : il n'a pas d'en-tête "
            "et ne dit pas le code INSEE des communes.",
            wanted,
        )
    missing = [column for column in _ADDRESSES if column not in {cell.strip().lower() for cell in header}]
    return UnreadableFile(
        f"« {name} » n'est pas un fichier d'adresses connu : il lui manque {', '.join(missing)}.", wanted
    )


def _read_row(line: int, row: list[str], columns: dict[str, int], rows: _AddressColumns) -> Issue | None:
    """Append a row to `rows` if it is valid; otherwise return the issue that rejects it."""
    if len(row) != len(columns):
        return _rejected(
            line,
            "",
            str(len(row)),
            "colonnes",
            f"La ligne a {len(row)} cellules ; l'en-tête annonce {len(columns)} colonnes.",
            "Vérifiez les séparateurs et les guillemets de cette ligne.",
        )

    def cell(name: str) -> str:
        rank = columns.get(name)
        return row[rank].strip() if rank is not None else ""

    identifier = _ID.fullmatch(cell("id"))
    if identifier is None:
        return _rejected(
            line,
            "id",
            cell("id"),
            "identifiant_illisible",
            "Cet identifiant d'adresse ne se lit pas.",
            "Il s'écrit comme 47001_0010_00012 : code INSEE, voie, numéro.",
        )
    hamlets = "nom_lieu_dit" in columns
    named = "nom_lieu_dit" if hamlets else "nom_voie"
    name, _ = clean_text(cell(named))
    if not name or len(name) > NAME_MAX:
        return _rejected(
            line,
            named,
            name,
            "nom_absent" if not name else "nom_trop_long",
            "Le nom de la voie manque." if not name else f"Ce nom dépasse {NAME_MAX} caractères.",
            "Complétez-le, ou demandez le fichier complet à son producteur.",
        )
    if not _COMMUNE.fullmatch(cell("code_insee")):
        return _rejected(
            line,
            "code_insee",
            cell("code_insee"),
            "commune_illisible",
            "Ce n'est pas le code INSEE d'une commune.",
            "Il a cinq caractères, comme 47001 ; un tableur en a peut-être ôté le zéro.",
        )
    number = None if hamlets else cell("numero")
    if number is not None and not (number.isascii() and number.isdigit() and len(number) <= 5):
        return _rejected(
            line,
            "numero",
            number,
            "numero_illisible",
            "Ce n'est pas un numéro dans une voie.",
            "Un numéro s'écrit en chiffres ; « bis » se met dans la colonne rep.",
        )
    degrees = _pair(cell("lon"), cell("lat"), 180.0)
    metres = _pair(cell("x"), cell("y"), 1e8)
    if degrees is None and metres is None:
        return _rejected(
            line,
            "lon",
            f"{cell('lon')} / {cell('lat')}",
            "coordonnees_illisibles",
            "Ni lon et lat, ni x et y ne sont deux nombres possibles.",
            "Demandez le fichier complet à son producteur.",
        )
    value = int(number) if number is not None else NAMELESS_FROM
    postcode = cell("code_postal")
    rows.line.append(line)
    rows.street.append(identifier[1])
    rows.number.append(value if value < NAMELESS_FROM else None)
    rows.repetition.append("" if hamlets else re.sub(r"[^0-9a-z]", "", fold(cell("rep")))[:20])
    rows.name.append(name)
    rows.postcode.append(postcode if _POSTCODE.fullmatch(postcode) else "")
    rows.commune.append(cell("code_insee").upper())
    rows.commune_name.append(clean_text(cell("nom_commune"))[0][:NAME_MAX])
    rows.former.append(clean_text(cell("nom_ancienne_commune"))[0][:NAME_MAX])
    rows.degrees.append(degrees or (np.nan, np.nan))
    rows.metres.append(metres or (np.nan, np.nan))
    return None


def _streets(
    rows: _AddressColumns,
    territory: Territory,
    within: shapely.Geometry,
    tally: AddressTally,
    findings: Findings,
) -> list[Street]:
    """Group rows by street; count those that are outside, repeated, or with discordant coordinates."""
    if not rows.line:
        return []
    degrees, apart = _placed(rows, territory.metric_crs)
    near = shapely.contains_xy(within, degrees[:, 0], degrees[:, 1])
    by_street: dict[str, dict[tuple[int, str], int]] = {}
    for at, street in enumerate(rows.street):
        if not near[at]:
            tally.outside += 1
            continue
        if apart[at] > AGREEMENT_M:
            tally.rejected += 1
            findings.add(_disagreement(rows, at, float(apart[at])))
            continue
        number = rows.number[at]
        known = by_street.setdefault(street, {})
        key = (-1, "") if number is None else (number, rows.repetition[at])
        if key in known:
            tally.doubled += 1
            continue
        known[key] = at
        tally.accepted += 1
    return [_street(street, known, rows, degrees) for street, known in by_street.items()]


def _placed(rows: _AddressColumns, epsg: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude of each row, and the distance of its two positions in metres.

    The distance is 0 where a row has only one of the two.
    """
    degrees, metres = np.array(rows.degrees), np.array(rows.metres)
    only_metres = np.isnan(degrees[:, 0])
    if only_metres.any():
        points = reproject(shapely.points(metres[only_metres]), source=epsg, target=WGS84)
        degrees[only_metres] = shapely.get_coordinates(points)
    projected = project(degrees[:, 0], degrees[:, 1], epsg)
    apart = np.hypot(*(projected - metres).T)
    apart[np.isnan(metres[:, 0])] = 0.0
    return degrees, apart


def _street(
    street: str, known: dict[tuple[int, str], int], rows: _AddressColumns, degrees: NDArray[np.float64]
) -> Street:
    at = np.fromiter(known.values(), dtype=np.intp)
    places = degrees[at]
    middle = at[np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))]

    def most_common(values: list[str]) -> str:
        return Counter(values[i] for i in known.values()).most_common(1)[0][0]

    numbers = tuple(
        Number(number, repetition, float(degrees[i, 0]), float(degrees[i, 1]))
        for (number, repetition), i in sorted(known.items())
        if number >= 0
    )
    name = most_common(rows.name)
    first = fold(name).split(" ")[0]
    return Street(
        id=street,
        hamlet=not numbers or first not in STREET_TYPES,
        name=name,
        postcode=most_common(rows.postcode),
        commune=most_common(rows.commune),
        commune_name=most_common(rows.commune_name),
        former=most_common(rows.former),
        longitude=float(degrees[middle, 0]),
        latitude=float(degrees[middle, 1]),
        numbers=numbers,
    )


def _within(territory: Territory, margin_m: float) -> shapely.Geometry:
    """Return the area in which addresses are included (WGS 84 degrees), prepared for many points."""
    epsg = territory.metric_crs
    boundaries = reproject([c.boundary for c in territory.communes], source=WGS84, target=epsg)
    area = shapely.buffer(shapely.union_all(boundaries).simplify(200.0), margin_m)
    included = reproject([shapely.segmentize(area, 2_000.0)], source=epsg, target=WGS84)[0]
    shapely.prepare(included)
    return included


def _pair(first: str, second: str, bound: float) -> tuple[float, float] | None:
    try:
        pair = float(first.replace(",", ".")), float(second.replace(",", "."))
    except ValueError:
        return None
    return pair if abs(pair[0]) <= bound and abs(pair[1]) <= bound and pair != (0.0, 0.0) else None


def _disagreement(rows: _AddressColumns, at: int, apart_m: float) -> Issue:
    (longitude, latitude), (x, y) = rows.degrees[at], rows.metres[at]
    far = figures.distance(apart_m)
    return _rejected(
        rows.line[at],
        "lon",
        f"{longitude} / {latitude}, {x} / {y}",
        "coordonnees_discordantes",
        f"lon et lat, x et y ne disent pas le même point : {far} les séparent.",
        "Corrigez l'une des deux paires, ou demandez le fichier à son producteur.",
    )


def _rejected(line: int, column: str, value: str, code: str, reason: str, advice: str) -> Issue:
    return Issue(line, column, value[:_CELL_MAX], Severity.REJECTED, code, reason, advice)


def _nothing(file: AddressFile, territory: Territory) -> UnreadableFile:
    """Return the error for a file without usable address."""
    tally = file.tally
    if not tally.read:
        return UnreadableFile(
            f"« {file.file_name} » ne contient aucune adresse.", "Téléchargez-le à nouveau."
        )
    if tally.outside:
        return UnreadableFile(
            f"Aucune adresse de « {file.file_name} » n'est dans le territoire ({territory.name}) "
            f"ni à {figures.distance(MARGIN_M)} autour.",
            f"Donnez le fichier de ce département : adresses-{territory.code}.csv, sur {WHERE}.",
        )
    first = file.findings.first[0]
    return UnreadableFile(
        f"Aucune des {tally.read} lignes de « {file.file_name} » n'est utilisable. "
        f"Ligne {first.line}, {first.field} « {first.value} » : {first.reason}",
        first.advice,
    )
