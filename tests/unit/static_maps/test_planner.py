"""The planner's page: charts, words, addresses, and what the page says without any script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.planner import canonical
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.gaps import gaps_of_communes
from geo.coverage.measure import Question, measure
from geo.coverage.scenario import apply, parse_edits
from geo.hours.weekly import TIME_ZONE, Openness, parse_slot, reference_week, slot_status
from geo.people.model import Indicator, People
from geo.reach.travel import Travel
from geo.services.snapshot_view import present_moment
from geo.sites.filters import SiteFilter
from geo.sites.model import Position
from geo.snapshot import Snapshot
from geo.territory.model import Provenance
from static_maps.planner_figures import headline_figures
from static_maps.planner_form import question_facts, slot_hours
from tests.support import world
from tests.support.serving import serving
from tests.unit.static_maps.test_coverage_map import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"
PAGE = "/planifier"


# ---- Addresses


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("mode=car&kind=commune&beyond_min=20&services=&slot=", ""),
        ("slot=mardi&heure=18:30", "slot=mardi+18%3A30"),
        ("heure=18:30", "slot=18%3A30"),
        ("poids-ifn=50&poids-autre=0&poids-rsa=12,5", "weights=ifn%3A0.5%2Crsa%3A0.125"),
        ("mode=foot&tri=nom&couche=offre", "mode=foot&tri=nom&couche=offre"),
        (
            "services=Loisirs+et+cr%C3%A9ations+num%C3%A9riques&x=1",
            "services=Loisirs+et+cr%C3%A9ations+num%C3%A9riques&x=1",
        ),
    ],
)
def test_a_form_becomes_the_shortest_address(given, kept):
    assert urlencode(canonical(parse_qsl(given, keep_blank_values=True))) == kept


names = st.sampled_from(["slot", "heure", "poids-ifn", "mode", "weights", "services", "edits", "kind", "zzz"])
texts = st.one_of(
    st.sampled_from(["", " ", "car", "mardi", "18:30", "50", "0"]),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@given(st.lists(st.tuples(names, texts), max_size=8))
def test_a_canonical_address_is_its_own_so_that_no_page_redirects_for_ever(pairs):
    once = canonical(pairs)
    assert canonical(once) == once
    assert tuple(parse_qsl(urlencode(once), keep_blank_values=True)) == once


# ---- What a new site must be to suit


NOW = datetime(2026, 11, 4, 23, 40, tzinfo=TIME_ZONE)


@pytest.mark.parametrize(
    "text", ["samedi", "soir", "mardi 18:30", "dimanche 00:10", "lundi 23:59", "maintenant"]
)
def test_the_hours_offered_to_a_new_site_fall_in_the_slot(text):
    slot = parse_slot(text, now=NOW)
    new = world.site("neuf", 5, horaires=slot_hours(slot))
    assert slot_status(new, slot, reference_week(date(2026, 11, 4))) is Openness.OPEN


def test_a_new_site_gets_the_facts_the_filters_ask_for_and_then_meets_them():
    asked = {
        "frais_a_charge": ["Gratuit", "Payant"],
        "pass_numerique": ["true"],
        "acces_fauteuil": ["false"],
        "services": ["Maîtrise des outils numériques du quotidien"],
    }
    question = Question(filter=SiteFilter.of(asked))
    edit = {"action": "open", "name": "Neuf", **question_facts(question)}
    before = world.snapshot()
    point = world.at(5)
    edit |= {"longitude": point.x, "latitude": point.y}
    (opened,) = apply(before, parse_edits([edit], before)).sites
    assert question.filter.matches(opened)
    assert question_facts(Question(filter=SiteFilter.of({"nom": ["bus"]}))) == {}


# ---- The page


class Reader(HTMLParser):
    """Cells of the ranked table, tags, and what controls hold."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.controls: list[dict[str, str | None]] = []
        self.selected: dict[str, str | None] = {}
        self.links: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self._in_table = self._cell = self._asking = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id") == "tableau":
            self._in_table = True
        elif found.get("id") == "equite":
            self._in_table = False
        if self._in_table and tag == "tr":
            self.rows.append([])
        if self._in_table and tag in ("th", "td"):
            self.rows[-1].append("")
            self._cell = True
        if tag == "form":
            self._asking = found.get("id") == "question"
        if tag == "input" and self._asking:
            self.controls.append(found)
        if tag == "select":
            self._select = found.get("name") or ""
        if tag == "option" and "selected" in found and self._asking:
            self.selected[self._select] = found.get("value")
        if tag == "a":
            self.links.append(found.get("href") or "")
        if tag == "script":
            self.scripts.append(found)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell and data.strip():
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data.strip()}".strip()

    def column(self, name: str) -> list[str]:
        """The cells of a column, by its title."""
        at = next(i for i, head in enumerate(self.rows[0]) if head.startswith(name))
        return [row[at] for row in self.rows[1:]]

    def value(self, name: str) -> list[str | None]:
        """What a form would send for a control."""
        if name in self.selected:
            return [self.selected[name]]
        toggled = ("radio", "checkbox")
        return [
            c.get("value")
            for c in self.controls
            if c.get("name") == name and (c.get("type") not in toggled or "checked" in c)
        ]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def country(**changes: Any) -> Snapshot:
    """The invented country with one site in the west, and one, closed on Saturdays, in the east."""
    sites = (
        world.site("ouest", 5, horaires="Mo-Sa 09:00-12:00", pass_numerique=True),
        world.site("est", 35, "99004", horaires="Mo-Fr 09:00-12:00", frais_a_charge=("Payant",)),
    )
    return replace(world.snapshot(*sites), **changes)


