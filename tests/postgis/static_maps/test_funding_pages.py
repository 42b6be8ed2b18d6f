"""Pages of the money over the real database: what they say, to the cent, and what they refuse."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from html.parser import HTMLParser
from io import StringIO
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.app import create_app
from geo.funding.action_kinds import load_kinds
from geo.funding.actions import Action
from geo.funding.ledger import Commitment, Contribution, Level, Payment
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole
from geo.funding.passes import Event, EventKind, Order
from geo.settings import Settings
from geo.store import actions, ledger, partners, passes
from geo.store import cluster as embedded
from geo.store.database import open_engine
from tests.conftest import _run as run
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support import world
from tests.support.serving import HandKeeper, serving

PAGES = (
    "/mesures",
    "/mesures?mesure=pass&avec=temps",
    "/mesures?mesure=paye&avec=audela&vue=croisee&kind=canton",
    "/mesures?mesure=paye&forme=total&kind=epci",
    "/reseau",
    "/fonds",
    "/territoires/99001",
    "/territoires/99?kind=departement",
)
SPACES = re.compile("[\u00a0\u202f\\s]+")
ACTOR = "essai"
SITES = (world.site("a", 5, pass_numerique=True), world.site("b", 35, "99004"))
_serial = count(1)


def invest(connection, *, name="Caisse d'Essai"):
    """A partner of the network and another, a fund whose ceiling bites, passes, an action."""
    day = date(2026, 3, 2)
    member = Partner("caisse", name, PartnerKind.PUBLIC, network_from=date(2025, 1, 1), fictif=True)
    for partner in (member, Partner("fil", "Le Fil", PartnerKind.ASSOCIATION)):
        partners.save(connection, partner, actor=ACTOR)
    partners.save_convention(connection, Convention("caisse", 2026, "DELIB-7"), actor=ACTOR)
    partners.link_site(connection, SiteLink("caisse", "essai--a", SiteRole.RUNS), actor=ACTOR)
    ledger.set_rule(connection, MatchRule(date(2026, 1, 1), 10_000, 150_000), actor=ACTOR)
    ledger.post_all(
        connection,
        [
            Contribution(
                reference="C1", day=day, amount_cents=100_000, partner_code="caisse", level=Level.LOCAL
            ),
            Contribution(
                reference="C2",
                day=date(2026, 5, 4),
                amount_cents=80_050,
                partner_code="caisse",
                level=Level.EUROPEAN,
            ),
            Commitment(
                reference="E1",
                day=day,
                amount_cents=60_000,
                action_line="Pass",
                partner_code="fil",
                commune="99001",
            ),
            Payment(reference="P1", day=day, amount_cents=25_000, commitment="E1"),
        ],
        actor=ACTOR,
    )
    order = Order("2026-A", day, 100, date(2026, 12, 31), (("caisse", 100),))
    passes.order(connection, order, ACTOR)
    given = Event("g1", "2026-A", EventKind.GIVEN, day, 20, commune="99001", partner="caisse")
    few = Event("g2", "2026-A", EventKind.GIVEN, day, 3, commune="99002", partner="caisse")
    passes.record(connection, [given, few], ACTOR)
    held = Action(
        reference="A1",
        kind="event",
        day=day,
        commune="99001",
        partner_code="fil",
        amount_cents=30_000,
        measures={"place": "Salle des fêtes", "attendance": 40},
    )
    actions.save_all(
        connection, [held], kinds=load_kinds(), known=actions.action_references(connection, "99"), actor=ACTOR
    )


@contextmanager
def served(engine: Engine, settings: Settings) -> Iterator[TestClient]:
    fill(engine, *SITES)
    with TestClient(create_app(settings), base_url="http://portee.test") as client:
        yield client


@contextmanager
def invested(
    cluster: embedded.Cluster, template: str, home: Path, *, name: str = "Caisse d'Essai"
) -> Iterator[tuple[Engine, Settings]]:
    """A database of its own that several tests read, money in it."""
    own = f"pages_{os.getpid()}_{next(_serial)}"
    run(cluster, f"CREATE DATABASE {own} TEMPLATE {template}")
    engine = open_engine(cluster.url(own))
    url = cluster.url(own).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        fill(engine, *SITES)
        with engine.begin() as connection:
            invest(connection, name=name)
        yield engine, Settings(database_url=url, home=home)
    finally:
        engine.dispose()
        run(cluster, f"DROP DATABASE IF EXISTS {own} WITH (FORCE)")


@pytest.fixture(scope="module")
def client(cluster, _template, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with (
        invested(cluster, _template, home) as (_, settings),
        TestClient(create_app(settings), base_url="http://portee.test") as client,
    ):
        yield client


class Text(HTMLParser):
    """The words of a page, scripts aside."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag, attrs):
        self.inside = tag
        self.links += [value for name, value in attrs if name == "href" and tag == "a"]

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.words.append(data)


def read(answer) -> str:
    parser = Text()
    parser.feed(answer.text)
    return SPACES.sub(" ", " ".join(parser.words))


def links(answer) -> list[str]:
    parser = Text()
    parser.feed(answer.text)
    return parser.links


