"""Hash a file, detect its encoding and refuse binary content, in one pass and bounded memory."""

from __future__ import annotations

import codecs
import hashlib
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from geo.errors import UnreadableFile
from geo.wording import figures

CHUNK_BYTES = 1 << 20
MAX_LINE = 1_000_000
"""Longest physical line read, in characters, which bounds the memory used."""

ZIP = "zip"
"""Value of `Inspection.encoding` for zip archives, such as workbooks."""

_AS_CSV = "Ouvrez-le dans votre tableur et enregistrez-le au format CSV (UTF-8) ou XLSX."
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "un document PDF", "Demandez la liste au format CSV, XLSX ou JSON."),
    (b"\x1f\x8b", "un fichier compressé (gzip)", "Décompressez-le d'abord."),
    (b"BZh", "un fichier compressé (bzip2)", "Décompressez-le d'abord."),
    (b"\xfd7zXZ", "un fichier compressé (xz)", "Décompressez-le d'abord."),
    (b"7z\xbc\xaf", "une archive 7-Zip", "Décompressez-la d'abord."),
    (b"\xd0\xcf\x11\xe0", "un ancien document Office (.xls, .doc) ou protégé par un mot de passe", _AS_CSV),
    (b"SQLite format 3", "une base SQLite ou un GeoPackage", "Exportez la couche en GeoJSON ou en CSV."),
    (b"\x89PNG", "une image", "Choisissez le fichier de données."),
    (b"\xff\xd8\xff", "une image", "Choisissez le fichier de données."),
    (b"GIF8", "une image", "Choisissez le fichier de données."),
)
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ACCENT_IN_UTF8 = re.compile(rb"[\xc2\xc3][\x80-\xbf]|\xe2\x80[\x80-\xbf]")
"""UTF-8 bytes of accented letters, guillemets and curly quotes; in Latin-1 they are never French."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Result of one pass over a file: its hash and its encoding."""

    sha256: str
    encoding: str


def inspect_file(path: Path, *, max_bytes: int) -> Inspection:
    """Hash a file and detect its encoding, in one pass and bounded memory.

    Raises
    ------
    UnreadableFile
        If the file is absent, too large (checked before it is read), empty, binary, or mixes
        encodings.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile(f"« {path.name} » n'est pas un fichier.", "Donnez le chemin d'un fichier.")
        if status.st_size > max_bytes:
            raise UnreadableFile(
                f"Le fichier « {path.name} » est trop gros : {figures.file_size(status.st_size)}, "
                f"pour {figures.file_size(max_bytes)} au plus.",
                "Découpez-le, ou relevez la limite PORTEE_IMPORT_MAX_MB si ce fichier est bien une liste.",
            )
        return _inspected(path, max_bytes)
    except FileNotFoundError:
        raise UnreadableFile(f"Le fichier « {path} » n'existe pas.", "Vérifiez son chemin.") from None
    except OSError as problem:
        raise UnreadableFile(
            f"Le fichier « {path.name} » ne peut pas être lu ({problem.strerror or problem}).",
            "Vérifiez ses droits d'accès.",
        ) from problem
    except ValueError:
        raise UnreadableFile("Ce chemin de fichier n'est pas valable.", "Vérifiez-le.") from None


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a file as text without translating line ends, as the `csv` module requires."""
    return path.open(encoding=encoding, newline="")


def first_character(path: Path, encoding: str) -> str:
    """Return the first character that is not blank, or "" when the first mebibyte has none."""
    with open_text(path, encoding) as stream:
        return stream.read(CHUNK_BYTES).lstrip("\ufeff \t\r\n")[:1]


def lines(stream: TextIO, name: str) -> Iterator[str]:
    """Yield the physical lines of a text, each of bounded length.

    Raises
    ------
    UnreadableFile
        If a line is longer than `MAX_LINE` characters.
    """
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            raise UnreadableFile(
                f"Dans « {name} », la ligne {number} dépasse {MAX_LINE} caractères.",
                "Ce n'est sans doute pas une liste de lieux ; vérifiez le fichier.",
            )
        yield line


def _inspected(path: Path, max_bytes: int) -> Inspection:
    digest = hashlib.sha256()
    survey: _EncodingDetector | None = None
    size = 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise UnreadableFile(f"Le fichier « {path.name} » grossit pendant sa lecture.", "Réessayez.")
            digest.update(chunk)
            if survey is None:
                survey = _EncodingDetector(chunk, path.name)
            survey.see(chunk)
    if survey is None:
        raise UnreadableFile(f"Le fichier « {path.name} » est vide.", "Téléchargez-le à nouveau.")
    return Inspection(digest.hexdigest(), survey.encoding())


class _EncodingDetector:
    """Detects the encoding of a file from successive chunks of its bytes."""

    def __init__(self, head: bytes, name: str) -> None:
        self.name = name
        self.zip = head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
        for signature, kind, advice in _SIGNATURES:
            if head.startswith(signature):
                raise UnreadableFile(f"« {name} » est {kind}, pas une liste de lieux.", advice)
        if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html)", head[:200], re.IGNORECASE):
            raise UnreadableFile(
                f"« {name} » est une page web, pas une liste de lieux.",
                "Le téléchargement a sans doute donné une page d'erreur : recommencez-le.",
            )
        self.marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
        self.decoder = codecs.getincrementaldecoder(self.marked or "utf-8")()
        self.valid = True
        self.first_wrong_line = 0
        self.line = 1
        self.accents_in_utf8 = False
        self.undefined = False
        self.tail = b""

    def see(self, chunk: bytes) -> None:
        if self.zip:
            return
        if self.marked != "utf-16" and b"\x00" in chunk:
            self._binary()
        if self.valid:
            try:
                if "\x00" in self.decoder.decode(chunk):
                    self._binary()
            except UnicodeDecodeError as problem:
                self._wrong(self.line + chunk.count(b"\n", 0, problem.start))
        self.line += chunk.count(b"\n")
        seam = self.tail + chunk
        self.accents_in_utf8 = self.accents_in_utf8 or bool(_ACCENT_IN_UTF8.search(seam))
        self.undefined = self.undefined or bool(re.search(rb"[\x81\x8d\x8f\x90\x9d]", chunk))
        self.tail = chunk[-2:]

    def encoding(self) -> str:
        if self.zip:
            return ZIP
        if self.valid:
            try:
                self.decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                self._wrong(self.line)
        if self.valid:
            return self.marked or "utf-8"
        if self.accents_in_utf8 or self.undefined or self.marked:
            raise UnreadableFile(
                f"Le fichier « {self.name} » mélange plusieurs encodages de caractères, ou il est abîmé "
                f"(ligne {self.first_wrong_line}).",
                "Ouvrez-le dans votre tableur, vérifiez cette ligne et enregistrez-le en CSV UTF-8.",
            )
        return "cp1252"

    def _wrong(self, line: int) -> None:
        self.valid = False
        self.first_wrong_line = line

    def _binary(self) -> None:
        raise UnreadableFile(
            f"« {self.name} » n'est pas un fichier de texte.",
            "Donnez une liste au format CSV, XLSX, JSON ou GeoJSON.",
        )
