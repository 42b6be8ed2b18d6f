"""Embedding over HTTP: stable parameters, frame policy, oEmbed, the single file, the command."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from datetime import date
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from api.residents import embed_generator
from api.residents.page_context import ASSETS
from api.settings import ApiSettings
from geo.coverage.analysis_context import AnalysisContext
from geo.matching.choices import CHOICES
from geo.matching.criteria import Criteria
from geo.reach.travel import Travel
from geo.services import embed_options, search_state
from geo.settings import ROOT
from geo.sites.model import Position
from portee.cli import app
from portee.commands import embed as command
from static_maps import assets
from static_maps.sites_map import SCRIPTS, STYLES, outline_json
from tests.browser.static_maps.test_coverage_map import HOSTILE
from tests.support import crowd, world
from tests.support.serving import serving

SITES = (
    world.site(
        "west", 4, nom="Espace fictif de l'Ouest", telephone="+33553990001", horaires="Mo-Fr 09:00-12:00"
    ),
    world.site("east", 35, "99004", nom="Atelier fictif d'Estbourg", frais_a_charge=("Payant",)),
    world.site("rough", 35, "99004", nom="Bus fictif", position=Position.APPROXIMATIVE, frais_a_charge=()),
    world.site("nowhere", None, "99002", nom="Lieu fictif sans point"),
)
BASE = "http://portee.test"
TODAY = date(2026, 11, 5)


@pytest.fixture(scope="module")
def client():
    with serving(world.snapshot(*SITES)) as opened:
        yield opened


def names(answer) -> list[str]:
    return [html.unescape(n) for n in re.findall(r'<h3><a href="[^"]*">([^<]+)</a></h3>', answer.text)]


def text(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


# ---- A promise to those who embed

NAMES_OF_VERSION_1 = frozenset(
    {
        *("v", "territoire", "vue", "centre", "zoom", "couleur", "logo", "titre"),
        *("ou", "lieu", "pos", "mots", "mode", "n", "lang"),
        *("besoin", "quand", "prix", "pass", "fauteuil", "comment", "public", "aide"),
        *("contact", "programme", "reseau", "label", "structure"),
    }
)
"""Written here a second time on purpose: a name that goes breaks pages of other people."""


def test_no_name_of_version_1_is_ever_lost():
    state = search_state.SearchState(
        text="x",
        place="x",
        wishes=Criteria((("prix", "gratuit"),), "x"),
        when="samedi",
        mode=search_state.MODES["velo"],
        count=20,
        language="en",
    )
    assert {name for name, _ in state.pairs()} == {"ou", "lieu", "quand", "mots", "mode", "n", "lang", "prix"}
    known = {*embed_options.NAMES, *CHOICES, "ou", "lieu", "pos", "mots", "mode", "n", "lang"}
    assert known >= NAMES_OF_VERSION_1
    assert embed_options.VERSION == 1
    assert set(embed_options.VIEWS) == {"les-deux", "liste", "carte"}


def test_the_script_passes_on_every_name_of_version_1():
    source = (ASSETS / "embed.js").read_text("utf-8")
    passed = {name for words in re.findall(r'"([a-z -]+)"\.split', source) for name in words.split()}
    assert passed == NAMES_OF_VERSION_1 - {"v"}
    assert len(source.encode()) <= 2_048


def test_the_documentation_lists_every_parameter():
    told = (ROOT / "docs" / "embed.md").read_text("utf-8")
    assert {name for name in NAMES_OF_VERSION_1 if f"`{name}`" not in told} == set()


@pytest.mark.parametrize("version", ["1", "2", "99", "x", ""])
def test_a_version_not_known_yet_still_shows_the_page(client, version):
    answer = client.get(f"/embed?v={version}&territoire=99004")
    assert answer.status_code == 200
    assert names(answer) == ["Atelier fictif d'Estbourg", "Bus fictif"]
    assert ("suit la version 1" in answer.text) == (version not in ("1", ""))


def test_a_state_comes_back_from_its_own_address():
    territory = world.TERRITORY
    query = (
        "v=1&territoire=9902&vue=carte&centre=44.2,0.5&zoom=9&couleur=0b6b3a&logo=non&titre=%C3%80+Agen"
        "&besoin=demarches&prix=gratuit"
    )
    asked, state, unusable = embed_options.read(query.encode(), territory)
    assert unusable == ()
    again = urlsplit(state.address("/embed", asked)).query
    assert embed_options.read(again.encode(), territory) == (asked, state, ())
    assert sorted(parse_qsl(again)) == sorted(parse_qsl(query))


# ---- What it shows


def test_a_territory_lists_its_own_sites_until_somebody_says_where_they_are(client):
    answer = client.get("/embed?territoire=9901")
    assert names(answer) == ["Lieu fictif sans point", "Espace fictif de l'Ouest"]
    near = client.get("/embed?territoire=9901&ou=Estbourg")
    assert names(near)[0] in ("Atelier fictif d'Estbourg", "Bus fictif")
    assert "Espace fictif de l'Ouest" in names(near)


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ("territoire=99003", ["Atelier fictif d'Estbourg", "Espace fictif de l'Ouest"]),
        ("territoire=99003&prix=gratuit", ["Espace fictif de l'Ouest", "Bus fictif"]),
        ("territoire=99004&besoin=demarches&prix=gratuit&vue=liste", ["Bus fictif"]),
        ("territoire=200000002&fauteuil=oui", []),
    ],
)
def test_a_commune_without_a_site_that_suits_lists_the_nearest_to_its_town_hall(client, query, listed):
    answer = client.get(f"/embed?{query}")
    assert [name for name in names(answer) if name in listed] == listed
    if "99003" in query:
        assert "Aucun lieu ne convient dans cette commune. Voici les plus proches de la mairie" in text(
            answer
        )
        assert "min en voiture" in text(answer)
        assert "Aide au numérique près de Désert-le-Vide" not in text(answer)
    else:
        assert "Voici les plus proches" not in text(answer)


@pytest.mark.parametrize(
    ("code", "town"),
    [("200000002", "d'Estbourg"), ("9902", "d'Estbourg"), ("99002", "de Deux-Étangs")],
)
def test_every_kind_of_territory_without_a_site_lists_the_nearest(code, town):
    sites = (
        world.site("far", 0.5, nom="Loin"),
        world.site("near", 9, nom="Proche"),
        world.site("away", 45, "96001", nom="Outre"),
    )
    with serving(world.snapshot(*sites)) as alone:
        page = alone.get(f"/embed?territoire={code}")
        order = names(page)
        assert sorted(order) == ["Loin", "Outre", "Proche"]
        assert order.index("Proche") < order.index("Loin")
        assert order[0] == ("Proche" if code == "99002" else "Outre")
        assert f"Voici les plus proches de la mairie {town}." in text(page)
        asked = alone.get(f"/embed?territoire={code}&ou=Ouestville")
        assert names(asked)[0] == "Proche"
        assert "Voici les plus proches" not in text(asked)
        unknown = alone.get(f"/embed?territoire={code}&ou=zzzzzz")
        assert names(unknown) == order
        assert "Nous n'avons pas trouvé « zzzzzz »" in text(unknown)
        for path in ("/lieux/carte", "/embed/carte.html"):
            drawn = alone.get(f"{path}?territoire={code}").text
            assert all(f'"{name}"' in drawn for name in order), path
        with serving(world.snapshot()) as empty:
            assert "Aucun lieu ne convient" in text(empty.get(f"/embed?territoire={code}"))


def test_the_form_keeps_the_state_without_scripts(client):
    answer = client.get(
        "/embed?territoire=9901&couleur=7a1f5c&logo=non&titre=Ici&prix=gratuit&vue=liste&lang=en"
    )
    form = re.search(r"<form.*?</form>", answer.text, re.DOTALL)
    assert form
    kept = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
    assert kept == {
        "v": "1",
        "territoire": "9901",
        "vue": "liste",
        "couleur": "7a1f5c",
        "logo": "non",
        "titre": "Ici",
        "prix": "gratuit",
        "lang": "en",
    }
    assert 'target="_self"' in form[0]
    assert '<base target="_top">' in answer.text
    several = client.get("/embed?besoin=demarches&besoin=emploi").text
    assert len(re.findall(r'type="hidden" name="besoin"', several)) == 2
    assert '<select id="besoin"' not in several


def test_whole_page_keeps_the_state_and_opens_apart(client):
    answer = client.get("/embed?prix=gratuit&ou=Ouestville&couleur=7a1f5c")
    link = re.search(r'<a class="way" href="(/\?[^"]*)" target="_blank" rel="noopener">', answer.text)
    assert link
    assert parse_qs(urlsplit(html.unescape(link[1])).query) == {"prix": ["gratuit"], "ou": ["Ouestville"]}


@pytest.mark.parametrize(
    ("view", "shown"), [("liste", (True, False)), ("carte", (False, True)), ("les-deux", (True, True))]
)
def test_views(client, view, shown):
    answer = client.get(f"/embed?vue={view}").text
    assert ('id="liste-titre"' in answer, "<iframe" in answer) == shown


@pytest.mark.parametrize(
    ("colour", "contrast"),
    [("ffffff", 1), ("000000", 21), ("767676", 4.54), ("777777", 4.48), ("ff0000", 4.0)],
)
def test_contrast_is_that_of_wcag(colour, contrast):
    assert embed_options.contrast_with_white(colour) == pytest.approx(contrast, abs=0.005)


@pytest.mark.parametrize("colour", ["777777", "ffee00", "fff", "red", "12345g", "#", "0b6b3a;x:y", "١٢٣٤٥٦"])
def test_a_colour_too_pale_or_unreadable_is_refused_with_a_sentence(client, colour):
    answer = client.get("/embed", params={"couleur": colour})
    assert "La couleur «" in text(answer)
    assert "--deep-soft:#fff" not in answer.text
    assert "--deep:#" not in client.get("/lieux/carte", params={"couleur": colour}).text


def test_the_style_of_a_colour_is_allowed_by_its_own_digest_and_no_other_is(client):
    for path in ("/embed", "/lieux/carte", "/embed/carte.html"):
        answer = client.get(path, params={"couleur": "#7A1F5C"})
        policy = answer.headers["content-security-policy"]
        styles = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        assert any("--deep:#7a1f5c" in style for style in styles)
        for style in styles:
            assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
        assert "unsafe" not in policy


def test_hostile_parameters_are_text_everywhere(client):
    for hostile in HOSTILE:
        query = dict.fromkeys(NAMES_OF_VERSION_1, hostile)
        for path in ("/embed", "/lieux/carte", "/integrer", "/embed/carte.html"):
            answer = client.get(path, params=query)
            assert answer.status_code == 200, path
            assert "<script>alert(1)" not in answer.text
            assert "<img src=x" not in answer.text
            assert (
                ">{{ 7*7 }}" in answer.text or "49" not in re.findall(r"<title>(.*?)</title>", answer.text)[0]
            )


# ---- Who may show it


def test_only_sites_of_the_list_may_frame_what_is_made_for_it():
    with serving(world.snapshot(*SITES), frame_ancestors=["'self'", "https://www.exemple.fr"]) as opened:
        for path in ("/embed", "/lieux/carte"):
            policy = opened.get(path).headers["content-security-policy"]
            assert policy.endswith("; frame-ancestors 'self' https://www.exemple.fr")
        for path in ("/", "/integrer"):
            assert opened.get(path).headers["content-security-policy"].endswith("; frame-ancestors 'self'")


@pytest.mark.parametrize("origin", ["*", "self", "https://a.fr; script-src *", "a.fr\n", ""])
def test_a_list_holds_origins_only(origin):
    with pytest.raises(ValueError, match="frame_ancestors"):
        ApiSettings(frame_ancestors=[origin])


@pytest.mark.parametrize(
    "path",
    [
        "/embed",
        "/embed.js",
        "/lieux/carte",
        "/integrer",
        "/embed/carte.html",
        "/oembed?url=http://portee.test/",
    ],
)
def test_no_cookie_is_ever_set(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


def test_a_page_with_a_position_is_never_cached(client):
    for path in ("/embed", "/lieux/carte"):
        assert client.get(f"{path}?pos=44.2,0.5").headers["cache-control"] == "private, no-cache"


# ---- oEmbed


def oembed(client, **asked):
    return client.get("/oembed", params=asked)


@pytest.mark.parametrize("page", ["/embed?v=1&territoire=9901", "/?ou=Ouestville", "/", "", "/embed"])
def test_an_address_of_ours_becomes_a_frame(client, page):
    told = oembed(client, url=BASE + page).json()
    assert (told["version"], told["type"]) == ("1.0", "rich")
    frame = re.search(r'<iframe src="([^"]+)"', told["html"])
    assert frame
    assert client.get(html.unescape(frame[1])).status_code == 200
    assert parse_qs(urlsplit(html.unescape(frame[1])).query).items() >= parse_qs(urlsplit(page).query).items()


def test_a_frame_is_no_larger_than_asked(client):
    told = oembed(client, url=f"{BASE}/embed", maxwidth=320, maxheight="many").json()
    assert (told["width"], told["height"]) == (320, 720)
    assert 'width="320" height="720"' in told["html"]


def test_the_same_in_xml_and_no_other_format(client):
    for titre in ("Ici & là", *HOSTILE):
        url = f"{BASE}/embed?{urlencode({'titre': titre})}"
        asked = oembed(client, url=url, format="xml")
        assert asked.headers["content-type"].startswith("text/xml")
        root = ElementTree.fromstring(asked.content)
        told = oembed(client, url=url).json()
        assert {each.tag: each.text for each in root} == {name: str(value) for name, value in told.items()}
        assert "<script" not in told["html"]
        assert "<img" not in told["html"]
    assert oembed(client, url=f"{BASE}/", format="yaml").status_code == 501


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "https://portee.test/", "http://portee.test.evil.fr/", "http://portee.test@evil.fr/"),
        *("http://[", "javascript:alert(1)", f"{BASE}/carte", f"{BASE}/embed/..", f"{BASE}/?ou=é"),
    ],
)
def test_other_addresses_are_not_found(client, url):
    assert oembed(client, url=url).status_code == 404


def test_pages_tell_where_their_frame_is_described(client):
    for path in ("/embed?territoire=9901", "/?ou=Ouestville"):
        answer = client.get(path)
        link = re.search(r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', answer.text)
        assert link, path
        assert client.get(html.unescape(link[1])).json()["type"] == "rich"


# ---- The page that makes code


def test_code_says_what_the_form_asked(client):
    answer = client.get(
        "/integrer?territoire=9901&titre=L%27aide+%22ici%22&besoin=demarches&besoin=emploi&couleur=%237a1f5c"
    )
    made = [html.unescape(t) for t in re.findall(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)]
    script, frame, link, address = made
    data = dict(re.findall(r'data-(\w+)="([^"]*)"', script))
    assert html.unescape(data["titre"]) == """L'aide "ici\""""
    assert data["besoin"] == "demarches emploi"
    assert data["territoire"] == "9901"
    assert f'<noscript><a href="{BASE}/?besoin=demarches&amp;besoin=emploi">' in script
    assert f'<iframe src="{BASE}/embed?v=1&amp;territoire=9901' in frame
    assert link.startswith("<a href=")
    assert client.get(address).status_code == 200
    assert oembed(client, url=address).status_code == 200
    assert list(re.findall(r'<option value="(\d+)" selected', answer.text)) == ["9901"]


