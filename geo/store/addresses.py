"""Streets, hamlets and house numbers of the Base Adresse Nationale: kept, and searched.

Names are searched in two steps. PostgreSQL proposes streets whose words share trigrams with what
was typed; then each is compared with it as names are (`geo.places.likeness`), once for every way to
cut what was typed into a street and a commune. House numbers are only looked up for the best.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from geo.crs import WGS84
from geo.errors import DatabaseUnavailable, UnknownPlace
from geo.places import ban
from geo.places.ban import Addresses, Street
from geo.places.likeness import Names
from geo.places.model import Place, PlaceKind
from geo.places.words import STREET_TYPES, Typed, kind_and_rest, name_key, typed
from geo.store.copying import copy_rows
from geo.store.tables import address_file, address_number, address_street

LOCK: Final = 47_0008
"""Key of the advisory lock that two loads at once queue for."""

CANDIDATES: Final = 100
"""Streets compared closely for one search."""

TRIGRAMS_SHARED: Final = 0.35
"""Share of the trigrams typed that a street must have for PostgreSQL to propose it."""

FOUND: Final = 0.55
"""Likeness from which a street is told at all."""

STREET_SHARE: Final = 0.7
"""What the street's name weighs beside its commune's, when both were typed."""

COMMUNE_UNSAID: Final = 0.93
"""What a street is worth when nothing typed tells its commune."""

KIND_UNSAID, KIND_OTHER = 0.9, 0.95
"""The same, when « rue » was not typed, or « avenue » was."""

POSTCODE_OTHER: Final = 0.75
"""The same, when another postcode was typed."""

NUMBER_UNKNOWN, REPETITION_UNKNOWN = 0.9, 0.97
"""The same, when the street has no such number, or not that « bis »."""

SEARCH_TIMEOUT_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class StoredAddresses:
    """A file in use, and what became of its rows (as `AddressFile.summary`)."""

    file_name: str
    sha256: str
    producer: str
    licence: str
    loaded_at: datetime
    summary: Mapping[str, Any]


def replace(connection: Connection, addresses: Addresses, population: Mapping[str, int]) -> None:
    """Put addresses in place of those there; readers see the old ones until the transaction ends.

    Parameters
    ----------
    population
        Inhabitants by INSEE code: among streets of one name, the larger commune's comes first.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    remove(connection)
    connection.execute(
        insert(address_file),
        [
            {
                "rank": rank,
                "file_name": file.file_name,
                "sha256": file.sha256,
                "producer": ban.PRODUCER,
                "licence": ban.LICENCE,
                "summary": file.summary(),
            }
            for rank, file in enumerate(addresses.files)
        ],
    )
    # Letters without an accent to take off (ø, ł) are left to unaccent, on both sides of a search.
    connection.execute(
        text("CREATE TEMPORARY TABLE nascent_street (LIKE address_street INCLUDING DEFAULTS) ON COMMIT DROP")
    )
    copy_rows(connection, "nascent_street", _STREET_COLUMNS, _street_rows(addresses.streets, population))
    connection.execute(text("UPDATE nascent_street SET words = unaccent(words) WHERE words ~ '[^ -~]'"))
    connection.execute(text("INSERT INTO address_street SELECT * FROM nascent_street"))
    connection.execute(text("DROP TABLE nascent_street"))
    copy_rows(
        connection,
        "address_number",
        ("street", "number", "repetition", "point"),
        _number_rows(addresses.streets),
    )
    for table in ("address_street", "address_number"):
        connection.execute(text(f"ANALYZE {table}"))


def remove(connection: Connection) -> bool:
    """Forget all addresses; whether there were any."""
    # Not TRUNCATE, whose lock would keep readers waiting until the transaction ends.
    connection.execute(delete(address_number))
    connection.execute(delete(address_street))
    return connection.execute(delete(address_file)).rowcount > 0


def about(connection: Connection) -> tuple[StoredAddresses, ...]:
    """The files in use, in the order they were given; empty when none is."""
    columns = [address_file.c[name] for name in StoredAddresses.__slots__]
    rows = connection.execute(select(*columns).order_by(address_file.c.rank))
    return tuple(StoredAddresses(**row._mapping) for row in rows)


def counts(connection: Connection) -> dict[str, int]:
    """How many streets, hamlets and house numbers are kept."""
    row = connection.execute(
        select(
            func.count().filter(~address_street.c.hamlet),
            func.count().filter(address_street.c.hamlet),
            select(func.count()).select_from(address_number).scalar_subquery(),
        ).select_from(address_street)
    ).one()
    return dict(zip(("streets", "hamlets", "numbers"), row, strict=True))


