"""Store and search of streets, hamlets and house numbers of the Base Adresse Nationale.

Names are searched in two steps. PostgreSQL proposes streets: those of the communes named, if known, else
those that share trigrams with the query. Each is then scored by `geo.places.name_similarity`, once for every
way to split the query into a street and a commune. House numbers are looked up for the best only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, text
from sqlalchemy.exc import DBAPIError

from geo.crs import WGS84
from geo.errors import DatabaseUnavailable, UnknownPlace
from geo.places import ban
from geo.places.ban import Addresses, Street
from geo.places.model import Place, PlaceKind
from geo.places.name_similarity import NameMatcher
from geo.places.query_words import (
    FREQUENT_STREET_TYPES,
    STREET_TYPES,
    ParsedQuery,
    closest_street_type,
    name_key,
    parse_query,
    split_street_type,
)
from geo.store.copy_encoder import copy_rows
from geo.store.tables import address_file, address_number, address_street

LOCK: Final = 47_0008
"""Key of the advisory lock that concurrent loads queue for."""

CANDIDATES: Final = 60
"""How many streets are scored for one search."""

TRIGRAMS_SHARED: Final = 0.22
"""Share of common trigrams from which PostgreSQL proposes a street: "ecoels" and "ecoles" have 0.27."""

SURE: Final = 0.72
"""Score from which streets are not searched outside the communes named."""

COMMUNE_WORDS_MAX: Final = 3
"""How many final words may name a commune that the caller did not recognise, such as a former one."""

FOUND: Final = 0.55
"""Lowest similarity of a street that is returned."""

STREET_SHARE: Final = 0.7
"""Weight of the street's name against its commune's, when both were typed."""

COMMUNE_UNSAID: Final = 0.93
"""Factor of a street when the query names no commune."""

KIND_UNSAID, KIND_OTHER, KIND_MISSPELT = 0.9, 0.95, 0.98
"""Factors when « rue » was not typed, when « avenue » was typed instead, when it was misspelt « reu »."""

POSTCODE_OTHER: Final = 0.75
"""Factor when another postcode was typed."""

NUMBER_UNKNOWN, REPETITION_UNKNOWN = 0.9, 0.97
"""Factors when the street lacks the number, or the « bis »."""

SEARCH_TIMEOUT_MS: Final = 2_000


Found = Any
"""A row of a street or of a house number, with its `longitude` and `latitude`."""


@dataclass(frozen=True, slots=True)
class StoredAddresses:
    """A file in use, and the counts of its rows (as `AddressFile.summary`)."""

    file_name: str
    sha256: str
    producer: str
    licence: str
    loaded_at: datetime
    summary: Mapping[str, Any]


def replace(connection: Connection, addresses: Addresses, population: Mapping[str, int]) -> None:
    """Replace all addresses; readers see the old ones until the transaction ends.

    Parameters
    ----------
    population
        Inhabitants by INSEE code: among streets of the same name, that of the larger commune comes first.
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
    # Letters that do not decompose (ø, ł) are left to unaccent, on both sides of a search.
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
    """Delete all addresses; return whether there were any."""
    # Not TRUNCATE, whose lock would keep readers waiting until the transaction ends.
    connection.execute(delete(address_number))
    connection.execute(delete(address_street))
    return connection.execute(delete(address_file)).rowcount > 0


def about(connection: Connection) -> tuple[StoredAddresses, ...]:
    """Return the files in use, in the order they were given."""
    columns = [address_file.c[name] for name in StoredAddresses.__slots__]
    rows = connection.execute(select(*columns).order_by(address_file.c.rank))
    return tuple(StoredAddresses(**row._mapping) for row in rows)


def counts(connection: Connection) -> dict[str, int]:
    """Return the number of streets, hamlets and house numbers."""
    row = connection.execute(
        select(
            func.count().filter(~address_street.c.hamlet),
            func.count().filter(address_street.c.hamlet),
            select(func.count()).select_from(address_number).scalar_subquery(),
        ).select_from(address_street)
    ).one()
    return dict(zip(("streets", "hamlets", "numbers"), row, strict=True))


