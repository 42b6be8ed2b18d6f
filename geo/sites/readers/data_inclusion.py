"""Read data·inclusion files, schema v1: structures and their services.

Inverse of the national mapping « Lieux de médiation numérique » → data·inclusion. That mapping
merges values, so an issue is reported where the inverse is ambiguous.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from geo.sites import standard
from geo.sites.model import LOCAL_PREFIX, Issue, RawRow, Severity
from geo.sites.readers.content import Content, Format, Record, repaired
from geo.sites.text import fold

_CONNECTION: Final = "numerique--acceder-a-une-connexion-internet"
_EQUIPMENT: Final = "numerique--acquerir-un-equipement"
_ONLINE: Final = "numerique--acceder-a-des-services-en-ligne"
_BASICS: Final = "numerique--maitriser-les-fondamentaux-du-numerique"
_ADMIN: Final = "difficultes-administratives-ou-juridiques--accompagnement-aux-demarches-administratives"

_MASTERY: Final = "Maîtrise des outils numériques du quotidien"

_DISTINCTIVE: Final[tuple[tuple[str, str, frozenset[str]], ...]] = (
    (_ADMIN, "Aide aux démarches administratives", frozenset({_ONLINE})),
    (
        "preparer-sa-candidature--organiser-ses-demarches-de-recherche-demploi",
        "Insertion professionnelle via le numérique",
        frozenset({_BASICS}),
    ),
    (
        "remobilisation--activites-sportives-et-culturelles",
        "Loisirs et créations numériques",
        frozenset({_BASICS}),
    ),
    (
        "famille--soutien-a-la-parentalite-et-a-leducation",
        "Parentalité et éducation avec le numérique",
        frozenset({_BASICS}),
    ),
    (_CONNECTION, "Accès internet et matériel informatique", frozenset({_EQUIPMENT})),
)
"""(theme that only one service produces, that service, the other themes it produces)."""

_COSTS = {"gratuit": "Gratuit", "payant": "Payant"}
_PUBLICS = {
    "etudiants": "Étudiants",
    "familles": "Familles et/ou enfants",
    "femmes": "Femmes",
    "jeunes": "Jeunes",
    "seniors": "Seniors",
}
_ACCESS = {
    "se-presenter": "Se présenter",
    "telephoner": "Téléphoner",
    "envoyer-un-courriel": "Contacter par mail",
    "utiliser-lien-mobilisation": "Prendre un RDV en ligne",
}
_SUPPORT = {
    "aide-materielle": "En autonomie",
    "atelier": "Dans un atelier collectif",
    "accompagnement": "Accompagnement individuel",
}
_NETWORKS = {
    "aidants-connect": "Aidants Connect",
    "conseillers-numeriques": "Conseillers numériques",
    "france-service": "France Services",
    "grandes-ecoles-du-numerique": "Grande école du numérique",
    "croix-rouge": "La Croix Rouge",
}
_PLACE = ("commune", "code_postal", "code_insee", "adresse", "complement_adresse", "latitude", "longitude")


def services_of(themes: Iterable[str]) -> tuple[list[str], set[str]]:
    """Return the smallest set of services that produces the themes, and the unexplained themes."""
    left = set(themes)
    found = []
    explained: set[str] = set()
    for theme, service, further in _DISTINCTIVE:
        if theme in left:
            found.append(service)
            explained |= {theme, *further}
    left -= explained
    # Themes that several services produce: choose one when no service found so far produces them.
    if _BASICS in left or (_BASICS in explained and _ONLINE in left):
        found.append(_MASTERY)
        left -= {_BASICS, _ONLINE}
    if _ONLINE in left:
        found.append("Aide aux démarches administratives")
    if _EQUIPMENT in left:
        found.append("Acquisition de matériel informatique à prix solidaire")
    left -= {_ONLINE, _EQUIPMENT}
    return [service for service in standard.SERVICES if service in found], left


def _has_services(content: Content) -> bool:
    columns = {"services.thematiques", "reseaux_porteurs", "services.type", "services.id"}
    return not columns.isdisjoint(content.columns)


def _translate(record: Record) -> RawRow:
    fields = record.fields
    line = record.line
    issues: list[Issue] = []
    values = {
        "id": fields.get("id", ""),
        "pivot": fields.get("siret", "") or standard.UNKNOWN_PIVOT,
        "nom": fields.get("nom", ""),
        "date_maj": max(_list(fields, "date_maj") + _list(fields, "services.date_maj"), default=""),
        "source": fields.get("source", ""),
        "telephone": _all(fields, "telephone"),
        "courriels": _all(fields, "courriel"),
        "site_web": fields.get("site_web", ""),
        "horaires": _first(fields, "horaires_accueil"),
        "presentation_detail": _first(fields, "description"),
        "fiche_acces_libre": fields.get("accessibilite_lieu", ""),
        "prise_rdv": (_list(fields, "services.lien_mobilisation") or [""])[0],
    }
    values.update(_place(fields))

    themes = _list(fields, "services.thematiques")
    services, unexplained = services_of(themes)
    values["services"] = "|".join(services)
    if not any(theme.startswith("numerique--") for theme in themes):
        issues.append(
            Issue(
                line,
                "services.thematiques",
                "|".join(themes)[:200],
                Severity.FLAGGED,
                "hors_mediation_numerique",
                "Cette structure n'annonce aucun service numérique.",
                "Vérifiez qu'il s'agit bien d'un lieu de médiation numérique.",
            )
        )
    elif unexplained:
        issues.append(_lost(line, "services.thematiques", unexplained))
    if _MASTERY in services and (_ONLINE not in themes or _ADMIN in themes):
        issues.append(
            repaired(
                line,
                "services.thematiques",
                _BASICS,
                "vocabulaire",
                f"Ce thème couvre plusieurs services : rendu par « {_MASTERY} ».",
            )
        )

    _costs(fields, values)
    issues += _publics(line, fields, values)
    values["modalites_acces"] = _translated(fields, "services.modes_mobilisation", _ACCESS)
    support = [_SUPPORT[kind] for kind in _list(fields, "services.type") if kind in _SUPPORT]
    if "a-distance" in _list(fields, "services.modes_accueil"):
        support.append("À distance")
    values["modalites_accompagnement"] = "|".join(support)
    networks = _list(fields, "reseaux_porteurs")
    values["dispositif_programmes_nationaux"] = _translated(fields, "reseaux_porteurs", _NETWORKS)
    if "fabrique-de-territoire" in networks:
        values["formations_labels"] = "Fabriques de Territoire"
    if unknown := set(networks) - _NETWORKS.keys() - {"fabrique-de-territoire"}:
        issues.append(_lost(line, "reseaux_porteurs", unknown))
    return RawRow(line, values, (*record.issues, *issues))


def _place(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the address fields of a structure, or those of its first service when it has none."""
    own = {name: fields.get(name, "") for name in _PLACE}
    if any(own.values()):
        return own
    return {name: (_list(fields, f"services.{name}") or [""])[0] for name in _PLACE}


