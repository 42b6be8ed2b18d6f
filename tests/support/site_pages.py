"""Sites that say everything, and the pages of sites: shared by their tests."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import quote

from starlette.testclient import TestClient

from geo.hours.open_status import DayHours, Range
from geo.sites import standard
from geo.sites.model import ItinerantStop
from tests.support import world
from tests.support.serving import HandKeeper

URL = "https://portee.test/lieux/essai--a"
MONDAY = date(2026, 12, 21)


def full(**changes):
    """A site that says everything."""
    told = {
        "nom": "Maison fictive des Étangs",
        "telephone": "+33553990010",
        "courriels": ("accueil@exemple.fr",),
        "site_web": ("https://exemple.fr/lieu",),
        "horaires": "Mo-Fr 09:00-12:00",
        "complement_adresse": "Au fond de la cour",
        "presentation_resume": "Un résumé fictif.",
        "presentation_detail": "Un détail fictif.",
        "source": "Cartographie fictive",
        "itinerance": ("Itinérant",),
        "structure_parente": "Réseau fictif",
        "services": standard.SERVICES,
        "publics_specifiquement_adresses": standard.PUBLICS,
        "prise_en_charge_specifique": standard.PRISES_EN_CHARGE,
        "frais_a_charge": ("Gratuit sous condition", "Payant"),
        "dispositif_programmes_nationaux": standard.DISPOSITIFS,
        "formations_labels": standard.FORMATIONS,
        "autres_formations_labels": ("Label d'ici",),
        "modalites_acces": standard.MODALITES_ACCES,
        "modalites_accompagnement": standard.MODALITES_ACCOMPAGNEMENT,
        "fiche_acces_libre": "https://acceslibre.exemple/fiche",
        "prise_rdv": "https://rdv.exemple/prendre",
        "typologie": ("BIB",),
        "pass_numerique": True,
        "membre_reseau": True,
        "acces_fauteuil": False,
        "arrets": (ItinerantStop("Halle fictive", "Tu", "09:00-12:00"),),
        "signalements": ("telephone_multiple",),
    }
    return world.site("a", 5, **{**told, **changes})


HALL = ItinerantStop("Halle fictive", "Tu", "09:00-12:00")
KEEPER = HandKeeper()
OPENED: list[TestClient] = []


def client_of(*sites):
    """A client of the application over these sites."""
    KEEPER.snapshot = world.snapshot(*sites)
    return OPENED[0]


def page_of(site, address=None):
    return client_of(site).get(address or f"/lieux/{quote(site.id, safe='')}")


def words_of(response) -> str:
    """The text of a page on one line."""
    body = re.sub(r"<script.*?</script>", "", response.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def first(pattern: str, html: str) -> str:
    """What the group of a pattern holds where it is first met."""
    return unescape(re.findall(pattern, html)[0])


def data_of(response):
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', response.text, re.DOTALL)
    return json.loads(block)


def day_of(day: date, ranges: tuple[Range, ...] = (), **changes: Any) -> DayHours:
    """A day that is as any other but for its ranges and `changes`."""
    plain = DayHours(
        date=day,
        ranges=ranges,
        by_appointment=False,
        unknown=False,
        holiday="",
        doubtful=False,
        school_holiday=False,
        exceptional=False,
    )
    return replace(plain, **changes)
