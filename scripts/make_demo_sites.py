"""Write the demonstration's invented sites: `python scripts/make_demo_sites.py`.

Everything but the communes is made up: names, addresses, people reached. Telephone numbers lie in
the range the regulator keeps for fiction (05 36 49), mail and web addresses in example.org, SIRET in
a block INSEE never gives out. The same territory files always give the same bytes.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from shapely import Point
from stdnum import luhn

from geo.settings import ROOT
from geo.sites import standard
from geo.sites.model import LOCAL_PREFIX
from geo.territory.files import read_territory
from geo.territory.model import Commune, Territory

SEED = 47
FOLDER = ROOT / "data" / "demo"
LOCAL = ("pass_numerique", "membre_reseau", "acces_fauteuil", "arrets", "jeu_de_donnees", "fictif")
COLUMNS = (*standard.FIELDS, *(LOCAL_PREFIX + name for name in LOCAL))
MAIN, PARTNERS = "demonstration", "demonstration-partenaires"

Row = dict[str, str]


@dataclass(frozen=True)
class Sort:
    """A sort of invented place: what it is called and what such a place usually offers."""

    noun: str
    count: int
    typologies: str
    services: Sequence[int]
    hours: str
    dispositif: str = ""
    parent: str = ""
    fees: Sequence[str] = ("Gratuit",)
    modes: Sequence[int] = (0, 1)
    help: Sequence[int] = (1,)
    extra: dict[str, str] = field(default_factory=dict)


OFFICE = "Mo-Fr 09:00-12:00,13:30-17:00; PH off"
LIBRARY = "Tu,Th,Fr 14:00-18:00; We,Sa 10:00-12:30,14:00-18:00; PH off"

SORTS = (
    Sort("Médiathèque", 12, "BIB RELAIS_LECTURE", (1, 6, 7), LIBRARY,
         "Bibliothèques numérique de référence", "Réseau fictif de lecture publique", help=(0, 2)),
    Sort("Espace France Services", 9, "RFS MSAP", (0, 3), "Mo-Fr 09:00-12:30,13:30-17:00; PH off",
         "France Services|Aidants Connect", "Réseau fictif de maisons de services"),
    Sort("Espace numérique", 6, "EPN EPI PI", (0, 1, 3, 7), "Mo,We,Fr 09:30-12:30; Tu,Th 14:00-19:00",
         "Conseillers numériques", fees=("Gratuit sous condition",), help=(0, 1, 2)),
    Sort("Tiers-lieu", 5, "TIERS_LIEUX FABLAB FABRIQUE RESSOURCERIE ESS", (5, 6, 7),
         "Mo-Fr 10:00-19:00; Sa[1] 10:00-17:00", fees=("Payant",), help=(0, 2)),
    Sort("Centre social", 5, "CS CSC EVS MJC MQ MDH", (0, 1, 4), "Mo-Fr 09:00-12:00,14:00-18:00; PH off",
         "Point d'accès numérique CAF", help=(1, 2)),
    Sort("Mairie", 5, "MUNI CCAS CIAS EPCI CC PREF", (0,), "Mo,Tu,Th 09:00-12:00; Fr 14:00-17:00; PH off",
         "Aidants Connect"),
    Sort("Maison des solidarités", 4, "MDS CD DEPT CMS CDAS ASE MDPH DIPLP PREVENTION SCP REG ODC CC",
         (0, 3), OFFICE, "Aidants Connect", "Collectivité fictive", modes=(0, 1, 5)),
    Sort("Relais emploi", 4, "FT ML CAP_EMPLOI E2C MDE MDEF PLIE AFPA AVIP CITMET EPIDE OF CCONS DEETS", (2,),
         "Mo-Th 08:30-12:30,13:30-16:30; Fr 08:30-12:30; PH off", "Certification PIX", modes=(0, 2, 5)),
    Sort("Atelier d'insertion", 4, "ACI ACIPHC AI EI EITI ETTI EA EATT ESAT GEIQ OPCS CAVA ASSO_CHOMEUR",
         (2, 8), "Mo-Fr 08:00-12:00,13:00-16:00", "Emmaüs Connect|Relais numérique (Emmaüs Connect)",
         fees=("Gratuit sous condition", "Payant")),
    Sort("Résidence", 3, "CHRS CHU CADA CPH HUDA PENSION RS_FJT OIL FAIS", (0, 1), "",
         modes=(4,), extra={"ferme": "oui"}),
    Sort("Point santé", 3, "CMP CSAPA CAARUD CPAM MSA CAF", (0,), "Mo-Fr 08:30-12:30; PH off", modes=(0, 3)),
    Sort("Point droits et justice", 2, "PAD PJJ SPIP CIDFF CFP", (0, 3), "Tu 14:00-17:00; Th 09:00-12:00"),
    Sort("Point jeunes", 3, "PIJ_BIJ PIMMS", (2, 4, 6),
         "We 10:00-18:00; Fr 16:00-19:00; SH Mo-Fr 14:00-18:00",
         "Promeneurs du net|Grande école du numérique", modes=(0, 2, 3)),
    Sort("Épicerie solidaire", 2, "ES OACAS UDAF ASSO Autre", (7, 8), "Tu,Fr 09:30-12:00",
         "La Croix Rouge", fees=("Gratuit sous condition",)),
    Sort("Agence postale", 2, "LA_POSTE", (0, 7), "Mo-Sa 09:00-12:00; PH off"),
    Sort("Bus numérique", 3, "ENM", (0, 1, 3), "week 1-53/2 Tu 09:00-12:00; week 2-52/2 Th 14:00-17:00",
         "Conseillers numériques", extra={"bus": "oui"}),
)  # fmt: skip

NAMESAKES = (
    "des Tilleuls", "du Martin-Pêcheur", "des Pruniers en fleur", "de l'Écluse rêvée", "des Trois Cigales",
    "du Petit Gué", "des Noisetiers", "du Vieux Pressoir", "de la Belle Étoile", "des Hirondelles",
    "du Moulin bleu", "des Coquelicots", "de la Clairière", "du Grand Chêne", "des Libellules",
)  # fmt: skip
STREETS = (
    "place de l'Exemple", "rue Fictive", "allée de l'Invention", "chemin du Prototype", "avenue du Modèle",
    "impasse du Brouillon", "rue de l'Esquisse", "boulevard de la Maquette",
)  # fmt: skip


def fictitious_siret(rank: int) -> str:
    """A SIRET with right check digits in a block INSEE gives to nobody (SIREN 000 000 1xx)."""
    siren = f"000001{rank:02d}"
    siren += luhn.calc_check_digit(siren)
    nic = f"{siren}0001"
    return nic + luhn.calc_check_digit(nic)


def placed_in(commune: Commune, rng: random.Random) -> Point:
    """A point of the commune within a kilometre of its town hall."""
    angle, metres = rng.random() * math.tau, 80 + 800 * rng.random()
    hall = commune.town_hall
    for nearer in (1, 0.5, 0.25, 0.1):
        point = Point(
            round(hall.x + metres * nearer * math.cos(angle) / 111_320 / math.cos(math.radians(hall.y)), 5),
            round(hall.y + metres * nearer * math.sin(angle) / 111_320, 5),
        )
        if commune.boundary.contains(point):
            return point
    return Point(round(hall.x, 5), round(hall.y, 5))


def spread(territory: Territory, count: int, rng: random.Random) -> list[Commune]:
    """Communes that get a site, larger ones several: towns first, then villages at random."""
    by_size = sorted(territory.communes, key=lambda c: (-c.population, c.code))
    towns = [c for c in by_size[:30] for _ in range(1 + c.population // 8_000)]
    villages = sorted(by_size[30:], key=lambda c: (rng.random(), c.code))
    return [*towns, *villages][:count]


def beyond_the_border(territory: Territory, count: int) -> list[Commune]:
    """The largest neighbouring communes close to the territory, each département in turn."""
    halls = [c.town_hall for c in territory.communes]
    near = [c for c in territory.context if min(c.town_hall.distance(h) for h in halls) < 0.12]
    rank: dict[str, int] = {}
    ordered = []
    for commune in sorted(near, key=lambda c: (-c.population, c.code)):
        rank[commune.departement_code] = rank.get(commune.departement_code, 0) + 1
        ordered.append((rank[commune.departement_code], commune.code, commune))
    return [commune for _, _, commune in sorted(ordered, key=lambda o: o[:2])[:count]]


def shared_out(codes: Sequence[str], among: int) -> list[str]:
    """Codes dealt to so many places, the first code to each of them."""
    hands: list[list[str]] = [[codes[0]] for _ in range(among)]
    for code, hand in zip(codes[1:], cycle(hands), strict=False):
        hand.append(code)
    return [standard.SEPARATOR.join(hand) for hand in hands]


def joined(values: Iterable[str]) -> str:
    """Several values of the standard in one cell."""
    return standard.SEPARATOR.join(values)


def wheel() -> Iterator[tuple[str, str, str, str]]:
    """Public, special care, training and access in turn, so that every value of the standard occurs."""
    publics, cares = cycle(standard.PUBLICS), cycle(standard.PRISES_EN_CHARGE)
    trainings, modes = cycle(standard.FORMATIONS), cycle(standard.MODALITES_ACCES[:4])
    for turn in cycle(range(4)):
        yield (
            next(publics) if turn in (0, 2) else "",
            joined((next(cares), next(cares))) if turn == 1 else "",
            next(trainings) if turn in (1, 3) else "",
            next(modes),
        )


def places(territory: Territory) -> list[Row]:
    """The main file: invented sites of the territory, covering every field and every value."""
    rng = random.Random(SEED)  # noqa: S311 (a drawing, not a secret)
    sorts = [(s, typology) for s in SORTS for typology in shared_out(s.typologies.split(), s.count)]
    order = sorted(range(len(sorts)), key=lambda _: rng.random())
    communes = spread(territory, len(sorts), rng)
    turns = wheel()
    return [
        place(rank, *sorts[pick], commune, next(turns), rng)
        for rank, (pick, commune) in enumerate(zip(order, communes, strict=True), start=1)
    ]


def place(
    rank: int,
    sort: Sort,
    typology: str,
    commune: Commune,
    turn: tuple[str, str, str, str],
    rng: random.Random,
) -> Row:
    """One invented site."""
    public, care, training, mode = turn
    point = placed_in(commune, rng)
    slug = f"lieu-fictif-{rank:03d}"
    namesake = NAMESAKES[rank % len(NAMESAKES)]
    hours = sort.hours
    if rank % 13 == 0:
        hours = ""
    elif rank == 20:
        hours = "sur rendez-vous, téléphoner le matin"  # as real lists have it: shown, and counted as unknown
    closed, bus = "ferme" in sort.extra, "bus" in sort.extra
    located = rank % 24 != 7
    known = "BIB" in typology or rank % 6 == 0
    helped = (*sort.help, 3) if rank % 7 == 0 else sort.help
    modes = tuple(dict.fromkeys((*(standard.MODALITES_ACCES[i] for i in sort.modes), mode)))
    return {
        "id": slug,
        "pivot": fictitious_siret(rank % 100) if known else standard.UNKNOWN_PIVOT,
        "nom": f"Lieu fictif – {sort.noun} {namesake}",
        "commune": commune.name,
        "code_postal": commune.postal_codes[0],
        "code_insee": commune.code,
        "adresse": f"{rank} {STREETS[rank % len(STREETS)]}",
        "complement_adresse": "Bâtiment imaginaire, 1er étage" if rank % 9 == 0 else "",
        "latitude": f"{point.y:.5f}" if located else "",
        "longitude": f"{point.x:.5f}" if located else "",
        "typologie": typology,
        "telephone": "" if closed else f"+3353649{rank:04d}",
        "courriels": joined((f"{slug}@example.org", f"accueil.{slug}@example.org")[: 1 + (rank % 8 == 0)]),
        "site_web": f"https://example.org/{slug}" if rank % 2 else "",
        "horaires": hours,
        "presentation_resume": (
            "Lieu inventé pour la démonstration. On y trouverait : "
            + ", ".join(standard.SERVICES[i].lower() for i in sort.services)
            + "."
        ),
        "presentation_detail": (
            "Ce lieu n'existe pas. Il montre à quoi ressemble une fiche complète : services, horaires, accès."
            if rank % 3 == 0
            else ""
        ),
        "source": "Portée, jeu de démonstration (lieux fictifs)",
        "itinerance": "Itinérant" if bus and rank % 2 else "Itinérant|Fixe" if bus else "Fixe",
        "structure_parente": sort.parent,
        "date_maj": f"{2022 if rank % 25 == 5 else 2026}-{1 + rank % 10:02d}-{1 + rank % 28:02d}",
        "services": joined(standard.SERVICES[i] for i in sort.services),
        "publics_specifiquement_adresses": public,
        "prise_en_charge_specifique": care,
        "frais_a_charge": joined(sort.fees),
        "dispositif_programmes_nationaux": sort.dispositif,
        "formations_labels": standard.ETAPES_NUMERIQUES if "LA_POSTE" in typology else training,
        "autres_formations_labels": "Label inventé|FRR" if rank % 10 == 0 else "",
        "modalites_acces": "Ce lieu n'accueille pas de public" if closed else joined(modes),
        "modalites_accompagnement": joined(standard.MODALITES_ACCOMPAGNEMENT[i] for i in helped),
        "fiche_acces_libre": f"https://example.org/acces-libre/{slug}" if rank % 5 == 0 else "",
        "prise_rdv": f"https://example.org/rendez-vous/{slug}" if "Prendre un RDV en ligne" in modes else "",
        "ext_pass_numerique": ("true", "false", "")[rank % 3],
        "ext_membre_reseau": ("true", "true", "false", "")[rank % 4],
        "ext_acces_fauteuil": ("true", "false", "true", "")[rank // 2 % 4],
        "ext_arrets": stops(commune) if bus else "",
        "ext_jeu_de_donnees": MAIN,
        "ext_fictif": "true",
    }  # fmt: skip


def stops(commune: Commune) -> str:
    """Stops by weekday, by rank in the month, and by date."""
    return joined(
        (
            f"{commune.name}, place du Marché fictif @ Tu 09:00-12:00",
            f"{commune.name}, parking de l'Exemple @ Th[1] 14:00-17:00",
            f"{commune.name}, salle imaginaire @ 2027-03-04 10:00-16:00",
        )
    )


def partners(territory: Territory, main: Sequence[Row]) -> list[Row]:
    """The second file: sites beyond the border, and one place the main file contains as well."""
    rng = random.Random(SEED + 1)  # noqa: S311
    turns = wheel()
    rows = [
        place(rank, SORTS[rank % 6], SORTS[rank % 6].typologies.split()[0], commune, next(turns), rng)
        for rank, commune in enumerate(beyond_the_border(territory, 8), start=201)
    ]
    twin = next(r for r in main if "Médiathèque" in r["nom"] and r["latitude"])
    rows.append(
        twin
        | {
            "id": "lieu-fictif-209",
            "nom": twin["nom"].replace("Médiathèque", "Bibliothèque-médiathèque"),
            "latitude": f"{float(twin['latitude']) + 0.0002:.5f}",
            "courriels": "",
            "date_maj": "2026-04-09",
            "source": "Partenaire fictif (jeu de démonstration)",
        }
    )
    return [row | {"ext_jeu_de_donnees": PARTNERS} for row in rows]


def next_version(main: Sequence[Row]) -> list[Row]:
    """The main file some months later: one site gone, one new, three changed."""
    *kept, gone = main
    changes = (
        {"horaires": "Mo-Fr 10:00-18:00; PH off"},
        {"telephone": "+33536499999"},
        {"nom": f"{kept[2]['nom']} (déménagé)", "adresse": "99 rue Fictive"},
    )
    later = [row | change | {"date_maj": "2026-11-02"} for row, change in zip(kept, changes, strict=False)]
    new = gone | {"id": "lieu-fictif-301", "nom": "Lieu fictif – Atelier numérique du Renouveau"}
    new |= {"pivot": standard.UNKNOWN_PIVOT, "adresse": "1 rue du Renouveau", "date_maj": "2026-11-02"}
    return [*later, *kept[len(changes) :], new]


def files(territory: Territory) -> dict[Path, list[Row]]:
    """Every file of the demonstration, by its path under `data/demo`."""
    main = places(territory)
    return {
        Path("lieux-fictifs-47.csv"): main,
        Path("lieux-fictifs-partenaires.csv"): partners(territory, main),
        Path("mise-a-jour", "lieux-fictifs-47.csv"): next_version(main),
    }


def write(territory: Territory, folder: Path) -> None:
    """Write every file as the standard's CSV, our own columns after its 32."""
    for name, rows in files(territory).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    write(read_territory(ROOT / "data" / "communes", "47"), FOLDER)
