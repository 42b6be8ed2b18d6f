"""Files of the Base Adresse Nationale: every row is counted once."""

from __future__ import annotations

import gzip

import pytest

from geo.errors import UnreadableFile
from geo.places.ban import read_addresses
from tests.support.addresses import WORLD, hamlet, row, write
from tests.support.shared import SHARED, needs_shared
from tests.support.world import TERRITORY, at


def read(path, **options):
    return read_addresses([path], TERRITORY, **options)


def adds_up(tally):
    return tally.read == tally.accepted + tally.doubled + tally.outside + tally.rejected


@pytest.mark.parametrize("name", ["adresses-99.csv", "adresses-99.csv.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_streets_and_their_numbers_are_read(tmp_path, name, encoding):
    told = [r for r in WORLD if "Ø" not in r["nom_voie"] or encoding != "cp1252"]
    loaded = read(write(tmp_path / name, told, encoding=encoding))
    by_id = {street.id: street for street in loaded.streets}
    church = by_id["99001_0010"]
    assert [(n.number, n.repetition) for n in church.numbers] == [(1, ""), (12, ""), (12, "bis")]
    assert (church.name, church.hamlet, church.commune_name) == ("Rue de l'Église", False, "Ouestville")
    assert (church.longitude, church.latitude) == pytest.approx((at(4.1).x, at(4.1).y), abs=1e-5)
    assert by_id["99001_a1b2c3"].hamlet and by_id["99004_0040"].hamlet
    assert by_id["99004_0040"].numbers == ()  # 99999 stands for no number
    assert list(by_id) == sorted(by_id)
    tally = loaded.files[0].tally
    assert tally.accepted == tally.read == len(told) and adds_up(tally)


def test_each_row_that_cannot_be_used_says_why(tmp_path):
    good = row("99001_0010", "Rue Bonne", 1, 4)
    bad = {
        "identifiant_illisible": row("99001_0010", "Rue X", 2, 4, id="adresse 2"),
        "nom_absent": row("99001_0010", "", 3, 4),
        "nom_trop_long": row("99001_0010", "x" * 201, 4, 4),
        "commune_illisible": row("99001_0010", "Rue X", 5, 4, code_insee="1001"),
        "numero_illisible": row("99001_0010", "Rue X", 6, 4, numero="6 bis"),
        "coordonnees_illisibles": row("99001_0010", "Rue X", 7, 4, lon="", lat="nord", x="", y=""),
        "coordonnees_discordantes": row("99001_0010", "Rue X", 8, 4, x="500100.00"),
    }
    path = write(tmp_path / "a.csv", [good, *bad.values(), good, row("99001_0010", "Rue Loin", 9, 400)])
    path.write_text(path.read_text("utf-8") + "une;ligne;courte\n", "utf-8")
    loaded = read(path)
    file = loaded.files[0]
    assert dict(file.findings.count) == dict.fromkeys([*bad, "colonnes"], 1)
    assert (file.tally.read, file.tally.accepted, file.tally.doubled) == (11, 1, 1)
    assert (file.tally.outside, file.tally.rejected) == (1, 8) and adds_up(file.tally)
    for issue in file.findings.first:
        assert issue.reason and issue.advice
        if issue.code in bad:
            assert issue.line == 3 + list(bad).index(issue.code)
    assert file.summary()["reasons"]["numero_illisible"] == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lon": "0", "lat": "0", "x": "", "y": ""}, "coordonnees_illisibles"),
        ({"lon": "180.1", "lat": "45", "x": "", "y": ""}, "coordonnees_illisibles"),
        ({"lon": "2", "lat": "-180.1", "x": "", "y": ""}, "coordonnees_illisibles"),
        ({"lon": "nan", "lat": "45", "x": "", "y": ""}, "coordonnees_illisibles"),
        ({"nom_voie": "x" * 201}, "nom_trop_long"),
        ({"numero": "123456"}, "numero_illisible"),
        ({"numero": "-1"}, "numero_illisible"),
        ({"numero": "²"}, "numero_illisible"),
        ({"id": "99001_001"}, "identifiant_illisible"),
        ({"id": "99001_001000000"}, "identifiant_illisible"),
    ],
)
def test_a_value_just_beyond_its_limit_is_rejected(tmp_path, changes, code):
    rows = [row("99001_0010", "Rue X", 1, 4), row("99001_0010", "Rue X", 2, 4, **changes)]
    file = read(write(tmp_path / "a.csv", rows)).files[0]
    assert dict(file.findings.count) == {code: 1} and file.tally.accepted == 1


def test_a_point_at_the_end_of_the_degrees_is_one_and_lies_elsewhere(tmp_path):
    end = row("99001_0010", "Rue X", 2, 4, lon="-180", lat="180", x="", y="")
    tally = read(write(tmp_path / "a.csv", [row("99001_0010", "Rue X", 1, 4), end])).files[0].tally
    assert (tally.accepted, tally.outside, tally.rejected) == (1, 1, 0)


