"""What differs between two runs, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.compare import care_changes, changes, seat_changes, sums


def access(*rows):
    frame = pd.DataFrame(
        rows, columns=["place_id", "category", "status", "met", "time_min", "people", "people_met"]
    )
    return frame.assign(deciding=True).astype({"met": "boolean"})


def test_who_gains_and_who_loses():
    was = access(
        ("A", "x", "beyond_limit", False, 20.0, 10, 0), ("B", "x", "served", True, 5.0, 20, 20),
        ("C", "x", "served", True, 5.0, 30, 30), ("D", "x", "unreachable", False, np.nan, 5, 0),
        ("A", "y", "no_standard", None, 9.0, 10, np.nan), ("E", "x", "served", True, 1.0, 7, 7),
        ("F", "x", "served", True, 5.0, 1, 1),
    )  # fmt: skip
    now = access(
        ("A", "x", "served", True, 10.0, 10, 10), ("B", "x", "unreachable", False, np.nan, 20, 0),
        ("C", "x", "served", True, 5.0, 30, 30), ("D", "x", "beyond_limit", False, 90.0, 5, 0),
        ("A", "y", "no_standard", None, 12.0, 10, np.nan), ("F", "x", "served", True, 5.0005, 1, 1),
        ("N", "x", "served", True, 2.0, 4, 4),
    )  # fmt: skip
    table = changes(was, now).set_index(["place_id", "category"])
    assert table["change"].to_dict() == {
        ("A", "x"): "gained", ("B", "x"): "lost", ("C", "x"): "same", ("D", "x"): "nearer", ("A", "y"): "further",
        ("F", "x"): "same", ("N", "x"): "unknown", ("E", "x"): "unknown",
    }  # fmt: skip
    total = sums(table.reset_index(), cost={"x": 66.0}).set_index("category")
    # A gains, B loses; a place that only one run has says nothing
    assert total.loc["x", ["people_gained", "people_lost", "people_net"]].tolist() == [10, 20, -10]
    assert total.loc["x", "person_min_saved"] == pytest.approx(100 - 0.0005)
    assert np.isnan(total.loc["x", "cost_per_person"])
    assert total.loc["y", ["nearer_n", "further_n", "person_min_saved"]].tolist() == [0, 1, -30]
    # who came to live where one is served gained nothing
    grown = now.assign(people=now["people"] * 2, people_met=now["people_met"] * 2)
    assert len(sums(changes(now, grown))) == 0
    same = changes(was, was)
    assert set(same["change"]) == {"same"}
    assert len(sums(same)) == 0


def test_seats_and_doctors():
    keys = {"stage": "primary", "view": "free_optimum", "year": 0}
    was = pd.DataFrame([{"place_id": "A", **keys, "pupils": 50.0, "unplaced_distance": 10.0, "unplaced_capacity": 5.0},
                        {"place_id": "B", **keys, "pupils": 9.0, "unplaced_distance": np.nan, "unplaced_capacity": np.nan}])  # fmt: skip
    now = was.assign(unplaced_distance=[0.0, 3.0], unplaced_capacity=[5.0, 0.0])
    (row,) = seat_changes(was, now, cost={"primary": 20.0, "junior": 9.0}).to_dict("records")
    assert (row["unplaced_was"], row["unplaced_is"], row["seated_more"], row["cost_per_pupil"]) == (15, 5, 10, 2)
    levels = pd.DataFrame(
        {
            "level": ["village"],
            "method": ["balanced"],
            "staff_short": [3.0],
            "beds_short": [np.nan],
            "people_unsaid": 0.0,
            "people_beds_unsaid": 7.0,
        }
    )
    (row,) = care_changes(levels, levels.assign(staff_short=1.0)).to_dict("records")
    assert (row["staff_short_was"], row["staff_short_is"]) == (3, 1)
    assert row["people_beds_unsaid_is"] == 7
