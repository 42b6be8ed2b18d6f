"""A département full of fictitious sites: the true communes, as many sites as asked for."""

from __future__ import annotations

from dataclasses import replace

from geo.settings import ROOT
from geo.sites import standard
from geo.sites.model import Position, Site
from geo.snapshot import Snapshot
from geo.territory.files import read_territory
from geo.territory.model import Commune
from tests.support import world


def lot_et_garonne(count: int) -> Snapshot:
    """The shipped territory with this many fictitious sites, the most peopled communes first."""
    territory = read_territory(ROOT / "data" / "communes", "47")

    def place(i: int, commune: Commune) -> Site:
        return replace(
            world.site(f"{i:04}", None),
            nom=f"Espace numérique fictif n° {i} de {commune.name}",
            commune=commune.name,
            code_insee=commune.code,
            code_postal=commune.postal_codes[0],
            adresse=f"{i} rue de l'Exemple",
            telephone=f"+3355399{i:04}",
            horaires="Mo-Fr 09:00-12:00,13:30-17:00; Sa 09:00-12:00",
            services=standard.SERVICES[i % 5 : i % 5 + 4],
            longitude=commune.town_hall.x + (i % 7 - 3) / 300,
            latitude=commune.town_hall.y + (i % 5 - 2) / 300,
            position=Position.EXACTE,
        )

    ranked = sorted(territory.communes, key=lambda c: (-c.population, c.code))
    sites = [place(i, ranked[i * 7 % len(ranked)]) for i in range(count)]
    return replace(world.snapshot(*sites), territory=territory)
