"""JSON and GeoJSON, read one record at a time: a document is never held whole in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from geo.errors import UnreadableFile
from geo.sites.readers.content import Container, Content, Record, column_name, rejected
from geo.sites.readers.encoding import open_text

CHUNK = 1 << 16
MAX_RECORD = 4_000_000
"""Longest record read, in characters."""

SECTIONS = ("features", "structures", "services")
"""Members of a top-level object that hold lists of records; "" stands for a top-level list."""

_SAMPLE = 200
"""Records looked at to learn which keys there are: JSON leaves absent keys out."""


def content(path: Path, encoding: str) -> Content:
    """Open a JSON list of objects, a GeoJSON FeatureCollection, or `{"structures", "services"}`.

    Numbers stay as they are written. Of structures and services, each structure is one record;
    the values its services give come along as columns named `services.<key>`.

    Raises
    ------
    UnreadableFile
        If there is no list of records; while records are read, if the document is cut, malformed,
        nested too deep, or holds NaN or an infinity.
    """
    sample = list(islice(elements(path, encoding), _SAMPLE))
    sections = {section for section, _ in sample}
    if "structures" in sections:
        return _opened(lambda: _structures(path, encoding), Container.JSON)
    if "features" in sections:
        return _opened(lambda: _features(path, encoding), Container.GEOJSON)
    return _opened(lambda: _objects(path, encoding), Container.JSON)


def elements(path: Path, encoding: str) -> Iterator[tuple[str, object]]:
    """The elements of a document's list or lists, each with the name of its section."""
    with open_text(path, encoding) as stream:
        scanner = _Scanner(stream, path.name)
        if scanner.peek() == "[":
            yield from (("", element) for element in scanner.elements())
        elif scanner.peek() == "{":
            found = False
            for key in scanner.members():
                if key in SECTIONS and scanner.peek() == "[":
                    found = True
                    yield from ((key, element) for element in scanner.elements())
                else:
                    scanner.value()
            if not found:
                raise UnreadableFile(
                    f"Le fichier JSON « {path.name} » ne contient pas de liste de lieux.",
                    "Il faut une liste d'objets, un GeoJSON, ou un objet « structures » et « services ».",
                )
        else:
            scanner.value()
            raise scanner.malformed()
        if scanner.peek():
            raise scanner.malformed()


def text(value: object) -> str:
    """A JSON value as the text of a cell; lists of plain values are joined by `|`, objects left out."""
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "|".join(cell for item in value if not isinstance(item, list) and (cell := text(item)))
    return str(value)


def _opened(records: Callable[[], Iterator[Record]], container: Container) -> Content:
    columns: dict[str, None] = {}
    for record in islice(records(), _SAMPLE):
        columns.update(dict.fromkeys(record.fields))
    return Content(tuple(columns), records, container)


def _record(line: int, element: object, point: tuple[str, str] | None = None) -> Record:
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
    return Record(line, {column_name(key): text(value) for key, value in element.items()}, point=point)


def _objects(path: Path, encoding: str) -> Iterator[Record]:
    for rank, (_, element) in enumerate(elements(path, encoding), start=1):
        yield _record(rank, element)


def _features(path: Path, encoding: str) -> Iterator[Record]:
    for rank, (_, element) in enumerate(elements(path, encoding), start=1):
        properties = element.get("properties") if isinstance(element, dict) else None
        geometry = element.get("geometry") if isinstance(element, dict) else None
        yield _record(rank, properties, _point(geometry))


def _point(geometry: object) -> tuple[str, str] | None:
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return None
    match geometry.get("coordinates"):
        case [str(longitude), str(latitude), *_]:
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
    """Reads JSON values one after another from a text stream, holding one record at a time."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream = stream
        self.name = name
        self.buffer = ""
        self.at = 0
        self.line = 1
        self.ended = False
        self.decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=self._constant)

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            while self.at < len(self.buffer):
                if self.buffer[self.at] not in " \t\r\n":
                    return self.buffer[self.at]
                self.at += 1
            if not self._more(CHUNK):
                return ""

    def elements(self) -> Iterator[object]:
        """The elements of the list that begins here."""
        self._take("[")
        if self.peek() != "]":
            yield self.value()
            while self.peek() == ",":
                self._take(",")
                yield self.value()
        self._take("]")

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here; the caller consumes each value."""
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
        """The value that begins here."""
        if not self.peek():
            raise self._cut()
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
                # A number that touches the end of the buffer may go on.
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
                raise self._cut()

    def _unfinished(self, problem: json.JSONDecodeError) -> bool:
        """Whether further text may mend a failure: only one in the last characters, or an open string."""
        if problem.msg.startswith("Unterminated"):
            return True
        rest = self.buffer[problem.pos :]
        return not rest.strip() if self.ended else len(rest) < 16

    def malformed(self) -> UnreadableFile:
        """The failure of a document that is not JSON at this point."""
        return UnreadableFile(
            f"Le fichier « {self.name} » n'est pas du JSON valable (ligne {self._line()}).",
            "Demandez un nouvel export à son producteur, ou vérifiez cette ligne.",
        )

    def _take(self, expected: str) -> None:
        found = self.peek()
        if not found:
            raise self._cut()
        if found != expected:
            raise self.malformed()
        self.at += 1

    def _more(self, size: int) -> bool:
        """Read on, dropping what is consumed; False at the end of the text."""
        self.line = self._line()
        chunk = self.stream.read(size)
        self.buffer = self.buffer[self.at :] + chunk
        self.at = 0
        # A value that the end of the text closes is tried once more before giving up.
        ended, self.ended = self.ended, not chunk
        return bool(chunk) or not ended

    def _line(self) -> int:
        return self.line + self.buffer.count("\n", 0, self.at)

    def _cut(self) -> UnreadableFile:
        return UnreadableFile(
            f"Le fichier JSON « {self.name} » est coupé avant sa fin (ligne {self._line()}).",
            "Téléchargez-le à nouveau.",
        )

    def _constant(self, constant: str) -> object:
        raise UnreadableFile(
            f"Le fichier JSON « {self.name} » contient « {constant} », qui n'est pas un nombre.",
            "Demandez un nouvel export à son producteur : une valeur inconnue s'y écrit null.",
        )
