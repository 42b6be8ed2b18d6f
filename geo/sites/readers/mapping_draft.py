"""Draft a mapping file for a spreadsheet of no known format: TOML with comments, to be reviewed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from geo.crs import LAMBERT_93
from geo.sites import standard
from geo.sites.model import LOCAL_PREFIX
from geo.sites.readers.column_guesses import ColumnGuess, TableColumn, guesses, is_known, known_words
from geo.sites.readers.column_mapping import FACTS, FIELDS, SEVERAL, VERSION
from geo.sites.readers.content import Container, Content
from geo.sites.readers.vocabularies import vocabularies_of
from geo.sites.text import fold

SAMPLE: Final = 500
"""Records read to guess what the columns hold."""

_SEPARATORS: Final = ("|", ";", "\n", " / ", "/", ",", " + ", " et ")
_EXAMPLE_MAX: Final = 50
_VALUES_MAX: Final = 12
_WORDS_MAX: Final = 30
"""Unknown words listed for a field; the rest is counted."""

_SLUG: Final = re.compile(r"[^a-z0-9]+")
_DATE_IN_NAME: Final = re.compile(r"(19|20)\d\d([-_ ]?\d\d){0,2}")
_OURS: Final = frozenset(
    f"{LOCAL_PREFIX}{name}" for name in ("jeu_de_donnees", "position", "signalements", "fictif")
)
"""Fields that Portée's own exports have, and no other list."""
_ADDRESS_PARTS: Final = ("numero", "type_voie", "voie")


def draft_mapping(content: Content, name: str, *, recognised: str = "", sheet: str = "") -> str:
    """Return a draft of a mapping file for a table.

    Each line gives an example of the column's cells. Columns that no field was guessed for, and words
    that no vocabulary knows, are listed in comments. The draft can be used as it is when the table has a
    column that can be its `nom`.

    Parameters
    ----------
    name
        Name of the file, for the first comment and the name of the dataset.
    recognised
        Format of the file, when it can be imported without a mapping; the draft says so.
    sheet
        Title of the sheet, when the workbook has several.
    """
    columns = _sampled(content)
    found: dict[str, list[ColumnGuess]] = {}
    for guess in guesses(columns):
        found.setdefault(guess.target, []).append(guess)
    by_name = {column.name: column for column in columns}
    if "nom" not in found and (fallback := _name_column(columns, found)):
        found["nom"] = [ColumnGuess("nom", fallback, by_cells=True)]
    lines = [*_heading(name, recognised), *_table_keys(content, sheet), *_notation(found, by_name)]
    lines += ["", "[columns]", *_identifier(found, by_name)]
    tables: list[str] = []
    for field in FIELDS:
        if field == "adresse" and "adresse.voie" in found:
            tables += _address(found, by_name)
        elif field == "horaires" and any(target.startswith("horaires.") for target in found):
            tables += _hours(found, by_name)
        elif field != "id" and field in found:
            guess = found[field][0]
            options = _options(field, by_name[guess.column])
            if options:
                tables += ["", f"[columns.{field}]", _assigned("column", [guess], by_name), *options]
            else:
                lines.append(_assigned(field, [guess], by_name))
    return "\n".join([*lines, *tables, *_left(columns, found), ""])


def _sampled(content: Content) -> list[TableColumn]:
    records = list(islice((record for record in content.records() if not record.broken), SAMPLE))
    return [
        TableColumn(name, tuple(record.fields.get(name, "").strip() for record in records))
        for name in content.columns
        if name
    ]


_Found = Mapping[str, Sequence[ColumnGuess]]
_ByName = Mapping[str, TableColumn]


def _heading(name: str, recognised: str) -> Iterator[str]:
    yield f"# Correspondance proposée pour « {_one_line(name)} »."
    if recognised:
        yield f"# Ce fichier est reconnu sans correspondance : {recognised}."
    yield "# Relisez chaque ligne, corrigez, complétez, puis essayez sans rien enregistrer :"
    yield "#   portee import --mapping CE-FICHIER.toml --dry-run LISTE"
    yield "# « ? » : deviné d'après les cellules seules, à vérifier d'abord. Voir docs/formats.md."
    yield ""
    yield f"version = {VERSION}"
    yield f'dataset = "{_dataset(name)}"'


