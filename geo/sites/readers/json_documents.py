"""Stream JSON and GeoJSON one record at a time, in bounded memory.

A small scanner finds where each record begins, and the standard library decodes it. ijson (3.6) was
measured and not used: it rewrites numbers (1e999 becomes 1E+999), its errors have no position from
which to give a line, it bounds neither the size of a record nor the depth of nesting (20,000 opening
brackets take 1 GB), and the code around it for these would be as long as this scanner.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

from geo.errors import UnreadableFile
from geo.sites.readers.content import Container, Content, Record, column_name, rejected
from geo.sites.readers.encoding import open_text
from geo.sites.readers.geojson import PositionReader

CHUNK = 1 << 16
MAX_RECORD = 4_000_000
"""Longest record accepted, in characters."""

LISTS = (
    "features",
    "structures",
    "services",
    "lieux",
    "sites",
    "results",
    "records",
    "data",
    "items",
    "rows",
    "places",
)
"""Members of an object that are usually lists of records, the likeliest first.

Any other list of objects is tried after these. The name of a top-level list is "".
"""

_INNER = ("record", "fields", "properties", "attributes", "_source")
"""Members of a record that may hold its fields, as open data portals write them."""

_SAMPLE = 200
"""Number of records read to collect the keys, as any record may lack some."""


def contents(path: Path, encoding: str) -> list[Content]:
    """Open the lists of a document, the likeliest list of sites first.

    Read are a JSON list of objects, a GeoJSON FeatureCollection, `{"structures", "services"}` and
    lists wrapped in an object (`{"results": […]}`), whose records may have their fields one level
    below (`{"fields": {…}}`). Numbers keep their spelling;
    coordinates in a declared reference system are converted. With structures and services, each
    structure is one record, and the values of its services are columns named `services.<key>`.

    Raises
    ------
    UnreadableFile
        If there is no list of records, or the reference system is not known; while records are read, if the
        document is truncated, malformed, nested too deeply, or contains NaN or an infinity.
    """
    lists = _lists(path, encoding)
    if "structures" in lists:
        return [_opened(lambda: _structures(path, encoding), Container.JSON)]
    if "features" in lists:
        positions = PositionReader.declared(_member(path, encoding, "crs"), path.name)
        return [_opened(lambda: _features(path, encoding, positions), Container.GEOJSON)]
    return [_opened(partial(_objects, path, encoding, name), Container.JSON, part=name) for name in lists]


def elements(path: Path, encoding: str) -> Iterator[tuple[str, object]]:
    """Yield (list, element) for each element of the list or lists of a document."""
    with open_text(path, encoding) as stream:
        scanner = _Scanner(stream, path.name)
        if scanner.peek() == "[":
            yield from (("", element) for element in scanner.elements())
        elif scanner.peek() == "{":
            yield from _members(scanner, wrapped=True)
            if not scanner.has_list:
                raise UnreadableFile(
                    f"Le fichier JSON « {path.name} » ne contient pas de liste de lieux.",
                    "Il faut une liste d'objets, un GeoJSON, ou un objet « structures » et « services ».",
                )
        else:
            scanner.value()
            raise scanner.malformed()
        if scanner.peek():
            raise scanner.malformed()


def _members(scanner: _Scanner, *, wrapped: bool) -> Iterator[tuple[str, object]]:
    """Yield (member, element) for the lists of the object that begins here, and of the objects in it."""
    for key in scanner.members():
        if scanner.peek() == "[":
            yield from ((key, element) for element in scanner.elements())
        elif wrapped and scanner.peek() == "{":
            yield from _members(scanner, wrapped=False)
        else:
            scanner.value()


def _lists(path: Path, encoding: str) -> list[str]:
    """Return the names of the lists of a document: those usual for records, then those of objects."""
    sizes: Counter[str] = Counter()
    of_objects: set[str] = set()
    for name, element in elements(path, encoding):
        sizes[name] += 1
        if isinstance(element, dict):
            of_objects.add(name)
        # The structures of a document may follow its services.
        if sizes[name] == _SAMPLE and name in of_objects and name in ("", *LISTS) and name != "services":
            break
    usual = [name for name in ("", *LISTS) if name in sizes]
    return [*usual, *sorted(of_objects.difference(usual))] or [""]


def text(value: object) -> str:
    """Convert a JSON value to the text of a cell: lists are joined by `|`, objects give ""."""
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "|".join(cell for item in value if not isinstance(item, list) and (cell := text(item)))
    return str(value)


def _opened(records: Callable[[], Iterator[Record]], container: Container, *, part: str = "") -> Content:
    columns: dict[str, None] = {}
    for record in islice(records(), _SAMPLE):
        columns.update(dict.fromkeys(record.fields))
    return Content(tuple(columns), records, container, part)


def _record(line: int, element: object) -> Record:
    if not isinstance(element, dict):
        return Record(
            line,
            {},
            (
                rejected(
                    line,
                    text(element),
                    "enregistrement",
                    "Cet élément de la liste n'est pas un lieu décrit par des champs.",
                    "Supprimez-le du fichier d'origine.",
                ),
            ),
        )
    return Record(line, {column_name(key): text(value) for key, value in element.items()})


def _objects(path: Path, encoding: str, name: str) -> Iterator[Record]:
    positions = PositionReader()
    of_list = (element for found, element in elements(path, encoding) if found == name)
    for rank, element in enumerate(of_list, start=1):
        geometry = element.get("geometry") if isinstance(element, dict) else None
        fields = _unwrapped(element)
        record, position = _record(rank, fields), positions.position(geometry, rank)
        point = position.point or _point_of_fields(fields)
        yield replace(record, issues=(*record.issues, *position.issues), point=point)


def _unwrapped(element: object) -> object:
    """Return a record whose fields lie in a member of it, together with its other members."""
    for inner in _INNER:
        if isinstance(element, dict) and isinstance(element.get(inner), dict):
            element = {key: value for key, value in element.items() if key != inner} | element[inner]
    return element


def _features(path: Path, encoding: str, positions: PositionReader) -> Iterator[Record]:
    features = (element for name, element in elements(path, encoding) if name == "features")
    for rank, element in enumerate(features, start=1):
        properties = element.get("properties") if isinstance(element, dict) else None
        geometry = element.get("geometry") if isinstance(element, dict) else None
        record, position = _record(rank, properties), positions.position(geometry, rank)
        yield replace(record, issues=(*record.issues, *position.issues), point=position.point)


def _member(path: Path, encoding: str, name: str) -> object:
    """Return a member of the top-level object or of an object in it; None without one."""
    with open_text(path, encoding) as stream:
        return _found_member(_Scanner(stream, path.name), name, wrapped=True)


def _found_member(scanner: _Scanner, name: str, *, wrapped: bool) -> object:
    for key in scanner.members():
        if key == name:
            return scanner.value()
        if scanner.peek() == "[":
            for _ in scanner.elements():
                pass
        elif wrapped and scanner.peek() == "{":
            if (found := _found_member(scanner, name, wrapped=False)) is not None:
                return found
        else:
            scanner.value()
    return None


def _point_of_fields(fields: object) -> tuple[str, str] | None:
    """Return the point of a field such as `{"lon": 0.6, "lat": 44.2}`."""
    for value in fields.values() if isinstance(fields, dict) else ():
        match value:
            case {"lon": str(longitude), "lat": str(latitude)}:
                return longitude, latitude
    return None


def _structures(path: Path, encoding: str) -> Iterator[Record]:
    offered: dict[str, dict[str, dict[str, None]]] = {}
    ranks: dict[str, int] = {}
    rank = 0
    for section, element in elements(path, encoding):
        if section == "services":
            rank += 1
            service = _record(rank, element)
            parent = service.fields.pop("structure_id", "")
            ranks.setdefault(parent, rank)
            gathered = offered.setdefault(parent, {})
            for key, value in service.fields.items():
                found = _values(element, key, value)
                gathered.setdefault(key, {}).update(dict.fromkeys(filter(None, found)))
    rank = 0
    for section, element in elements(path, encoding):
        if section == "structures":
            rank += 1
            structure = _record(rank, element)
            services = offered.pop(structure.fields.get("id", ""), {})
            structure.fields.update({f"services.{key}": "|".join(found) for key, found in services.items()})
            yield structure
    for line, (parent, services) in enumerate(offered.items(), start=rank + 1):
        yield Record(
            line,
            {"id": parent, "nom": "|".join(services.get("nom", ()))},
            (
                rejected(
                    line,
                    parent,
                    "service_sans_structure",
                    f"Service sans structure : rang {ranks[parent]} de la liste « services ».",
                    "Ajoutez la structure au fichier, ou retirez ce service.",
                ),
            ),
        )


def _values(element: object, key: str, joined: str) -> list[str]:
    original = element.get(key) if isinstance(element, dict) else None
    return joined.split("|") if isinstance(original, list) else [joined]


class _Scanner:
    """Reads successive JSON values from a text stream, with one record in memory at a time.

    `buffer[at:]` is the text not yet consumed, `line` the line number of the buffer's start, and
    `has_list` whether a list was read.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream = stream
        self.name = name
        self.buffer = ""
        self.at = 0
        self.line = 1
        self.ended = False
        self.has_list = False
        self.decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=self._constant)

    def peek(self) -> str:
        """Return the next character that is not blank, without consuming it; "" at the end."""
        while True:
            while self.at < len(self.buffer):
                if self.buffer[self.at] not in " \t\r\n":
                    return self.buffer[self.at]
                self.at += 1
            if not self._more(CHUNK):
                return ""

    def elements(self) -> Iterator[object]:
        """Yield the elements of the list that begins here."""
        self.has_list = True
        self._take("[")
        if self.peek() != "]":
            yield self.value()
            while self.peek() == ",":
                self._take(",")
                yield self.value()
        self._take("]")

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that begins here; the caller must consume each value."""
        self._take("{")
        first = True
        while self.peek() != "}":
            if not first:
                self._take(",")
            first = False
            self.peek()
            key = self.value()
            if not isinstance(key, str):
                raise self.malformed()
            self._take(":")
            yield key
        self._take("}")

    def value(self) -> object:
        """Decode the value that begins here, reading on while it is incomplete."""
        if not self.peek():
            raise self._truncated()
        while True:
            try:
                value, end = self.decoder.raw_decode(self.buffer, self.at)
            except json.JSONDecodeError as problem:
                if not self._unfinished(problem):
                    self.at = problem.pos
                    raise self.malformed() from None
            except RecursionError:
                raise UnreadableFile(
                    f"Le fichier JSON « {self.name} » est imbriqué trop profondément.",
                    "Ce n'est pas une liste de lieux ; vérifiez le fichier.",
                ) from None
            else:
                # A number at the end of the buffer may be incomplete.
                if end < len(self.buffer) or self.ended:
                    self.at = end
                    return value
            held = len(self.buffer) - self.at
            if held > MAX_RECORD:
                raise UnreadableFile(
                    f"Dans « {self.name} », l'enregistrement de la ligne {self._line()} dépasse "
                    f"{MAX_RECORD} caractères.",
                    "Ce n'est sans doute pas une liste de lieux ; vérifiez le fichier.",
                )
            if not self._more(max(CHUNK, held)):
                raise self._truncated()

    def _unfinished(self, problem: json.JSONDecodeError) -> bool:
        """Return whether more text may complete the value: an open string, or an error near the end."""
        if problem.msg.startswith("Unterminated"):
            return True
        rest = self.buffer[problem.pos :]
        return not rest.strip() if self.ended else len(rest) < 16

    def malformed(self) -> UnreadableFile:
        """Return the error for invalid JSON at this point."""
        return UnreadableFile(
            f"Le fichier « {self.name} » n'est pas du JSON valable (ligne {self._line()}).",
            "Demandez un nouvel export à son producteur, ou vérifiez cette ligne.",
        )

    def _take(self, expected: str) -> None:
        found = self.peek()
        if not found:
            raise self._truncated()
        if found != expected:
            raise self.malformed()
        self.at += 1

    def _more(self, size: int) -> bool:
        """Read more text and drop what was consumed; return False at the end of the text."""
        self.line = self._line()
        chunk = self.stream.read(size)
        self.buffer = self.buffer[self.at :] + chunk
        self.at = 0
        # At the end of the text, decode once more: a number there is complete after all.
        ended, self.ended = self.ended, not chunk
        return bool(chunk) or not ended

    def _line(self) -> int:
        return self.line + self.buffer.count("\n", 0, self.at)

    def _truncated(self) -> UnreadableFile:
        return UnreadableFile(
            f"Le fichier JSON « {self.name} » est coupé avant sa fin (ligne {self._line()}).",
            "Téléchargez-le à nouveau.",
        )

    def _constant(self, constant: str) -> object:
        raise UnreadableFile(
            f"Le fichier JSON « {self.name} » contient « {constant} », qui n'est pas un nombre.",
            "Demandez un nouvel export à son producteur : une valeur inconnue s'y écrit null.",
        )
