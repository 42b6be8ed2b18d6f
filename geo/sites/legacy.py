"""Translate version 0.1 of the national standard to version 1: fields and values.

The translation is that of the national tools. The standard itself merged fifteen services into
nine; values without equivalent give an issue. Values of neither version are left unchanged, for
validation to report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from geo.sites import standard
from geo.sites.model import LOCAL_PREFIX, Issue, Severity
from geo.sites.text import fold

ONLY_V0: Final[frozenset[str]] = frozenset(
    {
        "cle_ban",
        "courriel",
        "publics_accueillis",
        "conditions_acces",
        "conditions_access",
        "labels_nationaux",
        "labels_autres",
        "accessibilite",
    }
)
"""Columns that version 1 renamed, split or removed; real files also spell one `conditions_access`."""

_RENAMED = {
    "courriel": "courriels",
    "labels_autres": "autres_formations_labels",
    "accessibilite": "fiche_acces_libre",
}

_SERVICES = {
    "Devenir autonome dans les démarches administratives": "Aide aux démarches administratives",
    "Réaliser des démarches administratives avec un accompagnement": "Aide aux démarches administratives",
    "Accompagner les démarches de santé": "Aide aux démarches administratives",
    "Prendre en main un smartphone ou une tablette": "Maîtrise des outils numériques du quotidien",
    "Prendre en main un ordinateur": "Maîtrise des outils numériques du quotidien",
    "Utiliser le numérique au quotidien": "Maîtrise des outils numériques du quotidien",
    "Approfondir ma culture numérique": "Compréhension du monde numérique",
    "Promouvoir la citoyenneté numérique": "Compréhension du monde numérique",
    "Favoriser mon insertion professionnelle": "Insertion professionnelle via le numérique",
    "Créer et développer mon entreprise": "Insertion professionnelle via le numérique",
    "Accéder à une connexion internet": "Accès internet et matériel informatique",
    "Accéder à du matériel": "Accès internet et matériel informatique",
    "S'équiper en matériel informatique": "Acquisition de matériel informatique à prix solidaire",
    "Créer avec le numérique": "Loisirs et créations numériques",
    "Soutenir la parentalité et l'éducation avec le numérique": "Parentalité et éducation avec le numérique",
}
_PUBLICS = {
    "Seniors (+ 65 ans)": "Seniors",
    "Jeunes (16-26 ans)": "Jeunes",
    "Familles/enfants": "Familles et/ou enfants",
    "Uniquement femmes": "Femmes",
}
_CARE = {
    "Déficience visuelle": "Déficience visuelle",
    "Surdité": "Surdité",
    "Handicaps mentaux": "Handicaps mentaux",
    "Personnes en situation d'illettrisme": "Illettrisme",
    "Public langues étrangères": "Langues étrangères (autres)",
}
_DROPPED_PUBLICS = ("Adultes", "Handicaps psychiques")
_COSTS = {
    "Gratuit": "Gratuit",
    "Gratuit sous condition": "Gratuit sous condition",
    "Payant": "Payant",
    "Adhésion": "Payant",
    "Accepte le Pass numérique": "Gratuit sous condition",
}
_PROGRAMMES = {
    "France Services": "France Services",
    "CNFS": "Conseillers numériques",
    "Aidants Connect": "Aidants Connect",
    "Grandes écoles du numérique": "Grande école du numérique",
    "Point numérique CAF": "Point d'accès numérique CAF",
}
_LABELS = {"Fabriques de Territoire": "Fabriques de Territoire"}
_OTHER_LABELS = ("APTIC", "Point relais CAF", "Relais pôle emploi", "French Tech", "Campus connecté")
_SUPPORT = {
    "Seul": "En autonomie",
    "Avec de l'aide": "Accompagnement individuel",
    "Dans un atelier": "Dans un atelier collectif",
    "A ma place": "Accompagnement individuel",
    "À distance": "À distance",
}

LABELS_V0: Final = {
    "services": _SERVICES,
    "publics": _PUBLICS,
    "handicaps": _CARE,
    "frais": _COSTS,
    "dispositifs": _PROGRAMMES,
    "accompagnement": _SUPPORT,
}
"""Labels of version 0.1 and those of version 1 that replace them, by the vocabulary they belong to."""

_PASS = "Accepte le Pass numérique"  # noqa: S105 (a voucher, not a password)
_LESS_EXACT = {
    "Adhésion": "L'adhésion demandée est rendue par « Payant ».",
    _PASS: "Le Pass numérique n'est plus dans le standard : rendu par « Gratuit sous condition » "
    "et gardé à part.",
    "A ma place": "« À ma place » est rendu par « Accompagnement individuel ».",
    "Public langues étrangères": "La langue n'est pas dite : rendu par « Langues étrangères (autres) ».",
}


def _folded(table: Mapping[str, str]) -> dict[str, str]:
    return {fold(old): new for old, new in table.items()}


_BY_FOLD = {
    "services": _folded(_SERVICES),
    "publics": _folded(_PUBLICS),
    "care": _folded(_CARE),
    "costs": _folded(_COSTS),
    "programmes": _folded(_PROGRAMMES),
    "labels": _folded(_LABELS),
    "support": _folded(_SUPPORT),
}
_DROPPED_FOLDED = frozenset(map(fold, _DROPPED_PUBLICS))
_OTHER_FOLDED = frozenset(map(fold, _OTHER_LABELS))
_LESS_EXACT_FOLDED = _folded(_LESS_EXACT)

_LONG_FORM = re.compile(r"\s:\s")
_BETWEEN_SITES = re.compile(r"[;|]|,(?=\s*https?://)")


def to_v1(old: Mapping[str, str], *, line: int) -> tuple[dict[str, str], tuple[Issue, ...]]:
    """Translate a record of version 0.1 to version 1.

    Parameters
    ----------
    old
        Field → text, values joined by `;`. Fields of neither version are dropped; fields that
        version 1 added are copied when the file already has them.
    line
        Line where the record begins, for the issues.

    Returns
    -------
    Field → text, values joined by `|`; and one `repaired` issue for each loss.
    """
    translation = _Translation(line)
    new = {name: text for name, text in old.items() if name in standard.FIELDS}
    for before, after in _RENAMED.items():
        if text := old.get(before, ""):
            new[after] = text
    for name in standard.MULTIVALUED & new.keys() - {"site_web"}:
        new[name] = standard.SEPARATOR.join(_tokens(new[name]))
    if "site_web" in new:
        new["site_web"] = standard.SEPARATOR.join(
            site.strip() for site in _BETWEEN_SITES.split(new["site_web"]) if site.strip()
        )

    if "services" in new:
        new["services"] = translation.values("services", new["services"], "services")
    if "modalites_accompagnement" in new:
        new["modalites_accompagnement"] = translation.values(
            "modalites_accompagnement", new["modalites_accompagnement"], "support"
        )
    for column in ("conditions_acces", "conditions_access"):
        if text := old.get(column, ""):
            new["frais_a_charge"] = translation.values(column, text, "costs")
            if any(_key(token) == fold(_PASS) for token in _tokens(text)):
                new[f"{LOCAL_PREFIX}pass_numerique"] = "true"
    if text := old.get("publics_accueillis", ""):
        translation.publics(text, new)
    if text := old.get("labels_nationaux", ""):
        translation.labels(text, new)
    return new, tuple(translation.issues)


class _Translation:
    """Translation of the values of one record; collects an issue for each loss."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.issues: list[Issue] = []

    def values(self, column: str, text: str, table: str) -> str:
        found = []
        for token in _tokens(text):
            key = _key(token)
            found.append(_BY_FOLD[table].get(key, token))
            if reason := _LESS_EXACT_FOLDED.get(key):
                self._record_loss(column, token, reason)
        return _joined(found)

    def publics(self, text: str, new: dict[str, str]) -> None:
        column = "publics_accueillis"
        publics, care = [], []
        for token in _tokens(text):
            key = _key(token)
            if key in _DROPPED_FOLDED:
                self._record_loss(
                    column, token, "Cette valeur n'a pas d'équivalent dans la version 1 : laissée de côté."
                )
            elif key in _BY_FOLD["care"]:
                care.append(_BY_FOLD["care"][key])
                if reason := _LESS_EXACT_FOLDED.get(key):
                    self._record_loss(column, token, reason)
            else:
                publics.append(_BY_FOLD["publics"].get(key, token))
        _add(new, "publics_specifiquement_adresses", publics)
        _add(new, "prise_en_charge_specifique", care)

    def labels(self, text: str, new: dict[str, str]) -> None:
        programmes, labels, others = [], [], []
        for token in _tokens(text):
            key = _key(token)
            if key in _OTHER_FOLDED:
                others.append(token)
                self._record_loss(
                    "labels_nationaux",
                    token,
                    "Ce label n'est plus dans la liste nationale : gardé parmi les autres labels.",
                )
            elif key in _BY_FOLD["labels"]:
                labels.append(_BY_FOLD["labels"][key])
            else:
                programmes.append(_BY_FOLD["programmes"].get(key, token))
        _add(new, "dispositif_programmes_nationaux", programmes)
        _add(new, "formations_labels", labels)
        _add(new, "autres_formations_labels", others)

    def _record_loss(self, column: str, value: str, reason: str) -> None:
        self.issues.append(
            Issue(self.line, column, value[:200], Severity.REPAIRED, "ancienne_valeur", reason)
        )


def _tokens(text: str) -> list[str]:
    return [token.strip() for token in re.split(r"[;|]", text) if token.strip()]


def _key(token: str) -> str:
    """Return the comparison key of a value, without its explanation (« Gratuit : Je peux accéder… »)."""
    return fold(_LONG_FORM.split(token.replace("\xa0", " ").replace("\u202f", " "), maxsplit=1)[0])


def _joined(values: list[str]) -> str:
    return standard.SEPARATOR.join(dict.fromkeys(values))


def _add(new: dict[str, str], name: str, values: list[str]) -> None:
    if values:
        new[name] = _joined([*_tokens(new.get(name, "")), *values])
