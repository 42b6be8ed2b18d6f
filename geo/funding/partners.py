"""Partners of the fund and of the local network, their conventions and sites.

No private data: the contact is a function (« responsable de l'inclusion »), never a person, a
telephone number or an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from stdnum.fr import siret as siret_number

from geo.errors import InvalidParameter, UnknownPartner

_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PRIVATE: Final = re.compile(r"@|(\d[\s.]?){6}")
"""An e-mail address, or as many digits as a telephone number has."""


class PartnerKind(StrEnum):
    """Kind of a partner."""

    PUBLIC = "public"
    ASSOCIATION = "association"
    OPERATOR = "operator"
    COMPANY = "company"

    @property
    def label(self) -> str:
        """The French words shown to readers."""
        return {
            "public": "organisme public",
            "association": "association",
            "operator": "opérateur",
            "company": "entreprise",
        }[self]


class SiteRole(StrEnum):
    """Role of a partner for a site."""

    RUNS = "runs"
    SUPPORTS = "supports"

    @property
    def label(self) -> str:
        """The French word shown to readers."""
        return "porte" if self is SiteRole.RUNS else "soutient"


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner, of the local network from `network_from` (None: never) to `network_to` (None: still)."""

    code: str
    name: str
    kind: PartnerKind
    siret: str = ""
    contact_role: str = ""
    website: str = ""
    note: str = ""
    network_from: date | None = None
    network_to: date | None = None
    fictif: bool = False

    def is_member(self, day: date) -> bool:
        """Return whether it is a member of the network on a day, first and last included."""
        return (
            self.network_from is not None
            and self.network_from <= day
            and (self.network_to is None or day <= self.network_to)
        )


@dataclass(frozen=True, slots=True)
class Convention:
    """A convention that a partner signed for a year."""

    partner_code: str
    year: int
    reference: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class SiteLink:
    """A site that a partner runs or supports."""

    partner_code: str
    site_id: str
    role: SiteRole


def checked(partner: Partner) -> Partner:
    """Return the partner if it is valid.

    Raises
    ------
    InvalidParameter
        If its code, name, SIRET, contact, website or dates are invalid; `parameter` names which.
    """
    if not _CODE.fullmatch(partner.code) or len(partner.code) > 60:
        raise InvalidParameter(
            f"Le code « {partner.code} » n'est pas utilisable.",
            "Des minuscules sans accent, des chiffres et des tirets simples : caf-47.",
            parameter="code",
        )
    if not partner.name.strip():
        raise InvalidParameter(
            "Le partenaire n'a pas de nom.", "Donnez sa dénomination usuelle.", parameter="name"
        )
    if partner.siret and not siret_number.is_valid(partner.siret):
        raise InvalidParameter(
            f"Le SIRET « {partner.siret} » n'est pas valable.",
            "Il a quatorze chiffres, dont les derniers vérifient les autres ; laissez vide s'il est inconnu.",
            parameter="siret",
        )
    if _PRIVATE.search(partner.contact_role):
        raise InvalidParameter(
            f"Le contact « {partner.contact_role} » semble désigner une personne.",
            "Donnez une fonction, comme « responsable de l'inclusion numérique ».",
            parameter="contact_role",
        )
    if partner.website and not partner.website.startswith(("https://", "http://")):
        raise InvalidParameter(
            f"L'adresse « {partner.website} » n'est pas celle d'un site.",
            "Elle commence par https:// ou http://.",
            parameter="website",
        )
    if partner.network_to and (partner.network_from is None or partner.network_to < partner.network_from):
        raise InvalidParameter(
            "La sortie du réseau précède l'entrée, ou n'en a pas.",
            "Vérifiez les deux dates.",
            parameter="network_to",
        )
    return partner


def checked_convention(convention: Convention) -> Convention:
    """Return the convention if it is valid.

    Raises
    ------
    InvalidParameter
        If its year or reference is invalid; `parameter` names which.
    """
    if not 2000 <= convention.year <= 2100:
        raise InvalidParameter(
            f"L'année {convention.year} n'est pas celle d'une convention.",
            "De 2000 à 2100.",
            parameter="year",
        )
    if not convention.reference.strip():
        raise InvalidParameter(
            "La convention n'a pas de référence.",
            "Donnez celle de la délibération ou du contrat.",
            parameter="reference",
        )
    return convention


def unknown_partner(code: str) -> UnknownPartner:
    """Return the error for a code that no partner has."""
    return UnknownPartner(
        f"Aucun partenaire ne porte le code « {code} ».", "Les codes : portee partners list"
    )
