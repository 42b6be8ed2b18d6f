"""Catalogue of the findings of validation: code, severity, French reason and advice.

A test checks the table of docs/validation.md against this catalogue. Findings of the readers have
other codes (docs/formats.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geo.sites.model import Issue, Severity

VALUE_MAX: Final = 200
"""Longest value quoted in an issue, in characters: a report must not grow with a hostile cell."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a field parser, before the line and the severity are known.

    `detail` completes the reason ("il manque un chiffre"); `advice`, when given, replaces the
    usual one of the code.
    """

    code: str
    field: str
    value: str = ""
    detail: str = ""
    advice: str = ""

    def to_issue(self, line: int) -> Issue:
        """Return the issue for this finding at a line of the file."""
        kind = CATALOGUE[self.code]
        return Issue(
            line=line,
            field=self.field,
            value=shorten(self.value),
            severity=kind.severity,
            code=self.code,
            reason=f"{kind.reason} : {self.detail}." if self.detail else f"{kind.reason}.",
            advice=self.advice or kind.advice,
        )


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A kind of finding.

    `lossy` is true when the faulty value is not stored in the record: an import of our own export
    cannot detect the fault again, so the flag is exported in `ext_signalements`.
    """

    severity: Severity
    reason: str
    advice: str
    lossy: bool = False


_R, _F, _P = Severity.REJECTED, Severity.FLAGGED, Severity.REPAIRED