def search(connection: Connection, typed_text: str, limit: int) -> list[Place]:
    """Addresses, streets and hamlets that answer what was typed, best first; empty when none does.

    Raises
    ------
    DatabaseUnavailable
        If the database does not answer in `SEARCH_TIMEOUT_MS`.
    """
    asked = typed(typed_text)
    if not asked.words:
        return []
    try:
        rows = _candidates(connection, asked)
        best = _ranked(asked, rows, limit)
        numbers = _numbers(connection, asked, [row.id for row, _ in best])
    except DBAPIError as problem:
        if isinstance(problem.orig, psycopg.errors.QueryCanceled):
            raise DatabaseUnavailable("The search of addresses took too long and was given up.") from problem
        raise
    places = []
    for row, score in best:
        if asked.number is None:
            places.append(_street_place(row, score))
        elif number := numbers.get(row.id):
            exact = number.repetition == asked.repetition
            places.append(_address_place(row, number, score if exact else score * REPETITION_UNKNOWN))
        else:
            places.append(_street_place(row, score * NUMBER_UNKNOWN))
    return sorted(places, key=lambda place: -place.score)


def place(connection: Connection, place_id: str) -> Place:
    """The address, street or hamlet that bears an identifier (`ban-…`).

    Raises
    ------
    UnknownPlace
        If none does.
    """
    street, *rest = place_id.removeprefix("ban-").split("_", 2)
    code, number, repetition = (rest[0] if rest else ""), "", ""
    if len(rest) > 1:
        number, _, repetition = rest[1].partition("_")
    row = connection.execute(select(*_COLUMNS).where(address_street.c.id == f"{street}_{code}")).one_or_none()
    if row and place_id.startswith("ban-"):
        if len(rest) < 2:
            return _street_place(row, 1.0)
        if number.isascii() and number.isdigit() and len(number) == 5:
            found = connection.execute(
                select(*_NUMBER_COLUMNS).where(
                    address_number.c.street == row.id,
                    address_number.c.number == int(number),
                    address_number.c.repetition == repetition,
                )
            ).one_or_none()
            if found:
                return _address_place(row, found, 1.0)
    raise UnknownPlace(
        "Cette adresse n'est pas connue.", "Écrivez votre commune, votre code postal ou votre adresse."
    )


_STREET_COLUMNS: Final = (
    "id", "hamlet", "name", "words", "postcode", "commune", "commune_name", "former", "population", "point",
)  # fmt: skip
_LONGITUDE, _LATITUDE = "longitude", "latitude"
_COLUMNS: Final = (
    *(address_street.c[name] for name in _STREET_COLUMNS if name not in ("words", "point")),
    func.ST_X(address_street.c.point).label(_LONGITUDE),
    func.ST_Y(address_street.c.point).label(_LATITUDE),
)
_NUMBER_COLUMNS: Final = (
    address_number.c.street,
    address_number.c.number,
    address_number.c.repetition,
    func.ST_X(address_number.c.point).label(_LONGITUDE),
    func.ST_Y(address_number.c.point).label(_LATITUDE),
)
_LIMITS: Final = text(
    "SELECT set_config('pg_trgm.word_similarity_threshold', :shared, true), "
    "set_config('statement_timeout', :timeout, true)"
)


def _street_rows(streets: Iterable[Street], population: Mapping[str, int]) -> Iterator[tuple[object, ...]]:
    known = list(streets)
    points = _written([(s.longitude, s.latitude) for s in known])
    for street, point in zip(known, points, strict=True):
        words = f"{name_key(street.name)} {name_key(street.commune_name)} {name_key(street.former)}"
        yield (
            street.id,
            street.hamlet,
            street.name,
            words.strip(),
            street.postcode,
            street.commune,
            street.commune_name,
            street.former,
            population.get(street.commune, 0),
            point,
        )


def _number_rows(streets: Sequence[Street]) -> Iterator[tuple[object, ...]]:
    points = _written([(n.longitude, n.latitude) for s in streets for n in s.numbers])
    numbers = ((s.id, n.number, n.repetition) for s in streets for n in s.numbers)
    return ((*number, point) for number, point in zip(numbers, points, strict=True))


def _written(degrees: list[tuple[float, float]]) -> Sequence[str]:
    """Points as COPY takes them."""
    if not degrees:
        return ()
    points = shapely.set_srid(shapely.points(np.array(degrees)), WGS84)
    written: list[str] = shapely.to_wkb(points, hex=True, include_srid=True).tolist()
    return written


def _candidates(connection: Connection, asked: Typed) -> Sequence[Row[Any]]:
    """Streets that share enough trigrams with what was typed; of its postcode, if there are any."""
    connection.execute(_LIMITS, {"shared": str(TRIGRAMS_SHARED), "timeout": str(SEARCH_TIMEOUT_MS)})
    telling = func.unaccent(asked.telling)
    alike = func.word_similarity(telling, address_street.c.words)
    found = (
        select(*_COLUMNS)
        .where(address_street.c.words.op("%>")(telling))
        .order_by(alike.desc(), address_street.c.population.desc(), address_street.c.id)
        .limit(CANDIDATES)
    )
    if asked.postcode:
        inside = connection.execute(found.where(address_street.c.postcode == asked.postcode)).all()
        if inside:
            return inside
    return connection.execute(found).all()


