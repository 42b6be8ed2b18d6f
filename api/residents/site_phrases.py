"""Sentences about a site: how long it takes, what it costs, whether it is open, what is not known.

Each takes the language it is said in; entries of the catalogues are the French sentences.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlsplit

from api.residents.translations import N_, Language
from geo.hours.open_status import OpenState, OpenStatus
from geo.reach.modes import Mode
from geo.sites.model import Position, Site

BY_MODE: Final = {
    Mode.CAR: N_("%(min)s en voiture"),
    Mode.BICYCLE: N_("%(min)s à vélo"),
    Mode.FOOT: N_("%(min)s à pied"),
}
COSTS: Final = {
    "Gratuit": N_("gratuit"),
    "Gratuit sous condition": N_("gratuit sous condition"),
    "Payant": N_("payant"),
}
SERVICES: Final = {
    "Aide aux démarches administratives": N_("aide aux démarches"),
    "Maîtrise des outils numériques du quotidien": N_("apprendre l'ordinateur et le téléphone"),
    "Insertion professionnelle via le numérique": N_("emploi"),
    "Utilisation sécurisée du numérique": N_("se protéger des arnaques"),
    "Parentalité et éducation avec le numérique": N_("parents et enfants"),
    "Loisirs et créations numériques": N_("loisirs numériques"),
    "Compréhension du monde numérique": N_("comprendre le numérique"),
    "Accès internet et matériel informatique": N_("ordinateurs et Internet en libre accès"),
    "Acquisition de matériel informatique à prix solidaire": N_("matériel à prix solidaire"),
}
"""What a site does, in few words."""

POSITIONS: Final = {
    Position.APPROXIMATIVE: N_("Adresse imprécise : le lieu est placé à la mairie de sa commune."),
    Position.INCONNUE: N_("Adresse inconnue : le lieu n'est pas sur la carte."),
}
STALE_AFTER: Final = timedelta(days=183)
"""Six months after which a record is to be checked."""


def minutes(_: Language, count: float | None) -> str:
    """A travel time: « 12 min », « 1 h 05 », « moins d'une minute »."""
    if count is None:
        return _("temps inconnu")
    whole = round(count)
    if whole < 1:
        return _("moins d'une minute")
    if whole < 60:
        return f"{whole}\u00a0min"
    return f"{whole // 60}\u00a0h" + (f"\u00a0{whole % 60:02}" if whole % 60 else "")


def journey(_: Language, count: float | None, mode: Mode) -> str:
    """A travel time and how: « 12 min en voiture »."""
    return _("temps de trajet inconnu") if count is None else _(BY_MODE[mode], min=minutes(_, count))


def cost(_: Language, site: Site) -> str:
    """What it costs; "" when the site does not say."""
    told = [_(COSTS[each]) for each in site.frais_a_charge if each in COSTS]
    return _(" ou ").join(told)


def opening(_: Language, found: OpenStatus, moment: datetime) -> str:
    """Whether a site is open: « ouvert jusqu'à 17 h », « ouvre mardi à 9 h », « horaires inconnus »."""
    if found.state is OpenState.UNKNOWN:
        return _("horaires inconnus")
    if found.state is OpenState.BY_APPOINTMENT:
        return _("sur rendez-vous")
    if found.state is OpenState.OPEN:
        said = (
            _("ouvert jour et nuit")
            if found.until is None
            else _("ouvert jusqu'à %(hour)s", hour=_.hour(found.until))
            if found.until.date() == moment.date()
            else _(
                "ouvert jusqu'à %(day)s %(hour)s", day=_.weekday(found.until.date()), hour=_.hour(found.until)
            )
        )
    elif found.opens is None:
        said = _("fermé pour le moment")
    else:
        said = _opens(_, found.opens, moment)
        if found.holiday:
            said = _("fermé ce jour férié, %(then)s", then=said)
    if found.doubtful:
        said = _("%(said)s d'ordinaire, mais c'est un jour férié : appelez avant", said=said)
    if found.stop is not None:
        said = _("%(said)s (%(place)s)", said=said, place=found.stop.place)
    return _("%(said)s, sur rendez-vous", said=said) if found.appointment else said


def _opens(_: Language, when: datetime, moment: datetime) -> str:
    days = (when.date() - moment.date()).days
    hour = _.hour(when)
    if days == 0:
        return _("ouvre aujourd'hui à %(hour)s", hour=hour)
    if days == 1:
        return _("ouvre demain à %(hour)s", hour=hour)
    if days < 7:
        return _("ouvre %(day)s à %(hour)s", day=_.weekday(when.date()), hour=hour)
    return _("ouvre le %(day)s à %(hour)s", day=_.day(when.date(), year=False), hour=hour)


def services(_: Language, site: Site, most: int = 9) -> list[str]:
    """What a site does, in few words each."""
    return [_(SERVICES[each]) for each in site.services if each in SERVICES][:most]


def directions(site: Site) -> tuple[str, str] | None:
    """Addresses of the way there: for the telephone's own map, and on the web; None without a place.

    The web one is OpenStreetMap's: it shows a way without an account, and only when it is followed.
    """
    if site.latitude is None or site.longitude is None:
        return None
    at = f"{site.latitude:.5f},{site.longitude:.5f}"
    label = quote(site.nom, safe="")
    return (
        f"geo:{at}?q={at}({label})",
        f"https://www.openstreetmap.org/directions?to={quote(at, safe='')}",
    )


def web(address: str) -> str:
    """An address of the web that a link may lead to; "" for anything else."""
    parts = urlsplit(address.strip())
    return address.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def site_path(site: Site) -> str:
    """Path of a site's page."""
    return f"/lieux/{quote(site.id, safe='')}"


def freshness(_: Language, site: Site, moment: datetime) -> tuple[str, bool]:
    """When a record was last checked, and whether that is long ago."""
    if site.date_maj is None:
        return _("date de vérification inconnue : à vérifier"), True
    old = moment.date() - site.date_maj > STALE_AFTER
    if old:
        return _("à vérifier : information du %(date)s", date=_.date(site.date_maj)), True
    return _("vérifié le %(date)s", date=_.date(site.date_maj)), False
