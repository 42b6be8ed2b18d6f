"""What a resident may ask of a site: needs, publics, costs, hours, in codes an address can hold.

A wish is met, not met, or not known to be: the standard leaves most fields optional, and a site
that says nothing is not a site that refuses. Wishes of one group are alternatives; groups add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from geo.sites import standard
from geo.sites.model import Site
from geo.sites.text import fold


class Fit(IntEnum):
    """How a site answers a wish; the larger, the better."""

    NO = 0
    UNKNOWN = 1
    YES = 2


Test = Callable[[Site], Fit]


@dataclass(frozen=True)
class CriteriaGroup:
    """Wishes that are alternatives to each other.

    Attributes
    ----------
    name
        In the address: « besoin ».
    tests
        Code → how a site answers it.
    labels
        Code → label of the standard, where the group stands for one of its closed lists.
    """

    name: str
    tests: Mapping[str, Test]
    labels: Mapping[str, str]


def _listed(
    name: str, field: str, codes: Iterable[str], labels: Iterable[str], *, silence: Fit
) -> CriteriaGroup:
    """A group over a closed list of the standard; `silence` is what an empty field means."""
    by_code = dict(zip(codes, labels, strict=True))

    def test(label: str) -> Test:
        def answer(site: Site) -> Fit:
            told = getattr(site, field)
            if not told:
                return silence
            return Fit.YES if label in told else Fit.NO

        return answer

    return CriteriaGroup(
        name, {code: test(label) for code, label in by_code.items()}, MappingProxyType(by_code)
    )


def _known(value: bool | None) -> Fit:
    return Fit.UNKNOWN if value is None else Fit.YES if value else Fit.NO


def _follows(label: str) -> Test:
    def answer(site: Site) -> Fit:
        told = site.modalites_accompagnement
        return Fit.UNKNOWN if not told else Fit.YES if label in told else Fit.NO

    return answer


def _at_home(site: Site) -> Fit:
    """The standard has no field for it: only a presentation can tell, so silence is not a refusal."""
    told = fold(f"{site.nom} {site.presentation_resume} {site.presentation_detail}")
    return Fit.YES if "a domicile" in told else Fit.UNKNOWN if not told.strip() else Fit.NO


def _itinerant(site: Site) -> Fit:
    if site.arrets or "Itinérant" in site.itinerance:
        return Fit.YES
    return Fit.NO if site.itinerance else Fit.UNKNOWN


def _free(site: Site) -> Fit:
    told = site.frais_a_charge
    return Fit.UNKNOWN if not told else Fit.YES if "Gratuit" in told else Fit.NO


def _free_or_conditional(site: Site) -> Fit:
    told = set(site.frais_a_charge)
    return Fit.UNKNOWN if not told else Fit.YES if told & {"Gratuit", "Gratuit sous condition"} else Fit.NO


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
                silence=Fit.YES,  # « tout public », says the standard
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
                    "accompagne": _follows(_A[1]),
                    "atelier": _follows(_A[2]),
                    "seul": _follows(_A[0]),
                    "distance": _follows(_A[3]),
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
"""Every group but « quand » (see `geo.hours.weekly`) and « mots », which need more than the site."""


@dataclass(frozen=True)
class Criteria:
    """What is asked of a site. Hashable, so that it can key a cache.

    Attributes
    ----------
    chosen
        Group and code, sorted; every code is one of its group's.
    words
        Words that must all be found in what the site says of itself.
    """

    chosen: tuple[tuple[str, str], ...] = ()
    words: str = ""

    def __bool__(self) -> bool:
        return bool(self.chosen or self.words)

    def of(self, group: str) -> tuple[str, ...]:
        """Codes chosen in a group."""
        return tuple(code for name, code in self.chosen if name == group)

    @property
    def remote(self) -> bool:
        """Whether help without going there is among what is asked."""
        return ("comment", "distance") in self.chosen

    def fits(self, site: Site) -> dict[str, Fit]:
        """How a site answers each group asked for."""
        found: dict[str, Fit] = {}
        for name, code in self.chosen:
            found[name] = max(found.get(name, Fit.NO), GROUPS[name].tests[code](site))
        if self.words:
            found["mots"] = Fit.YES if mentions(site, self.words) else Fit.NO
        return found


ANYTHING: Final = Criteria()
"""Nothing in particular: every site that receives people."""


def mentions(site: Site, words: str) -> bool:
    """Whether every word is found in what a site says of itself, whatever its accents and case."""
    text = fold(
        " ".join(
            (
                *(site.nom, site.commune, site.code_postal, site.adresse, site.complement_adresse),
                *(site.structure_parente, site.source, site.presentation_resume, site.presentation_detail),
                *site.autres_formations_labels,
                *site.services,
                *(standard.TYPOLOGIES.get(code, code) for code in site.typologie),
            )
        )
    )
    return all(word in text for word in fold(words).split())


def receives_public(site: Site) -> bool:
    """Whether people may go there: unless the site says that it receives nobody."""
    return "Ce lieu n'accueille pas de public" not in site.modalites_acces