def test_every_choice_of_the_form_is_one_of_the_promise(client):
    asked = set(re.findall(r'name="(\w+)"', client.get("/integrer").text)) - {"viewport", "robots"}
    assert asked <= NAMES_OF_VERSION_1
    assert set(embed_generator.OFFERED) <= asked


# ---- One file


def test_the_single_file_is_self_contained_and_states_lasting_facts_only(client):
    answer = client.get("/embed/carte.html?territoire=9902")
    assert answer.headers["content-disposition"] == 'attachment; filename="carte.html"'
    assert (
        re.findall(
            r'(?:src|<link[^>]* href)="([^"]*)"',
            re.sub(r"<script>.*?</script>", "", answer.text, flags=re.DOTALL),
        )
        == []
    )
    assert "Atelier fictif d'Estbourg" in answer.text
    assert "Espace fictif" not in answer.text
    data = answer.text.partition('id="donnees">')[2]
    assert "ouvert jusqu" not in data
    assert f"{BASE}/lieux/" in data
    stated = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', answer.text)
    assert stated
    policy = html.unescape(stated[1])
    assert "'self'" not in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert len(scripts) == 4
    for script in scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_no_file_of_ours_ends_the_element_it_is_written_in():
    for folder, files in (
        (assets.VENDOR, (*SCRIPTS, *STYLES)),
        (assets.OWN, ("sites-map.js", "sites-map.css")),
    ):
        for name in files:
            source = (folder / name).read_text("utf-8").lower()
            assert "</script" not in source
            assert "</style" not in source
            assert "<!--" not in source