def _table_keys(content: Content, sheet: str) -> Iterator[str]:
    """Yield where the table is in its file, when it is not at its very beginning."""
    if sheet:
        yield f"sheet = {_quoted(sheet)}"
    if content.line > 1 and content.container in (Container.CSV, Container.XLSX):
        yield f"header_row = {content.line}"


def _notation(found: _Found, by_name: _ByName) -> Iterator[str]:
    if "latitude" in found and "longitude" in found:
        pairs = (by_name[found[field][0].column].rows for field in ("longitude", "latitude"))
        yield from _coordinates(*pairs)


def _coordinates(eastings: Sequence[str], northings: Sequence[str]) -> Iterator[str]:
    """Yield how the coordinates are written: the decimal mark, and their reference system."""
    pairs = [
        (float(x.replace(",", ".")), float(y.replace(",", ".")))
        for x, y in zip(eastings, northings, strict=False)
        if _is_number(x) and _is_number(y)
    ]
    if any("," in cell for cell in (*eastings, *northings)):
        yield "decimal_comma = true"
    projected = [(x, y) for x, y in pairs if abs(x) > 180 and abs(y) > 90]
    if len(projected) * 2 > len(pairs):
        if all(0 < x < 1_300_000 and 6_000_000 < y < 7_200_000 for x, y in projected):
            yield f"crs = {LAMBERT_93}  # Lambert-93, d'après les valeurs"
        else:
            yield "# crs = …  # des mètres d'un système inconnu : donnez son code EPSG"


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"-?\d{1,9}([.,]\d*)?", cell))


def _identifier(found: _Found, by_name: _ByName) -> Iterator[str]:
    """Yield the line of `id`: its column, else enough columns to distinguish the rows."""
    if "nom" not in found:
        yield '# nom = "…"  # À COMPLÉTER'
    if "id" in found:
        yield _assigned("id", found["id"], by_name)
        return
    chosen: list[ColumnGuess] = []
    first = next(iter(by_name.values()))
    for target in ("nom", "commune", "code_postal", "adresse", "adresse.numero", "adresse.voie"):
        if target in found and 2 * len(by_name[found[target][0].column].cells) >= len(first.rows):
            chosen += found[target][:1]
            rows = list(zip(*(by_name[guess.column].rows for guess in chosen), strict=True))
            if len(chosen) > 1 and len(set(rows)) == len(rows):
                break
    yield "# Aucune colonne d'identifiant : il est composé, et doit rester le même d'une liste à la suivante."
    yield _assigned("id", chosen, by_name) if chosen else '# id = ["…"]  # À COMPLÉTER'


def _name_column(columns: Iterable[TableColumn], found: _Found) -> str:
    """Return the first column that nothing else was guessed for and whose texts are mostly different."""
    taken = {guess.column for each in found.values() for guess in each}
    for column in columns:
        texts = [cell for cell in column.cells if re.search(r"[^\W\d]{3}", cell)]
        if column.name not in taken and column.rows and len(set(texts)) >= 0.8 * len(column.rows):
            return column.name
    return ""


def _address(found: _Found, by_name: _ByName) -> Iterator[str]:
    yield from ("", "[columns.adresse]  # les parties, jointes dans cet ordre")
    for part in _ADDRESS_PARTS:
        if f"adresse.{part}" in found:
            yield _assigned(part, found[f"adresse.{part}"], by_name)


def _hours(found: _Found, by_name: _ByName) -> Iterator[str]:
    yield from (
        "",
        '[columns.horaires]  # une colonne par jour, ou plusieurs dans l\'ordre : ["matin", "après-midi"]',
    )
    for target, each in found.items():
        if target.startswith("horaires."):
            yield _assigned(target.removeprefix("horaires."), each, by_name)


