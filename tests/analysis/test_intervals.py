"""Ranges of shares: each change does what it says, predicted on a street whose times are arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.access import cross, measure_access
from analysis.intervals import VARIANTS, intervals
from geo.grades import grades_of
from geo.hillside import lay_hillside, walking_grid
from tests.flatland import BLOCK_MIN, CATALOG, Town, facilities, places
from tests.geo.test_grades import incline

CLINIC = "village_clinic"
LIMIT = int(CATALOG.standard(CLINIC, "rural").walk_min / BLOCK_MIN)
"""Blocks that an adult walks in the time of the standard."""


def told(homes, *, grade=None, at=(0, 0)):
    streets = Town().street(*((x, 0) for x in range(-30, 31))).streets()
    there, served = places(homes), facilities((CLINIC, at))
    given = {"streets": streets, "catalog": CATALOG}
    if grade is not None:
        terrain = incline(grade)
        given["grades"] = grades_of(streets, terrain)
        hillside = lay_hillside(walking_grid(terrain))
        given["open_ground"] = cross(there[["lon", "lat"]], served, hillside=hillside, **given)
    given["sourced"] = frozenset({CLINIC})
    table = intervals(measure_access(there, served, **given).access, there, served, **given)
    return table[table["category"] == CLINIC].iloc[0]


def test_slower_and_faster_move_the_rim_by_a_fifth():
    # people 1, 2, 4, 8: of 15
    blocks = [0.79 * LIMIT, 0.99 * LIMIT, 1.19 * LIMIT, 1.21 * LIMIT]
    row = told([(x, 0) for x in blocks])
    assert row["people_share"] == pytest.approx(3 / 15)
    assert row["slower"] == pytest.approx(1 / 15)
    assert row["faster"] == pytest.approx(7 / 15)
    assert (row["people_share_low"], row["people_share_high"]) == (row["slower"], row["faster"])
    # on level ground without terrain nothing else changes
    assert row[["straight_legs", "other_function", "field_as_path"]].isna().all()


def test_another_function_and_quicker_fields_change_who_is_served():
    # up 15 %: Tobler's function is slower there; and off the street a field takes 1.41 times as long as a path
    from geo.walking import WALK_FUNCTIONS

    slow = {name: float(WALK_FUNCTIONS[name].slowness(0.15)) for name in ("irmischer_clarke", "tobler")}
    reach = {name: LIMIT / value for name, value in slow.items()}
    low, high = sorted(reach.values())
    row = told([(-(low + high) / 2, 0), (-0.9 * low, 0)], grade=0.15)
    assert row["people_share"] == pytest.approx(1.0 if reach["irmischer_clarke"] == high else 2 / 3)
    assert row["other_function"] == pytest.approx(2 / 3 if reach["irmischer_clarke"] == high else 1.0)
    off = 6.0
    # aslant to the street the field costs 5.97 blocks of path beyond what it saves, as a path it saves 2.5
    aside = told([(-(LIMIT - 5.0), off)], grade=0.0)
    assert (aside["people_share"], aside["field_as_path"]) == (0.0, 1.0)


def test_every_change_is_between_the_ends_of_the_range():
    row = told([(-5, 3), (8, 5), (19, 0), (14, 9)], grade=0.05)
    values = row[list(VARIANTS)].to_numpy(np.float64)
    assert row["people_share_low"] <= min(values.min(), row["people_share"])
    assert row["people_share_high"] >= max(values.max(), row["people_share"])
