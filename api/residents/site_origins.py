"""Where each value of a site page comes from, and what other sources say instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geo.sites.export import format_cell
from geo.sites.model import Origin, Site
from geo.sites.text import fold
from geo.wording import dates
from geo.wording.language import N_, Language

LABELS: Final[Mapping[str, str]] = {
    "nom": N_("Nom"),
    "adresse": N_("Adresse"),
    "complement_adresse": N_("Complément d'adresse"),
    "telephone": N_("Téléphone"),
    "autres_telephones": N_("Autres numéros"),
    "courriels": N_("Adresse électronique"),
    "site_web": N_("Site internet"),
    "horaires": N_("Horaires"),
    "fermetures": N_("Fermetures"),
    "remarques_horaires": N_("Remarques sur les horaires"),
    "sur_rendez_vous": N_("Sur rendez-vous"),
    "arrets": N_("Passages"),
    "services": N_("Ce que je peux y faire"),
    "frais_a_charge": N_("Prix"),
    "pass_numerique": N_("Accepte le Pass Numérique"),
    "acces_fauteuil": N_("Accessible en fauteuil roulant"),
    "modalites_acces": N_("Comment prendre contact"),
    "modalites_accompagnement": N_("Comment on est aidé"),
    "publics_specifiquement_adresses": N_("Pour qui"),
    "prise_en_charge_specifique": N_("Aide particulière"),
    "structure_parente": N_("Structure"),
    "presentation_resume": N_("Présentation"),
    "presentation_detail": N_("Présentation détaillée"),
    "membre_reseau": N_("Membre du réseau départemental"),
    "prise_rdv": N_("Prise de rendez-vous"),
}
"""Fields whose origin is shown, in the order of the page, with their plain names."""

_IN_WORDS: Final = frozenset(
    {
        *("nom", "adresse", "complement_adresse", "structure_parente"),
        *("presentation_resume", "presentation_detail"),
    }
)
_BRACKETS: Final = re.compile(r"(?<=\S) \([^()]*\)$")
_NOT_WORDS: Final = re.compile(r"[^\w+]+")

OTHER_MAX: Final = 200
"""Longest value of another source that is quoted, in characters."""


@dataclass(frozen=True)
class FieldOrigin:
    """One line: the field, where its value comes from, and what other sources say."""

    label: str
    sentence: str
    others: tuple[str, ...]


def field_origins(_: Language, site: Site, producers: Mapping[str, str]) -> tuple[FieldOrigin, ...]:
    """Return the origin of each shown value; nothing for a site of one record without corrections.

    Parameters
    ----------
    producers
        Name of a dataset → who publishes it.
    """
    if not site.origins:
        return ()
    conflicts: dict[str, list[str]] = {}
    for field, value, records in _other_values(site):
        quoted = value if len(value) <= OTHER_MAX else f"{value[: OTHER_MAX - 1]}…"
        who = _names(producers, records)
        conflicts.setdefault(field, []).append(
            _("Une autre source (%(who)s) dit : « %(value)s ».", who=who, value=quoted)
            if len(records) == 1
            else _("D'autres sources (%(who)s) disent : « %(value)s ».", who=who, value=quoted)
        )
    found = {each.field: each for each in site.origins}
    return tuple(
        FieldOrigin(_(label), _sentence(_, found.get(name), producers), tuple(conflicts.get(name, ())))
        for name, label in LABELS.items()
        if name in found or name in conflicts
    )


def _other_values(site: Site) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the fields, values and records of conflicts, in their order.

    Equal values are one; in fields of words, case, accents and punctuation do not matter. What says the
    same as the value shown is left out.
    """
    found: dict[tuple[str, str], tuple[str, list[str]]] = {}
    for each in site.conflicts:
        if each.field in LABELS:
            value = _text(each.value)
            found.setdefault((each.field, _words(each.field, value)), (value, []))[1].append(each.record)
    return [
        (field, value, tuple(records))
        for (field, words), (value, records) in found.items()
        if words != _words(field, _text(getattr(site, field)))
    ]


def _text(value: object) -> str:
    return format_cell(value).replace("|", ", ")


def _words(field: str, text: str) -> str:
    if field not in _IN_WORDS:
        return text
    return " ".join(_NOT_WORDS.sub(" ", fold(text)).split())


def _sentence(_: Language, origin: Origin | None, producers: Mapping[str, str]) -> str:
    if origin is None:
        return _("Aucune source retenue.")
    day = dates.long_date(origin.day, _) if origin.day else ""
    if origin.correction is not None:
        return _("Corrigé par l'équipe qui tient cette liste, le %(day)s.", day=day)
    who = _names(producers, origin.records)
    return _("%(who)s, le %(day)s.", who=who, day=day) if day else _("%(who)s.", who=who)


def _names(producers: Mapping[str, str], keys: tuple[str, ...]) -> str:
    """Return who publishes the datasets of some records, without the form of the file in brackets."""
    names = dict.fromkeys(key.partition("--")[0] for key in keys)
    return " ; ".join(dict.fromkeys(_BRACKETS.sub("", producers.get(name, name)) for name in names))