CATALOGUE: Final[dict[str, FindingKind]] = {
    # Rejected: the row can't be used.
    "identifiant_absent": FindingKind(
        _R, "Ce lieu n'a pas d'identifiant", "Donnez à chaque lieu un identifiant unique et durable."
    ),
    "identifiant_trop_long": FindingKind(
        _R,
        "L'identifiant dépasse 200 caractères",
        "Vérifiez que les colonnes ne sont pas décalées, ou choisissez un identifiant plus court.",
    ),
    "identifiant_en_double": FindingKind(
        _R,
        "Un autre lieu du même fichier porte déjà cet identifiant",
        "Donnez un identifiant propre à ce lieu, ou supprimez la ligne si elle est en double.",
    ),
    "nom_absent": FindingKind(_R, "Ce lieu n'a pas de nom", "Indiquez le nom du lieu."),
    "lieu_introuvable": FindingKind(
        _R,
        "Rien ne dit où est ce lieu : ni commune, ni code postal, ni coordonnées",
        "Indiquez au moins la commune et le code postal.",
    ),
    # Flagged: the row is kept and shown with its flag.
    "accents_illisibles": FindingKind(
        _F,
        "Ce texte a des caractères mal décodés, que rien ne permet de retrouver",
        "Corrigez ce texte, ou demandez à son producteur un nouvel export en UTF-8.",
        lossy=True,
    ),
    "adresse_absente": FindingKind(_F, "L'adresse manque", "Indiquez le numéro et la voie."),
    "arret_illisible": FindingKind(
        _F,
        "Un arrêt n'a pas pu être lu et a été écarté",
        "Écrivez chaque arrêt « lieu @ jour heures », par exemple « Halle @ Tu 09:00-12:00 ».",
        lossy=True,
    ),
    "code_postal_absent": FindingKind(
        _F, "Le code postal manque ou n'est pas valable", "Indiquez les cinq chiffres du code postal."
    ),
    "code_postal_corrige": FindingKind(
        _F,
        "Il manquait un chiffre au code postal ; il a été retrouvé par la commune",
        "Vérifiez le code postal, puis corrigez-le dans le fichier d'origine.",
        lossy=True,
    ),
    "code_postal_discordant": FindingKind(
        _F,
        "Le code postal n'est pas un de ceux de la commune",
        "Vérifiez le code postal et la commune.",
    ),
    "commune_ambigue": FindingKind(
        _F,
        "Plusieurs communes sont possibles : le lieu n'est rattaché à aucune",
        "Indiquez le nom de la commune, ou son code INSEE.",
    ),
    "commune_ancienne": FindingKind(
        _F,
        "Cette commune fait partie d'une autre depuis une fusion",
        "Donnez le nom et le code INSEE de la commune d'aujourd'hui.",
        lossy=True,
    ),
    "commune_deduite": FindingKind(
        _F,
        "La commune a été déduite de ce que dit la fiche",
        "Vérifiez la commune, puis écrivez son nom et son code INSEE dans le fichier d'origine.",
        lossy=True,
    ),
    "commune_discordante": FindingKind(
        _F,
        "Le code INSEE, le nom de la commune et le reste de la fiche ne s'accordent pas",
        "Vérifiez le code INSEE et le nom de la commune.",
        lossy=True,
    ),
    "commune_inconnue": FindingKind(
        _F,
        "Cette commune n'a été reconnue ni sur le territoire ni chez ses voisins",
        "Vérifiez le nom de la commune et le code postal ; si le lieu est bien ailleurs, rien n'est à faire.",
    ),
    "coordonnees_invalides": FindingKind(
        _F,
        "Les coordonnées ne sont pas utilisables",
        "Donnez la latitude et la longitude en degrés, par exemple 44.2033 et 0.6163.",
        lossy=True,
    ),
    "coordonnees_projetees": FindingKind(
        _F,
        "Les coordonnées étaient des mètres d'une projection ; elles ont été converties en degrés",
        "Donnez la latitude et la longitude en degrés, par exemple 44.2033 et 0.6163.",
        lossy=True,
    ),
    "courriel_invalide": FindingKind(
        _F,
        "Cette adresse électronique n'est pas valable ; elle n'est pas affichée",
        "Corrigez l'adresse électronique.",
        lossy=True,
    ),
    "date_ambigue": FindingKind(
        _F,
        "Cette date peut se lire de deux façons",
        "Vérifiez-la, et écrivez les dates sous la forme 2026-03-31.",
        lossy=True,
    ),
    "date_inconnue": FindingKind(
        _F,
        "La date de mise à jour n'est pas connue",
        "Indiquez la date de dernière mise à jour, sous la forme 2026-03-31.",
    ),
    "fermeture_illisible": FindingKind(
        _F,
        "Une fermeture n'a pas pu être lue et a été écartée",
        "Écrivez par exemple « Aug » pour le mois d'août, « Aug 01-15 », ou « 2026 Dec 24-2027 Jan 02 ».",
        lossy=True,
    ),
    "horaires_en_partie_illisibles": FindingKind(
        _F,
        "Une partie des horaires n'est pas lisible : elle est affichée telle quelle et comptée comme "
        "inconnue, le reste est lu",
        "Écrivez chaque jour au format OpenStreetMap, par exemple « Tu 09:00-12:00,14:00-17:00 ».",
    ),
    "horaires_illisibles": FindingKind(
        _F,
        "Les horaires ne sont pas dans un format lisible : ils sont affichés tels quels et comptés "
        "comme inconnus",
        "Écrivez-les au format OpenStreetMap, par exemple « Mo-Fr 09:00-12:00,14:00-17:00 ».",
    ),
    "hors_commune": FindingKind(
        _F,
        "Les coordonnées tombent loin de la commune du lieu : il est placé à son adresse ou à la mairie en "
        "attendant",
        "Corrigez les coordonnées, ou la commune si c'est elle qui est fausse.",
        lossy=True,
    ),
    "jeu_de_donnees_invalide": FindingKind(
        _F,
        "Le nom du jeu de données n'est pas valable ; celui de l'import a été pris",
        "Employez des minuscules, des chiffres et des tirets, par exemple « france-services ».",
        lossy=True,
    ),
    "nom_commune_inconnu": FindingKind(
        _F,
        "Ce nom n'est celui d'aucune commune connue ; il est gardé, et le lieu rattaché à la commune que "
        "le reste de la fiche désigne",
        "Vérifiez le nom de la commune ; si c'est une ancienne commune ou un hameau, rien n'est à faire.",
    ),
    "pivot_invalide": FindingKind(
        _F,
        "Le numéro SIRET, SIREN ou RNA n'est pas valable ; il n'a pas été gardé",
        "Vérifiez ce numéro sur annuaire-entreprises.data.gouv.fr.",
        lossy=True,
    ),
    "position_adresse": FindingKind(
        _F,
        "Les coordonnées manquent ou ne conviennent pas : le lieu est placé à son adresse, trouvée dans la "
        "base d'adresses",
        "Ajoutez la latitude et la longitude du lieu.",
        lossy=True,
    ),
    "position_approximative": FindingKind(
        _F,
        "Les coordonnées manquent : le lieu est placé à la mairie",
        "Ajoutez la latitude et la longitude du lieu.",
        lossy=True,
    ),
    "position_rue": FindingKind(
        _F,
        "Les coordonnées manquent ou ne conviennent pas : le lieu est placé dans sa rue, que la base "
        "d'adresses connaît sans ce numéro",
        "Ajoutez la latitude et la longitude du lieu, ou vérifiez le numéro.",
        lossy=True,
    ),
    "telephone_invalide": FindingKind(
        _F,
        "Ce numéro de téléphone n'est pas valable ; il n'est pas affiché",
        "Donnez un numéro à dix chiffres, ou avec son indicatif (+33…).",
        lossy=True,
    ),
    "url_refusee": FindingKind(
        _F,
        "Cette adresse web n'est pas valable ; elle n'est pas affichée",
        "Donnez une adresse qui commence par https://.",
        lossy=True,
    ),
    "valeur_inconnue": FindingKind(
        _F,
        "Cette valeur n'est pas dans la liste du standard ; elle n'a pas été gardée",
        "Choisissez une des valeurs du standard.",
        lossy=True,
    ),
    # Repaired: the record says the same, better written.
    "accents_repares": FindingKind(
        _P,
        "Les accents de ce texte étaient mal décodés ; ils ont été rétablis",
        "Demandez à son producteur un export en UTF-8.",
    ),
    "code_insee_deduit": FindingKind(
        _P, "Le code INSEE a été retrouvé", "Ajoutez le code INSEE dans le fichier d'origine."
    ),
    "code_postal_deduit": FindingKind(
        _P, "Le code postal a été retrouvé", "Corrigez le code postal dans le fichier d'origine."
    ),
    "commune_normalisee": FindingKind(
        _P, "Le nom de la commune est écrit comme au Code officiel géographique", "Rien à faire."
    ),
    "coordonnees_inversees": FindingKind(
        _P,
        "La latitude et la longitude étaient échangées ; elles ont été remises en ordre",
        "Échangez les deux colonnes dans le fichier d'origine.",
    ),
    "coordonnees_jointes": FindingKind(
        _P,
        "La latitude et la longitude étaient dans une seule case ; elles ont été séparées",
        "Mettez la latitude et la longitude dans deux colonnes.",
    ),
    "coordonnees_sexagesimales": FindingKind(
        _P,
        "Les coordonnées étaient en degrés, minutes et secondes, ou avec leurs signes ; elles ont été "
        "écrites en degrés décimaux",
        "Employez des degrés décimaux, par exemple 44.2033.",
    ),
    "courriel_corrige": FindingKind(_P, "L'adresse électronique a été mise en forme", "Rien à faire."),
    "date_normalisee": FindingKind(
        _P, "La date a été écrite au format du standard", "Écrivez les dates sous la forme 2026-03-31."
    ),
    "entites_html": FindingKind(
        _P,
        "Ce texte était écrit avec des codes de page web, comme « &eacute; » ; ils ont été remplacés",
        "Rien à faire.",
    ),
    "horaires_corriges": FindingKind(
        _P,
        "Les horaires ne sont pas au format OpenStreetMap ; ils sont gardés tels quels, et compris ainsi",
        "Vérifiez cette lecture, et écrivez-la dans le fichier d'origine.",
    ),
    "pivot_absent": FindingKind(
        _P,
        "Le numéro SIRET ou RNA manque : la valeur convenue « inconnu » est mise à sa place",
        "Ajoutez le SIRET si la structure en a un.",
    ),
    "pivot_normalise": FindingKind(
        _P, "Les espaces et les points du numéro SIRET, SIREN ou RNA ont été retirés", "Rien à faire."
    ),
    "remarque_lue": FindingKind(
        _P,
        "Une remarque sur les horaires a été lue dans un texte libre",
        "Vérifiez cette lecture ; la remarque reste affichée avec les horaires.",
    ),
    "resume_raccourci": FindingKind(
        _P,
        "Le résumé dépassait 280 caractères : il est raccourci, et gardé en entier dans la présentation "
        "détaillée",
        "Écrivez un résumé plus court.",
    ),
    "separateur_corrige": FindingKind(
        _P, "Plusieurs valeurs étaient séparées autrement que par « | »", "Séparez les valeurs par « | »."
    ),
    "telephone_avec_remarque": FindingKind(
        _P,
        "Des mots accompagnent le numéro de téléphone ; ils sont gardés à côté de lui",
        "Rien à faire.",
    ),
    "telephone_multiple": FindingKind(
        _P,
        "Plusieurs numéros de téléphone sont donnés ; chacun est gardé, avec sa remarque",
        "Mettez en premier le numéro à appeler.",
    ),
    "telephone_normalise": FindingKind(
        _P, "Le numéro de téléphone est écrit sous sa forme internationale", "Rien à faire."
    ),
    "texte_nettoye": FindingKind(
        _P, "Des caractères invisibles ou de commande ont été retirés", "Rien à faire."
    ),
    "url_completee": FindingKind(
        _P, "L'adresse web a été complétée", "Écrivez l'adresse entière, avec https://."
    ),
    "valeur_normalisee": FindingKind(
        _P, "La valeur est écrite comme dans le standard", "Employez l'orthographe exacte du standard."
    ),
    "virgule_decimale": FindingKind(
        _P,
        "La coordonnée employait une virgule",
        "Employez un point, par exemple 44.2033.",
    ),
}
"""Code → kind, ordered by severity, then alphabetically."""

CARRIED_OVER: Final = "Signalé lors d'un import précédent"
"""Reason of a flag that comes from our own export and cannot be checked again."""


def carried_over_issue(code: str, line: int) -> Issue:
    """Return the issue for a flag read from `ext_signalements`."""
    kind = CATALOGUE.get(code)
    return Issue(
        line=line,
        field="ext_signalements",
        value=code,
        severity=Severity.FLAGGED,
        code=code,
        reason=f"{CARRIED_OVER} : {kind.reason[0].lower()}{kind.reason[1:]}." if kind else f"{CARRIED_OVER}.",
        advice="Si c'est corrigé, retirez ce code de la colonne ext_signalements."
        if kind is None
        else f"{kind.advice} Puis retirez ce code de la colonne ext_signalements.",
    )


def shorten(value: str) -> str:
    """Shorten a value to at most `VALUE_MAX` characters."""
    return value if len(value) <= VALUE_MAX else value[: VALUE_MAX - 1] + "…"
