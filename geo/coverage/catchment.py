"""Accessible supply: how much help there is for each person, given everyone else who can come.

The enhanced two-step floating catchment area method (E2SFCA: Luo and Qi, 2009), also the basis of
the French « accessibilité potentielle localisée » (APL: Barlet, Coldefy, Collin and
Lucas-Gabrielli, DREES and IRDES, 2012). Step one divides the supply of each site among the people
who can come to it; step two adds up, for each place, these ratios over the sites its people can go
to. In both, a weight (decay) falls with travel time. Formulas and limits: docs/catchment.md.
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
"""Examples of the syntax of a decay, shown with each error."""

MINUTES_MAX: Final = 240
"""Longest travel time a decay may extend to, minutes."""

_BLOCK: Final = 1 << 17
"""Number of weights computed at once: 1 MB, which fits in the processor's cache."""

_NUMBER = re.compile(r"\d{1,3}(\.\d{1,4}|/[1-9]\d{0,2})?", re.ASCII)
_EDGE: Final = exp(-0.5)


@dataclass(frozen=True)
class Step:
    """A weight that falls in steps (Luo and Qi, 2009).

    `steps` are (minutes, weight): the weight applies up to and including these minutes; beyond the
    last step it is 0. Minutes increase, weights do not. Stored as fractions, so that 2/3 is exact.
    """

    steps: tuple[tuple[Fraction, Fraction], ...]

    def __post_init__(self) -> None:
        minutes = [m for m, _ in self.steps]
        weights = [w for _, w in self.steps]
        if not self.steps:
            raise _invalid("", "il n'y a aucun palier")
        if sorted(set(minutes)) != minutes or not 0 < minutes[0] <= minutes[-1] <= MINUTES_MAX:
            raise _invalid(self.text, f"les minutes doivent croître, de plus de 0 à {MINUTES_MAX}")
        if sorted(weights, reverse=True) != weights or not 0 < weights[-1] <= weights[0] <= 1:
            raise _invalid(self.text, "les poids doivent rester entre 0 (exclu) et 1, sans croître")

    @property
    def text(self) -> str:
        """Return the decay in the syntax of `parse_decay`: « pas:10=1,15=2/3,20=1/3 »."""
        return "pas:" + ",".join(f"{_format_number(m)}={_format_number(w)}" for m, w in self.steps)

    @property
    def reach_s(self) -> float:
        """Return the travel time beyond which the weight is 0, seconds."""
        return float(self.steps[-1][0] * 60)

    def weights(self, times: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the weight of each travel time (seconds, any shape); 0 where not reachable (inf, NaN).

        Thresholds are inclusive and compared as float32.
        """
        # Counts the steps that include the time: all of them for a short time, none beyond the last.
        within = np.zeros(times.shape, dtype=np.intp)
        for minutes, _ in self.steps:
            within += times <= float(minutes * 60)
        return np.array([0.0, *(float(w) for _, w in reversed(self.steps))])[within]


@dataclass(frozen=True)
class Gaussian:
    """A weight that falls smoothly, from 1 at time 0 to 0 at `minutes` (Dai, 2010).

    w(t) = (exp(-½ (t/t₀)²) - exp(-½)) / (1 - exp(-½)) for t ≤ t₀, and 0 beyond.
    """

    minutes: Fraction

    def __post_init__(self) -> None:
        if not 0 < self.minutes <= MINUTES_MAX:
            raise _invalid(self.text, f"le temps doit être de plus de 0 minute, et de {MINUTES_MAX} au plus")

    @property
    def text(self) -> str:
        """Return the decay in the syntax of `parse_decay`: « gauss:30 »."""
        return f"gauss:{_format_number(self.minutes)}"

    @property
    def reach_s(self) -> float:
        """Return the travel time beyond which the weight is 0, seconds."""
        return float(self.minutes * 60)

    def weights(self, times: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the weight of each travel time (seconds, any shape); 0 where not reachable (inf, NaN)."""
        found = np.fmin(times, self.reach_s, dtype=np.float64) / self.reach_s
        np.exp(-0.5 * found * found, out=found)
        found -= _EDGE
        found /= 1 - _EDGE
        # The rounding of exp differs between processors; the weight at the threshold must be exactly 0.
        found[~(times < self.reach_s)] = 0.0
        return found


Decay: TypeAlias = Step | Gaussian
"""How the weight of a site falls with travel time. Hashable, so that it can be part of a cache key."""

APL: Final = Step(
    (
        (Fraction(10), Fraction(1)),
        (Fraction(15), Fraction(2, 3)),
        (Fraction(20), Fraction(1, 3)),
    )
)
"""The default decay: three steps, as in the APL of general practitioners since its revision of 2015."""


def parse_decay(text: str) -> Decay:
    """Parse a decay: "pas:10=1,15=2/3,20=1/3" or "gauss:30" (minutes).

    Numbers are decimals with a point, or fractions.

    Raises
    ------
    InvalidParameter
        If it has another form, or a number is out of range.
    """
    kind, colon, rest = text.strip().partition(":")
    if not colon or kind not in ("pas", "gauss"):
        raise _invalid(text, "elle commence par « pas: » ou « gauss: »")
    if kind == "gauss":
        return Gaussian(_number(text, rest))
    steps = []
    for part in rest.split(","):
        minutes, equals, weight = part.partition("=")
        if not equals:
            raise _invalid(text, f"« {part[:20]} » n'est pas « minutes=poids »")
        steps.append((_number(text, minutes), _number(text, weight)))
    return Step(tuple(steps))


def accessible_supply(
    times: NDArray[np.float32], supply: NDArray[np.float64], need: NDArray[np.float64], decay: Decay
) -> NDArray[np.float64]:
    """Compute the supply accessible from each place, per unit of need.

    R_j = S_j / Σ_i need_i w(t_ij), then A_i = Σ_j R_j w(t_ij). A site without any need within reach
    has R_j = 0.

    INVARIANT: supply is conserved: Σ_i need_i A_i equals the sum of S_j over the other sites.

    Parameters
    ----------
    times
        Travel times, seconds, shape (sites, places); inf where not reachable. Compared with
        thresholds as float32; weights and sums are float64.
    supply
        For example weekly opening hours, shape (sites,); finite, at least 0.
    need
        People, weighted or not, shape (places,); finite, at least 0.

    Returns
    -------
    Shape (places,), unit of supply per unit of need.

    Raises
    ------
    PorteeError
        If a supply or a need is negative or not finite.
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
        demand = weights @ need
        offered = supply[start : start + rows]
        result += np.divide(offered, demand, out=np.zeros_like(demand), where=demand > 0) @ weights
    return result


def _number(text: str, part: str) -> Fraction:
    bare = part.strip()
    if not _NUMBER.fullmatch(bare):
        raise _invalid(text, f"« {bare[:20]} » n'est pas un nombre (décimales après un point)")
    return Fraction(bare)


def _format_number(number: Fraction) -> str:
    decimal = f"{float(number):.10g}"
    return decimal if Fraction(decimal) == number else str(number)


def _invalid(text: str, why: str) -> InvalidParameter:
    return InvalidParameter(
        f"La décroissance « {text[:60]} » ne peut être lue : {why}.",
        f"Écrivez par exemple {EXAMPLES}.",
        parameter="decay",
    )
