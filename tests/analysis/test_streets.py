"""What is told of the streets: what is left out of them, and that grades are on."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.streets import effect_of_grades, streets_left_out
from geo.grades import grades_of
from geo.walking import DEFAULT, WALK_FUNCTIONS
from tests.flatland import CATALOG, Town
from tests.geo.test_grades import ground, incline

WALK = WALK_FUNCTIONS[DEFAULT]


def told(streets, terrain, catalog=CATALOG):
    effect, steepest = effect_of_grades(streets, grades_of(streets, terrain), catalog)
    return effect.set_index("item")["number"], steepest


def test_the_effect_is_that_of_the_function_on_an_incline():
    # half of the streets climb a fifth, half lie level along the slope; a motorway is not walked on
    streets = (
        Town().street((-5, 0), (5, 0)).street((0, -5), (0, 5)).street((0, 9), (5, 9), highway="motorway").streets()
    )
    number, steepest = told(streets, incline(0.2))
    both = (float(WALK.slowness(0.2)) + float(WALK.slowness(-0.2))) / 2
    assert number["walked_km"] == pytest.approx(2.0)
    assert number["slower_pct"] == pytest.approx(100 * (both - 1) / 2, abs=0.5)
    assert (number["steep_pct"], number["void_km"]) == (0.0, 0.0)
    assert steepest["way_id"].tolist() == [1, 2]
    assert steepest.loc[0, "grade_max"] == pytest.approx(0.2, abs=2e-3)
    assert steepest.loc[0, "rise_m"] == pytest.approx(200, abs=1)
    assert steepest.loc[0, "times_up"] == pytest.approx(float(WALK.slowness(0.2)), rel=5e-3)
    assert steepest.loc[0, "times_down"] == pytest.approx(float(WALK.slowness(-0.2)), rel=5e-3)


def test_level_ground_has_no_effect_and_a_wall_is_steep():
    streets = Town().street((-5, 0), (5, 0)).streets()
    assert told(streets, ground(lambda *_: 100.0))[0]["slower_pct"] == pytest.approx(0.0)
    assert told(streets, incline(0.5))[0]["steep_pct"] == pytest.approx(100.0)


def test_streets_without_terrain_are_counted_and_not_averaged():
    streets = Town().street((-5, 0), (5, 0)).street((200, 0), (210, 0)).streets()
    number, steepest = told(streets, incline(0.2))
    assert number["void_km"] == pytest.approx(1.0, abs=1e-3)
    assert number["graded_km"] == pytest.approx(1.0, abs=1e-3)
    assert steepest["way_id"].tolist() == [1]
    nowhere, none = told(streets, ground(lambda *_: 0.0, hole=lambda x, _: x < 1e9))
    assert np.isnan(nowhere["slower_pct"])
    assert len(none) == 0


def test_what_is_left_out_on_foot_and_by_car_stands_in_one_table():
    streets = Town().street((0, 0), (3, 0), highway="motorway").street((0, 1), (2, 1), highway="path").streets()
    table = streets_left_out(streets, CATALOG)
    assert table[["mode", "why", "highway", "ways_n"]].values.tolist() == [
        ["walk", "class", "motorway", 1], ["drive", "class", "path", 1],
    ]  # fmt: skip
