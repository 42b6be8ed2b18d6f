"""Need: inhabitants weighted by indicators, with explicit weights.

For a place of commune c, `need = 1 + Σ_k a_k (v_k(c) / mean_k − 1)`: a_k in [0, 1] is the weight of
indicator k, v_k(c) its value, mean_k its mean over the inhabitants whose commune has one. With
Σ a_k ≤ 1 no need is negative, and the mean over all inhabitants is 1: weights move need between
communes without changing its total.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from geo.people.model import Indicator, People

Population = Literal["all", "65"]
"""Population counted: everybody, or people aged 65 or over."""

_ROUNDING: Final = 1e-9
_WEIGHT: Final = re.compile(r"\d{1,3}(\.\d{1,6})?", re.ASCII)


def inhabitants_of(people: People, population: Population) -> NDArray[np.float64]:
    """Return the persons counted at each place, shape (p,); people of unknown age count only in "all".

    Raises
    ------
    InvalidParameter
        If the source has no ages, or the population is neither of the two.
    """
    if population == "all":
        return people.inhabitants
    if population != "65":
        raise InvalidParameter(
            f"« {population} » n'est pas une population connue.",
            f"Choisissez {' ou '.join(get_args(Population))}.",
            parameter="population",
        )
    if np.isnan(people.aged_65).all():
        raise InvalidParameter(
            f"La population chargée ne dit pas l'âge des habitants ({people.label}).",
            "Chargez une grille qui le dit (portee people load), ou comptez tous les habitants.",
            parameter="population",
        )
    return np.nan_to_num(people.aged_65, nan=0.0)


def need(
    people: People, indicators: Mapping[str, Indicator], weights: Mapping[str, float]
) -> NDArray[np.float64]:
    """Compute the need of one inhabitant of each place.

    A commune without a value gets the mean: the indicator has no effect there (see `missing`). If the
    mean is 0 all values are 0, and the indicator has no effect at all.

    Parameters
    ----------
    weights
        Code of an indicator → a_k; other indicators have no weight.

    Returns
    -------
    Multipliers, shape (p,), at least 0; their mean over inhabitants is 1.

    Raises
    ------
    InvalidParameter
        If an indicator is unknown, a weight is outside [0, 1], they sum to more than 1, or an
        indicator with a weight has a negative value.
    """
    _require_weights(weights, indicators)
    multiplier = np.ones(len(people.inhabitants))
    for code, weight in weights.items():
        if not weight:
            continue
        value = _values(people, indicators[code])
        known = np.isfinite(value)
        total = float(people.inhabitants[known] @ value[known])
        if total > 0:
            mean = total / float(people.inhabitants[known].sum())
            multiplier[known] += weight * (value[known] / mean - 1)
    return multiplier


def parse_weights(text: str) -> tuple[tuple[str, float], ...]:
    """Parse weights such as "ifn:0.5,pauvrete:0.2"; sorted by code, weights of 0 left out.

    Raises
    ------
    InvalidParameter
        If a part is not « code:poids », or a code is repeated. Ranges and codes are checked by
        `need`.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        code, colon, weight = (each.strip() for each in part.rpartition(":"))
        if not (colon and code and _WEIGHT.fullmatch(weight)):
            raise _refused(f"« {part.strip()[:40]} » n'est pas « code:poids » (décimales après un point)")
        if code in found:
            raise _refused(f"« {code[:40]} » est donné deux fois")
        found[code] = float(weight)
    return tuple(sorted((code, weight) for code, weight in found.items() if weight))


def format_weights(weights: Iterable[tuple[str, float]]) -> str:
    """Return weights in the syntax of `parse_weights`: "ifn:0.5,pauvrete:0.2"."""
    return ",".join(f"{code}:{f'{weight:.6f}'.rstrip('0').rstrip('.')}" for code, weight in weights)


def missing(
    people: People, indicators: Mapping[str, Indicator], weights: Mapping[str, float]
) -> dict[str, tuple[str, ...]]:
    """Return the communes of `people` without a value, for each indicator with a weight."""
    communes = {str(code) for code in np.unique(people.commune)}
    return {
        code: tuple(sorted(communes - indicators[code].values.keys())) for code, w in weights.items() if w
    }


def _refused(why: str) -> InvalidParameter:
    return InvalidParameter(
        f"Les poids ne peuvent être lus : {why}.",
        "Écrivez par exemple « ifn:0.5,pauvrete:0.2 ».",
        parameter="weights",
    )


def _values(people: People, indicator: Indicator) -> NDArray[np.float64]:
    """Return the indicator's value at each place, shape (p,); NaN where its commune has none."""
    negative = next(((c, v) for c, v in sorted(indicator.values.items()) if v < 0), None)
    if negative:
        raise InvalidParameter(
            f"L'indicateur « {indicator.name} » ne peut pas peser : il vaut {negative[1]:g} à {negative[0]}.",
            "Choisissez un indicateur dont aucune valeur n'est négative, ou donnez-lui un poids nul.",
            parameter="weights",
        )
    communes, row = np.unique(people.commune, return_inverse=True)
    return np.array([indicator.values.get(str(code), np.nan) for code in communes], dtype=np.float64)[row]


def _require_weights(weights: Mapping[str, float], indicators: Mapping[str, Indicator]) -> None:
    for code, weight in weights.items():
        if code not in indicators:
            known = ", ".join(sorted(indicators)) or "aucun"
            raise InvalidParameter(
                f"Aucun indicateur chargé ne porte le code « {code} ».",
                f"Indicateurs chargés : {known}.",
                parameter="weights",
            )
        if not 0 <= weight <= 1:
            raise InvalidParameter(
                f"Le poids de « {code} » doit être entre 0 et 1 ; reçu : {weight:g}.",
                "Un poids de 0 ne change rien, un poids de 1 donne toute la place à l'indicateur.",
                parameter="weights",
            )
    if (total := sum(weights.values())) > 1 + _ROUNDING:
        raise InvalidParameter(
            f"La somme des poids ne peut pas dépasser 1 ; reçu : {total:g}.",
            "Baissez les poids : ce qui reste jusqu'à 1 est la part de la population seule.",
            parameter="weights",
        )