def test_every_page_answers_says_demonstration_and_links_only_to_what_exists(client):
    seen: set[str] = set()
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "Données de démonstration" in read(answer)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "style=" not in answer.text
        seen |= {link for link in links(answer) if link.startswith("/")}
    for link in seen:
        assert client.get(link).status_code == 200, link


def test_the_fund_tells_its_sums_its_rule_and_what_the_ceiling_withheld(client):
    shown = read(client.get("/fonds"))
    assert "1 800,50 € apportés par les partenaires, 1 500 € ajoutés par le Département" in shown
    assert "2 700,50 € restent disponibles" in shown
    assert "le Département ajoute 1 €, dans la limite de 1 500 € par année" in shown
    assert "Le plafond a joué en 2026. 300,50 € de contributions" in shown
    assert "1,83 €" in shown  # 3 300.50 / 1 800.50
    # 7.57, 10.60 and 81.82 %: the parts that are listed sum to 100.
    assert "payé : 250 € · 7 %" in shown
    assert "engagé, pas encore payé : 350 € · 11 %" in shown
    assert "disponible : 2 700,50 € · 82 %" in shown


def test_the_fund_of_a_year_counts_that_year_only(client):
    shown = read(client.get("/fonds?year=2025&kind=commune"))
    assert "Par partenaire, 2025" in shown
    assert shown.count("Rien pour l'instant.") == 4


def french_rows(text):
    """Rows of a CSV that French Excel opens: byte order mark, semicolons."""
    assert text.startswith("\ufeff")
    return csv.DictReader(StringIO(text.removeprefix("\ufeff")), delimiter=";")


def test_tables_of_the_fund_and_accounts_can_be_kept_as_csv(client):
    shown = client.get("/fonds/partner.csv?year=2026")
    assert shown.headers["content-disposition"] == 'attachment; filename="fonds-partner-2026.csv"'
    lines = {row["code"]: row for row in french_rows(shown.text)}
    assert lines["caisse"]["contributions (€)"] == "1800,50" and lines["total"]["payé (€)"] == "250,00"
    assert {"/fonds/partner.csv", "/fonds/epci.csv", "/fonds/year.csv"} <= set(links(client.get("/fonds")))
    (line,) = [r for r in french_rows(client.get("/fonds/commune.csv").text) if r["code"] == "99001"]
    assert line["payé par habitant (€)"] == "0,25"

    account = client.get("/territoires/99002.csv?kind=commune&year=2026")
    figures = {row["mesure"]: row for row in french_rows(account.text)}
    assert (figures["given"]["valeur"], figures["given"]["non publié"].split()[0]) == ("", "value")
    assert "/territoires/99002.csv?kind=commune&year=2026" in links(
        client.get("/territoires/99002?kind=commune&year=2026")
    )
    assert client.get("/fonds/rien.csv").status_code == 422
    assert client.get("/territoires/00000.csv").status_code == 404


def test_the_network_has_members_first_then_the_others(client):
    shown = read(client.get("/reseau"))
    assert re.search(
        r"1 membre au .*Caisse d'Essai.*Lieu a, Ouestville \( ?porte ?\).*Autres partenaires.*Le Fil", shown
    )
    assert "DELIB-7 (2026)" in shown
    assert re.search(r"2026 1 800,50 € 0 € 0", shown)
    assert re.search(r"Le Fil .*2026 0 € 250 € 1 1 action .*: forum ou événement, Ouestville", shown)
    assert "40" not in shown.split("forum ou événement")[1].split("Sources")[0], "who came is not shown here"


def test_an_account_names_the_communes_whose_passes_cannot_be_used(fresh_engine, fresh_settings):
    with served(fresh_engine, fresh_settings) as client:
        day = date(2026, 3, 2)
        with fresh_engine.begin() as connection:
            partners.save(connection, Partner("fil", "Le Fil", PartnerKind.ASSOCIATION), actor=ACTOR)
            order = Order("2026-A", day, 100, date(2026, 12, 31), (("fil", 100),))
            passes.order(connection, order, ACTOR)
            gifts = (("99001", 30), ("99003", 3), ("99004", 20))  # the one site that takes them is in 99001
            given = [
                Event(f"g-{code}", "2026-A", EventKind.GIVEN, day, count, commune=code, partner="fil")
                for code, count in gifts
            ]
            passes.record(connection, given, ACTOR)
        shown = read(client.get("/territoires/99?kind=departement&year=2026"))
        dry = shown[shown.index("Communes où les pass donnés ne peuvent pas servir") :]
        assert "Estbourg :" in dry
        assert "Désert-le-Vide : des pass y ont été donnés" in dry, "three persons are not counted"
        assert " 3 pass" not in dry
        assert "Ouestville" not in dry[: dry.index("Sources et méthode")].split("canton")[0]
        near = read(client.get("/territoires/99001?year=2026"))
        assert "ne peuvent pas servir" not in near