def _options(field: str, column: TableColumn) -> list[str]:
    """Return the lines that say how the cells of a field are read; none for plain text."""
    lines = []
    separator = _separator(field, column.cells) if field in SEVERAL else ""
    if separator and separator != standard.SEPARATOR:
        lines.append(f"separator = {_quoted(separator)}")
    if field not in standard.ENUMERATIONS and field not in FACTS:
        return lines
    words = _tokens(column.cells, separator)
    if names := vocabularies_of(field):
        best = max(names, key=lambda name: known_words(field, list(words)))
        lines.append(f'vocabulary = "{best}"')
    unknown = [word for word, _ in words.most_common() if not is_known(field, word)]
    if unknown:
        possible = standard.ENUMERATIONS.get(field, ("true", "false"))
        lines.append('# Mots inconnus : donnez à chacun une valeur, ou "" pour le laisser de côté. Valeurs :')
        lines += [f"#   {value}" for value in possible[:_VALUES_MAX]]
        if len(possible) > _VALUES_MAX:
            lines.append("#   … (voir docs/formats.md)")
        lines += [f'# values.{_quoted(word)} = ""' for word in unknown[:_WORDS_MAX]]
        if len(unknown) > _WORDS_MAX:
            lines.append(f"#   … et {len(unknown) - _WORDS_MAX} autres")
    return lines


def _separator(field: str, cells: Sequence[str]) -> str:
    """Return the separator that makes most words known; else the one that most cells hold; "" if none."""
    used = [sign for sign in _SEPARATORS if sum(sign in cell for cell in cells) * 20 >= len(cells) > 0]
    if field not in standard.ENUMERATIONS:
        used = [sign for sign in used if sign not in ("/", " / ", " et ")]
        return max(used, key=lambda sign: sum(sign in cell for cell in cells), default="")
    shares = {sign: _share_known(field, _tokens(cells, sign)) for sign in used}
    best = max(shares, key=lambda sign: shares[sign], default="")
    return best if best and shares[best] >= _share_known(field, _tokens(cells, "")) else ""


def _share_known(field: str, words: Counter[str]) -> float:
    return sum(n for word, n in words.items() if is_known(field, word)) / (sum(words.values()) or 1)


def _tokens(cells: Iterable[str], separator: str) -> Counter[str]:
    parts = (part for cell in cells for part in (cell.split(separator) if separator else [cell]))
    return Counter(" ".join(part.split()) for part in parts if part.strip())


def _left(columns: Iterable[TableColumn], found: _Found) -> Iterator[str]:
    used = {guess.column for each in found.values() for guess in each}
    left = [column for column in columns if column.name not in used]
    if left:
        yield ""
        yield "# Colonnes sans champ deviné, laissées de côté :"
        yield from (f"#   {_quoted(column.name)}" for column in left)
    given = {"id", *(target.split(".")[0] for target in found)}
    free = [field for field in FIELDS if field not in given and field not in _OURS]
    yield ""
    yield "# Champs sans colonne, s'il en est une pour eux :"
    yield from _wrapped(free)


def _wrapped(words: Iterable[str]) -> Iterator[str]:
    line = "#  "
    for word in words:
        if len(line) + len(word) > 100:
            yield line
            line = "#  "
        line += f" {word}"
    if line.strip("# "):
        yield line


def _assigned(key: str, chosen: Sequence[ColumnGuess], by_name: _ByName) -> str:
    names = [_quoted(guess.column) for guess in chosen]
    value = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    doubt = " ?" if any(guess.by_cells for guess in chosen) else ""
    return f"{key} = {value}{_example(by_name[chosen[0].column], doubt)}"


def _example(column: TableColumn, doubt: str = "") -> str:
    if not column.cells:
        return f"  #{doubt} sans valeur"
    text = _one_line(column.cells[0])
    return f"  #{doubt} {text[:_EXAMPLE_MAX]}{'…' if len(text) > _EXAMPLE_MAX else ''}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _dataset(name: str) -> str:
    stem = name.rsplit(".", 1)[0]
    slug = _SLUG.sub("-", fold(_DATE_IN_NAME.sub(" ", stem))).strip("-")[:40].strip("-")
    return slug or "tableur"