def search(
    connection: Connection,
    text_typed: str,
    limit: int,
    *,
    communes: Sequence[str] = (),
    answered: bool = False,
) -> list[Place]:
    """Return the addresses, streets and hamlets that match a query, best first.

    Parameters
    ----------
    communes
        INSEE codes of the communes whose name is part of the query, as far as the caller knows
        (`Gazetteer.named_in`). Their streets are searched first.
    answered
        Whether the caller has a likely answer already, such as a commune: elsewhere, only names that begin
        with the query are then searched, which takes a tenth of the time.

    Raises
    ------
    DatabaseUnavailable
        If the database does not answer in `SEARCH_TIMEOUT_MS`.
    """
    asked = parse_query(text_typed)
    if not asked.words:
        return []
    try:
        best = _best(connection, asked, limit, communes, answered=answered)
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
    """Return the address, street or hamlet that has an identifier (`ban-…`).

    Raises
    ------
    UnknownPlace
        If none has.
    """
    if asked := _ID.fullmatch(place_id):
        row = connection.execute(select(*_COLUMNS).where(address_street.c.id == asked[1])).one_or_none()
        if row and asked[2] is None:
            return _street_place(row, 1.0)
        if row:
            number = connection.execute(
                select(*_NUMBER_COLUMNS).where(
                    address_number.c.street == row.id,
                    address_number.c.number == int(asked[2]),
                    address_number.c.repetition == (asked[3] or ""),
                )
            ).one_or_none()
            if number:
                return _address_place(row, number, 1.0)
    raise UnknownPlace(
        "Cette adresse n'est pas connue.", "Écrivez votre commune, votre code postal ou votre adresse."
    )


_ID = re.compile(r"ban-([0-9A-Z]{5}_[0-9A-Za-z]{4,8})(?:_(\d{5})(?:_([0-9a-z]{1,20}))?)?", re.ASCII)
_STREET_COLUMNS: Final = tuple(column.name for column in address_street.columns)
_LONGITUDE, _LATITUDE = "longitude", "latitude"
_COLUMNS: Final = (
    *(address_street.c[name] for name in _STREET_COLUMNS if name != "point"),
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
    "SELECT set_config('pg_trgm.similarity_threshold', :shared, true), "
    "set_config('statement_timeout', :timeout, true)"
)


