"""The bar of the fund's money."""

from __future__ import annotations

import re

from static_maps.funding_pages import Part, bar


def test_the_bar_gives_each_part_its_share_of_the_width_side_by_side():
    drawn = bar([Part("payé", 300, "75 %", "#111111"), Part("libre", 100, "25 %", "#eeeeee")])
    assert re.findall(r'x="([\d.]+)" y="0" width="([\d.]+)"', drawn) == [("0.0", "570.0"), ("570.0", "190.0")]
