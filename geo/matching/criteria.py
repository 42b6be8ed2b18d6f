"""Criteria of residents: needs, publics, costs and others, as codes used in URLs.

A criterion is met, not met or unknown, because most fields of the standard are optional and an
empty field is not a refusal. Criteria of one group are alternatives; all groups must be met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from geo.matching.text_search import mentions
from geo.sites import standard
from geo.sites.model import Site
from geo.sites.text import fold


class Fit(IntEnum):
    """How a site meets a criterion; larger is better."""

    NO = 0
    UNKNOWN = 1
    YES = 2


Test = Callable[[Site], Fit]


@dataclass(frozen=True)
class CriteriaGroup:
    """Criteria that are alternatives to each other.

    Attributes
    ----------
    name
        Parameter in the URL: « besoin ».
    tests
        Code → function that returns how a site meets it.
    labels
        Code → label of the standard, when the group is one of its closed lists.
    """

    name: str
    tests: Mapping[str, Test]
    labels: Mapping[str, str]


def _listed(
    name: str, field: str, codes: Iterable[str], labels: Iterable[str], *, silence: Fit
) -> CriteriaGroup:
    """Build a group from a closed list of the standard; `silence` is the meaning of an empty field."""
    by_code = dict(zip(codes, labels, strict=True))

    def test(label: str) -> Test:
        def fit(site: Site) -> Fit:
            values = getattr(site, field)
            if not values:
                return silence
            return Fit.YES if label in values else Fit.NO

        return fit

    return CriteriaGroup(
        name, {code: test(label) for code, label in by_code.items()}, MappingProxyType(by_code)
    )


def _known(value: bool | None) -> Fit:
    return Fit.UNKNOWN if value is None else Fit.YES if value else Fit.NO


def _offers_support(label: str) -> Test:
    def fit(site: Site) -> Fit:
        offered = site.modalites_accompagnement
        return Fit.UNKNOWN if not offered else Fit.YES if label in offered else Fit.NO

    return fit


def _at_home(site: Site) -> Fit:
    """Search « à domicile » in the presentation, as the standard has no field for it."""
    text = fold(f"{site.nom} {site.presentation_resume} {site.presentation_detail}")
    return Fit.YES if "a domicile" in text else Fit.UNKNOWN if not text.strip() else Fit.NO


def _itinerant(site: Site) -> Fit:
    if site.arrets or "Itinérant" in site.itinerance:
        return Fit.YES
    return Fit.NO if site.itinerance else Fit.UNKNOWN


def _free(site: Site) -> Fit:
    costs = site.frais_a_charge
    return Fit.UNKNOWN if not costs else Fit.YES if "Gratuit" in costs else Fit.NO


def _free_or_conditional(site: Site) -> Fit:
    costs = set(site.frais_a_charge)
    return Fit.UNKNOWN if not costs else Fit.YES if costs & {"Gratuit", "Gratuit sous condition"} else Fit.NO


_S, _A = standard.SERVICES, standard.MODALITES_ACCOMPAGNEMENT

GROUPS: Final[Mapping[str, CriteriaGroup]] = MappingProxyType(
    {
        group.name: group
        for group in (
            _listed(
                "besoin",
                "services",
                (
                    *("demarches", "ordinateur", "emploi", "securite", "enfants"),
                    *("loisirs", "comprendre", "connexion", "materiel"),
                ),
                _S,
                silence=Fit.UNKNOWN,
            ),
            _listed(
                "public",
                "publics_specifiquement_adresses",
                ("jeunes", "etudiants", "familles", "seniors", "femmes"),
                standard.PUBLICS,
                silence=Fit.YES,  # in the standard, an empty field means « tout public »
            ),
            _listed(
                "aide",
                "prise_en_charge_specifique",
                ("surdite", "moteur", "mental", "illettrisme", "anglais", "langues", "vue"),
                standard.PRISES_EN_CHARGE,
                silence=Fit.UNKNOWN,
            ),
            CriteriaGroup("prix", {"gratuit": _free, "condition": _free_or_conditional}, {}),
            CriteriaGroup("pass", {"oui": lambda site: _known(site.pass_numerique)}, {}),
            CriteriaGroup("fauteuil", {"oui": lambda site: _known(site.acces_fauteuil)}, {}),
            CriteriaGroup("reseau", {"oui": lambda site: _known(site.membre_reseau)}, {}),
            CriteriaGroup(
                "comment",
                {
                    "accompagne": _offers_support(_A[1]),
                    "atelier": _offers_support(_A[2]),
                    "seul": _offers_support(_A[0]),
                    "distance": _offers_support(_A[3]),
                    "domicile": _at_home,
                    "itinerant": _itinerant,
                },
                {},
            ),
            _listed(
                "contact",
                "modalites_acces",
                ("presenter", "telephone", "mail", "rdv", "ferme-au-public", "prescription"),
                standard.MODALITES_ACCES,
                silence=Fit.UNKNOWN,
            ),
            _listed(
                "programme",
                "dispositif_programmes_nationaux",
                (
                    *("aidants-connect", "bibliotheque", "pix", "conseiller", "emmaus", "france-services"),
                    *("grande-ecole", "croix-rouge", "caf", "promeneurs", "relais"),
                ),
                standard.DISPOSITIFS,
                silence=Fit.UNKNOWN,
            ),
            _listed(
                "label",
                "formations_labels",
                (
                    *("espace-sante", "duplex", "arnia", "reemploi", "la-poste"),
                    *("fabrique", "eclaireurs", "mes-papiers", "ordi", "sud-labs"),
                ),
                standard.FORMATIONS,
                silence=Fit.UNKNOWN,
            ),
            _listed(
                "structure",
                "typologie",
                (code.lower().replace("_", "-") for code in standard.TYPOLOGIES),
                standard.TYPOLOGIES,
                silence=Fit.UNKNOWN,
            ),
        )
    }
)
"""All groups except « quand » (see `geo.hours.weekly`) and « mots » (see `geo.matching.text_search`)."""


@dataclass(frozen=True)
class Criteria:
    """Criteria that a site must meet. Hashable, so that it can be a cache key.

    Attributes
    ----------
    chosen
        Sorted (group, code) pairs; every code belongs to its group.
    words
        Words that the text of a site must all contain.
    """

    chosen: tuple[tuple[str, str], ...] = ()
    words: str = ""

    def __bool__(self) -> bool:
        return bool(self.chosen or self.words)

    def of(self, group: str) -> tuple[str, ...]:
        """Return the codes chosen in a group."""
        return tuple(code for name, code in self.chosen if name == group)

    @property
    def remote(self) -> bool:
        """Whether remote help is among the criteria."""
        return ("comment", "distance") in self.chosen

    def fits(self, site: Site) -> dict[str, Fit]:
        """Return how a site meets each group of the criteria."""
        found: dict[str, Fit] = {}
        for name, code in self.chosen:
            found[name] = max(found.get(name, Fit.NO), GROUPS[name].tests[code](site))
        if self.words:
            found["mots"] = Fit.YES if mentions(site, self.words) else Fit.NO
        return found


ANYTHING: Final = Criteria()
"""No criterion."""


def receives_public(site: Site) -> bool:
    """Return whether a site is open to the public; true unless it says otherwise."""
    return "Ce lieu n'accueille pas de public" not in site.modalites_acces
