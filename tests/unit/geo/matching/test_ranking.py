"""Criteria and ranking of sites, counted by hand and checked against a direct evaluation."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.matching.choices import CHOICES
from geo.matching.criteria import ANYTHING, GROUPS, Criteria, Fit, receives_public
from geo.matching.ranking import NEARLY_MAX, WHEN, rank_sites
from geo.matching.text_search import mentions
from geo.sites import standard
from geo.sites.model import ItinerantStop
from tests.support.world import short, site

YES, UNKNOWN, NO = Fit.YES, Fit.UNKNOWN, Fit.NO


def wishes(*chosen: tuple[str, str], words: str = "") -> Criteria:
    return Criteria(tuple(sorted(chosen)), words)


# ---- One wish


@pytest.mark.parametrize(
    ("group", "code", "told", "fit"),
    [
        ("besoin", "demarches", {"services": ("Aide aux démarches administratives",)}, YES),
        ("besoin", "materiel", {"services": ("Aide aux démarches administratives",)}, NO),
        ("besoin", "demarches", {"services": ()}, UNKNOWN),
        ("public", "seniors", {"publics_specifiquement_adresses": ()}, YES),
        ("public", "seniors", {"publics_specifiquement_adresses": ("Seniors", "Jeunes")}, YES),
        ("public", "seniors", {"publics_specifiquement_adresses": ("Jeunes",)}, NO),
        ("aide", "illettrisme", {"prise_en_charge_specifique": ()}, UNKNOWN),
        ("aide", "illettrisme", {"prise_en_charge_specifique": ("Illettrisme",)}, YES),
        ("aide", "anglais", {"prise_en_charge_specifique": ("Langues étrangères (autres)",)}, NO),
        ("prix", "gratuit", {"frais_a_charge": ()}, UNKNOWN),
        ("prix", "gratuit", {"frais_a_charge": ("Gratuit sous condition",)}, NO),
        ("prix", "condition", {"frais_a_charge": ("Gratuit sous condition",)}, YES),
        ("prix", "condition", {"frais_a_charge": ("Payant",)}, NO),
        ("pass", "oui", {"pass_numerique": None}, UNKNOWN),
        ("pass", "oui", {"pass_numerique": True}, YES),
        ("fauteuil", "oui", {"acces_fauteuil": False}, NO),
        ("reseau", "oui", {"membre_reseau": True}, YES),
        ("comment", "distance", {"modalites_accompagnement": ("À distance",)}, YES),
        ("comment", "seul", {"modalites_accompagnement": ("À distance",)}, NO),
        ("comment", "domicile", {"presentation_detail": "Nous venons À  DOMICILE."}, YES),
        ("comment", "itinerant", {"arrets": (ItinerantStop("Halle", "Tu", "09:00-12:00"),)}, YES),
        ("comment", "itinerant", {"itinerance": ("Fixe",)}, NO),
        ("comment", "itinerant", {"itinerance": ()}, UNKNOWN),
        ("contact", "telephone", {"modalites_acces": ("Téléphoner",)}, YES),
        ("programme", "france-services", {"dispositif_programmes_nationaux": ("France Services",)}, YES),
        ("label", "la-poste", {"formations_labels": (standard.ETAPES_NUMERIQUES,)}, YES),
        ("structure", "bib", {"typologie": ("BIB",)}, YES),
        ("structure", "autre", {"typologie": ("BIB",)}, NO),
    ],
)
def test_a_criterion_is_met_not_met_or_unknown(group, code, told, fit):
    assert GROUPS[group].tests[code](site("1", 5, **told)) is fit


def test_every_value_of_every_closed_list_can_be_asked_for():
    """All the standard's lists: those of a group by its labels, the three others by tests of their own."""
    covered = {label for group in GROUPS.values() for label in group.labels.values()}
    for field in set(standard.ENUMERATIONS) - {"frais_a_charge", "modalites_accompagnement", "itinerance"}:
        assert covered.issuperset(standard.ENUMERATIONS[field]), field
    for label in standard.MODALITES_ACCOMPAGNEMENT:
        asked = [
            test(site("1", 5, modalites_accompagnement=(label,))) for test in GROUPS["comment"].tests.values()
        ]
        assert YES in asked, label


def test_exactly_the_existing_criteria_have_labels():
    for name, group in GROUPS.items():
        assert set(CHOICES[name].labels) == set(group.tests), name
    assert set(CHOICES) == {*GROUPS, WHEN}


def test_codes_of_one_group_are_alternatives_and_groups_add_up():
    asked = wishes(("besoin", "demarches"), ("besoin", "materiel"), ("prix", "gratuit"))
    assert asked.fits(site("1", 5)) == {"besoin": YES, "prix": YES}
    assert asked.fits(site("1", 5, frais_a_charge=())) == {"besoin": YES, "prix": UNKNOWN}
    assert asked.fits(site("1", 5, services=("Loisirs et créations numériques",)))["besoin"] is NO