def test_values_at_their_limits_are_read(tmp_path):
    rows = [
        row("99001_0010", "x" * 200, 4_999, 4),
        row("99001_0010", "x" * 200, 5_000, 4),
        row("99001_0010", "x" * 200, 99_999, 4),
    ]
    loaded = read(write(tmp_path / "a.csv", rows))
    (street,) = loaded.streets
    assert [number.number for number in street.numbers] == [4_999]  # 5000 and more stand for no number
    assert (loaded.files[0].tally.accepted, loaded.files[0].tally.doubled) == (2, 1)


@pytest.mark.parametrize(("metres", "accepted"), [(99, 1), (101, 0)])
def test_two_positions_of_a_row_may_be_100_metres_apart(tmp_path, metres, accepted):
    far = row("99001_0010", "Rue X", 2, 4)
    far["x"] = f"{float(far['x']) + metres:.2f}"
    file = read(write(tmp_path / "a.csv", [row("99001_0010", "Rue X", 1, 4), far])).files[0]
    assert (file.tally.accepted - 1, file.tally.rejected) == (accepted, 1 - accepted)
    assert [issue.field for issue in file.findings.first] == ["lon"] * (1 - accepted)


def test_one_number_with_two_repetitions_is_two_addresses_and_twice_the_same_is_one(tmp_path):
    rows = [row("99001_0010", "Rue X", 3, 4, rep=rep) for rep in ("", "bis", "ter", "bis")]
    loaded = read(write(tmp_path / "a.csv", rows))
    assert [n.repetition for n in loaded.streets[0].numbers] == ["", "bis", "ter"]
    assert loaded.files[0].tally.doubled == 1


def test_a_row_is_placed_by_either_pair_of_coordinates(tmp_path):
    rows = [row("99001_0010", "Rue X", 1, 4, lon="", lat=""), row("99001_0010", "Rue X", 2, 4, x="", y="")]
    first, second = read(write(tmp_path / "a.csv", rows)).streets[0].numbers
    assert (first.longitude, first.latitude) == pytest.approx((second.longitude, second.latitude), abs=1e-5)


def test_addresses_outside_the_territory_are_included_up_to_the_margin(tmp_path):
    path = write(tmp_path / "a.csv", [row("96001_0010", "Rue Y", 1, 45), *WORLD])
    near = read(path)  # 5 km beyond the border
    assert "96001_0010" in {s.id for s in near.streets}
    alone = read(path, margin_m=1_000)
    assert "96001_0010" not in {s.id for s in alone.streets} and alone.files[0].tally.outside == 1


def test_lieux_dits_are_read_beside_addresses(tmp_path):
    addresses = write(tmp_path / "adresses-99.csv", WORLD)
    places = [hamlet("99003_b001", "Moulin Fictif", 25), hamlet("99001_a1b2c3", "Lagarde", 6)]
    dits = write(tmp_path / "lieux-dits-99-beta.csv", places)
    loaded = read_addresses([addresses, dits], TERRITORY)
    by_id = {street.id: street for street in loaded.streets}
    assert by_id["99003_b001"].hamlet and by_id["99003_b001"].name == "Moulin Fictif"
    assert len(by_id["99001_a1b2c3"].numbers) == 1  # the one with house numbers stays
    assert [file.tally.accepted for file in loaded.files] == [len(WORLD), 2]


def test_progress_counts_all_rows_of_all_files(tmp_path):
    seen: list[int] = []
    paths = [write(tmp_path / name, WORLD) for name in ("a.csv", "b.csv.gz")]
    read_addresses(paths, TERRITORY, progress=seen.append)
    assert seen == [len(WORLD), 2 * len(WORLD)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"id,nom,adresse\n1,a,b\n", "il lui manque"),
        (b"id;numero;rep;nom_voie;code_postal;code_insee;nom_commune;lon;lat\n", "aucune adresse"),
        (b"", "vide"),
        (gzip.compress(b"id;numero" * 9_000, mtime=0)[:-20], "coupé"),
        (b"\x1f\x8bnot gzip at all", "coupé"),
        (gzip.compress(b"", mtime=0), "vide"),
    ],
)
def test_a_file_of_something_else_is_refused_with_what_to_do(tmp_path, content, says):
    path = tmp_path / "adresses.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=says) as refusal:
        read(path)
    assert refusal.value.advice


def test_a_file_of_another_departement_is_refused_by_name(tmp_path):
    path = write(tmp_path / "a.csv", [row("99001_0010", "Rue X", n, 400) for n in (1, 2)])
    with pytest.raises(UnreadableFile, match="Pays d'Essai") as refusal:
        read(path)
    assert "adresses-99.csv" in refusal.value.advice


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("geo.places.ban.MAX_BYTES", 1_000_000)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"\n" * 2_000_000, mtime=0))
    with pytest.raises(UnreadableFile, match="trop gros"):
        read(path)


@needs_shared
def test_a_file_of_bano_is_refused_with_where_to_get_the_register():
    with pytest.raises(UnreadableFile, match="BANO") as refusal:
        read(SHARED / "data" / "addresses" / "bano-exemple.csv")
    assert "adresse.data.gouv.fr" in refusal.value.advice
