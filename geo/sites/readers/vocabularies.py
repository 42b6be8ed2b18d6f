"""Built-in vocabularies of mapping files: the words that spreadsheets use for the values of fields.

A vocabulary is for some fields only. The official labels need none; those of version 0.1 of the standard
are in the vocabularies of their fields. Words are compared without accents, case, punctuation, or the « s »
of a plural. Words that may mean several values are in none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from geo.sites import standard
from geo.sites.legacy import LABELS_V0
from geo.sites.text import fold

YES_NO: Final = "oui-non"

_BOOLEANS: Final = (
    *("ext_pass_numerique", "ext_membre_reseau", "ext_acces_fauteuil", "ext_sur_rendez_vous", "ext_fictif"),
)
_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_REMARK: Final = re.compile(r"\s*(\(.*|:\s.*)", re.DOTALL)
_SPECIAL: Final = {"✓": "oui", "✔": "oui", "☑": "oui", "✗": "non", "✘": "non", "☐": "non"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words with the value that each stands for (several are joined by `|`; "" leaves the word out)."""

    fields: tuple[str, ...]
    words: Mapping[str, str]


def key(word: str) -> str:
    """Return the form in which words are compared."""
    return _key(word) if len(word) <= 200 else _key.__wrapped__(word)


@lru_cache(maxsize=16_384)
def _key(word: str) -> str:
    bare = fold(_SPECIAL.get(word.strip(), word))
    return " ".join(
        part[:-1] if len(part) > 3 and part.endswith("s") else part
        for part in _LETTERS.sub(" ", bare).split()
    )