def grid(ages: bool = True) -> People:
    """A cell of 1 km at the centre of each commune."""
    people = np.array([1_000.0, 2_000, 0, 4_000])
    return People(
        commune=np.array([c.code for c in world.OWN]),
        xy=np.array([[world.ORIGIN_X + km * 1_000, world.ORIGIN_Y + 5_000] for km in (5, 15, 25, 35)]),
        inhabitants=people,
        aged_65=people / 4 if ages else people * np.nan,
        cell_m=1_000,
        label="habitants comptés par carreau de 1 km",
        provenance=Provenance("Population", "Essai", "2021", "Licence Ouverte 2.0"),
    )


def page_of(snapshot: Snapshot, query: str = "", *, status: int = 200) -> str:
    with serving(snapshot) as client:
        answer = client.get(f"{PAGE}?{query}" if query else PAGE)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return answer.text


def data_in(text: str) -> Any:
    block = re.search(r'<script type="application/json" id="donnees">(.*?)</script>', text, re.DOTALL)
    assert block
    return json.loads(block[1])


def test_the_table_says_it_all_without_a_script():
    # 10 km apart, by car: 13 km along the road at 50 km/h are 15.6 min.
    reader = read(page_of(country(), "slot=samedi&beyond_min=20"))
    assert reader.column("Territoire")[0].startswith("Estbourg")
    assert reader.column("À plus de 20\u00a0min")[0] == "4\u202f000"
    assert reader.column("À portée") == ["0\u00a0%", "—", "100\u00a0%", "100\u00a0%"]
    assert len(reader.rows) == 1 + len(world.OWN)


def test_the_headline_counts_those_beyond_and_the_gaps_are_told():
    text = page_of(country(), "slot=samedi&beyond_min=20")
    assert "4\u202f000 personnes sont à plus de 20\u00a0min d&#39;un lieu qui convient" in text
    assert text.count("Estbourg : 4\u202f000 personnes à plus de 20\u00a0min en voiture") >= 2
    assert "n&#39;est pas ouvert le samedi" in text


@pytest.mark.parametrize(("gaps", "title"), [(10, "Les écarts"), (11, "Les dix plus grands écarts")])
def test_more_than_ten_gaps_are_titled_the_ten_largest(gaps, title):
    frame = AnalysisContext(country(), Travel(None, detour_factor=1.3), date(2026, 11, 2))
    measured = measure(frame, Question(slot=parse_slot("samedi"), beyond_min=20))
    (gap, *_) = gaps_of_communes(measured)
    assert headline_figures(measured, [gap] * gaps).gaps_title == title


def test_the_headline_states_that_nobody_is_beyond():
    text = page_of(country(), "beyond_min=120")
    assert "Personne n&#39;est à plus de 2\u00a0h d&#39;un lieu d&#39;aide numérique" in text


def test_the_page_says_how_it_was_estimated_and_that_sites_are_invented():
    text = page_of(country())
    assert "Estimation à vol d&#39;oiseau" in text
    assert "habitants comptés à la mairie" in text
    assert "Données de démonstration" in text
    assert "Données de démonstration" not in page_of(country(sites=(world.site("vrai", 5, fictif=False),)))


@pytest.mark.parametrize(
    ("order", "first", "direction"),
    [
        ("nom", "Désert", "ascending"),
        ("-nom", "Ouestville", "descending"),
        ("habitants", "Estbourg", "descending"),
    ],
)
def test_column_titles_sort_the_table(order, first, direction):
    text = page_of(country(), f"tri={order}")
    assert read(text).column("Territoire")[0].replace("Deux-Étangs", "Désert").startswith(first)
    assert f'aria-sort="{direction}"' in text