def _costs(fields: Mapping[str, str], values: dict[str, str]) -> None:
    costs = [_COSTS.get(cost, cost) for cost in _list(fields, "services.frais")]
    details = fold(fields.get("services.frais_precisions", ""))
    if "sous condition" in details:
        costs = ["Gratuit sous condition" if cost == "Gratuit" else cost for cost in costs]
    if "pass numerique" in details:
        values[f"{LOCAL_PREFIX}pass_numerique"] = "true"
    values["frais_a_charge"] = "|".join(costs)


def _publics(line: int, fields: Mapping[str, str], values: dict[str, str]) -> list[Issue]:
    """Set the fields of publics and care; labels of the standard found in the text are preferred."""
    announced = _list(fields, "services.publics")
    spelled = {
        fold(token) for token in fields.get("services.publics_precisions", "").replace(",", "|").split("|")
    }
    publics = [public for public in standard.PUBLICS if fold(public) in spelled]
    care = [kind for kind in standard.PRISES_EN_CHARGE if fold(kind) in spelled]
    publics += [_PUBLICS[public] for public in announced if public in _PUBLICS]
    lost = set(announced) - _PUBLICS.keys() - {"tous-publics"}
    if care:
        lost -= {"personnes-en-situation-de-handicap", "personnes-exilees"}
    values["publics_specifiquement_adresses"] = "|".join(dict.fromkeys(publics))
    values["prise_en_charge_specifique"] = "|".join(care)
    return [_lost(line, "services.publics", lost)] if lost else []


def _lost(line: int, column: str, found: Iterable[str]) -> Issue:
    return repaired(
        line,
        column,
        "|".join(sorted(found)),
        "vocabulaire",
        "Ces valeurs n'ont pas d'équivalent dans le standard : laissées de côté.",
    )


def _list(fields: Mapping[str, str], name: str) -> list[str]:
    return [value for value in fields.get(name, "").split("|") if value]


def _first(fields: Mapping[str, str], name: str) -> str:
    """Return the value of the structure, else that of its first service."""
    return fields.get(name, "") or fields.get(f"services.{name}", "").split("|")[0]


def _all(fields: Mapping[str, str], name: str) -> str:
    """Return the value of the structure, then those of its services, without repetitions."""
    own = fields.get(name, "")
    return "|".join(dict.fromkeys(filter(None, (own, *_list(fields, f"services.{name}")))))


def _translated(fields: Mapping[str, str], name: str, table: Mapping[str, str]) -> str:
    return "|".join(table[value] for value in _list(fields, name) if value in table)


FORMATS = (
    Format(
        "data-inclusion",
        "data·inclusion, schéma v1 (structures et services)",
        "data-inclusion",
        frozenset({"id", "source", "nom", "date_maj"}),
        _translate,
        identity=frozenset({"id", "nom"}),
        among=_has_services,
    ),
)