def test_words_are_found_in_any_field_ignoring_accents():
    told = site("1", 5, nom="Espace Élan", structure_parente="CCAS", presentation_resume="Aide en ligne")
    assert mentions(told, "elan ccas")
    assert mentions(told, "OUESTVILLE démarches")
    assert not mentions(told, "elan mairie")


def test_a_site_closed_to_the_public_is_left_out_unless_remote_help_is_asked():
    closed = site("1", 5, modalites_acces=("Ce lieu n'accueille pas de public", "Téléphoner"))
    assert not receives_public(closed)
    assert rank_sites([closed], [60.0], ANYTHING).away == 1
    remote = rank_sites([closed], [60.0], wishes(("comment", "distance")))
    assert [short(f.site) for f in remote.maybes] == ["1"]


# ---- All sites


def test_fitting_sites_are_sorted_by_travel_time_and_unsure_ones_apart():
    sites = [
        site("far", 5),
        site("near", 6),
        site("dumb", 7, frais_a_charge=()),
        site("paid", 8, frais_a_charge=("Payant",)),
    ]
    found = rank_sites(sites, [600.0, 60.0, 30.0, 10.0], wishes(("prix", "gratuit")))
    assert [short(f.site) for f in found.fits] == ["near", "far"]
    assert [f.minutes for f in found.fits] == [1.0, 10.0]
    assert [(short(f.site), f.unknown) for f in found.maybes] == [("dumb", ("prix",))]
    assert found.nearly == ()


def test_without_an_origin_sites_come_by_commune_and_name():
    sites = [site("2", 35, "99004", nom="Zèbre"), site("1", 5, "99001"), site("3", 35, "99004", nom="Âne")]
    found = rank_sites(sites, None, ANYTHING)
    assert [f.site.nom for f in found.fits] == ["Âne", "Zèbre", "Lieu 1"]
    assert found.fits[0].minutes is None


def test_when_nothing_fits_the_reasons_and_near_matches_are_given():
    sites = [
        site("near", 5, frais_a_charge=("Payant",), acces_fauteuil=False),
        site("one", 6, frais_a_charge=("Payant",), acces_fauteuil=True),
        site("other", 7, acces_fauteuil=False),
        site("last", 8, acces_fauteuil=False),
    ]
    found = rank_sites(sites, [10.0, 500.0, 400.0, 900.0], wishes(("prix", "gratuit"), ("fauteuil", "oui")))
    assert (found.fits, found.maybes) == ((), ())
    assert [short(f.site) for f in found.nearly] == ["other", "one", "last"]
    assert found.nearly[0].missing == ("fauteuil",)
    assert found.freed == {"fauteuil": 2, "prix": 1}


def test_the_criterion_about_hours_is_one_more_group():
    sites = [site("open", 5), site("shut", 6), site("dumb", 7)]
    hours = {"open": YES, "shut": NO, "dumb": UNKNOWN}
    found = rank_sites(sites, [3.0, 1.0, 2.0], ANYTHING, open_at=lambda each: hours[short(each)])
    assert [short(f.site) for f in found.fits] == ["open"]
    assert found.maybes[0].unknown == (WHEN,)


chosen = st.sets(
    st.sampled_from(
        [
            ("prix", "gratuit"),
            ("prix", "condition"),
            ("pass", "oui"),
            ("fauteuil", "oui"),
            ("public", "seniors"),
        ]
    )
)
told = st.fixed_dictionaries(
    {
        "frais_a_charge": st.sampled_from([(), ("Gratuit",), ("Payant",), ("Gratuit sous condition",)]),
        "pass_numerique": st.sampled_from([None, True, False]),
        "acces_fauteuil": st.sampled_from([None, True, False]),
        "publics_specifiquement_adresses": st.sampled_from([(), ("Seniors",), ("Jeunes",)]),
    }
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(told, st.sampled_from([30.0, 60.0, 600.0, inf])), max_size=8), chosen)
def test_every_site_is_ranked_as_by_a_direct_evaluation(given_sites, asked):
    sites = [site(str(n), 5, **facts) for n, (facts, _) in enumerate(given_sites)]
    seconds = [s for _, s in given_sites]
    found = rank_sites(sites, seconds, wishes(*asked))

    def verdict(each) -> Fit:
        worst = YES
        for name in {group for group, _ in asked}:
            best = max(GROUPS[name].tests[code](each) for group, code in asked if group == name)
            worst = min(worst, best)
        return worst

    expected = {fit: {short(s) for s in sites if verdict(s) is fit} for fit in Fit}
    assert {short(f.site) for f in found.fits} == expected[YES]
    assert {short(f.site) for f in found.maybes} == expected[UNKNOWN]
    for part in (found.fits, found.maybes):
        assert [f.seconds for f in part] == sorted(f.seconds for f in part)
    if not expected[YES] and not expected[UNKNOWN]:
        assert len(found.nearly) == min(NEARLY_MAX, len(sites))
