"""Fields and values of the national standard « Lieux de médiation numérique » (v1.0.2).

Labels are spelled exactly as the standard spells them, accents and case included. Source:
LaMednum/standard-mediation-num, schema.json v1.0.2 (Licence Ouverte 2.0); codes of `typologie`:
the reference library @gouvfr-anct/lieux-de-mediation-numerique 2.3.0 (MIT).
"""

from __future__ import annotations

from typing import Final

VERSION: Final = "1.0.2"

FIELDS: Final[tuple[str, ...]] = (
    "id",
    "pivot",
    "nom",
    "commune",
    "code_postal",
    "code_insee",
    "adresse",
    "complement_adresse",
    "latitude",
    "longitude",
    "typologie",
    "telephone",
    "courriels",
    "site_web",
    "horaires",
    "presentation_resume",
    "presentation_detail",
    "source",
    "itinerance",
    "structure_parente",
    "date_maj",
    "services",
    "publics_specifiquement_adresses",
    "prise_en_charge_specifique",
    "frais_a_charge",
    "dispositif_programmes_nationaux",
    "formations_labels",
    "autres_formations_labels",
    "modalites_acces",
    "modalites_accompagnement",
    "fiche_acces_libre",
    "prise_rdv",
)
"""The 32 columns, in the order of the standard's CSV."""

REQUIRED: Final[frozenset[str]] = frozenset(
    {"id", "pivot", "nom", "commune", "code_postal", "adresse", "date_maj"}
)

SEPARATOR: Final = "|"
"""Separator of the values of a field since v1.0.0 (a semicolon in v0.1)."""

UNKNOWN_PIVOT: Final = "00000000000000"
"""Value that national tools write when the SIRET is unknown."""

RESUME_MAX: Final = 280
"""Longest `presentation_resume`, in characters."""

ITINERANCE: Final = ("Itinérant", "Fixe")

SERVICES: Final = (
    "Aide aux démarches administratives",
    "Maîtrise des outils numériques du quotidien",
    "Insertion professionnelle via le numérique",
    "Utilisation sécurisée du numérique",
    "Parentalité et éducation avec le numérique",
    "Loisirs et créations numériques",
    "Compréhension du monde numérique",
    "Accès internet et matériel informatique",
    "Acquisition de matériel informatique à prix solidaire",
)

PUBLICS: Final = ("Jeunes", "Étudiants", "Familles et/ou enfants", "Seniors", "Femmes")

PRISES_EN_CHARGE: Final = (
    "Surdité",
    "Handicaps moteurs",
    "Handicaps mentaux",
    "Illettrisme",
    "Langues étrangères (anglais)",
    "Langues étrangères (autres)",
    "Déficience visuelle",
)

FRAIS: Final = ("Gratuit", "Gratuit sous condition", "Payant")

DISPOSITIFS: Final = (
    "Aidants Connect",
    "Bibliothèques numérique de référence",
    "Certification PIX",
    "Conseillers numériques",
    "Emmaüs Connect",
    "France Services",
    "Grande école du numérique",
    "La Croix Rouge",
    "Point d'accès numérique CAF",
    "Promeneurs du net",
    "Relais numérique (Emmaüs Connect)",
)

ETAPES_NUMERIQUES: Final = "Étapes numériques (La Poste)"
ETAPES_NUMERIQUES_STRICT: Final = "Étapes numériques(La Poste)"
"""The only spelling that the schema's pattern accepts (without the space); used by the strict export."""

FORMATIONS: Final = (
    "Formé à « Mon Espace Santé »",
    "Formé à « DUPLEX » (illettrisme)",
    "Arnia/MedNum BFC (Bourgogne-Franche-Comté)",
    "Collectif ressources et acteurs réemploi (Normandie)",
    ETAPES_NUMERIQUES,
    "Fabriques de Territoire",
    "Les Éclaireurs du numérique (Drôme)",
    "Mes Papiers (Métropole de Lyon)",
    "ORDI 3.0",
    "SUD LABS (PACA)",
)

MODALITES_ACCES: Final = (
    "Se présenter",
    "Téléphoner",
    "Contacter par mail",
    "Prendre un RDV en ligne",
    "Ce lieu n'accueille pas de public",
    "Envoyer un mail avec une fiche de prescription",
)

MODALITES_ACCOMPAGNEMENT: Final = (
    "En autonomie",
    "Accompagnement individuel",
    "Dans un atelier collectif",
    "À distance",
)

