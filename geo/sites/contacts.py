"""Parse contact details: telephone numbers, e-mail and web addresses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import phonenumbers

from geo.crs import departement_code
from geo.sites.findings import Finding

_PHONE_MAX = 120
"""Longest cell read as a telephone number, in characters; longer cells hold prose."""

_REGIONS: Final = {
    "971": "GP",
    "972": "MQ",
    "973": "GF",
    "974": "RE",
    "975": "PM",
    "976": "YT",
    "977": "BL",
    "978": "MF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}
"""Overseas département → region of the numbering plan. Other départements use "FR"."""

_BETWEEN_PHONES = re.compile(r"\s*(?:[|/;,\n]|\bou\b|\bet\b)\s*")
_BETWEEN_EMAILS = re.compile(r"\s*[|;,\s]\s*|\s+ou\s+")
_BETWEEN_URLS = re.compile(r"\s*\|\s*|\s*[;,]?\s+(?=(?:https?://|www\.))|[;,](?=https?://)", re.IGNORECASE)
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{}~.-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}",
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_MISTYPED_SCHEME = re.compile(r"(https?)\s*(?::\s*/{0,2}|/{2})\s*(?=[^/\s])", re.IGNORECASE)
_HOST = re.compile(r"(?:[\w](?:[\w-]*[\w])?\.)+[\w-]{2,63}\.?")
_UNSAFE = re.compile(r"[\s<>\"'`\\^{}|]")


def parse_phone(cell: str, code: str) -> tuple[str, tuple[Finding, ...]]:
    """Parse the first valid telephone number of a cell, in E.164 form ("+33553694000").

    Parameters
    ----------
    code
        INSEE or postal code of the place; selects the numbering plan of national numbers.

    Returns
    -------
    The number, "" when there is none, and the findings.
    """
    if not cell:
        return "", ()
    if len(cell) > _PHONE_MAX:
        return "", (Finding("telephone_invalide", "telephone", cell),)
    return _phone(cell, _REGIONS.get(departement_code(code), "FR"))


@lru_cache(maxsize=32_768)
def _phone(cell: str, region: str) -> tuple[str, tuple[Finding, ...]]:
    parts = [part for part in _BETWEEN_PHONES.split(cell) if part]
    numbers = list(dict.fromkeys(filter(None, (_e164(part, region) for part in parts))))
    if not numbers and (number := _e164(cell, region)):
        numbers = [number]
    if not numbers:
        return "", (Finding("telephone_invalide", "telephone", cell),)
    if len(numbers) > 1:
        return numbers[0], (Finding("telephone_multiple", "telephone", cell, f"gardé : {numbers[0]}"),)
    if numbers[0] != cell:
        return numbers[0], (Finding("telephone_normalise", "telephone", cell, numbers[0]),)
    return numbers[0], ()


def _e164(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def parse_emails(cell: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Parse the e-mail addresses of a cell, without repetitions; invalid ones give a finding."""
    found: dict[str, None] = {}
    findings: list[Finding] = []
    parts = [part for part in _BETWEEN_EMAILS.split(cell) if part and part != "ou"]
    if len(parts) > 1 and "|".join(parts) != cell:
        findings.append(Finding("separateur_corrige", "courriels", cell))
    for part in parts:
        address = part.removeprefix("mailto:").strip("<>.")
        if len(address) > 254 or not _EMAIL.fullmatch(address) or ".." in address:
            findings.append(Finding("courriel_invalide", "courriels", part))
            continue
        if address != part:
            findings.append(Finding("courriel_corrige", "courriels", part, address))
        found[address] = None
    return tuple(found), tuple(findings)


def parse_urls(field: str, cell: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Parse the http and https addresses of a cell, without repetitions; others give a finding."""
    found: dict[str, None] = {}
    findings: list[Finding] = []
    parts = [part for part in _BETWEEN_URLS.split(cell) if part]
    if len(parts) > 1 and "|".join(parts) != cell:
        findings.append(Finding("separateur_corrige", field, cell))
    for part in parts:
        address = _url(part)
        if not address:
            findings.append(Finding("url_refusee", field, part))
            continue
        if address != part:
            findings.append(Finding("url_completee", field, part, address))
        found[address] = None
    return tuple(found), tuple(findings)


def _url(text: str) -> str:
    """Return a web address with its scheme, or "" when it is invalid or its scheme is unsafe."""
    if match := _MISTYPED_SCHEME.match(text):
        address = f"{match[1].lower()}://{text[match.end() :]}"
    elif _SCHEME.match(text) and not re.match(r"[\w.-]+\.[a-z]{2,}:\d", text, re.IGNORECASE):
        return ""
    else:
        address = f"https://{text.lstrip('/')}"
    if len(address) > 2_000 or _UNSAFE.search(address):
        return ""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return ""
    return address if _HOST.fullmatch(parts.hostname or "") else ""