def _ranked(asked: Typed, rows: Sequence[Row[Any]], limit: int) -> list[tuple[Row[Any], float]]:
    """The rows most like what was typed, with their scores; then the more populated commune."""
    if not rows:
        return []
    scores = _scores(asked, rows)
    order = sorted(
        np.flatnonzero(scores >= FOUND).tolist(),
        key=lambda at: (-round(float(scores[at]), 3), -rows[at].population, rows[at].id),
    )
    return [(rows[at], float(scores[at])) for at in order[:limit]]


def _scores(asked: Typed, rows: Sequence[Row[Any]]) -> NDArray[np.float64]:
    """How well each row answers: the best over all cuts of the words into a street and a commune."""
    keys = [kind_and_rest(name_key(row.name)) for row in rows]
    kinds = np.array([kind for kind, _ in keys])
    streets = Names(rest for _, rest in keys)
    whole_names = Names(name_key(row.name) for row in rows)
    communes = Names(name_key(row.commune_name) for row in rows)
    formers = Names(name_key(row.former) or name_key(row.commune_name) for row in rows)
    best = np.zeros(len(rows))
    for street_words, commune_words in _cuts(asked.words):
        kind, rest = kind_and_rest(" ".join(street_words))
        name = np.maximum(
            streets.likeness_to([rest])[0],
            whole_names.likeness_to([" ".join(street_words)])[0],
        )
        if kind:
            name = np.where(kinds != kind, name * KIND_OTHER, name)
        else:
            name = np.where(kinds != "", name * KIND_UNSAID, name)
        if commune_words:
            key = [" ".join(commune_words)]
            commune = np.maximum(communes.likeness_to(key)[0], formers.likeness_to(key)[0])
            score = np.where(commune >= FOUND, STREET_SHARE * name + (1 - STREET_SHARE) * commune, 0.0)
        else:
            score = name * (1.0 if asked.postcode else COMMUNE_UNSAID)
        best = np.maximum(best, score)
    if asked.postcode:
        other = np.array([row.postcode != asked.postcode for row in rows])
        best = np.where(other, best * POSTCODE_OTHER, best)
    return best


def _cuts(words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Ways to cut what was typed into a street and a commune: « rue x, agen », « agen, rue x »."""
    yield words, ()
    for at in range(1, len(words)):
        yield words[:at], words[at:]
        if words[at] in STREET_TYPES or at <= 3:
            yield words[at:], words[:at]


def _numbers(connection: Connection, asked: Typed, streets: list[str]) -> dict[str, Row[Any]]:
    """The house number typed in each of some streets that has it, that very « bis » if there is one."""
    if asked.number is None or not streets:
        return {}
    rows = connection.execute(
        select(*_NUMBER_COLUMNS)
        .where(address_number.c.street.in_(streets), address_number.c.number == asked.number)
        .order_by(address_number.c.street, address_number.c.repetition.desc())
    )
    found: dict[str, Row[Any]] = {}
    for row in rows:  # the plain number comes last of a street, and stays unless the very one was met
        if found.get(row.street) is None or found[row.street].repetition != asked.repetition:
            found[row.street] = row
    return found


def _street_place(row: Row[Any], score: float) -> Place:
    return Place(
        id=f"ban-{row.id}",
        kind=PlaceKind.HAMLET if row.hamlet else PlaceKind.STREET,
        label=f"{row.name}, {_town(row)}",
        context=_context(row),
        longitude=row.longitude,
        latitude=row.latitude,
        commune=row.commune,
        score=round(score, 4),
    )


def _address_place(row: Row[Any], number: Row[Any], score: float) -> Place:
    suffix = f"_{number.repetition}" if number.repetition else ""
    said = f"{number.number} {number.repetition}".strip()
    first, _, rest = row.name.partition(" ")
    name = f"{first.lower()} {rest}" if rest and name_key(first) in STREET_TYPES else row.name
    return Place(
        id=f"ban-{row.id}_{number.number:05d}{suffix}",
        kind=PlaceKind.ADDRESS,
        label=f"{said} {name}, {_town(row)}",
        context=_context(row),
        longitude=number.longitude,
        latitude=number.latitude,
        commune=row.commune,
        score=round(score, 4),
    )


def _town(row: Row[Any]) -> str:
    return f"{row.postcode} {row.commune_name}".strip()


def _context(row: Row[Any]) -> str:
    former = row.former if row.former != row.commune_name else ""
    return " · ".join(filter(None, (_town(row), former)))
