"""One table of values and their texts, in French and English: what every output is held against."""

from __future__ import annotations

from math import inf
from typing import Final

NB: Final = "\N{NO-BREAK SPACE}"
NARROW: Final = "\N{NARROW NO-BREAK SPACE}"

FIGURES: Final[tuple[tuple[str, float | None, str, str], ...]] = (
    ("minutes", None, "temps inconnu", "time unknown"),
    ("minutes", inf, "hors d'atteinte", "out of reach"),
    ("minutes", 0, "moins d'une minute", "less than a minute"),
    ("minutes", 0.4, "moins d'une minute", "less than a minute"),
    ("minutes", 0.99, "moins d'une minute", "less than a minute"),
    ("minutes", 1, f"1{NB}min", f"1{NB}min"),
    ("minutes", 2.5, f"3{NB}min", f"3{NB}min"),
    ("minutes", 12.49, f"12{NB}min", f"12{NB}min"),
    ("minutes", 59.49, f"59{NB}min", f"59{NB}min"),
    ("minutes", 59.5, f"1{NB}h", f"1{NB}h"),
    ("minutes", 65, f"1{NB}h{NB}05", f"1{NB}h{NB}05"),
    ("minutes", 119.6, f"2{NB}h", f"2{NB}h"),
    ("minutes_change", None, "—", "—"),
    ("minutes_change", 1.25, f"+1,3{NB}min", f"+1.3{NB}min"),
    ("minutes_change", -2.04, f"−2{NB}min", f"−2{NB}min"),
    ("minutes_change", 0.04, f"0{NB}min", f"0{NB}min"),
    ("minutes_change", -0.04, f"0{NB}min", f"0{NB}min"),
    ("distance", None, "—", "—"),
    ("distance", 4, f"moins de 10{NB}m", f"less than 10{NB}m"),
    ("distance", 44, f"40{NB}m", f"40{NB}m"),
    ("distance", 330, f"350{NB}m", f"350{NB}m"),
    ("distance", 980, f"1{NB}km", f"1{NB}km"),
    ("distance", 1_460, f"1,5{NB}km", f"1.5{NB}km"),
    ("distance", 9_960, f"10{NB}km", f"10{NB}km"),
    ("distance", 12_400, f"12{NB}km", f"12{NB}km"),
    ("distance", 1_234_000, f"1{NARROW}234{NB}km", f"1,234{NB}km"),
    ("percent", None, "—", "—"),
    ("percent", 0, f"0{NB}%", "0%"),
    ("percent", 0.0049, f"moins de 1{NB}%", "less than 1%"),
    ("percent", 0.005, f"1{NB}%", "1%"),
    ("percent", 0.021, f"2{NB}%", "2%"),
    ("percent", 0.425, f"43{NB}%", "43%"),
    ("percent", 0.979, f"98{NB}%", "98%"),
    ("percent", 0.9949, f"99{NB}%", "99%"),
    ("percent", 0.996, f"plus de 99{NB}%", "more than 99%"),
    ("percent", 1, f"100{NB}%", "100%"),
    ("percent", 1.034, f"103{NB}%", "103%"),
    ("euros", None, "—", "—"),
    ("euros", 125_000, f"1{NARROW}250{NB}€", "€1,250"),
    ("euros", 1_250, f"12,50{NB}€", "€12.50"),
    ("euros", 5, f"0,05{NB}€", "€0.05"),
    ("euros", -20_001, f"−200,01{NB}€", "−€200.01"),
    ("count", None, "—", "—"),
    ("count", 999.5, f"1{NARROW}000", "1,000"),
    ("count", 333_602, f"333{NARROW}602", "333,602"),
    ("people", 0, "aucune personne", "nobody"),
    ("people", 0.2, "moins d'une personne", "less than one person"),
    ("people", 1.2, "1 personne", "1 person"),
    ("people", 1.5, "2 personnes", "2 people"),
    ("people", 1_240, f"1{NARROW}240 personnes", "1,240 people"),
    ("decimal", None, "—", "—"),
    ("decimal", 0, "0", "0"),
    ("decimal", 0.0001, "moins de 0,001", "less than 0.001"),
    ("decimal", 0.041, "0,041", "0.041"),
    ("decimal", 0.42, "0,42", "0.42"),
    ("decimal", 3.14, "3,1", "3.1"),
    ("decimal", 202.4, "202", "202"),
    ("decimal", -2.5, "−2,5", "−2.5"),
)

PARTS: Final[tuple[tuple[tuple[float, ...], tuple[str, ...]], ...]] = (
    ((1, 1, 1), (f"34{NB}%", f"33{NB}%", f"33{NB}%")),
    ((979, 21), (f"98{NB}%", f"2{NB}%")),
    ((992, 4, 4), (f"plus de 99{NB}%", f"moins de 1{NB}%", f"moins de 1{NB}%")),
    ((5, 0), (f"100{NB}%", f"0{NB}%")),
    ((0, 0), ("—", "—")),
    ((125, 125, 750), (f"13{NB}%", f"12{NB}%", f"75{NB}%")),
)
"""Parts of one whole, and how they are listed."""


def shown_sum(texts: list[str]) -> int:
    """Sum the parts of one whole as they are shown; a part below one per cent counts for none."""
    total = 0
    for text in texts:
        number = int("".join(c for c in text if c.isdigit()))
        total += 0 if text.startswith("moins de") else number + text.startswith("plus de")
    return total
