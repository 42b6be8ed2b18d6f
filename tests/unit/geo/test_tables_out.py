"""Tables written out read back as they were, in each dialect, and are legible at any width."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.tables_out import (
    Column,
    CsvWriter,
    Dialect,
    Kind,
    Table,
    csv_bytes,
    csv_cell,
    csv_text,
    records_table,
    terminal_lines,
    text_columns,
    unescape_formula,
    xlsx_bytes,
)

COLUMNS = text_columns(["nom", "valeur"])
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n", exclude_categories=["Cs"]))


def french_excel(content: bytes) -> list[list[str]]:
    """Rows as Excel reads them in France: by the byte order mark, then semicolons."""
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def number(text: str) -> float:
    """A number as Excel reads it in France: a point is no decimal mark."""
    assert "." not in text
    return float(text.replace(",", "."))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_french_excel_reads_every_number_at_full_precision(value):
    headings, row = french_excel(csv_bytes(COLUMNS, [["x", value]], Dialect.EXCEL_FR))
    assert headings == ["nom", "valeur"]
    assert number(row[1]) == value


@given(WORDS, WORDS)
def test_texts_read_back_in_each_dialect(one, other):
    for dialect in Dialect:
        content = csv_text(COLUMNS, [[one, other]], dialect).removeprefix(dialect.start)
        rows = list(csv.reader(StringIO(content, newline=""), delimiter=dialect.delimiter))
        assert len(rows) == 2
        for text, read in zip((one, other), rows[1], strict=True):
            assert not read.startswith(("=", "+", "@", "\t"))
            assert unescape_formula(read).replace(",", ".") == text.replace(",", ".").replace("\x00", "") or (
                "\ufffd" in read
            )


@pytest.mark.parametrize(
    ("value", "plain", "french"),
    [
        (None, "", ""),
        (True, "true", "oui"),
        (False, "false", "non"),
        (3, "3", "3"),
        (-1.25, "-1.25", "-1,25"),
        (1e-7, "1e-07", "1e-07"),
        (float("inf"), "", ""),
        (Decimal("1234.50"), "1234.50", "1234,50"),
        ("1234.56", "1234.56", "1234,56"),
        ("-5", "-5", "-5"),
        ("-5+cmd", "'-5+cmd", "'-5+cmd"),
        ("+33123456789", "'+33123456789", "'+33123456789"),
        ("=SUM(A1)", "'=SUM(A1)", "'=SUM(A1)"),
        ("'=x", "''=x", "''=x"),
        ("1.2.3", "1.2.3", "1.2.3"),
        (date(2026, 3, 12), "2026-03-12", "2026-03-12"),
        (Kind.TEXT, "text", "text"),
        ("a\x0bb", "a\ufffdb", "a\ufffdb"),
    ],
)
def test_a_value_is_one_cell(value, plain, french):
    assert csv_cell(value) == plain
    assert csv_cell(value, Dialect.EXCEL_FR) == french


def test_rfc_4180_has_commas_points_and_crlf():
    assert csv_bytes(COLUMNS, [["a;b", 1.5]]) == b"nom,valeur\r\na;b,1.5\r\n"
    assert csv_bytes(COLUMNS, [["a,b", 1.5]], Dialect.LINES) == b'nom,valeur\n"a,b",1.5\n'


def test_french_excel_has_a_mark_semicolons_and_commas():
    assert csv_bytes(COLUMNS, [["a;b", 1.5]], Dialect.EXCEL_FR) == (
        b'\xef\xbb\xbfnom;valeur\r\n"a;b";1,5\r\n'
    )


def test_cells_can_be_written_as_they_are():
    stream = StringIO(newline="")
    CsvWriter(stream, Dialect.LINES).cells(["+33123456789"])
    assert stream.getvalue() == "+33123456789\n"


def test_no_record_is_an_empty_file():
    table = records_table("", [])
    assert csv_bytes(table.columns, table.rows) == b""


def test_a_workbook_keeps_numbers_and_texts_and_explains_its_columns():
    columns = [Column("nom", "ce que c'est"), Column("part", "de 0 à 1", Kind.NUMBER, "0.0%")]
    table = Table("A/B", columns, [["=1+1", 0.25], ["@x", None]])
    book = openpyxl.load_workbook(BytesIO(xlsx_bytes([table], [("Source", "Insee")])))
    readme, sheet = book.worksheets
    assert [cell.value for cell in readme["A"]] == ["Source", None, "Feuille « A/B »", "nom", "part"]
    assert [cell.value for cell in readme["B"]] == ["Insee", None, "2 lignes", "ce que c'est", "de 0 à 1"]
    assert sheet.title == "A B"
    cells: Any = sheet
    assert (cells["A2"].value, cells["A2"].data_type, cells["A2"].quotePrefix) == ("=1+1", "s", True)
    assert (cells["B2"].value, cells["B2"].number_format) == (0.25, "0.0%")


def test_rows_to_fill_are_text():
    table = Table("x", COLUMNS, [["exemple", "01001"]])
    sheet: Any = openpyxl.load_workbook(BytesIO(xlsx_bytes([table], [], text_rows=5))).worksheets[1]
    assert [sheet.cell(line, 2).number_format for line in (2, 5, 6)] == ["@", "@", "General"]


HEADINGS = [Column("code"), Column("nom de la commune"), Column("personnes", kind=Kind.NUMBER)]
ROWS = [["47001", "Agen", "33 576"], ["47999", "Saint-Vincent-de-Lamontjoie près du fleuve", "7"]]


def test_a_table_is_whole_where_there_is_room_or_no_limit():
    lines = terminal_lines(HEADINGS, ROWS, None)
    assert lines[0] == "code   nom de la commune                           personnes"
    assert lines[2] == "47001  Agen                                           33 576"
    assert lines == terminal_lines(HEADINGS, ROWS, len(lines[1]))


def test_a_narrow_table_wraps_between_words_and_numbers_stay_whole():
    lines = terminal_lines(HEADINGS, ROWS, 50)
    assert max(map(len, lines)) <= 50
    assert any("33 576" in line for line in lines)
    assert "Saint-Vincent-de-Lamontjoie" in "\n".join(lines)
    assert lines[0].startswith("code")


def test_a_table_too_narrow_to_wrap_is_a_block_for_each_row():
    lines = terminal_lines(HEADINGS, ROWS, 34)
    assert lines[0] == "code              : 47001"
    assert "personnes         : 33 576" in lines
    assert "" in lines
    assert max(map(len, lines)) <= 34


@given(
    st.lists(st.lists(st.text("abc é-", max_size=30), min_size=3, max_size=3), max_size=4),
    st.one_of(st.none(), st.integers(20, 120)),
)
def test_no_word_is_ever_lost_or_cut_short_of_the_width(rows, width):
    lines = terminal_lines(HEADINGS, rows, width)
    text = "".join("".join(lines).split())
    for row in rows:
        for cell in row:
            letters = "".join(cell.split())
            assert len(letters) <= len(text)
            for word in cell.split():
                if width is None or len(word) <= width - 20:
                    assert word in "\n".join(lines) or word.replace("-", "") in text.replace("-", "")
    if width is not None:
        assert all(len(line) <= width for line in lines)
