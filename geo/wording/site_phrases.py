"""Phrases about a site: how far it is, what it costs, whether it is open, how to call it, what is unknown.

Functions take the language first; the entries of the catalogues are the French sentences.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

import phonenumbers

from geo.hours.open_status import DatedVisit, OpenState, OpenStatus
from geo.reach.modes import Mode
from geo.sites.model import Position, Site
from geo.sites.text import fold
from geo.wording import dates, figures
from geo.wording.hours import closure_text
from geo.wording.language import N_, Language

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
    Position.RUE: N_("Adresse imprécise : le lieu est placé dans sa rue, sans le numéro."),
    Position.INCONNUE: N_("Adresse inconnue : le lieu n'est pas sur la carte."),
}
_FAX = re.compile(r"\b(?:fax|telecopie(?:ur)?)\b")
_SHORT = re.compile(r"\d{4}|\d{6}", re.ASCII)

STALE_AFTER: Final = timedelta(days=183)
"""Six months after which a record is to be checked."""


def journey(_: Language, minutes: float | None, mode: Mode) -> str:
    """Say how long the way is: « 12 min en voiture », « hors d'atteinte en voiture » for infinity."""
    if minutes is None:
        return _("temps de trajet inconnu")
    return _(BY_MODE[mode], min=figures.minutes(minutes, _))


def cost(_: Language, site: Site) -> str:
    """Say what a site costs; "" where it is unknown."""
    return _(" ou ").join(_(COSTS[each]) for each in site.frais_a_charge if each in COSTS)


def opening(_: Language, found: OpenStatus, moment: datetime) -> str:
    """Whether a site is open: « ouvert jusqu'à 17 h », « ouvre mardi à 9 h », « horaires inconnus »."""
    if found.state is OpenState.UNKNOWN:
        return _("horaires inconnus")
    if found.state is OpenState.BY_APPOINTMENT:
        return _("sur rendez-vous")
    if found.state is OpenState.OPEN:
        text = (
            _("ouvert jour et nuit")
            if found.until is None
            else _("ouvert jusqu'à %(hour)s", hour=dates.time_of_day(found.until, _))
            if found.until.date() == moment.date()
            else _(
                "ouvert jusqu'à %(day)s %(hour)s",
                day=dates.weekday(found.until.date(), _),
                hour=dates.time_of_day(found.until, _),
            )
        )
    elif found.opens is None:
        text = _("fermé pour le moment")
    else:
        text = _opens(_, found.opens, moment)
        if found.holiday:
            text = _("fermé ce jour férié, %(then)s", then=text)
    if found.doubtful:
        text = _("%(said)s d'ordinaire, mais c'est un jour férié : appelez avant", said=text)
    if found.stop is not None:
        text = _("%(said)s (%(place)s)", said=text, place=found.stop.place)
    elif found.place_unknown:
        text = _("%(said)s (lieu itinérant : demandez où)", said=text)
    return _("%(said)s, sur rendez-vous", said=text) if found.appointment else text


def _opens(_: Language, when: datetime, moment: datetime) -> str:
    days = (when.date() - moment.date()).days
    hour = dates.time_of_day(when, _)
    if days == 0:
        return _("ouvre aujourd'hui à %(hour)s", hour=hour)
    if days == 1:
        return _("ouvre demain à %(hour)s", hour=hour)
    if days < 7:
        return _("ouvre %(day)s à %(hour)s", day=dates.weekday(when.date(), _), hour=hour)
    return _("ouvre le %(day)s à %(hour)s", day=dates.weekday_date(when.date(), _, year=False), hour=hour)


def visit(_: Language, dated: DatedVisit) -> str:
    """Say when and where a visit is: « jeudi 3 décembre 2026, 9 h – 12 h : Halle »."""
    said = f"{dates.weekday_date(dated.start.date(), _)}, {dates.time_range(dated.start, dated.end, _)}"
    if dated.by_appointment:
        said = _("%(said)s, sur rendez-vous", said=said)
    return _("%(said)s : %(place)s", said=said, place=dated.stop.place) if dated.stop else said


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
        return _("à vérifier : information du %(date)s", date=dates.long_date(site.date_maj, _)), True
    return _("vérifié le %(date)s", date=dates.long_date(site.date_maj, _)), False


class OtherNumber(NamedTuple):
    """Another number of a site: as shown, as dialled ("" for a fax), and its remark."""

    shown: str
    dialled: str
    remark: str


def other_numbers(site: Site) -> tuple[OtherNumber, ...]:
    """Return the other telephone numbers of a site, in the order of the record, each once."""
    found = []
    seen = {site.telephone}
    for text in site.autres_telephones:
        number, _, remark = text.partition(" (")
        if number in seen:
            continue
        seen.add(number)
        remark = remark.removesuffix(")")
        found.append(OtherNumber(phone(number), "" if _FAX.search(fold(remark)) else dialled(number), remark))
    return tuple(found)


def announced_closures(site: Site, today: date) -> tuple[str, ...]:
    """Return the closures of a site in French, « fermé en août », without those of past years."""
    return tuple(
        closure_text(closure)
        for closure in site.fermetures
        if not (years := re.findall(r"\b(?:19|20)\d\d\b", closure)) or int(max(years)) >= today.year
    )


def phone(number: str) -> str:
    """Write a phone number as its country does: 05 53 00 00 00; as given if it is not a number.

    Short numbers are written in pairs or threes: 39 39, 116 117.
    """
    if _SHORT.fullmatch(number):
        size = 3 if len(number) % 3 == 0 else 2
        return " ".join(number[at : at + size] for at in range(0, len(number), size))
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(number, "FR"), phonenumbers.PhoneNumberFormat.NATIONAL
        )
    except phonenumbers.NumberParseException:
        return number


def dialled(number: str) -> str:
    """Return what a `tel:` link dials: digits with an optional leading +; "" without digits.

    French special-rate numbers (08…) are dialled in their national form: few networks carry them
    with the country code.
    """
    digits = re.sub(r"[^\d]", "", number)
    if number.strip().startswith("+338") and len(digits) == 11:
        return f"0{digits[2:]}"
    return ("+" if number.strip().startswith("+") else "") + digits if digits else ""