def test_a_click_on_the_sorting_title_turns_the_order_round():
    links = read(page_of(country(), "mode=foot&tri=temps")).links
    assert f"{PAGE}?mode=foot&tri=-temps#tableau" in links
    assert f"{PAGE}?mode=foot&tri=nom#tableau" in links


def test_the_form_shows_the_question_of_the_address():
    query = (
        "mode=bicycle&slot=mardi+18:30&frais_a_charge=Gratuit&pass_numerique=true&beyond_min=15&kind=epci"
        "&population=65&weights=ifn:0.25&minutes=10,20&supply=sites&decay=gauss:30"
    )
    indicator = Indicator(
        "ifn", "Indice", "", "commune", Provenance("Indice", "Essai", "2020", "ODbL"), {"99001": 2.0}
    )
    reader = read(page_of(country(grid=grid(), indicators=(indicator,)), query))
    shown = {
        name: reader.value(name)
        for name in ("mode", "slot", "heure", "frais_a_charge", "pass_numerique", "beyond_min", "kind")
    }
    assert shown == {
        "mode": ["bicycle"],
        "slot": ["mardi"],
        "heure": ["18:30"],
        "frais_a_charge": ["Gratuit"],
        "pass_numerique": ["true"],
        "beyond_min": ["15"],
        "kind": ["epci"],
    }
    assert reader.value("population") == ["65"]
    assert reader.value("poids-ifn") == ["25"]
    assert reader.value("minutes") == ["10,20"]
    assert reader.value("supply") == ["sites"]
    assert reader.value("decay") == ["gauss:30"]


def test_what_a_form_sends_back_is_the_question_it_shows():
    query = "mode=foot&slot=mardi+18%3A30&frais_a_charge=Gratuit&tri=nom&typologie=CCAS&couche=offre"
    reader = read(page_of(country(), query))
    names = {c.get("name") for c in reader.controls} | set(reader.selected)
    sent = [(str(n), str(v)) for n in names if n for v in reader.value(n)]
    assert sorted(canonical(sent)) == sorted(parse_qsl(query))


def test_a_filter_without_a_control_goes_along_and_can_be_taken_away():
    text = page_of(country(), "typologie=CCAS&frais_a_charge=Gratuit&frais_a_charge=Payant")
    reader = read(text)
    assert "typologie : CCAS" in text
    assert f"{PAGE}?frais_a_charge=Gratuit&frais_a_charge=Payant" in reader.links
    assert reader.value("typologie") == ["CCAS"]


@pytest.mark.parametrize(
    ("query", "kept"),
    [("frais_a_charge=gratuit", []), ("pass_numerique=true", []), ("pass_numerique=false", ["false"])],
)
def test_what_a_control_shows_does_not_go_along_besides(query, kept):
    reader = read(page_of(country(), query))
    name = query.partition("=")[0]
    hidden = [c for c in reader.controls if c.get("type") == "hidden" and c.get("name") == name]
    assert [c["value"] for c in hidden] == kept


def test_ages_are_offered_only_where_they_are_told():
    def disabled(text: str) -> bool:
        return any(c.get("value") == "65" and "disabled" in c for c in read(text).controls)

    assert disabled(page_of(country()))
    assert disabled(page_of(country(grid=grid(ages=False))))
    assert not disabled(page_of(country(grid=grid())))


def test_downloads_ask_the_same_question():
    links = read(page_of(country(), "mode=foot&slot=samedi&kind=epci&tri=nom&edits=%5B%5D")).links
    assert "/api/v1/coverage?mode=foot&slot=samedi&kind=epci&format=csv" in links
    assert "/planifier/rapport.pdf?mode=foot&slot=samedi&kind=epci&edits=%5B%5D" in links
    with serving(country()) as client:
        for link in links:
            if link.startswith("/api/v1/coverage"):
                assert client.get(link).status_code == 200, link


# ---- What the figures are worth


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"date_maj": date(2020, 1, 1)}, "1 lieu n'a pas été vérifié depuis six mois ; sans lui, "),
        ({"position": Position.APPROXIMATIVE}, "1 lieu n'est placé qu'à la mairie ; sans lui, "),
        ({"latitude": None, "longitude": None}, "1 lieu sans position n'est pas compté."),
        ({"horaires": ""}, "1 lieu ne dit pas ses horaires ; l'offre lui prête la moyenne des autres."),
    ],
)
def test_doubtful_records_are_counted_and_their_effect_told(changes, sentence):
    today = present_moment().date()
    sites = (
        world.site("sur", 5, horaires="Mo-Sa 09:00-12:00", date_maj=today),
        world.site("douteux", 35, "99004", **{"horaires": "Mo-Sa 09:00-12:00", "date_maj": today, **changes}),
    )
    text = page_of(world.snapshot(*sites)).replace("&#39;", "'")
    assert sentence in text


