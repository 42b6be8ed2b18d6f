"""`--where field=value`."""

from __future__ import annotations

import pytest
import typer

from geo.sites.filters import SiteFilter
from portee.questions import site_filter


def test_values_of_one_field_are_alternatives():
    asked = site_filter(["frais_a_charge=Gratuit", "frais_a_charge=Payant", "nom = médiathèque"])
    assert asked == SiteFilter.of({"frais_a_charge": ["Payant", "Gratuit"], "nom": ["médiathèque"]})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nom", "not FIELD=VALUE"),
        ("nom=", "not FIELD=VALUE"),
        ("service=x", "services"),
        ("frais_a_charge=gratis", "Gratuit sous condition"),
        ("pass_numerique=oui", "true · false"),
    ],
)
def test_a_wrong_condition_says_what_would_be_right(text, told):
    with pytest.raises(typer.BadParameter, match=told):
        site_filter([text])
