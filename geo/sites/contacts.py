"""Parse contact details: e-mail and web addresses. Telephone numbers: `geo.sites.telephones`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from geo.sites.findings import Finding

_BETWEEN_EMAILS = re.compile(r"\s*[|;,\s]\s*")
_LINKING = frozenset({"", "ou", "et", "/", "-", ":"})
_BETWEEN_URLS = re.compile(r"\s*\|\s*|\s*[;,]?\s+(?=(?:https?://|www\.))|[;,](?=https?://)", re.IGNORECASE)
_AT = re.compile(r"\s*(?:\(at\)|\[at\]|\(a\)|\[a\])\s*|(?<=\w)\s+@\s*|\s*@\s+(?=\w)", re.IGNORECASE)
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{}~.-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}",
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_MISTYPED_SCHEME = re.compile(r"(https?)\s*(?::\s*/{0,2}|/{2})\s*(?=[^/\s])", re.IGNORECASE)
_HOST = re.compile(r"(?:[\w](?:[\w-]*[\w])?\.)+[\w-]{2,63}\.?")
_UNSAFE = re.compile(r"[\s<>\"'`\\^{}|]")


def parse_emails(cell: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Parse the e-mail addresses of a cell, without repetitions; invalid ones give a finding.

    Words beside an address (« Accueil : a@exemple.fr ») are left out, and quoted in a finding.
    """
    found: dict[str, None] = {}
    findings: list[Finding] = []
    words: list[str] = []
    spelled = _AT.sub("@", cell)
    parts = [part for part in _BETWEEN_EMAILS.split(spelled) if part not in _LINKING]
    for part in parts:
        address = part.removeprefix("mailto:").strip("<>.()[]:")
        if len(address) > 254 or not _EMAIL.fullmatch(address) or ".." in address:
            if "@" in part or len(part) > 254:
                findings.append(Finding("courriel_invalide", "courriels", part))
            elif address:
                words.append(part)
            continue
        if address != part or spelled != cell:
            findings.append(Finding("courriel_corrige", "courriels", part, address))
        found[address] = None
    if words and not found:
        return (), (Finding("courriel_invalide", "courriels", cell), *findings)
    if words:
        findings.append(Finding("courriel_corrige", "courriels", cell, f"sans « {' '.join(words)} »"))
    elif len(parts) > 1 and "|".join(parts) != cell:
        findings.insert(0, Finding("separateur_corrige", "courriels", cell))
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
