"""What undecided questions change, in the table of the planner's page."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.support import world
from tests.unit.static_maps.test_planner import page_of


def test_the_table_shows_what_undecided_questions_change():
    sites = (
        world.site("a", 5, horaires="Mo 09:00-12:00"),
        world.site("b", 5, horaires="Mo-Tu 09:00-12:00"),
        world.site("c", 35, "99004", horaires="Mo 09:00-12:00"),
    )
    asked = replace(world.snapshot(*sites), questions=(("essai--a", "essai--b"),))
    page = page_of(asked)
    row = page.partition('id="t-99001"')[2].partition("</tr>")[0]
    assert '<td class="n">1–2</td>' in row
    assert len(re.findall(r'<td class="n">[\d,]+–[\d,]+</td>', row)) == 2, "supply too"
    assert "–" not in page.partition('id="t-99004"')[2].partition("</tr>")[0]
    assert "selon les questions à trancher" in page
    assert "questions à trancher" not in page_of(world.snapshot(*sites))