def test_the_boundaries_of_the_map_are_light():
    assert len(outline_json(crowd.lot_et_garonne(0).territory)) < 60_000


def test_the_command_writes_the_file(monkeypatch, tmp_path):
    monkeypatch.setattr(
        command,
        "load_context",
        lambda _: AnalysisContext(world.snapshot(*SITES), Travel(None, detour_factor=1.3), TODAY),
    )
    out = tmp_path / "carte.html"
    run = CliRunner().invoke
    done = run(
        app,
        ["embed", "--out", str(out), "--where", "titre=Chez nous", "--address", "https://aide.exemple.fr/"],
    )
    assert done.exit_code == 0, done.output
    written = out.read_text("utf-8")
    assert "<title>Chez nous</title>" in written
    assert "https://aide.exemple.fr/lieux/" in written
    assert [each.name for each in tmp_path.iterdir()] == ["carte.html"]
    for wrong in (["--territory", "00000"], ["--where", "couleur=ffee00"]):
        assert run(app, ["embed", "--out", str(out), *wrong]).exit_code == 1
    for misused in (["--where", "titre"], ["--address", "aide.exemple.fr"]):
        assert run(app, ["embed", "--out", str(out), *misused]).exit_code == 2


# ---- The data of the map


def drawn(client, **asked):
    """The JSON that the map of an answer is drawn from."""
    block = re.search(r'id="donnees">(.*?)</script>', client.get("/lieux/carte", params=asked).text)
    assert block is not None
    return json.loads(block[1])


def test_a_map_holds_the_origin_and_each_located_site_with_its_reasons(client):
    shown = drawn(client, ou="Ouestville", prix="gratuit")
    assert shown["origin"] == {"at": [53741, 4471675], "name": "Ouestville"}
    west, rough = shown["sites"]
    assert (west["id"], west["at"], west["rank"]) == ("essai--west", [52479, 4471647], 1)
    assert west["why"].startswith("2\u00a0min en voiture · gratuit · ") and "notes" not in west
    assert rough["why"] == "52\u00a0min en voiture · prix inconnu · horaires inconnus"
    assert rough["notes"] == [
        "Adresse imprécise : le lieu est placé à la mairie de sa commune.",
        "À demander en appelant : le prix.",
    ]
    assert drawn(client, prix="gratuit")["origin"] is None
