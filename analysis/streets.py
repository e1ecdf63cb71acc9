"""What of the streets is walked and driven on, and what their rise and fall does to time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.grades import Grades
from geo.network import Streets, left_out, use_streets
from geo.walking import WALK_FUNCTIONS
from layers.catalog import Catalog

STEEP = 0.35
"""A street steeper than this is rare; many of them are a fault of the terrain [P]."""

WORST_N = 20


def streets_left_out(streets: Streets, catalog: Catalog) -> pd.DataFrame:
    """
    Say which streets nobody walks on, and on which nobody drives, and why; see ``geo.network.left_out``.

    Returns
    -------
    table
        ``mode`` (walk, drive), ``why``, ``highway``, ``ways_n``, ``length_km``.
    """
    parts = [
        left_out(streets, catalog.travel_profile("adult", mode)).assign(mode=mode) for mode in ("walk", "drive")
    ]
    return pd.concat(parts, ignore_index=True)[["mode", "why", "highway", "ways_n", "length_km"]]


def effect_of_grades(streets: Streets, grades: Grades, catalog: Catalog) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Prove that grades are on: how much longer the streets that are walked take, and the worst of them.

    Returns
    -------
    effect, steepest
        ``effect`` has ``item`` and ``number``: ``walked_km``, of it ``graded_km`` with terrain and ``void_km``
        without; ``slower_pct``, by how much the graded ones take longer there and back than on level ground,
        weighted by length; ``steep_pct`` of them over 35 %. ``steepest`` are the twenty that slow most in one
        direction: ``way_id, street_name, highway, length_m, rise_m`` (from its first end to its last),
        ``grade_max`` (rise over run of its steepest step), ``times_up`` and ``times_down`` (in the slower and the
        quicker direction, times level ground), ``lon, lat`` of its first end.
    """
    function = WALK_FUNCTIONS[catalog.walk_function]
    usage = use_streets(streets, catalog.travel_profile("adult", "walk"))
    open_ = (usage.forward | usage.backward) & (streets.length_m > 0) & ~streets.ferry
    known_m = np.maximum(streets.length_m - grades.void_m, 0.0)
    graded = open_ & (known_m > 0)
    ahead, against = grades.slowness(function)
    weight = streets.length_m[graded]
    edge, grade = grades.steps()
    count = np.diff(grades.offset) - 1
    step_m = (streets.length_m / np.maximum(count, 1))[edge]
    own = graded[edge]
    steep_m = float(step_m[own & (np.abs(grade) > STEEP)].sum())
    slower = float((weight * ((ahead + against)[graded] / 2 - 1)).sum() / weight.sum()) if len(weight) else np.nan
    numbers = {
        "walked_km": streets.length_m[open_].sum() / 1000,
        "graded_km": known_m[open_].sum() / 1000,
        "void_km": grades.void_m[open_].sum() / 1000,
        "slower_pct": 100 * slower,
        "steep_pct": 100 * steep_m / weight.sum() if len(weight) else np.nan,
    }
    effect = pd.DataFrame({"item": list(numbers), "number": [float(number) for number in numbers.values()]})
    worst = np.flatnonzero(graded)
    most = np.maximum(ahead, against)
    worst = worst[np.lexsort((worst, -most[worst]))][:WORST_N]
    highest = np.zeros(streets.edge_n)
    np.maximum.at(highest, edge, np.abs(grade))
    rise = grades.height_m[grades.offset[1:] - 1] - grades.height_m[grades.offset[:-1]]
    start = streets.offset[worst]
    table = pd.DataFrame({
        "way_id": streets.tags["way_id"].to_numpy(np.int64)[streets.way[worst]],
        "street_name": streets.tags["name"].to_numpy(object)[streets.way[worst]],
        "highway": streets.tags["highway"].to_numpy(object)[streets.way[worst]],
        "length_m": streets.length_m[worst],
        "rise_m": rise[worst].astype(np.float64),
        "grade_max": highest[worst], "times_up": most[worst], "times_down": np.minimum(ahead, against)[worst],
        "lon": streets.lon[start], "lat": streets.lat[start],
    })  # fmt: skip
    return effect, table
