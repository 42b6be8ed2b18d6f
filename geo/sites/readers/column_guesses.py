"""Guess which field a column of a spreadsheet holds, from the words of its heading and from its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from geo.sites import standard
from geo.sites.model import LOCAL_FIELDS, LOCAL_PREFIX
from geo.sites.readers.day_columns import DAYS
from geo.sites.readers.vocabularies import key, translated, vocabularies_of
from geo.sites.text import fold

_LOCAL: Final = tuple(f"{LOCAL_PREFIX}{name}" for name in LOCAL_FIELDS)
_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_SHARE: Final = 0.6
"""Share of the cells that must look like the values of a field."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table: its heading, and its cells in a sample of the rows."""

    name: str
    rows: tuple[str, ...]
    """One cell for each row, trimmed; "" when blank."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that are not blank."""
        return tuple(filter(None, self.rows))

    @property
    def words(self) -> str:
        """The heading as plain words: "N° de la voie" is "n de la voie"."""
        return " ".join(_NOT_LETTERS.sub(" ", fold(self.name)).split())

    def share(self, looks_right: Callable[[str], object]) -> float:
        """Return the share of the cells that look right; 0 for a column without cells."""
        cells = self.cells
        return sum(map(bool, map(looks_right, cells))) / len(cells) if cells else 0.0


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """A field that a column may hold, a part of one (`adresse.voie`, `horaires.lundi`), and why."""

    target: str
    column: str
    by_cells: bool = False
    """Guessed from the cells alone: to be checked first."""


def known_words(field: str, words: Sequence[str]) -> int:
    """Return how many words the closed list of a field, or its vocabulary, knows."""
    return sum(is_known(field, word) for word in words)


def is_known(field: str, word: str) -> bool:
    """Return whether the closed list of a field, or one of its vocabularies, knows a word."""
    return any(key(word) == key(label) for label in standard.ENUMERATIONS.get(field, ())) or any(
        translated(name, word) is not None for name in vocabularies_of(field)
    )


