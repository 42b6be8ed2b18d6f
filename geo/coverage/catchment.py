"""Accessible supply: how much help there is for each person, once neighbours have had their part.

The enhanced two-step floating catchment area method (E2SFCA: Luo and Qi, 2009), which the French
« accessibilité potentielle localisée » (APL: Barlet, Coldefy, Collin and Lucas-Gabrielli, DREES
and IRDES, 2012) is made of. Step one shares the supply of each site between the people who can
come to it; step two adds up, for each place, the shares of the sites its people can go to. In
both, what is farther counts less, by a weight of travel time. Formulas and limits:
docs/catchment.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import exp
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidParameter, PorteeError

EXAMPLES: Final = "« pas:10=1,15=2/3,20=1/3 » ou « gauss:30 »"
"""How a decay is written, shown with each refusal."""

MINUTES_MAX: Final = 240
"""Longest travel time a decay may reach, minutes."""

_BLOCK: Final = 1 << 17
"""Weights computed at once: they stay in the processor's cache (1 MB)."""

_NUMBER = re.compile(r"\d{1,3}(\.\d{1,4}|/[1-9]\d{0,2})?", re.ASCII)
_EDGE: Final = exp(-0.5)


@dataclass(frozen=True)
class Step:
    """A weight that falls by steps (Luo and Qi, 2009).

    `steps` are (minutes, weight): up to and including so many minutes, the weight; beyond the
    last, 0. Minutes increase, weights do not. Kept as fractions, so that 2/3 is two thirds.
    """

    steps: tuple[tuple[Fraction, Fraction], ...]

    def __post_init__(self) -> None:
        minutes = [m for m, _ in self.steps]
        weights = [w for _, w in self.steps]
        if not self.steps:
            raise _refused("", "il n'y a aucun palier")
        if sorted(set(minutes)) != minutes or not 0 < minutes[0] <= minutes[-1] <= MINUTES_MAX:
            raise _refused(self.text, f"les minutes doivent croître, de plus de 0 à {MINUTES_MAX}")
        if sorted(weights, reverse=True) != weights or not 0 < weights[-1] <= weights[0] <= 1:
            raise _refused(self.text, "les poids doivent rester entre 0 (exclu) et 1, sans croître")

    @property
    def text(self) -> str:
        """As `parse_decay` reads it back: « pas:10=1,15=2/3,20=1/3 »."""
        return "pas:" + ",".join(f"{_written(m)}={_written(w)}" for m, w in self.steps)

    @property
    def reach_s(self) -> float:
        """Travel time beyond which nothing counts, seconds."""
        return float(self.steps[-1][0] * 60)

    def weights(self, times: NDArray[np.float32]) -> NDArray[np.float64]:
        """Weight of each travel time (seconds, any shape); 0 where not reachable (inf, NaN).

        Thresholds are included, and compared as float32.
        """
        within = np.zeros(times.shape, dtype=np.intp)
        for minutes, _ in self.steps:
            within += times <= float(minutes * 60)
        return np.array([0.0, *(float(w) for _, w in reversed(self.steps))])[within]


@dataclass(frozen=True)
class Gaussian:
    """A weight that falls smoothly, from 1 at no time to 0 at `minutes` (Dai, 2010).

    w(t) = (exp(-½ (t/t₀)²) - exp(-½)) / (1 - exp(-½)) for t ≤ t₀, and 0 beyond.
    """

    minutes: Fraction

    def __post_init__(self) -> None:
        if not 0 < self.minutes <= MINUTES_MAX:
            raise _refused(self.text, f"le temps doit être de plus de 0 minute, et de {MINUTES_MAX} au plus")

    @property
    def text(self) -> str:
        """As `parse_decay` reads it back: « gauss:30 »."""
        return f"gauss:{_written(self.minutes)}"

    @property
    def reach_s(self) -> float:
        """Travel time beyond which nothing counts, seconds."""
        return float(self.minutes * 60)

    def weights(self, times: NDArray[np.float32]) -> NDArray[np.float64]:
        """Weight of each travel time (seconds, any shape); 0 where not reachable (inf, NaN)."""
        found = np.fmin(times, self.reach_s, dtype=np.float64) / self.reach_s
        np.exp(-0.5 * found * found, out=found)
        found -= _EDGE
        found /= 1 - _EDGE
        # What exp rounds to at the threshold differs between processors; nothing must be nothing.
        found[~(times < self.reach_s)] = 0.0
        return found


