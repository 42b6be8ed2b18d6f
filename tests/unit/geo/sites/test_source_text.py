"""Encodings, separators, line numbers, and files that are not lists of sites."""

from __future__ import annotations

import csv
import gzip
import io
import resource
import sys
import tracemalloc
import zipfile
from datetime import date, datetime
from itertools import islice
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo.errors import UnreadableFile
from geo.sites import standard
from geo.sites.model import Severity
from geo.sites.readers import delimited, open_source

MAX_BYTES = 10_000_000
HEADER = ("id", "pivot", "nom", "commune", "code_postal", "adresse", "date_maj", "frais_a_charge")
LIEU = ("1", standard.UNKNOWN_PIVOT, "Lieu fictif", "Aubefeuille", "47900", "1 rue Fictive", "2026-01-02", "")


def written(rows, separator=",", end="\n", quoting=csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def opened(tmp_path, data, name="lieux", **options):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return open_source(path, max_bytes=options.pop("max_bytes", MAX_BYTES), **options)


def refusal(tmp_path, data, **options) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        list(opened(tmp_path, data, **options).rows())
    assert caught.value.message.endswith(".") and caught.value.advice
    return caught.value


def site(**changes) -> tuple[str, ...]:
    return tuple(changes.get(name, value) for name, value in zip(HEADER, LIEU, strict=True))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("codec", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("latin-1", "cp1252"),
        ("cp1252", "cp1252"),
    ],
)
def test_any_usual_encoding_and_separator_reads_the_same(tmp_path, separator, codec, told):
    data = written([HEADER, site(nom="Médiathèque fictive « été », l'île")], separator).encode(codec)
    source = opened(tmp_path, data)
    assert source.encoding == told
    assert [row.values["nom"] for row in source.rows()] == ["Médiathèque fictive « été », l'île"]


def test_utf_16_in_network_order_is_read(tmp_path):
    data = b"\xfe\xff" + written([HEADER, site(nom="Été")]).encode("utf-16-be")
    assert [row.values["nom"] for row in opened(tmp_path, data).rows()] == ["Été"]


