"""Error page for people: self-contained, because nothing else may be available."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.types import Scope

from api.security_headers import FRAMED_BY
from static_maps.csp import content_security_policy
from static_maps.page_shell import SHELL_STYLE, PageShell, template_environment

POLICY: Final = content_security_policy(styles=[SHELL_STYLE], own_styles=False) + FRAMED_BY

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
"""Status → title, cause and advice, for people who read a page rather than JSON."""

_TEMPLATE: Final = template_environment(Path(__file__).parent / "templates").get_template("failure.html")


def wants_page(path: str, accept: str) -> bool:
    """Return whether to answer with a page: outside the API, to clients that prefer HTML to JSON."""
    if path.startswith("/api/"):
        return False
    return _preference(accept, "text/html") > max(
        _preference(accept, "application/json"), _preference(accept, "application/problem+json")
    )


def failure_page(
    status: int, title: str, detail: str, advice: str, request_id: str, *, territory: str = ""
) -> bytes:
    """Return the error page; statuses without their own text, such as 429, use the given one."""
    title, detail, advice = WORDS.get(status, (title, detail, advice))
    return _TEMPLATE.render(
        title=title,
        detail=detail,
        advice=advice,
        request_id=request_id,
        shell=PageShell(territory=territory, kept_offline=False, icon=""),
    ).encode()


def territory_name(scope: Scope) -> str:
    """Return the name of the territory served; "" if it cannot be read."""
    try:
        name: str = scope["app"].state.service.current().view.snapshot.territory.name
    except Exception:  # a page that reports a failure must not fail itself
        return ""
    return name


def _preference(accept: str, wanted: str) -> float:
    """Return the weight (0 to 1) of a media type in an `Accept` header: that of its most precise range."""
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