def _street_rows(streets: Iterable[Street], population: Mapping[str, int]) -> Iterator[tuple[object, ...]]:
    known = list(streets)
    points = _written([(s.longitude, s.latitude) for s in known])
    for street, point in zip(known, points, strict=True):
        yield (
            street.id,
            street.hamlet,
            street.name,
            *split_street_type(name_key(street.name)),
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
    """Encode points for COPY."""
    if not degrees:
        return ()
    points = shapely.set_srid(shapely.points(np.array(degrees)), WGS84)
    written: list[str] = shapely.to_wkb(points, hex=True, include_srid=True).tolist()
    return written


def _best(
    connection: Connection, asked: ParsedQuery, limit: int, communes: Sequence[str], *, answered: bool
) -> list[tuple[Found, float]]:
    """Return the best streets, and their scores."""
    connection.execute(_LIMITS, {"shared": str(TRIGRAMS_SHARED), "timeout": str(SEARCH_TIMEOUT_MS)})
    telling = func.unaccent(asked.distinctive_key)
    alike = func.similarity(address_street.c.words, telling)
    if any(
        word in STREET_TYPES and word not in FREQUENT_STREET_TYPES for word in asked.words
    ):  # « Le Pont » is a name
        alike = func.greatest(alike, func.similarity(address_street.c.words, func.unaccent(asked.key)))
    rows: dict[str, Found] = {}
    for condition in _narrowings(asked, telling, communes, answered=answered):
        found = (
            select(*_COLUMNS)
            .where(condition)
            .order_by(
                alike.desc(),
                address_street.c.population.desc(),
                address_street.c.id,
            )
            .limit(CANDIDATES)
        )
        rows |= {row.id: row for row in connection.execute(found)}
        best = _ranked(asked, list(rows.values()), limit)
        if best and best[0][1] >= SURE:
            break
    return best


def _narrowings(
    asked: ParsedQuery, telling: ColumnElement[str], communes: Sequence[str], *, answered: bool
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions to search by, from narrow to wide; the search stops at the first `SURE` result."""
    words = address_street.c.words
    if asked.postcode:
        yield address_street.c.postcode == asked.postcode
    if communes:
        yield address_street.c.commune.in_(communes)
    begun = words.like(telling.concat("%"))
    if answered:
        yield begun
        return
    typed = asked.distinctive_key.split(" ")
    if len(typed) == 1:  # « Le Pont, Estbourg »: the kind may be the name
        typed = asked.key.split(" ")
    ways = {asked.distinctive_key: None}
    for count in range(1, min(COMMUNE_WORDS_MAX, len(typed) - 1) + 1):
        ways[" ".join(typed[:-count])] = None
    yield or_(begun, *(words.op("%")(func.unaccent(way)) for way in ways))


def _ranked(asked: ParsedQuery, rows: Sequence[Found], limit: int) -> list[tuple[Found, float]]:
    """Return the rows most similar to the query with their scores; ties by population of the commune."""
    if not rows:
        return []
    scores = _scores(asked, rows)
    order = sorted(
        np.flatnonzero(scores >= FOUND).tolist(),
        key=lambda at: (-round(float(scores[at]), 3), -rows[at].population, rows[at].id),
    )
    return [(rows[at], float(scores[at])) for at in order[:limit]]


def _scores(asked: ParsedQuery, rows: Sequence[Found]) -> NDArray[np.float64]:
    """Return the score of each row: the best over all splits of the query into a street and a commune."""
    kinds = np.array([row.kind for row in rows])
    streets = NameMatcher(row.words for row in rows)
    towns = sorted({name for row in rows for name in (row.commune_name, row.former) if name})
    communes = NameMatcher(name_key(town) for town in towns)
    at = {town: rank for rank, town in enumerate(towns)}
    present = np.array([at[row.commune_name] for row in rows])
    former = np.array([at[row.former or row.commune_name] for row in rows])
    best = np.zeros(len(rows))
    for street_words, commune_words in _cuts(asked.words):
        name = _named_alike(streets, kinds, street_words)
        if commune_words:
            alike = communes.similarity_to([" ".join(commune_words)])[0]
            commune = np.maximum(alike[present], alike[former])
            score = np.where(commune >= FOUND, STREET_SHARE * name + (1 - STREET_SHARE) * commune, 0.0)
        else:
            score = name * (1.0 if asked.postcode else COMMUNE_UNSAID)
        best = np.maximum(best, score)
    if asked.postcode:
        other = np.array([row.postcode != asked.postcode for row in rows])
        best = np.where(other, best * POSTCODE_OTHER, best)
    return best


def _named_alike(
    streets: NameMatcher, kinds: NDArray[np.str_], words: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return the similarity of words to streets' names, kinds included."""
    kind, rest = split_street_type(" ".join(words))
    whole: NDArray[np.float64] = streets.similarity_to([rest])[0]
    if kind:
        whole *= np.where(kinds == kind, 1.0, KIND_OTHER)
    else:
        whole *= np.where(kinds == "", 1.0, KIND_UNSAID)
        if len(words) > 1 and (meant := closest_street_type(words[0])):
            misspelt = streets.similarity_to([" ".join(words[1:])])[0]
            misspelt *= np.where(kinds == meant, 1.0, KIND_OTHER) * KIND_MISSPELT
            whole = np.maximum(whole, misspelt)
    return whole


def _cuts(words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the ways to split a query into a street and a commune: « rue x, agen », « agen, rue x »."""
    yield words, ()
    for at in range(1, len(words)):
        yield words[:at], words[at:]
        if words[at] in STREET_TYPES or at <= 3:
            yield words[at:], words[:at]


def _numbers(connection: Connection, asked: ParsedQuery, streets: list[str]) -> dict[str, Found]:
    """Return the house number typed in each street that has it, with the same « bis » if there is one."""
    if asked.number is None or not streets:
        return {}
    rows = connection.execute(
        select(*_NUMBER_COLUMNS)
        .where(address_number.c.street.in_(streets), address_number.c.number == asked.number)
        .order_by(address_number.c.street, address_number.c.repetition.desc())
    )
    found: dict[str, Found] = {}
    for row in rows:  # the plain number comes last of a street, and is kept unless the exact one was found
        if found.get(row.street) is None or found[row.street].repetition != asked.repetition:
            found[row.street] = row
    return found


def _street_place(row: Found, score: float) -> Place:
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


def _address_place(row: Found, number: Found, score: float) -> Place:
    suffix = f"_{number.repetition}" if number.repetition else ""
    shown = f"{number.number} {number.repetition}".strip()
    first, _, rest = row.name.partition(" ")
    name = f"{first.lower()} {rest}" if rest and name_key(first) in STREET_TYPES else row.name
    return Place(
        id=f"ban-{row.id}_{number.number:05d}{suffix}",
        kind=PlaceKind.ADDRESS,
        label=f"{shown} {name}, {_town(row)}",
        context=_context(row),
        longitude=number.longitude,
        latitude=number.latitude,
        commune=row.commune,
        score=round(score, 4),
    )


def _town(row: Found) -> str:
    return f"{row.postcode} {row.commune_name}".strip()


def _context(row: Found) -> str:
    former = row.former if row.former != row.commune_name else ""
    return " · ".join(filter(None, (_town(row), former)))