def test_typographic_signs_of_windows_are_read(tmp_path):
    data = written([HEADER, site(nom="L’œuvre – 5 €")]).encode("cp1252")
    assert [row.values["nom"] for row in opened(tmp_path, data).rows()] == ["L’œuvre – 5 €"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_record_is_numbered_by_the_physical_line_where_it_begins(tmp_path, end):
    rows = [HEADER, site(adresse=f"1 rue{end}Fictive{end}Bâtiment A"), site(id="2")]
    data = end + written(rows, end=end) + end * 2 + written([site(id="3")], end=end)
    assert [(row.line, row.values["id"]) for row in opened(tmp_path, data).rows()] == [
        (3, "1"),
        (6, "2"),
        (9, "3"),
    ]


def test_a_row_with_too_few_or_too_many_cells_comes_out_rejected_and_the_next_one_whole(tmp_path):
    data = written([HEADER, LIEU[:5], (*LIEU, "de trop"), site(id="4")])
    rows = list(opened(tmp_path, data).rows())
    assert [[(i.severity, i.code) for i in row.issues] for row in rows] == [
        [(Severity.REJECTED, "colonnes")],
        [(Severity.REJECTED, "colonnes")],
        [],
    ]
    assert rows[0].issues[0].line == 2
    assert "5 cellules" in rows[0].issues[0].reason and "8 colonnes" in rows[0].issues[0].reason
    assert rows[2].values["id"] == "4"


def test_blank_cells_a_spreadsheet_leaves_at_the_end_are_no_columns(tmp_path):
    data = written([(*HEADER, "", ""), (*LIEU, "", ""), (*LIEU, "", "", " "), ("",) * 10], ";")
    rows = list(opened(tmp_path, data).rows())
    assert len(rows) == 2
    assert not any(row.issues for row in rows)
    assert set(rows[0].values) == set(HEADER)


def test_our_own_columns_come_through_and_unknown_ones_do_not(tmp_path):
    data = written([(*HEADER, "ext_pass_numerique", "note"), (*LIEU, "true", "privé")])
    (row,) = opened(tmp_path, data).rows()
    assert row.values["ext_pass_numerique"] == "true"
    assert "note" not in row.values


def test_rows_can_be_read_again_from_the_start(tmp_path):
    source = opened(tmp_path, written([HEADER, LIEU]))
    assert list(source.rows()) == list(source.rows())


def test_the_fingerprint_is_that_of_the_bytes(tmp_path):
    data = written([HEADER, LIEU]).encode()
    first = opened(tmp_path, data, name="a")
    assert first.sha256 == opened(tmp_path, data, name="b").sha256
    assert first.sha256 != opened(tmp_path, data + b"\n", name="c").sha256


LETTERS = st.text(
    st.sampled_from("abcé èçàùêîôûëïüœÀÉ°«»€’'\"|,;\t\n-0123456789@:/()"), min_size=0, max_size=30
).map(str.strip)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(LETTERS, min_size=1, max_size=6),
    separator=st.sampled_from([",", ";", "\t"]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_whatever_the_dialect_the_same_values_come_back(tmp_path, names, separator, codec, end, quoting):
    rows = [site(id=str(rank), nom=name) for rank, name in enumerate(names)]
    data = written([HEADER, *rows], separator, end, quoting).encode(codec)
    assume(codec != "cp1252" or not is_utf8(data) or data.isascii())
    found = list(opened(tmp_path, data).rows())
    assert [row.values["nom"] for row in found] == names
    assert not any(row.issues for row in found)


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


# Files that are no list.


def test_an_absent_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(UnreadableFile):
            open_source(path, max_bytes=MAX_BYTES)


def test_an_empty_file_is_refused(tmp_path):
    assert "vide" in refusal(tmp_path, b"").message


@pytest.mark.parametrize("blank", [b" ", b"\n\n\r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_blank_file_is_refused(tmp_path, blank):
    assert "aucune ligne" in refusal(tmp_path, blank).message


@pytest.mark.skipif(sys.platform == "win32", reason="sparse files are made otherwise there")
def test_a_file_of_one_gigabyte_is_refused_unread(tmp_path):
    path = tmp_path / "enorme.csv"
    with path.open("wb") as stream:
        stream.truncate(1_000_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF)
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match="1\u202f000\u00a0Mo"):
        open_source(path, max_bytes=100_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert peak < 1_000_000
    assert after.ru_inblock - before.ru_inblock < 1_000


def test_a_device_without_end_is_refused():
    with pytest.raises(UnreadableFile, match="n'est pas un fichier"):
        open_source(Path("/dev/zero"), max_bytes=MAX_BYTES)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "image"),
        (b"\xff\xd8\xff\xe0JFIF", "image"),
        (gzip.compress(b"id,nom\n", mtime=0), "gzip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "Office"),
        (b"SQLite format 3\x00", "GeoPackage"),
        (b"id,nom\n1,\x00\n", "texte"),
        ("id,nom\n1,é\n".encode("utf-16-le"), "texte"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "page web"),
    ],
)
def test_a_binary_file_or_a_web_page_is_named_for_what_it_is(tmp_path, data, word):
    assert word in refusal(tmp_path, data).message


def test_mixed_encodings_are_refused_with_the_line(tmp_path):
    data = written([HEADER, site(nom="Médiathèque")]).encode() + written([site(id="2", nom="Été")]).encode(
        "latin-1"
    )
    assert "ligne 3" in refusal(tmp_path, data).message


def test_a_file_cut_in_the_middle_of_a_letter_is_refused(tmp_path):
    data = written([HEADER, site(nom="Médiathèque")]).encode()
    assert "abîmé" in refusal(tmp_path, data[: data.index("è".encode()) + 1]).message


def test_a_quote_never_closed_is_refused_with_the_line_where_its_record_begins(tmp_path):
    data = written([HEADER, LIEU]) + '2,,"Lieu fictif jamais refermé,\n3,,b\n'
    problem = refusal(tmp_path, data)
    assert "coupé" in problem.message and "ligne 3" in problem.message


def test_a_misplaced_quote_is_refused_rather_than_guessed(tmp_path):
    data = written([HEADER]) + '1,,"Le "petit" lieu",,,,,\n'
    problem = refusal(tmp_path, data)
    assert "guillemet mal placé" in problem.message and "ligne 2" in problem.message


def test_an_enormous_cell_is_refused(tmp_path):
    data = written([HEADER, site(adresse="a" * 200_000)])
    assert "caractères" in refusal(tmp_path, data).message


def test_an_enormous_line_is_refused_without_being_held(tmp_path):
    path = tmp_path / "ligne.csv"
    path.write_bytes(b"a" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match="ligne 1 dépasse"):
        open_source(path, max_bytes=100_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_duplicate_columns_are_refused_by_name(tmp_path):
    assert "nom" in refusal(tmp_path, written([(*HEADER, "nom"), (*LIEU, "x")])).message


def test_an_unknown_list_is_refused_with_its_columns_and_a_way_out(tmp_path):
    problem = refusal(tmp_path, "Nom du lieu;Ville\nLieu fictif;Aubefeuille\n")
    assert "« Nom du lieu », « Ville »" in problem.message
    assert "correspondance" in problem.advice


def test_a_long_list_streams(tmp_path):
    path = tmp_path / "long.csv"
    line = written([site(adresse="rue Fictive " * 40)])
    with path.open("w", encoding="utf-8") as stream:
        stream.write(written([HEADER]))
        for _ in range(20_000_000 // len(line)):
            stream.write(line)
    tracemalloc.start()
    count = sum(1 for _ in islice(open_source(path, max_bytes=100_000_000).rows(), 10_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000
    assert peak < 8_000_000


# Workbooks.


def workbook(tmp_path, rows, name="lieux.bin"):
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Lieux")
    for row in rows:
        sheet.append(row)
    book.save(tmp_path / name)
    return (tmp_path / name).read_bytes()


def test_a_workbook_gives_text_dates_and_whole_numbers(tmp_path):
    midnight = datetime(2026, 1, 2)  # noqa: DTZ001 (a spreadsheet knows no time zone)
    data = workbook(
        tmp_path,
        [
            [],
            HEADER,
            ["1", None, "Lieu fictif", "Aubefeuille", 47900.0, "1 rue Fictive", midnight],
            [],
            [2, None, True, "Aubefeuille", 47900, "=1+1", date(2026, 1, 3), "Gratuit"],
        ],
    )
    first, second = opened(tmp_path, data).rows()
    assert (first.line, second.line) == (3, 5)
    assert (first.values["code_postal"], first.values["date_maj"]) == ("47900", "2026-01-02")
    assert (second.values["id"], second.values["date_maj"], second.values["frais_a_charge"]) == (
        "2",
        "2026-01-03",
        "Gratuit",
    )
    assert second.values["adresse"] == ""  # a formula no spreadsheet has computed yet
    assert not first.issues


def test_the_sheet_that_is_a_list_is_found(tmp_path):
    book = openpyxl.Workbook()
    book.create_sheet("Notes").append(["Lisez-moi"])
    sheet = book.create_sheet("Lieux")
    for row in (HEADER, LIEU):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert len(list(open_source(tmp_path / "a.xlsx", max_bytes=MAX_BYTES).rows())) == 1


def test_merged_cells_give_their_value_once(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Lieux")
    for row in (HEADER, LIEU, site(id="2", commune=None)):
        sheet.append(row)
    sheet.merge_cells("D2:D3")
    book.save(tmp_path / "a.xlsx")
    rows = list(open_source(tmp_path / "a.xlsx", max_bytes=MAX_BYTES).rows())
    assert [row.values["commune"] for row in rows] == ["Aubefeuille", ""]


def archive(parts: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return data.getvalue()


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    assert "archive" in refusal(tmp_path, archive({"lieux.csv": b"id"})).message
    assert ".ods" in refusal(tmp_path, archive({"content.xml": b"<x/>"})).message
    assert "abîmé" in refusal(tmp_path, archive({"lieux.csv": b"id"})[:-30]).message
    assert "abîmé" in refusal(tmp_path, archive({"xl/workbook.xml": b"<x"})).message


def test_a_workbook_that_would_unpack_to_gigabytes_is_refused_before_it_is_opened(tmp_path):
    bomb = archive({"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": bytes(160_000_000)})
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    assert "démesuré" in refusal(tmp_path, bomb).message
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_an_archive_with_an_endless_table_of_contents_is_refused(tmp_path):
    assert "démesuré" in refusal(tmp_path, archive({f"{n:0100}": b"" for n in range(8_000)})).message


def with_sheet(tmp_path, change) -> bytes:
    """A workbook of one site, its sheet changed as XML."""
    with zipfile.ZipFile(io.BytesIO(workbook(tmp_path, [HEADER, LIEU]))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet2.xml"
    changed = change(parts[sheet])
    assert changed != parts[sheet]
    return archive(parts | {sheet: changed})


def test_entities_that_multiply_are_refused(tmp_path):
    layers = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    lol = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "lol">{layers}]><x>&a9;</x>'
    assert refusal(tmp_path, with_sheet(tmp_path, lambda _: lol.encode()))


def test_the_size_a_sheet_announces_of_itself_is_not_believed(tmp_path):
    data = with_sheet(tmp_path, lambda xml: xml.replace(b'<dimension ref="A1:H2"', b'<dimension ref="A1:B1"'))
    (row,) = opened(tmp_path, data).rows()
    assert row.values["commune"] == "Aubefeuille"


def test_a_row_beyond_the_end_of_any_sheet_is_refused(tmp_path):
    data = with_sheet(tmp_path, lambda xml: xml.replace(b'<row r="2"', b'<row r="99999999999"'))
    assert "abîmé" in refusal(tmp_path, data).message


# Anything at all.


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [
            b"",
            b"[",
            b"{",
            b'{"features":[',
            b'{"structures":[',
            b"PK\x03\x04",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b'"',
        ]
    ),
    body=st.one_of(
        st.binary(max_size=300),
        st.text(st.sampled_from('[]{}",:;\n\\ué1eN-. '), max_size=300).map(str.encode),
    ),
)
def test_arbitrary_bytes_are_read_or_refused_never_anything_else(tmp_path, head, body):
    path = tmp_path / "n'importe quoi"
    path.write_bytes(head + body)
    try:
        for row in open_source(path, max_bytes=MAX_BYTES).rows():
            assert row.line
    except UnreadableFile as problem:
        assert problem.message and problem.advice


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), damage=st.binary(max_size=20), cut=st.booleans())
def test_a_damaged_file_is_read_or_refused_never_anything_else(tmp_path, at, damage, cut):
    for seed in seeds(tmp_path):
        where = int(at * len(seed))
        path = tmp_path / "abime"
        path.write_bytes(seed[:where] + damage + (b"" if cut else seed[where + len(damage) :]))
        try:
            for row in open_source(path, max_bytes=MAX_BYTES).rows():
                assert row.line
        except UnreadableFile as problem:
            assert problem.message and problem.advice


def seeds(tmp_path) -> list[bytes]:
    if not (tmp_path / "seed.xlsx").exists():
        workbook(tmp_path, [HEADER, LIEU, LIEU], "seed.xlsx")
    record = "{" + ", ".join(f'"{name}": "{value}"' for name, value in zip(HEADER, LIEU, strict=True)) + "}"
    return [
        (tmp_path / "seed.xlsx").read_bytes(),
        written([HEADER, LIEU, LIEU]).encode(),
        f"[{record}, {record}]".encode(),
        f'{{"structures": [{record}], "services": [{{"structure_id": "1"}}]}}'.encode(),
    ]


def test_a_header_alone_is_a_list_of_no_site(tmp_path):
    assert list(opened(tmp_path, written([HEADER])).rows()) == []


def test_the_separator_is_the_one_that_cuts_the_header_most(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('"Nom, usuel";"Adresse, ville";Note\n"Lieu; fictif";a,b;c\n', encoding="utf-8")
    content = delimited.contents(path, "utf-8")[0]
    assert content.columns == ("Nom, usuel", "Adresse, ville", "Note")
    assert [record.fields["Nom, usuel"] for record in content.records()] == ["Lieu; fictif"]
