"""Invent a file of addresses in the format of the Base Adresse Nationale, the same each time.

Names of streets are put together from lists below, house numbers and points are drawn inside the
communes of the shipped territory: no address of the file is anybody's.

    python -m benchmarks.make_addresses adresses-fictives-47.csv --rows 190000
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
from collections.abc import Iterator
from pathlib import Path

from geo.crs import project
from geo.settings import Settings
from geo.territory.files import read_territory
from geo.territory.model import Commune, Territory


def listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


HEADER = listed(
    "id id_fantoir numero rep nom_voie code_postal code_insee nom_commune code_insee_ancienne_commune "
    "nom_ancienne_commune x y lon lat type_position alias nom_ld libelle_acheminement nom_afnor "
    "source_position source_nom_voie certification_commune cad_parcelles"
)

KINDS = ("Rue", "Rue", "Rue", "Chemin", "Chemin", "Route", "Impasse", "Allée", "Avenue", "Place", "Boulevard")
SAINTS = ("Martin", "Pierre", "Jean", "Laurent", "Georges", "Michel", "Étienne", "Caprais", "Hilaire")
NOUNS = listed(
    "Écoles Église Fontaine Lavoir Moulin Cimetière Gare Stade Vignes Pruniers Noyers Tilleuls Chênes "
    "Acacias Peupliers Rosiers Lilas Bleuets Coquelicots Tournesols Coteaux Remparts Capucins Cordeliers "
    "Pénitents Tanneurs Forgerons Potiers Tisserands Meuniers Vendanges Moissons Palombes Alouettes "
    "Hirondelles Mésanges Rossignols Écureuils Chevreuils Libellules Canal Écluse Halage Passerelle "
    "Confluence Garonnette Pigeonnier Séchoir Métairie Tuilerie Briqueterie Distillerie Bascule Barrière "
    "Croix Calvaire Chapelle Prieuré Abbaye Couvent Château Tour Bastide Cornières Halle Marché Fossés"
)
FIRST = listed(
    "Aurélien Béatrice Célestin Delphine Édouard Françoise Gaëtan Hélène Isidore Joséphine Lucien Mélanie "
    "Norbert Ophélie Prosper Raphaëlle Séraphin Théodore Valérie Zéphyrin"
)
LAST = listed(
    "Aubazac Bellonde Cazarègue Delbourgnac Escalmès Fontayral Gourdignan Hautefage Imbertéchie Jouanillou "
    "Lamothière Mazérolles Nougarède Ourgnacq Peyrelade Quercillac Roubignol Sabatéry Terrassou Vergnolles "
    "Baradieu Cantegril Dauriach Falguières Lacassaigne Marsaudon Pradelou Rivassou Tastayre Vidalenque"
)
HAMLETS = listed(
    "Lagarde Lacaze Labarthe Lasbordes Peyroutas Cantelauze Mounet Petit-Jean Grand-Champ Malbès Campagnac "
    "Roubilhou Tuquet Pechmarty Cap-del-Bosc Bordeneuve Castagnéris Fontarède Gratteloup Jolibeau "
    "Mazerac Moulinié Paradou Pech-de-Bère Puymasson Rigoulet Saubès Toupinerie Videau Ygounet"
)
DATES = ("du 8 Mai 1945", "du 11 Novembre 1918", "du 19 Mars 1962", "du 14 Juillet")


def street_name(draw: random.Random) -> str:
    kind = draw.choice(KINDS)
    form = draw.random()
    if form < 0.35:
        noun = draw.choice(NOUNS)
        return f"{kind} {linked(noun)}"
    if form < 0.7:
        return f"{kind} {draw.choice(FIRST)} {draw.choice(LAST)}"
    if form < 0.78:
        return f"{kind} Saint-{draw.choice(SAINTS)}"
    if form < 0.82:
        return f"{kind} {draw.choice(DATES)}"
    if form < 0.9:
        return f"{kind} de {draw.choice(HAMLETS)}"
    return draw.choice(HAMLETS)


def linked(noun: str) -> str:
    if noun.endswith("s"):
        return f"des {noun}"
    if noun[0] in "AÉEIOUH":
        return f"de l'{noun}"
    return f"{'de la' if noun.endswith(('e', 'é', 'ie', 'oix', 'our')) else 'du'} {noun}"


def point_in(commune: Commune, draw: random.Random) -> tuple[float, float]:
    """A point near the town hall, seldom far."""
    west, south, east, north = commune.boundary.bounds
    spread = draw.random() ** 2 / 3
    longitude = commune.town_hall.x + (draw.random() - 0.5) * (east - west) * spread
    latitude = commune.town_hall.y + (draw.random() - 0.5) * (north - south) * spread
    return round(longitude, 6), round(latitude, 6)


def streets_of(territory: Territory, rows: int) -> Iterator[tuple[Commune, str, str, int]]:
    """Commune, code, name and house numbers of each street: more where more people live."""
    draw = random.Random(47)
    people = sum(c.population for c in territory.communes)
    for commune in territory.communes:
        left = max(round(rows * commune.population / people), 8)
        names: set[str] = set()
        serial = 0
        while left > 0:
            name = street_name(draw)
            if name in names:
                name = f"{name.split(' ')[0]} {draw.choice(FIRST)} {draw.choice(LAST)}"
            if name in names:
                continue
            names.add(name)
            serial += 1
            numbers = min(left, draw.choice((2, 4, 6, 8, 10, 14, 20)))
            left -= numbers
            yield commune, f"{serial:04d}", name, numbers


def write(path: Path, territory: Territory, rows: int) -> int:
    """Write the file; returns its number of rows."""
    draw = random.Random(1)
    opened = gzip.open if path.suffix == ".gz" else open
    written = 0
    with opened(path, "wt", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, delimiter=";", lineterminator="\n")
        out.writerow(HEADER)
        for commune, code, name, numbers in streets_of(territory, rows):
            postcode = commune.postal_codes[0]
            longitude, latitude = point_in(commune, draw)
            for rank in range(numbers):
                number, rep = rank + 1, "bis" if draw.random() < 0.03 else ""
                place = (longitude + rank * 0.0002, latitude + rank * 0.0001)
                x, y = project(*place, territory.metric_crs)[0]
                key = f"{commune.code}_{code}_{number:05d}" + (f"_{rep}" if rep else "")
                written += 1
                out.writerow(
                    (
                        *(key, "", number, rep, name, postcode, commune.code, commune.name, "", ""),
                        *(f"{x:.2f}", f"{y:.2f}", f"{place[0]:.6f}", f"{place[1]:.6f}"),
                        *("segment", "", "", commune.name.upper(), name.upper(), "fictif", "fictif", "0", ""),
                    )
                )
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=190_000)
    options = parser.parse_args()
    settings = Settings()
    territory = read_territory(settings.territory_dir, settings.departement)
    print(f"{write(options.path, territory, options.rows):,} rows in {options.path}")


if __name__ == "__main__":
    main()
