"""Error page for people: self-contained, because nothing else may be available."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.security_headers import FRAMED_BY

STYLE: Final = """
:root { color-scheme: light dark; }
body { margin: 0; font: 1.125rem/1.6 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
main { max-width: 38rem; margin: 0 auto; padding: 2rem 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.25; }
a { display: inline-block; padding: .75rem 0; color: #123f83; }
a:focus-visible { outline: 3px solid currentcolor; outline-offset: 2px; }
.reference { font-size: 1rem; }
@media (prefers-color-scheme: dark) { body { color: #f2f2f2; background: #161616; } a { color: #a8c8ff; } }
"""

_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'{FRAMED_BY}"
)

WORDS: Final[Mapping[int, tuple[str, str, str]]] = {
    404: (
        "Cette page n'existe pas",
        "L'adresse est peut-être incomplète, ou la page a changé de place.",
        "Repartez de la page d'accueil pour trouver ce que vous cherchez.",
    ),
    405: ("Cette page ne peut pas faire cela", "Elle se consulte, elle ne reçoit rien.", ""),
    413: ("C'est trop long", "Ce que vous avez envoyé est trop long.", "Raccourcissez-le, puis recommencez."),
    500: (
        "Quelque chose n'a pas marché de notre côté",
        "Ce n'est pas votre faute. L'erreur a été notée.",
        "Vous pouvez recommencer dans quelques minutes.",
    ),
    503: (
        "Le service se repose un instant",
        "Nos données ne répondent pas en ce moment. Ce n'est pas votre faute.",
        "Recommencez dans quelques minutes.",
    ),
}
"""What a failure is called, why it is so and what to do, for those who read a page rather than JSON."""

_TEMPLATE: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
).get_template("failure.html")


def wants_page(path: str, accept: str) -> bool:
    """Whether to answer with a page: outside of the API, to those who prefer HTML to JSON."""
    if path.startswith("/api/"):
        return False
    return _preference(accept, "text/html") > max(
        _preference(accept, "application/json"), _preference(accept, "application/problem+json")
    )


def failure_page(status: int, title: str, detail: str, advice: str, request_id: str) -> bytes:
    """Return the error page; statuses without their own text, such as 429, use the given one."""
    title, detail, advice = WORDS.get(status, (title, detail, advice))
    return _TEMPLATE.render(
        title=title,
        detail=detail,
        advice=advice,
        request_id=request_id,
        style=Markup(STYLE),  # noqa: S704
    ).encode()


def _preference(accept: str, wanted: str) -> float:
    """How much a media type is wanted (0 to 1) by an `Accept` header: what its most precise range says."""
    kind = wanted.partition("/")[0]
    weights = {}
    for each in accept.split(","):
        media, *parameters = (part.strip().lower() for part in each.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weights[media] = float(weight)
        except ValueError:
            weights[media] = 0.0
    return next((weights[m] for m in (wanted, f"{kind}/*", "*/*") if m in weights), 0.0)