def _words(table: Mapping[str, str], former: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return the words of a table, those of version 0.1 of the standard first."""
    common = {key(word): value for words, value in table.items() for word in words.split("|")}
    return common | {key(word): value for word, value in former.items()}


_DEMARCHES, _OUTILS, _EMPLOI, _SECURITE, _PARENTS, _LOISIRS, _MONDE, _ACCES, _MATERIEL = standard.SERVICES
_SEUL, _ACCOMPAGNE, _ATELIER, _DISTANCE = standard.MODALITES_ACCOMPAGNEMENT

VOCABULARIES: Final[dict[str, Vocabulary]] = {
    YES_NO: Vocabulary(
        _BOOLEANS,
        _words({"oui|o|vrai|true|yes|y|1|x|ok": "true", "non|n|faux|false|no|0|aucun|pas": "false"}),
    ),
    "accessibilite": Vocabulary(
        ("ext_acces_fauteuil",),
        _words(
            {
                "oui|o|vrai|true|yes|1|x|ok|accessible|pmr|accessible pmr|accès pmr|accessible aux pmr|"
                "accessible fauteuil|accessible en fauteuil|accessible en fauteuil roulant|plain-pied|"
                "de plain-pied|rampe|rampe d'accès|ascenseur|conforme|accessible à tous|total|totale": "true",
                "non|n|faux|false|no|0|aucun|inaccessible|non accessible|pas accessible|non accessible pmr|"
                "escalier|marches|non conforme|aucune": "false",
                "partiel|partielle|partiellement|avec aide|en partie|nc|ne sait pas|?|inconnu|"
                "non renseigné|à vérifier": "",
            }
        ),
    ),
    "itinerance": Vocabulary(
        ("itinerance",),
        _words(
            {
                "oui|o|vrai|true|1|x|itinérant|itinérante|mobile|bus|camion|bus itinérant|camping-car|"
                "permanences itinérantes|multisites|multisite|tournée": "Itinérant",
                "non|n|faux|false|0|fixe|sur place|site fixe|sédentaire|local|locaux": "Fixe",
                "les deux|fixe et itinérant|mixte": "Fixe|Itinérant",
            }
        ),
    ),
    "services": Vocabulary(
        ("services",),
        _words(
            {
                "démarches|démarches administratives|aide aux démarches|accompagnement aux démarches|"
                "démarche en ligne|e-administration|administratif|aide administrative|papiers|droits|"
                "accès aux droits|accompagnement administratif|impôts|caf|ameli|carte grise|"
                "démarches de santé|accompagner les démarches": _DEMARCHES,
                "initiation|initiation informatique|initiation au numérique|informatique|bureautique|bases|"
                "débutants|cours d'informatique|atelier informatique|ateliers informatiques|"
                "atelier numérique|ateliers numériques|formation|formation numérique|formation informatique|"
                "prise en main|ordinateur|smartphone|tablette|messagerie|mail|navigation|traitement de texte|"
                "accompagnement numérique|aide numérique|aide au numérique|médiation numérique|"
                "outils numériques|maîtrise des outils": _OUTILS,
                "emploi|recherche d'emploi|aide à l'emploi|cv|insertion|insertion professionnelle|"
                "aide à la recherche d'emploi|création d'entreprise|orientation": _EMPLOI,
                "sécurité|arnaques|cybersécurité|mots de passe|protection des données|"
                "sécurité informatique|phishing": _SECURITE,
                "parentalité|parents|familles|soutien à la parentalité|pronote|éducation|écrans|"
                "contrôle parental|aide aux devoirs": _PARENTS,
                "loisirs|jeux|jeux vidéo|création|créations numériques|fablab|photo|vidéo|retouche photo|"
                "impression 3d|robotique|programmation|codage|culture": _LOISIRS,
                "culture numérique|citoyenneté|citoyenneté numérique|réseaux sociaux|fake news|médias|"
                "éducation aux médias|intelligence artificielle|ia": _MONDE,
                "wifi|wi-fi|accès internet|connexion|connexion internet|point d'accès|point numérique|postes|"
                "postes informatiques|postes en libre accès|ordinateurs en libre accès|libre accès|"
                "accès libre|accès à internet|espace informatique|imprimante|impression|scanner|photocopies|"
                "prêt de matériel|mise à disposition d'ordinateurs|accès à un ordinateur|matériel": _ACCES,
                "reconditionné|ordinateurs reconditionnés|matériel reconditionné|vente de matériel|"
                "don de matériel|équipement|achat de matériel|prix solidaire": _MATERIEL,
            },
            LABELS_V0["services"],
        ),
    ),
    "publics": Vocabulary(
        ("publics_specifiquement_adresses",),
        _words(
            {
                "jeune|16-25|16-25 ans|adolescents|ados|12-25 ans|moins de 26 ans|mineurs": "Jeunes",
                "étudiant|lycéens|lycéens et étudiants": "Étudiants",
                "famille|enfants|parents|scolaires|familles et enfants": "Familles et/ou enfants",
                "senior|retraités|personnes âgées|aînés|+ 60 ans|plus de 60 ans|plus de 65 ans|"
                "60 ans et plus|65 ans et plus|troisième âge": "Seniors",
                "femme": "Femmes",
                "tous|tout public|tous publics|tous les publics|adultes|adulte|grand public|habitants|"
                "tout le monde|toute personne": "",
            },
            LABELS_V0["publics"],
        ),
    ),
    "handicaps": Vocabulary(
        ("prise_en_charge_specifique",),
        _words(
            {
                "sourds|sourd|malentendants|sourds et malentendants|lsf|langue des signes|"
                "handicap auditif|auditif": "Surdité",
                "pmr|mobilité réduite|fauteuil|fauteuil roulant|handicap moteur|moteur": "Handicaps moteurs",
                "mental|handicap mental|handicap cognitif|cognitif": "Handicaps mentaux",
                "illettrisme|illettrés|non-lecteurs|alphabétisation": "Illettrisme",
                "anglais|english": "Langues étrangères (anglais)",
                "fle|allophones|langue étrangère|espagnol|arabe|portugais|traduction|"
                "interprète": "Langues étrangères (autres)",
                "aveugles|malvoyants|aveugles et malvoyants|handicap visuel|visuel|braille|"
                "déficient visuel": "Déficience visuelle",
                "aucun|aucune|non|néant": "",
            },
            LABELS_V0["handicaps"],
        ),
    ),
    "frais": Vocabulary(
        ("frais_a_charge",),
        _words(
            {
                "gratuit|gratuite|libre|0|0 €|0€|sans frais|non payant|aucun|aucuns frais|"
                "entrée libre|service gratuit": "Gratuit",
                "gratuit sur conditions|sous condition|sous conditions|selon quotient|selon revenus|"
                "quotient familial|gratuit pour les adhérents|pass numérique|"
                "gratuit pour les demandeurs d'emploi": "Gratuit sous condition",
                "payant|payante|adhésion|adhésion annuelle|cotisation|sur adhésion|tarif|participation|"
                "participation libre|abonnement|sur abonnement": "Payant",
            },
            LABELS_V0["frais"],
        ),
    ),
    "typologie": Vocabulary(
        ("typologie",),
        _words(
            {
                "association|asso|association loi 1901|associatif": "ASSO",
                "bibliothèque|médiathèque|médiathèque municipale|bibliothèque municipale|"
                "médiathèque intercommunale|ludothèque": "BIB",
                "mairie|commune|municipalité|hôtel de ville|ville|collectivité|mairie annexe": "MUNI",
                "ccas|centre communal d'action sociale": "CCAS",
                "cias|centre intercommunal d'action sociale": "CIAS",
                "caf": "CAF",
                "communauté de communes|cdc|cc": "CC",
                "intercommunalité|agglomération|communauté d'agglomération|epci": "EPCI",
                "centre social": "CS",
                "centre socioculturel|centre socio-culturel": "CSC",
                "espace de vie sociale|evs": "EVS",
                "mjc|maison des jeunes": "MJC",
                "mission locale|ml": "ML",
                "tiers-lieu|tiers lieux|coworking|espace de coworking|tiers-lieux": "TIERS_LIEUX",
                "fablab|fab lab": "FABLAB",
                "cyberbase|cyber-base|espace public numérique|epn|espace numérique|point cyb": "EPN",
                "france services|maison france services|france service|mfs|espace france services": "RFS",
                "msap|maison de services au public": "MSAP",
                "la poste|poste|agence postale|agence postale communale|bureau de poste": "LA_POSTE",
                "france travail|pôle emploi|pole emploi": "FT",
                "département|conseil départemental": "CD",
                "cms|centre médico-social": "CMS",
                "mds|maison des solidarités": "MDS",
                "msa": "MSA",
                "cpam|assurance maladie": "CPAM",
                "pij|bij|point information jeunesse|info jeunes": "PIJ_BIJ",
                "pimms": "PIMMS",
                "ressourcerie|recyclerie": "RESSOURCERIE",
                "régie de quartier|maison de quartier": "MQ",
                "organisme de formation|greta|centre de formation": "OF",
                "bus|bus numérique|camion numérique|espace mobile": "ENM",
                "autre|autres|entreprise|privé|collège|lycée|école": "Autre",
            }
        ),
    ),
    "dispositifs": Vocabulary(
        ("dispositif_programmes_nationaux",),
        _words(
            {
                "aidants connect|aidant connect|aidant": "Aidants Connect",
                "bnr": "Bibliothèques numérique de référence",
                "pix|certification pix": "Certification PIX",
                "conseiller numérique|conseillers numériques|cnfs|cnum|"
                "conseiller numérique france services": "Conseillers numériques",
                "emmaus connect": "Emmaüs Connect",
                "france service|fs|maison france services|efs|label france services": "France Services",
                "grande école du numérique|gen": "Grande école du numérique",
                "croix-rouge|croix rouge française": "La Croix Rouge",
                "point numérique caf|caf": "Point d'accès numérique CAF",
                "promeneur du net|pdn": "Promeneurs du net",
                "aucun|aucune|non|néant": "",
            },
            LABELS_V0["dispositifs"],
        ),
    ),
    "acces": Vocabulary(
        ("modalites_acces",),
        _words(
            {
                "sur place|accueil libre|sans rendez-vous|sans rdv|accueil physique|accueil|libre|"
                "entrée libre|accès libre|se déplacer": "Se présenter",
                "téléphone|tel|par téléphone|rdv par téléphone|rdv téléphonique|appeler": "Téléphoner",
                "mail|courriel|email|e-mail|par mail|par courriel": "Contacter par mail",
                "en ligne|rdv en ligne|doctolib|prise de rdv en ligne|rendez-vous en ligne|"
                "internet": "Prendre un RDV en ligne",
                "pas d'accueil|fermé au public|pas d'accueil du public": "Ce lieu n'accueille pas de public",
                "prescription|orientation|sur orientation|"
                "sur prescription": "Envoyer un mail avec une fiche de prescription",
            }
        ),
    ),
    "accompagnement": Vocabulary(
        ("modalites_accompagnement",),
        _words(
            {
                "autonomie|seul|libre service|libre accès|accès libre|en accès libre": _SEUL,
                "individuel|accompagnement|individuelle|avec de l'aide|rdv individuel|à ma place|"
                "accompagnement personnalisé|aide individuelle|personnalisé": _ACCOMPAGNE,
                "atelier|collectif|groupe|en groupe|atelier collectif|cours|stage|formation": _ATELIER,
                "distance|visio|par téléphone|téléphone|en visio|à distance": _DISTANCE,
            },
            LABELS_V0["accompagnement"],
        ),
    ),
}
"""Name of a vocabulary → its fields and words."""


def translated(vocabulary: str, word: str) -> str | None:
    """Return the value that a word stands for, read without its remark in brackets; None if unknown."""
    words = VOCABULARIES[vocabulary].words
    found = words.get(key(word))
    return words.get(key(_REMARK.sub("", word))) if found is None else found


def vocabularies_of(field: str) -> tuple[str, ...]:
    """Return the names of the vocabularies for a field, the most specific first."""
    names = [name for name, vocabulary in VOCABULARIES.items() if field in vocabulary.fields]
    return tuple(sorted(names, key=lambda name: len(VOCABULARIES[name].fields)))