TYPOLOGIES: Final[dict[str, str]] = {
    "ACI": "Structures porteuses d'ateliers et chantiers d'insertion",
    "ACIPHC": "Atelier chantier d'insertion premières heures en chantier",
    "AFPA": "Agence nationale pour la formation professionnelle des adultes",
    "AI": "Associations intermédiaires",
    "ASE": "Aide sociale à l'enfance",
    "ASSO": "Associations",
    "ASSO_CHOMEUR": "Associations de chômeurs",
    "Autre": "Autre",
    "AVIP": "À vocation d'insertion professionnelle",
    "BIB": "Bibliothèque / Médiathèque",
    "CAARUD": "Centre d'accueil et d'accompagnement à la réduction de risques pour usagers de drogues",
    "CADA": "Centres d'accueil de demandeurs d'asile",
    "CAF": "Caisses d'allocation familial",
    "CAP_EMPLOI": "Cap Emploi",
    "CAVA": "Centres d'adaptation à la vie active",
    "CC": "Communautés de Commune",
    "CCAS": "Centres communaux d'action sociale",
    "CCONS": "Chambres consulaires (CCI, CMA, CA)",
    "CD": "Conseils Départementaux",
    "CDAS": "Centre départemental d'action sociale",
    "CFP": "Centre des finances publiques",
    "CHRS": "Centres d'hébergement et de réinsertion sociale",
    "CHU": "Centres d'hébergement d'urgence",
    "CIAS": "Centres intercommunaux d'action sociale",
    "CIDFF": "Centres d'information sur les droits des femmes et des familles",
    "CITMET": "Cité des métiers",
    "CMP": "Centre Médico Psychologique",
    "CMS": "Centre médico-social",
    "CPAM": "Caisse primaire d'assurance maladie",
    "CPH": "Centres provisoires d'hébergement",
    "CS": "Centre social",
    "CSAPA": "Centre de soins, d'accompagnement et de prévention en addictologie",
    "CSC": "Centre socioculturel",
    "DEETS": "Directions de l'Economie, de l'Emploi, du Travail et des Solidarités",
    "DEPT": "Services sociaux du Conseil départemental",
    "DIPLP": "Délégation interministérielles à la prévention et à la lutte contre la pauvreté",
    "E2C": "École de la deuxième chance",
    "EA": "Entreprise adaptée",
    "EATT": "Entreprise Adaptée",
    "EI": "Entreprises d'insertion",
    "EITI": "Entreprises d'insertion par le travail indépendant",
    "ENM": "Espace Numérique Mobile",
    "EPCI": "Intercommunalité",
    "EPI": "Espace Public Internet",
    "EPIDE": "Établissement pour l'insertion dans l'emploi",
    "EPN": "Espace publique numérique",
    "ES": "Épicerie solidaire",
    "ESAT": "Établissements ou services d'aide par le travail",
    "ESS": "Entreprise de l'Économie Sociale et Solidaire",
    "ETTI": "Entreprises de travail temporaire d'insertion",
    "EVS": "Espace de vie sociale",
    "FABLAB": "Fablab",
    "FABRIQUE": "Fabrique",
    "FAIS": "Fédérations d'acteurs de l'insertion et de la solidarité",
    "FT": "France travail",
    "GEIQ": "Groupements d'employeurs pour l'insertion et la qualification",
    "HUDA": "Hébergement d'urgence pour demandeurs d'asile",
    "LA_POSTE": "La Poste",
    "MDE": "Maison de l'emploi",
    "MDH": "Maison des Habitants",
    "MDEF": "Maison de l'emploi et de la formation",
    "MDPH": "Maison Départementale des Personnes Handicapées",
    "MDS": "Maison Départementale des Solidarités",
    "MJC": "Maison des jeunes et de la culture",
    "ML": "Mission Locale",
    "MQ": "Maison de quartier",
    "MSA": "Mutualité Sociale Agricole",
    "MSAP": "Maison de Services Au Public",
    "MUNI": "Municipalités",
    "OACAS": "Structures agréées Organisme d'accueil communautaire et d'activité solidaire",
    "ODC": "Organisation délégataire d'un CD",
    "OF": "Organisme de formations",
    "OIL": "Opérateur d'intermédiation locative",
    "OPCS": "Organisation porteuse de la clause sociale",
    "PAD": "Point d'Accès au Droit",
    "PENSION": "Pension de famille / résidence accueil",
    "PI": "Point info",
    "PIJ_BIJ": "Points et bureaux information jeunesse",
    "PIMMS": "Pimms Médiation",
    "PJJ": "Protection judiciaire de la jeunesse",
    "PLIE": "Plans locaux pour l'insertion et l'emploi",
    "PREF": "Préfecture, Sous-Préfecture",
    "PREVENTION": "Service ou club de prévention",
    "REG": "Région",
    "RELAIS_LECTURE": "Relais lecture",
    "RESSOURCERIE": "Ressourcerie",
    "RFS": "Réseau France Services",
    "RS_FJT": "Résidence sociale / FJT - Foyer de Jeunes Travailleurs",
    "SCP": "Services et clubs de prévention",
    "SPIP": "Services pénitentiaires d'insertion et de probation",
    "TIERS_LIEUX": "Tiers lieu & coworking",
    "UDAF": "Union Départementale d'Aide aux Familles",
}
"""Code of a kind of structure → its French label. `PE` is read as `FT`."""

ENUMERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "typologie": tuple(TYPOLOGIES),
    "itinerance": ITINERANCE,
    "services": SERVICES,
    "publics_specifiquement_adresses": PUBLICS,
    "prise_en_charge_specifique": PRISES_EN_CHARGE,
    "frais_a_charge": FRAIS,
    "dispositif_programmes_nationaux": DISPOSITIFS,
    "formations_labels": FORMATIONS,
    "modalites_acces": MODALITES_ACCES,
    "modalites_accompagnement": MODALITES_ACCOMPAGNEMENT,
}
"""Field → its closed list of values."""

MULTIVALUED: Final[frozenset[str]] = frozenset(
    {*ENUMERATIONS, "courriels", "site_web", "autres_formations_labels"}
)
"""Fields that hold several values joined by `SEPARATOR`."""