def test_the_share_without_a_stale_record_is_the_one_without_its_site():
    today = present_moment().date()
    sites = (
        world.site("sur", 5, date_maj=today),
        world.site("vieux", 35, "99004", date_maj=date(2020, 1, 1)),
    )
    text = page_of(world.snapshot(*sites)).replace("\u00a0", " ")
    # Without it the 4,000 of Estbourg, of 7,000, are 47 min away.
    assert "sans lui, 43 % des habitants seraient à portée au lieu de 100 %" in text


def test_no_site_at_all_is_a_defined_page():
    text = page_of(world.snapshot())
    assert "Aucun lieu ne répond à la question." in text
    assert "Aucune aide n'est accessible" in text
    assert "hors d&#39;atteinte" in text


# ---- Data and safety


def test_the_map_is_given_what_it_draws():
    data = data_in(page_of(country(grid=grid()), "kind=epci"))
    assert [r["name"] for r in data["rows"]] == ["CC 1", "CC 2"]
    assert [c["row"] for c in data["communes"]] == [0, 0, 1, 1]
    assert data["places"]["people"] == [4_000, 2_000, 1_000], "places without people are left out"
    assert len(data["places"]["at"]) == 2 * 3
    assert data["question"]["beyond_min"] == 20
    assert data["trend"].startswith("/api/v1/trend")
    assert data_in(page_of(country()))["places"] is None


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_data_becomes_code(text):
    site = world.site("hostile", 5, nom=text, commune=text, horaires=text, frais_a_charge=(text,))
    own = (replace(world.OWN[0], name=text), *world.OWN[1:])
    snapshot = replace(world.snapshot(site), territory=replace(world.TERRITORY, name=text, communes=own))
    page = page_of(snapshot, "slot=samedi")
    scripts = read(page).scripts
    assert [s.get("src", s.get("id")) for s in scripts] == [
        "/static/vendor/leaflet/leaflet.js",
        "/static/assets/map-base.js",
        "/static/assets/figures.js",
        "/static/assets/planner.js",
        "donnees",
        None,
    ]
    assert data_in(page)["sites"][0]["name"] == text
    assert not re.search(r"<img[^>]*onerror", page)


def test_the_policy_lets_in_one_script_by_its_hash_and_asks_only_itself():
    with serving(country()) as client:
        answer = client.get(PAGE)
    policy = answer.headers["content-security-policy"]
    inline = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline[-1].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self'" in policy
    assert "form-action 'self'" in policy
    assert " style=" not in answer.text


def test_a_page_known_already_is_not_sent_again():
    with serving(country()) as client:
        first = client.get(f"{PAGE}?mode=foot")
        again = client.get(f"{PAGE}?mode=foot", headers={"If-None-Match": first.headers["etag"]})
        other = client.get(f"{PAGE}?mode=bicycle", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


def test_a_form_is_sent_on_to_the_address_of_its_question():
    with serving(country()) as client:
        answer = client.get(f"{PAGE}?mode=car&slot=lundi&heure=10:00&services=", follow_redirects=False)
    assert answer.status_code == 303
    assert urlsplit(answer.headers["location"]).query == "slot=lundi+10%3A00"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("beyond_min=0", "« beyond_min » doit être un nombre entier entre 1 et 120"),
        ("slot=18:30", "Le créneau « 18:30 » ne peut être lu."),
        ("population=65", "ne dit pas l'âge"),
        ("weights=ifn:0.5", "Aucun indicateur chargé ne porte le code « ifn »."),
        ("tri=prix", "« tri » doit être l'une de ces valeurs"),
        ("service=x", "Vouliez-vous dire « services »"),
        ("mode=%FF", "illisible"),
    ],
)
def test_a_wrong_question_is_answered_by_a_page_that_says_why(query, sentence):
    assert sentence in page_of(country(), query, status=422).replace("&#39;", "'")


# ---- The report


def test_the_report_answers_the_same_question():
    with serving(country()) as client:
        answer = client.get("/planifier/rapport.pdf?mode=foot")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert "rapport-99-" in answer.headers["content-disposition"]


def test_the_report_of_a_what_if_compares():
    edits = json.dumps([{"action": "close", "site": "essai--est"}])
    with serving(country()) as client:
        plain = client.get("/planifier/rapport.pdf").content
        changed = client.get("/planifier/rapport.pdf", params={"edits": edits})
        wrong = client.get("/planifier/rapport.pdf", params={"edits": '[{"action":"close","site":"x"}]'})
    assert changed.status_code == 200
    assert len(changed.content) != len(plain)
    assert wrong.status_code == 422
    assert "aucun lieu en service" in wrong.text