_PHONE: Final = re.compile(r"(\+|00)?[\d\s./()-]{8,}")
_POSTCODE: Final = re.compile(r"\d{4,5}")
_INSEE: Final = re.compile(r"(\d[\dAB]\d{3}|\d{4})", re.IGNORECASE)
_COORDINATE: Final = re.compile(r"-?\d{1,8}([.,]\d+)?")
_URL: Final = re.compile(r"(https?://|www\.)\S+|\S+\.(fr|org|com|net|eu|info)(/\S*)?", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{1,4}[-/. ](\d{1,2}|\w{3,9})[-/. ]\d{2,4}( .*)?|\d{5}")
_SIRET: Final = re.compile(r"\d{9}|\d{14}|W\d{9}")


def _looks(pattern: re.Pattern[str]) -> Callable[[str], object]:
    return lambda cell: pattern.fullmatch(cell.strip())


_CHECKS: Final[Mapping[str, Callable[[str], object]]] = {
    "pivot": lambda cell: _SIRET.fullmatch("".join(cell.split())),
    "code_postal": _looks(_POSTCODE),
    "code_insee": _looks(_INSEE),
    "latitude": _looks(_COORDINATE),
    "longitude": _looks(_COORDINATE),
    "telephone": lambda cell: len(re.sub(r"\D", "", cell)) >= 4,
    "courriels": lambda cell: "@" in cell,
    "site_web": _looks(_URL),
    "prise_rdv": _looks(_URL),
    "fiche_acces_libre": _looks(_URL),
    "date_maj": _looks(_DATE),
    "nom": lambda cell: re.search(r"[^\W\d]", cell) and not re.search(r"@|://|^www\.", cell),
    "adresse": lambda cell: not re.search(r"@|://|^www\.", cell),
    **{
        field: partial(is_known, field)
        for field in ("ext_pass_numerique", "ext_sur_rendez_vous", "ext_membre_reseau", "ext_acces_fauteuil")
    },
}
"""Field → what its cells look like; a column whose cells do not is not guessed to be that field."""

_OTHER_NAMES: Final = (
    "responsable|contact|president|referent|conseiller|commune|ville|voie|rue|prenom|gestionnaire|porteu"
)
"""What a name may be the name of, besides the place."""

_OFFERED: Final = (
    r"(?: (?:proposee?s?|numeriques?|offerte?s?|assuree?s?|disponibles?|d aide|d accompagnement))*"
)

_HEADINGS: Final[tuple[tuple[str, str], ...]] = (
    ("pivot", r"(?:numero |n |code )?(?:siret|siren|rna)|pivot"),
    ("code_postal", r"(?:code |cod )?postal|code postal.*|cp|c p|zip|postcode"),
    ("code_insee", r"(?:.* )?(?:code )?insee.*|code commune|codgeo|depcom"),
    ("telephone", r"(?:numero |n )?(?:de )?tel(?:ephone)?(?: .*)?|contact tel.*|phone|portable|mobile"),
    ("courriels", r"(?:adresse |contact )?(?:e )?(?:mail|mel|courriel|email)s?(?: .*)?|adresse electronique"),
    (
        "prise_rdv",
        r"(?:lien |url |site )?(?:de |pour )?(?:la )?(?:prise )?(?:de )?(?:rdv|rendez vous)(?: en ligne)?",
    ),
    ("fiche_acces_libre", r"(?:fiche |lien |url )?acces ?libre"),
    ("site_web", r"site(?: web| internet)?|url|web|page web|lien(?: .*)?|adresse (?:web|internet)"),
    (
        "id",
        r"id|identifiant(?: .*)?|uid|uuid|matricule|ref|reference|id \w+|\w+(?: \w+)? id|"
        r"(?:ref|reference|code|numero|n) (?:du |de la |de |d )?(?:lieu|structure|site|fiche|association)",
    ),
    ("nom", rf"(?:noms?|intitule|libelle)(?! .*(?:{_OTHER_NAMES}))(?: .*)?"),
    (
        "nom",
        r"(?:structure|association|lieu|site|espace|organisme|etablissement|denomination|raison|titre|name)"
        r"(?: (?:d accueil|de permanence|sociale|numerique|d accompagnement|concernee?))?",
    ),
    (
        "commune",
        r"(?:cp |code postal )?(?:et )?(?:ville|commune)s?(?: (?:commune|ville|d implantation|du lieu))?|"
        r"lib com|localite|city|municipalite|(?:nom |libelle )(?:de )?(?:la )?(?:commune|ville)",
    ),
    ("adresse.numero", r"(?:n|no|num|numero)(?:(?: de)?(?: la)? (?:voie|rue))?"),
    ("adresse.type_voie", r"(?:type|nature)(?: de)?(?: la)? (?:voie|rue)"),
    ("adresse.voie", r"voie|rue|(?:nom|libelle)(?: de)?(?: la)? (?:voie|rue)"),
    (
        "complement_adresse",
        r"complements?(?: d)?(?: adresse)?|adresse (?:ligne )?2|adresse complementaire|batiment|bat|etage|"
        r"lieu dit",
    ),
    ("adresse", r"adresse(?: .*)?|address|(?:numero|n) et (?:rue|voie)"),
    ("latitude", r"(?:coord\w* |gps )?(?:y|lat|latitude|northing)(?: .*)?"),
    ("longitude", r"(?:coord\w* |gps )?(?:x|lon|lng|long|longitude|easting)(?: .*)?"),
    ("date_maj", r"(?:.* )?(?:maj|mise a jour|mis a jour|modif\w*|actualis\w*|updated)(?: .*)?|date"),
    ("horaires", r"(?:jours )?(?:et )?(?:heures|horaires?|jours)(?: d ouverture)?|ouvertures?"),
    ("presentation_resume", r"resume|accroche|presentation courte|description courte"),
    (
        "presentation_detail",
        r"(?:description|presentation|commentaire|remarque|observation|detail|info|information|precision|note)s?"
        r"(?: .*)?",
    ),
    (
        "structure_parente",
        r"(?:structure )?(?:porteuse|porteur|gestionnaire|parente)|(?:structure de )?rattachement",
    ),
    ("source", r"source|origine"),
    ("ext_pass_numerique", r"(?:.* )?pass(?: numerique)?(?: .*)?|aptic|cheque culture numerique"),
    (
        "ext_sur_rendez_vous",
        r"(?:uniquement )?(?:sur |avec )?(?:rdv|rendez vous)(?: obligatoire| uniquement)?",
    ),
    ("ext_membre_reseau", r"membres?(?: .*)?|adherents?|reseau"),
    (
        "ext_acces_fauteuil",
        r"(?:.* )?(?:pmr|fauteuil)(?: .*)?|accessib\w*(?: .*)?|"
        r"acces (?:handicap\w*|personnes? .*|aux personnes .*)",
    ),
    ("itinerance", r"itineran\w*|lieu itinerant|mobile(?: ou)? fixe|fixe(?: ou)? (?:mobile|itinerant)"),
    (
        "services",
        r"(?:(?:types?|nature|liste)(?: de| d| de l| des)? )?"
        rf"(?:services?|aides?|actions?|prestations?|activites?|thematiques?|themes?|domaines?|accompagnements?|"
        rf"offres?|ateliers?){_OFFERED}",
    ),
    (
        "typologie",
        r"typologie|type(?: de)?(?: la)?(?: structure| lieu| organisme)?|nature|"
        r"statut(?: juridique)?|categorie",
    ),
    ("publics_specifiquement_adresses", r"publics?(?: .*)?|cibles?|beneficiaires|age"),
    ("prise_en_charge_specifique", r"handicaps?|prise en charge.*|langues?(?: parlees)?"),
    (
        "frais_a_charge",
        r"tarifs?|couts?|prix|frais.*|gratuite?|payant|conditions?(?: d acces| tarifaires?)?|"
        r"payant ou gratuit",
    ),
    ("dispositif_programmes_nationaux", r"dispositifs?.*|programmes?.*|labels?(?: nationaux)?|labellisation"),
    ("modalites_accompagnement", r"modalites?(?: d accompagnement)?|formes?|formats?"),
    (
        "modalites_acces",
        r"(?:modalites?|modes?) d acces|acces|comment (?:venir|y acceder|contacter)|prise de contact",
    ),
)
"""Target and the headings that name it, the most specific first."""

_NAMED: Final = tuple((field, re.escape(" ".join(field.split("_")))) for field in (*standard.FIELDS, *_LOCAL))
"""The fields themselves, named as the standard names them."""

_MATCHERS: Final = tuple((target, re.compile(pattern)) for target, pattern in (*_NAMED, *_HEADINGS))
_DAY_HEADING: Final = re.compile(
    r"(?:h |heures? |horaires? |ouverture )?(?:du |le )?(lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|"
    r"lun|mar|mer|jeu|ven|sam|dim)s?"
    r"(?: (?:matin|matinee|am|apres midi|aprem|pm|soir|debut|fin|ouverture|fermeture|de|a|1|2|3|4|"
    r"(?:matin|apres midi) (?:debut|fin|ouverture|fermeture|de|a)))?"
)


def guesses(columns: Sequence[TableColumn]) -> Iterator[ColumnGuess]:
    """Yield the guesses for a table, at most one a column, in the order of its columns.

    A field is guessed once, but for hours, where each day may have several columns.
    """
    taken: set[str] = set()
    by_column: dict[str, ColumnGuess] = {}
    days = [(column, day) for column in columns if (day := _day_of(column))]
    if len({day for _, day in days}) > 1:
        for column, day in days:
            by_column[column.name] = ColumnGuess(f"horaires.{day}", column.name)
        taken.add("horaires")
    # Beside first names, « Nom » is the name of a person.
    of_people = {"nom"} if any(column.words.startswith("prenom") for column in columns) else set()
    for target, pattern in _MATCHERS:
        for column in columns:
            if column.name in by_column or target in taken or not pattern.fullmatch(column.words):
                continue
            if target == "nom" and column.words in of_people:
                continue
            if _plausible(target, column):
                by_column[column.name] = ColumnGuess(target, column.name)
                taken.add(target)
    if "adresse" in taken or "adresse.voie" not in taken:
        # A whole address has the parts in it; and a number without a street is none.
        by_column = {name: each for name, each in by_column.items() if not _is_street_part(each)}
    for column in columns:
        if column.name not in by_column and (target := _by_cells(column)) and target not in taken:
            by_column[column.name] = ColumnGuess(target, column.name, by_cells=True)
            taken.add(target)
    yield from (by_column[column.name] for column in columns if column.name in by_column)


def _is_street_part(guess: ColumnGuess) -> bool:
    return guess.target in ("adresse.numero", "adresse.type_voie", "adresse.voie")


def _day_of(column: TableColumn) -> str:
    found = _DAY_HEADING.fullmatch(column.words)
    return next((day for day in DAYS if found and day.startswith(found[1][:3])), "")


def _plausible(target: str, column: TableColumn) -> bool:
    if not column.cells:
        return target not in ("nom", "id")
    if target == "id":
        return all(column.rows) and len(set(column.rows)) == len(column.rows)
    check = _CHECKS.get(target)
    return check is None or column.share(check) >= _SHARE


def _by_cells(column: TableColumn) -> str:
    """Return the field that the cells alone show; "" when none does."""
    if not column.cells:
        return ""
    for target, looks_right in (
        ("courriels", lambda cell: re.fullmatch(r"\S+@\S+\.\S+.*", cell)),
        ("site_web", lambda cell: re.match(r"https?://|www\.", cell)),
        ("telephone", lambda cell: _PHONE.fullmatch(cell) and 10 <= len(re.sub(r"\D", "", cell)) <= 13),
        (
            "horaires",
            lambda cell: re.search(r"lun|mar|mer|jeu|ven", fold(cell)) and re.search(r"\d ?[h:]", cell),
        ),
    ):
        if column.share(looks_right) >= 0.8:
            return target
    return ""
