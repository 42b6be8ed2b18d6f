"""Ask many sites how they stand at one moment: `python -m benchmarks.bench_opening`.

Three questions each: the first of all, one a minute later, one on the next day. The peer is the
library asked plainly (parse, state, next change), which mends, names and doubts nothing. Times are
of the processor, so that what else runs counts little.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from time import process_time

from opening_hours import OpeningHours

from geo.hours.calendar import Calendar
from geo.hours.open_status import open_status_at
from geo.sites.model import Site

MOMENT = datetime(2026, 11, 27, 10)  # noqa: DTZ001 - wall-clock time of the place
DAY = timedelta(days=1)
CASES = ((25_000, 25_000), (25_000, 400), (400, 218))
"""How many sites, and how many different strings of hours they have."""


def strings(count: int, closed: str) -> list[str]:
    """Invented hours of offices, all different."""
    draw = random.Random(47)

    def minute() -> str:
        return f"{draw.randrange(60):02}"

    def hours() -> str:
        return f"08:{minute()}-12:{minute()},13:{minute()}-17:{minute()}"

    return [f"Mo-Th {hours()}; Fr {hours()}; PH off; {closed} off" for _ in range(count)]


def plainly(expression: str, moment: datetime) -> object:
    """The library's own answer."""
    hours = OpeningHours(expression, country="FR", max_interval_days=366)
    return hours.state(moment), hours.next_change(moment)


def main() -> None:
    """Print the times of each case."""
    calendar = Calendar("A")
    open_status_at(_site("0", "Mo 09:00-12:00"), MOMENT, calendar)
    for day, (count, different) in enumerate(CASES, start=2):
        # Another day off in each case, so that nothing of the case before is kept.
        drawn = strings(different, f"Jan {day:02}")
        sites = [_site(str(place), drawn[place % different]) for place in range(count)]
        print(f"{count} sites, {different} different strings")
        moments = {"first": MOMENT, "next minute": MOMENT + timedelta(minutes=1), "next day": MOMENT + DAY}
        for name, moment in moments.items():
            start = process_time()
            for site in sites:
                open_status_at(site, moment, calendar)
            print(f"  {name:<12} {1000 * (process_time() - start):8.1f} ms")
        start = process_time()
        for site in sites:
            plainly(site.horaires, MOMENT)
        print(f"  {'the library':<12} {1000 * (process_time() - start):8.1f} ms")


def _site(local_id: str, horaires: str) -> Site:
    return Site(
        id=f"banc--{local_id}",
        pivot="00000000000000",
        nom="Lieu fictif",
        commune="",
        code_postal="",
        adresse="",
        date_maj=None,
        horaires=horaires,
    )


if __name__ == "__main__":
    main()