Decay: TypeAlias = Step | Gaussian
"""How much less a site counts the farther it is. Hashable, so that it can key a cache."""

APL: Final = Step(
    (
        (Fraction(10), Fraction(1)),
        (Fraction(15), Fraction(2, 3)),
        (Fraction(20), Fraction(1, 3)),
    )
)
"""The usual decay: three steps, as in the APL of general practitioners since its revision of 2015."""


def parse_decay(text: str) -> Decay:
    """Read a decay as it is written: "pas:10=1,15=2/3,20=1/3" or "gauss:30" (minutes).

    Numbers are decimals with a point, or fractions.

    Raises
    ------
    InvalidParameter
        If it is neither, or a number makes no sense.
    """
    kind, colon, rest = text.strip().partition(":")
    if not colon or kind not in ("pas", "gauss"):
        raise _refused(text, "elle commence par « pas: » ou « gauss: »")
    if kind == "gauss":
        return Gaussian(_number(text, rest))
    steps = []
    for part in rest.split(","):
        minutes, equals, weight = part.partition("=")
        if not equals:
            raise _refused(text, f"« {part[:20]} » n'est pas « minutes=poids »")
        steps.append((_number(text, minutes), _number(text, weight)))
    return Step(tuple(steps))


def accessible_supply(
    times: NDArray[np.float32], supply: NDArray[np.float64], need: NDArray[np.float64], decay: Decay
) -> NDArray[np.float64]:
    """Supply accessible from each place, per unit of need.

    R_j = S_j / Σ_i need_i w(t_ij), then A_i = Σ_j R_j w(t_ij). Where no need is within reach of a
    site, R_j is 0: its supply serves nobody. All else of the supply is shared out, and no more:
    Σ_i need_i A_i is the sum of S_j over the sites within reach of some need.

    Parameters
    ----------
    times
        Travel times in seconds, shape (sites, places); inf where not reachable. Compared with
        thresholds as float32; weights and sums are float64.
    supply
        Weekly opening hours, helpers…, shape (sites,); not negative.
    need
        People, weighted or not, shape (places,); not negative.

    Returns
    -------
    Shape (places,), unit of supply per unit of need.

    Raises
    ------
    PorteeError
        If a supply or a need is negative or not a number.
    """
    for name, values in (("offre", supply), ("besoin", need)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise PorteeError(
                f"Une valeur de {name} est négative ou absente : l'accessibilité ne peut être calculée.",
                "Corrigez-la, ou laissez ce lieu de côté.",
            )
    result = np.zeros(times.shape[1])
    rows = max(1, _BLOCK // max(1, times.shape[1]))
    for start in range(0, len(times), rows):
        weights = decay.weights(times[start : start + rows])
        sought = weights @ need
        shared = supply[start : start + rows]
        result += np.divide(shared, sought, out=np.zeros_like(sought), where=sought > 0) @ weights
    return result


def mean_by(
    values: NDArray[np.float64], need: NDArray[np.float64], membership: NDArray[np.intp], size: int
) -> NDArray[np.float64]:
    """Mean of a value over the places of each territory, weighted by need.

    Parameters
    ----------
    membership
        Territory of each place, shape (places,), in 0…size - 1; -1 belongs to none.

    Returns
    -------
    Shape (size,). A territory whose places have no need gives their plain mean; one without
    places gives NaN.
    """
    inside = membership >= 0
    at, value, weight = membership[inside], values[inside], need[inside]
    needed = np.bincount(at, weight, size)
    weight = np.where(needed[at] > 0, weight, 1.0)
    total = np.bincount(at, weight * value, size)
    parts = np.bincount(at, weight, size)
    mean: NDArray[np.float64] = np.divide(total, parts, out=np.full(size, np.nan), where=parts > 0)
    return mean


def _number(text: str, part: str) -> Fraction:
    bare = part.strip()
    if not _NUMBER.fullmatch(bare):
        raise _refused(text, f"« {bare[:20]} » n'est pas un nombre (décimales après un point)")
    return Fraction(bare)


def _written(number: Fraction) -> str:
    decimal = f"{float(number):.10g}"
    return decimal if Fraction(decimal) == number else str(number)


def _refused(text: str, why: str) -> InvalidParameter:
    return InvalidParameter(
        f"La décroissance « {text[:60]} » ne peut être lue : {why}.",
        f"Écrivez par exemple {EXAMPLES}.",
        parameter="decay",
    )