def test_an_account_begins_with_sentences_and_leads_to_larger_and_smaller(client):
    answer = client.get("/territoires/99001")
    shown = read(answer)
    assert shown.index("Ouestville (commune) compte 1 000 habitants.") < shown.index("Qui peut aider ici")
    assert "250 €" in shown
    assert "Grand livre du fonds" in shown
    assert {"/territoires/9901?kind=canton&year=2026", "/territoires/99?kind=departement&year=2026"} <= set(
        links(answer)
    )
    whole = client.get("/territoires/99?kind=departement")
    assert "/territoires/99002?kind=commune&year=2026" in links(whole)
    assert (
        client.get("/territoires", follow_redirects=False).headers["location"].startswith("/territoires/99?")
    )


def test_small_counts_are_on_no_page_nor_in_its_data(client):
    answer = client.get("/mesures?mesure=pass")
    assert "non publié" in read(answer)
    # 3 passes for 2,000 inhabitants would read 1,5 for 1,000; only 20 for 1,000 is shown.
    assert "1,5" not in answer.text.split("donnees")[1]
    total = client.get("/mesures?mesure=pass&forme=total&kind=commune")
    row = re.search(r'99002\?kind=commune[^<]*">[^<]*</a></th><td class="n">([^<]*)<', total.text)
    assert row is not None
    assert row[1] == "non publié"


@pytest.mark.parametrize("kind", ["commune", "canton", "epci"])
def test_a_map_keeps_back_what_accounts_keep_back(client, kind):
    html = client.get(f"/mesures?mesure=pass&forme=total&kind={kind}").text
    rows = re.findall(
        r'/territoires/(\w+)\?kind=\w+&amp;year=\d+">[^<]*</a></th><td class="n">([^<]*)<', html
    )
    assert rows
    for code, on_map in rows:
        account = client.get(f"/territoires/{code}?kind={kind}").text
        found = re.search(r"pass donnés\s*</th><td class=\"n\"><strong>([^<]*)<", account)
        assert found is not None
        assert on_map.split()[0] == found[1].split()[0], code
        assert ("non publié" in on_map) == ("non publié" in found[1]), code


def test_circles_of_the_drawn_legend_are_those_of_the_drawn_map(client):
    html = client.get("/mesures?mesure=paye&forme=total").text
    svg = html.split('class="drawn"')[1].split("</svg>")[0]
    [on_map] = re.findall(r'r="([\d.]+)" fill="#', svg)  # 250 € in one commune
    rings = re.findall(r'r="([\d.]+)" fill="none"', svg)
    said = re.findall(r">(\d+) €</text>", svg)
    assert said == ["200", "50", "10"]
    for radius, euros in zip(rings, said, strict=True):
        assert float(radius) / float(on_map) == pytest.approx((int(euros) / 250) ** 0.5, rel=0.02)


def test_a_page_follows_what_is_written(fresh_engine, fresh_settings):
    with served(fresh_engine, fresh_settings) as client:
        with fresh_engine.begin() as connection:
            invest(connection)
        assert "250" in read(client.get("/mesures?mesure=paye&forme=total"))
        with fresh_engine.begin() as connection:
            more = Payment(reference="P2", day=date(2026, 6, 1), amount_cents=10_000, commitment="E1")
            ledger.post(connection, more, actor=ACTOR)
        assert "350" in read(client.get("/mesures?mesure=paye&forme=total"))
        assert "350 €" in read(client.get("/territoires/99001"))


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/mesures?mesure=bonheur", 422, "l'une de ces valeurs"),
        ("/mesures?couleur=bleu", 422, "n'existe pas ici"),
        ("/territoires/98765", 404, "98765"),
        ("/territoires/99001?year=1900", 422, "year"),
        ("/reseau?x=1", 422, "n'existe pas ici"),
        ("/fonds/releves/personne/2026.pdf", 404, "personne"),
        ("/fonds/releves/caisse/1999.pdf", 422, "n'a rien apporté"),
        ("/fonds/releves/caisse/deux.pdf", 422, "n'est pas une année"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_a_page_that_says_why(client, path, status, said):
    answer = client.get(path)
    assert answer.status_code == status
    assert said in read(answer)
    assert answer.headers["content-type"].startswith("text/html")


def test_a_name_is_shown_as_text(fresh_engine, fresh_settings):
    with served(fresh_engine, fresh_settings) as client:
        with fresh_engine.begin() as connection:
            invest(connection, name="<script>alert(1)</script>")
        for path in ("/reseau", "/fonds"):
            assert "<script>alert(1)" not in client.get(path).text
            assert "&lt;script&gt;alert(1)" in client.get(path).text


def test_a_statement_is_a_pdf(client):
    answer = client.get("/fonds/releves/caisse/2026.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_without_a_database_the_pages_say_so():
    keeper = HandKeeper(world.snapshot(world.site("a", 5)))
    with serving(keeper) as client:
        for path in PAGES:
            answer = client.get(path)
            assert answer.status_code == 503
            assert "base de données" in read(answer)


def test_nothing_recorded_is_said_as_such(fresh_engine, fresh_settings):
    with served(fresh_engine, fresh_settings) as client:
        assert "Le fonds n'a encore rien reçu." in read(client.get("/fonds"))
        assert "Aucun membre n'est enregistré." in read(client.get("/reseau"))
        for path in PAGES:
            assert client.get(path).status_code == 200
