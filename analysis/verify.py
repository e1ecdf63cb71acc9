"""Laws that only show when something is measured again: tried on some sampled places."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.access import Asked, Ground, Standing, counting, measure_access
from geo.connectors import OpenGround
from layers.catalog import Catalog, Standard
from layers.places import points_of

PLACES_N = 50
"""How many places are measured again."""

MS_MIN = 1.01 / 60_000
"""A millisecond, in minutes."""

FASTER, LONGER = 1.2, 1.5
"""By how much speed and limits are raised."""

KEY = ["place_id", "category", "persona", "mode"]


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Some places with all that they are measured against."""

    places: pd.DataFrame
    points: pd.DataFrame
    facilities: pd.DataFrame
    open_ground: OpenGround | None

    def rows(self, places: NDArray[np.int64], facilities: NDArray[np.int64]) -> _Sample:
        """Some of it, in the order given."""
        chosen = self.places.iloc[places]
        row = pd.Series(range(len(chosen)), index=chosen["place_id"])
        order = self.points["place_id"].map(row)
        points = np.asarray(order[order.notna()].sort_values(kind="stable").index, np.int64)
        return _Sample(
            chosen.reset_index(drop=True), self.points.iloc[points].reset_index(drop=True),
            self.facilities.iloc[facilities].reset_index(drop=True),
            None if self.open_ground is None else self.open_ground.only(points, facilities),
        )  # fmt: skip


def verify(
    places: pd.DataFrame, facilities: pd.DataFrame, *, n: int = PLACES_N, seed: int = 1, **asked: Unpack[Asked]
) -> pd.DataFrame:
    """
    Measure some places again and again, each time with one thing changed, and hold the answers together.

    More time and more speed never serve fewer, more facilities are never further; the order of rows changes
    nothing; with every street turned round the way there takes what the way back took.

    Parameters
    ----------
    places, facilities, **asked
        As for ``analysis.access.measure_access``.
    n, seed
        How many places, and which.

    Returns
    -------
    laws
        ``law, held, checked_n, worst, rows`` as in ``analysis.laws.check_laws``; ``rows`` name places and
        categories.
    """
    rng = np.random.default_rng(seed)
    catalog, points = asked["catalog"], asked.get("points")
    facilities = counting(facilities, catalog)
    points = points_of(places) if points is None else points
    everything = _Sample(
        places.reset_index(drop=True), points.reset_index(drop=True), facilities, asked.get("open_ground")
    )
    chosen = np.sort(rng.choice(len(places), min(n, len(places)), replace=False)).astype(np.int64)
    every = np.arange(len(facilities))
    sample = everything.rows(chosen, every)

    def measured(sample: _Sample, catalog: Catalog = catalog) -> tuple[pd.DataFrame, pd.DataFrame]:
        own: Asked = {
            **asked, "catalog": catalog, "points": sample.points, "open_ground": sample.open_ground
        }  # fmt: skip
        found = measure_access(sample.places, sample.facilities, **own)
        return found.access.set_index(KEY), found.snaps

    base, snaps = measured(sample)
    longer = {key: _longer(standard) for key, standard in catalog.standards.items()}
    more_time, _ = measured(sample, dataclasses.replace(catalog, standards=longer))
    quick, _ = measured(sample, catalog.at_speed(FASTER))
    fewer, _ = measured(sample.rows(np.arange(len(chosen)), every[::2]))
    shuffled, _ = measured(sample.rows(rng.permutation(len(chosen)), rng.permutation(len(facilities))))
    # who comes to a short part of the network for want of better may, faster, come to the real one
    owner = sample.points.set_index("point_id")["place_id"]
    minor = snaps.loc[snaps["kind"].eq("place") & snaps["status"].eq("minor"), "point_id"].map(owner)
    firm = ~base.index.get_level_values("place_id").isin(minor)
    laws = [
        ("more_time_serves_more", _lost(base, more_time)),
        ("more_speed_is_no_slower", _later(base, quick, catalog.raw_speed)[firm]),
        ("more_facilities_are_no_further", _later(fewer, base)),
        ("order_changes_nothing", _apart(base, shuffled)),
        ("turned_round_there_is_back", _turned(sample, asked)),
    ]
    return pd.DataFrame([_told(name, breach) for name, breach in laws],
                        columns=["law", "held", "checked_n", "worst", "rows"])  # fmt: skip


def _told(law: str, breach: pd.Series) -> tuple[str, bool, int, float, str]:
    broken = breach[breach > 0]
    named = ";".join("/".join(map(str, key)) for key in broken.index[:10])
    return law, broken.empty, len(breach), float(breach.max()) if len(breach) else 0.0, named


def _longer(standard: Standard) -> Standard:
    walk, drive = (None if limit is None else limit * LONGER for limit in (standard.walk_min, standard.drive_min))
    return dataclasses.replace(standard, walk_min=walk, drive_min=drive)


def _lost(base: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """1 where somebody was served and is not any more."""
    now = other["met"].reindex(base.index)
    return (base["met"].fillna(value=False) & ~now.fillna(value=False)).astype("float64")


def _later(base: pd.DataFrame, other: pd.DataFrame, same: bool = False) -> pd.Series:
    """By how many minutes the other time is later, infinite where it is not there any more."""
    was = base["time_min"].fillna(np.inf)
    now = other["time_min"].reindex(base.index).fillna(np.inf)
    known = ~base["status"].isin(["no_data", "outside_data"])
    later = np.where(np.isinf(was) | ~known | same, 0.0, now - was.where(np.isfinite(was), 0.0))
    return pd.Series(np.where(later > MS_MIN, later, 0.0), index=base.index)


def _apart(base: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """By how much two answers differ that should be the same: minutes, or infinite for any other word."""
    other = other.reindex(base.index)
    time, again = base["time_min"].fillna(-1.0), other["time_min"].fillna(-1.0)
    words = (base["status"] != other["status"]) | (base["facility_id"] != other["facility_id"])
    return (time - again).abs().mask(words, np.inf)


def _turned(sample: _Sample, asked: Asked) -> pd.Series:
    """By how many minutes the way there, with everything turned round, differs from the way back, on foot."""
    streets, catalog = asked["streets"], asked["catalog"]
    met_share = asked.get("met_share") or catalog.met_share
    standing = Standing.of(sample.places, sample.points, sample.facilities, streets, catalog, met_share)
    ground = Ground(streets, catalog, standing, asked.get("grades"), sample.open_ground, asked.get("closed"))
    journeys, _, _ = ground.journeys("adult", "walk")
    turned = ground.turned()
    parts = []
    for name, rows in standing.rows_of.items():
        back = journeys.nearest(rows, rank=standing.rank[rows], direction="from_facility").back_min
        there = turned.nearest(rows, rank=standing.rank[rows], direction="to_facility").to_min
        apart = np.abs(np.nan_to_num(there, nan=-1.0) - np.nan_to_num(back, nan=-1.0))
        index = pd.MultiIndex.from_product([sample.points["point_id"], [name]])
        parts.append(pd.Series(apart, index=index))
    return pd.concat(parts) if parts else pd.Series(dtype=np.float64)
