"""Translation of version 0.1 of the standard to version 1; losses are reported."""

from __future__ import annotations

import pytest

from geo.sites import legacy, standard
from geo.sites.legacy import to_v1

OLD_SERVICES = {
    "Devenir autonome dans les démarches administratives": "Aide aux démarches administratives",
    "Accompagner les démarches de santé": "Aide aux démarches administratives",
    "Prendre en main un smartphone ou une tablette": "Maîtrise des outils numériques du quotidien",
    "Promouvoir la citoyenneté numérique": "Compréhension du monde numérique",
    "Créer et développer mon entreprise": "Insertion professionnelle via le numérique",
    "Accéder à du matériel": "Accès internet et matériel informatique",
    "S’équiper en matériel informatique": "Acquisition de matériel informatique à prix solidaire",
    "CRÉER AVEC LE NUMERIQUE": "Loisirs et créations numériques",
    "Soutenir la parentalité et l'éducation avec le numérique": "Parentalité et éducation avec le numérique",
}


def translated(**old: str) -> dict[str, str]:
    return to_v1(old, line=7)[0]


def losses(**old: str) -> list[tuple[str, str]]:
    return [(issue.field, issue.value) for issue in to_v1(old, line=7)[1]]


@pytest.mark.parametrize(("old", "new"), OLD_SERVICES.items())
def test_each_old_service_becomes_one_of_the_nine(old, new):
    assert new in standard.SERVICES
    assert translated(services=old) == {"services": new}


def test_merged_services_appear_once_and_in_order():
    old = "Utiliser le numérique au quotidien;Prendre en main un ordinateur;Accéder à du matériel"
    assert translated(services=old)["services"] == (
        "Maîtrise des outils numériques du quotidien|Accès internet et matériel informatique"
    )


def test_values_of_neither_version_pass_unchanged_for_validation_to_find():
    assert translated(services="Cuisine;Accéder à du matériel")["services"].startswith("Cuisine|")
    assert translated(conditions_acces="Troc")["frais_a_charge"] == "Troc"
    assert translated(labels_nationaux="Inconnu")["dispositif_programmes_nationaux"] == "Inconnu"
    assert translated(publics_accueillis="Martiens")["publics_specifiquement_adresses"] == "Martiens"


def test_values_already_of_version_1_stay():
    kept = {"services": "Utilisation sécurisée du numérique", "modalites_accompagnement": "À distance"}
    assert translated(**kept) == kept


def test_costs_lose_their_explanation():
    old = "Gratuit : Je peux accéder gratuitement au lieu et à ses services;Payant : L'accès est payant"
    assert translated(conditions_acces=old) == {"frais_a_charge": "Gratuit|Payant"}
    assert losses(conditions_acces=old) == []


def test_the_column_is_read_under_the_spelling_met_in_real_files():
    assert translated(conditions_access="Payant : oui")["frais_a_charge"] == "Payant"


def test_a_membership_becomes_a_cost_and_is_reported():
    assert translated(conditions_acces="Adhésion : il faut adhérer") == {"frais_a_charge": "Payant"}
    assert losses(conditions_acces="Adhésion : il faut adhérer") == [
        ("conditions_acces", "Adhésion : il faut adhérer")
    ]


def test_the_pass_numerique_goes_to_our_own_column():
    new, issues = to_v1({"conditions_acces": "Accepte le Pass numérique : on peut payer ainsi"}, line=7)
    assert new == {"frais_a_charge": "Gratuit sous condition", "ext_pass_numerique": "true"}
    assert [(i.line, i.severity, i.code) for i in issues] == [(7, "repaired", "ancienne_valeur")]
    assert "ext_pass_numerique" not in translated(conditions_acces="Payant")


def test_publics_are_split_between_those_addressed_and_the_care_they_need():
    assert translated(
        publics_accueillis="Seniors (+ 65 ans);Surdité;Familles/enfants;Public langues étrangères;"
        "Handicaps mentaux : déficiences limitant les activités d'une personne;Uniquement femmes"
    ) == {
        "publics_specifiquement_adresses": "Seniors|Familles et/ou enfants|Femmes",
        "prise_en_charge_specifique": "Surdité|Langues étrangères (autres)|Handicaps mentaux",
    }


def test_publics_without_equivalent_are_dropped_and_reported():
    old = "Adultes;Handicaps psychiques : troubles"
    assert translated(publics_accueillis=old) == {}
    assert [value for _, value in losses(publics_accueillis=old)] == [
        "Adultes",
        "Handicaps psychiques : troubles",
    ]


def test_labels_go_where_version_1_wants_them():
    assert translated(
        labels_nationaux="CNFS;France Services;Fabriques de Territoire;APTIC;Grandes écoles du numérique",
        labels_autres="SudLabs;Label fictif",
    ) == {
        "dispositif_programmes_nationaux": (
            "Conseillers numériques|France Services|Grande école du numérique"
        ),
        "formations_labels": "Fabriques de Territoire",
        "autres_formations_labels": "SudLabs|Label fictif|APTIC",
    }
    assert losses(labels_nationaux="CNFS;APTIC") == [("labels_nationaux", "APTIC")]


def test_support_is_translated():
    old = "Seul : j'ai accès;Avec de l'aide : on m'aide;Dans un atelier : ensemble;A ma place : on fait"
    assert translated(modalites_accompagnement=old)["modalites_accompagnement"] == (
        "En autonomie|Accompagnement individuel|Dans un atelier collectif"
    )
    assert len(losses(modalites_accompagnement=old)) == 1


def test_renamed_and_removed_fields():
    assert translated(
        courriel="contact@exemple.fr", accessibilite="https://exemple.fr/a", cle_ban="47001_0001"
    ) == {"courriels": "contact@exemple.fr", "fiche_acces_libre": "https://exemple.fr/a"}


@pytest.mark.parametrize("between", [";", "|", ",", ", "])
def test_several_web_sites_are_separated(between):
    sites = f"https://exemple.fr/a;b=1{between}https://exemple.fr/b".replace(";b=1", "")
    assert translated(site_web=sites)["site_web"] == "https://exemple.fr/a|https://exemple.fr/b"


def test_a_comma_inside_an_address_does_not_separate():
    assert translated(site_web="https://exemple.fr/a,b")["site_web"] == "https://exemple.fr/a,b"


def test_every_target_is_a_value_of_the_standard():
    for table, field in (
        (legacy._SERVICES, "services"),
        (legacy._PUBLICS, "publics_specifiquement_adresses"),
        (legacy._CARE, "prise_en_charge_specifique"),
        (legacy._COSTS, "frais_a_charge"),
        (legacy._PROGRAMMES, "dispositif_programmes_nationaux"),
        (legacy._LABELS, "formations_labels"),
        (legacy._SUPPORT, "modalites_accompagnement"),
    ):
        assert set(table.values()) <= set(standard.ENUMERATIONS[field])
