"""Laws that need a second measurement: they hold on sound code, and each is broken by what it is there for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis import verify as module
from analysis.access import cross
from analysis.verify import verify
from geo.grades import grades_of
from geo.hillside import lay_hillside, walking_grid
from geo.network import Usage
from tests.flatland import CATALOG, Town, facilities, places
from tests.geo.test_grades import ground

LAWS = ["more_time_serves_more", "more_speed_is_no_slower", "more_facilities_are_no_further", "order_changes_nothing",
        "turned_round_there_is_back"]  # fmt: skip
HOMES = [(1, 5), (9, 6), (4, 1), (6, 4), (0, 0)]
SERVED = [("village_clinic", (11, 5)), ("village_clinic", (2, -3)), ("primary_school", (7, 1)),
          ("primary_school", (30, 1)), ("convenience_store", (3, 2))]  # fmt: skip


def told(**more):
    streets, homes, served = Town().grid(12, 2).streets(), places(HOMES), facilities(*SERVED)
    terrain = ground(lambda x, y: 2000 + 25 * np.sin(x / 200) * np.cos(y / 150) + 0.05 * x)
    given = {"streets": streets, "catalog": CATALOG, "grades": grades_of(streets, terrain)}
    crossed = cross(homes[["lon", "lat"]], served, hillside=lay_hillside(walking_grid(terrain)), **given)
    return verify(homes, served, sourced=frozenset(served["category"]), open_ground=crossed, **given, **more)


def test_sound_code_keeps_every_law():
    laws = told()
    assert laws["law"].tolist() == LAWS
    assert laws["held"].all()
    assert (laws["checked_n"] > 0).all()


def test_some_places_are_chosen_the_same_ones_again():
    few = told(n=2)
    assert (few["checked_n"] < told()["checked_n"]).all()
    assert few.equals(told(n=2))


@pytest.mark.parametrize(
    ("number", "law"),
    [(1, "more_time_serves_more"), (2, "more_speed_is_no_slower"), (3, None), (4, "order_changes_nothing")],
)
def test_a_measurement_that_errs_breaks_its_law(monkeypatch, number, law):
    sound, asked = module.measure_access, []

    def erring(*given, **more):
        found = sound(*given, **more)
        asked.append(1)
        if len(asked) != number + 1:
            return found
        access = found.access.assign(time_min=found.access["time_min"] + 1.0)
        access["met"] = pd.array([False] * len(access), dtype="boolean")
        return dataclasses.replace(found, access=access)

    monkeypatch.setattr(module, "measure_access", erring)
    laws = told().set_index("law")
    assert laws.index[~laws["held"]].tolist() == ([law] if law else [])
    if law:
        assert laws.loc[law, "rows"].count("/") >= 3


def test_fewer_facilities_that_are_nearer_break_the_law(monkeypatch):
    sound, asked = module.measure_access, []

    def erring(*given, **more):
        found = sound(*given, **more)
        asked.append(1)
        access = found.access.assign(time_min=found.access["time_min"] - 1.0)
        return dataclasses.replace(found, access=access) if len(asked) == 4 else found

    monkeypatch.setattr(module, "measure_access", erring)
    laws = told().set_index("law")
    assert laws.index[~laws["held"]].tolist() == ["more_facilities_are_no_further"]


def test_a_direction_that_is_forgotten_breaks_the_law(monkeypatch):
    monkeypatch.setattr(Usage, "turned", lambda self: self)
    laws = told().set_index("law")
    assert laws.index[~laws["held"]].tolist() == ["turned_round_there_is_back"]
