"""Labels of the search choices, in display order; codes are those of `geo.matching.criteria`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geo.matching.criteria import GROUPS
from geo.sites import standard
from geo.wording.language import N_


@dataclass(frozen=True)
class Choices:
    """A group of wishes as it is shown.

    Attributes
    ----------
    question
        What the group asks, above its choices.
    labels
        Code → words, in the order offered.
    more
        Whether it waits among the further choices.
    """

    question: str
    labels: Mapping[str, str]
    more: bool = False


WHEN_CODES: Final[Mapping[str, str]] = {
    "maintenant": N_("Ouvert maintenant"),
    "samedi": N_("Ouvert le samedi"),
    "soir": N_("Ouvert le soir, après 18 h"),
    "lundi": N_("Ouvert le lundi"),
    "mardi": N_("Ouvert le mardi"),
    "mercredi": N_("Ouvert le mercredi"),
    "jeudi": N_("Ouvert le jeudi"),
    "vendredi": N_("Ouvert le vendredi"),
    "dimanche": N_("Ouvert le dimanche"),
}

CHOICES: Final[Mapping[str, Choices]] = {
    "besoin": Choices(
        N_("De quoi avez-vous besoin ?"),
        {
            "demarches": N_("Faire une démarche en ligne (impôts, retraite, CAF…)"),
            "ordinateur": N_("Apprendre à me servir d'un ordinateur ou d'un téléphone"),
            "connexion": N_("Utiliser un ordinateur, Internet, une imprimante"),
            "materiel": N_("Acheter du matériel à prix solidaire"),
            "emploi": N_("Chercher un travail ou une formation avec Internet"),
            "securite": N_("Me protéger des arnaques sur Internet"),
            "enfants": N_("Accompagner mes enfants face aux écrans"),
            "comprendre": N_("Comprendre le monde numérique"),
            "loisirs": N_("Loisirs et création numérique"),
        },
    ),
    "quand": Choices(N_("Quand ?"), WHEN_CODES),
    "prix": Choices(
        N_("À quel prix ?"),
        {"gratuit": N_("Gratuit"), "condition": N_("Gratuit, ou gratuit sous condition")},
    ),
    "pass": Choices(N_("Pass Numérique"), {"oui": N_("Accepte le Pass Numérique")}),
    "fauteuil": Choices(N_("Accès"), {"oui": N_("Accessible en fauteuil roulant")}),
    "comment": Choices(
        N_("Comment voulez-vous être aidé ?"),
        {
            "accompagne": N_("Avec quelqu'un, pas à pas"),
            "atelier": N_("En groupe, dans un atelier"),
            "seul": N_("Seul, sur un ordinateur en libre accès"),
            "distance": N_("À distance, par téléphone ou en visio"),
            "domicile": N_("Chez moi"),
            "itinerant": N_("Dans un bus ou une permanence qui passe près de chez moi"),
        },
    ),
    "public": Choices(
        N_("Pour qui ?"),
        {
            "seniors": N_("Seniors"),
            "jeunes": N_("Jeunes"),
            "etudiants": N_("Étudiants"),
            "familles": N_("Familles et enfants"),
            "femmes": N_("Femmes"),
        },
    ),
    "aide": Choices(
        N_("Une aide particulière ?"),
        {
            "illettrisme": N_("Difficultés pour lire ou écrire"),
            "surdite": N_("Surdité"),
            "vue": N_("Mauvaise vue ou cécité"),
            "moteur": N_("Handicap moteur"),
            "mental": N_("Handicap mental"),
            "anglais": N_("Accueil en anglais"),
            "langues": N_("Accueil dans une autre langue étrangère"),
        },
    ),
    "contact": Choices(
        N_("Comment prendre contact ?"),
        {
            "presenter": N_("Venir sans rendez-vous"),
            "telephone": N_("Par téléphone"),
            "mail": N_("Par courriel"),
            "rdv": N_("Rendez-vous en ligne"),
            "prescription": N_("Par une fiche d'orientation (professionnels)"),
            "ferme-au-public": N_("Lieux qui n'accueillent pas de public"),
        },
        more=True,
    ),
    "programme": Choices(
        N_("Réseau national"),
        {
            "france-services": N_("France services"),
            "conseiller": N_("Conseillers numériques"),
            "aidants-connect": N_("Aidants Connect (démarches faites en votre nom)"),
            "bibliotheque": N_("Bibliothèques numériques de référence"),
            "pix": N_("Certification Pix"),
            "caf": N_("Point d'accès numérique CAF"),
            "emmaus": N_("Emmaüs Connect"),
            "relais": N_("Relais numérique (Emmaüs Connect)"),
            "croix-rouge": N_("La Croix-Rouge"),
            "grande-ecole": N_("Grande école du numérique"),
            "promeneurs": N_("Promeneurs du net"),
        },
        more=True,
    ),
    "reseau": Choices(N_("Réseau local"), {"oui": N_("Membre du réseau départemental")}, more=True),
    "label": Choices(N_("Labels et formations"), dict(GROUPS["label"].labels), more=True),
    "structure": Choices(
        N_("Type de lieu"),
        {
            code: standard.TYPOLOGIES[kind]
            for code, kind in sorted(
                GROUPS["structure"].labels.items(), key=lambda each: standard.TYPOLOGIES[each[1]]
            )
        },
        more=True,
    ),
}
"""Names of labels and of types of place are the standard's own, in every language."""

WORDS_NAME: Final = "mots"
GROUP_NAMES: Final[Mapping[str, str]] = {
    "besoin": N_("le besoin"),
    "quand": N_("les horaires"),
    "prix": N_("le prix"),
    "pass": N_("le Pass Numérique"),
    "fauteuil": N_("l'accès en fauteuil roulant"),
    "comment": N_("la façon d'être aidé"),
    "public": N_("le public"),
    "aide": N_("l'aide particulière"),
    "contact": N_("la prise de contact"),
    "programme": N_("le réseau national"),
    "reseau": N_("le réseau local"),
    "label": N_("le label"),
    "structure": N_("le type de lieu"),
    "mots": N_("les mots cherchés"),
}
"""A group inside a sentence."""


def choice_label(group: str, code: str) -> str:
    """The words of a choice, in French."""
    return CHOICES[group].labels[code]
