"""The form that reports an error on a site: fields, checks and parsing.

No cookie, no address of the sender, nothing that follows anyone: what was typed, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from geo.sites.contacts import parse_emails
from geo.sites.text import clean_text
from geo.store.reports import EMAIL_MAX, MESSAGE_MAX, ReportSubject
from geo.wording.language import N_

BODY_MAX_BYTES: Final = 16 * 1024
FIELDS_MAX: Final = 20
URLENCODED: Final = "application/x-www-form-urlencoded"

SUBJECT, MESSAGE, EMAIL, TRAP = "quoi", "message", "courriel", "suite"
"""Names of the fields. The last is hidden from people and must stay empty: robots fill all they find."""

SUBJECTS: Final[Mapping[str, str]] = {
    ReportSubject.TELEPHONE.value: N_("Le numéro de téléphone"),
    ReportSubject.HORAIRES.value: N_("Les horaires"),
    ReportSubject.ADRESSE.value: N_("L'adresse"),
    ReportSubject.FERME.value: N_("Ce lieu est fermé définitivement"),
    ReportSubject.AUTRE.value: N_("Autre chose"),
}

ERRORS: Final[Mapping[str, str]] = {
    "subject": N_("Choisissez ce qui ne va pas."),
    "empty": N_("Dites en quelques mots ce qui ne va pas."),
    "long": N_("Votre message est trop long : raccourcissez-le à 1 000 caractères."),
    "email": N_("Cette adresse électronique n'est pas complète. Corrigez-la, ou effacez-la."),
    "trap": N_("Un champ caché, qui doit rester vide, a été rempli. Nous l'avons vidé : envoyez à nouveau."),
    "elsewhere": N_(
        "Ce message n'a pas été envoyé depuis cette page. Si c'est bien vous, envoyez à nouveau."
    ),
    "unreadable": N_("Votre message n'a pas pu être lu. Écrivez-le à nouveau."),
    "big": N_("Votre message est beaucoup trop long. Écrivez 1 000 caractères au plus."),
    "away": N_(
        "Nous ne pouvons pas enregistrer votre message pour l'instant. Réessayez dans quelques minutes, "
        "ou appelez le lieu."
    ),
}
"""Error code → sentence shown."""


@dataclass(frozen=True)
class ReportForm:
    """The form: what was typed, and its errors.

    Attributes
    ----------
    errors
        Name of a field, or "" for the whole form → key in `ERRORS`.
    done
        Whether a report has just been stored.
    """

    subject: str = ""
    message: str = ""
    email: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    done: bool = False


def read_form(body: bytes) -> ReportForm:
    """Parse and check what was typed; optional fields may be empty."""
    try:
        pairs = parse_qsl(body.decode("ascii"), errors="replace", max_num_fields=FIELDS_MAX)
    except ValueError:
        return ReportForm(errors={"": "unreadable"})
    given = dict(reversed(pairs))  # the first of a name counts
    subject = given.get(SUBJECT, "")
    message = clean_text(given.get(MESSAGE, ""), lines=True)[0]
    email = clean_text(given.get(EMAIL, ""))[0]
    errors = {}
    if subject not in SUBJECTS:
        subject, errors[SUBJECT] = "", "subject"
    if len(message) > MESSAGE_MAX:
        errors[MESSAGE] = "long"
    elif not message and subject == ReportSubject.AUTRE:
        errors[MESSAGE] = "empty"
    if email and (len(email) > EMAIL_MAX or parse_emails(email)[0] != (email,)):
        errors[EMAIL] = "email"
    if given.get(TRAP):
        errors[""] = "trap"
    return ReportForm(subject, message, email, errors)


def from_elsewhere(request: Request) -> bool:
    """Return whether a form was sent by a page of another site.

    There is no cookie a foreign page could make use of; this only keeps other sites from having
    their visitors send reports without knowing it. Browsers say where a form comes from
    (Sec-Fetch-Site, or Origin for older ones); a client that says nothing is no browser.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")


async def read_form_body(request: Request) -> bytes | None:
    """Return the body of a form, or None when it exceeds `BODY_MAX_BYTES`.

    Raises
    ------
    HTTPException
        415 when it does not say that it is a form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != URLENCODED:
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            return None
    return bytes(body)
