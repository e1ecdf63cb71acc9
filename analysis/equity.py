"""How equally something is shared among people."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RICH, POOR = 0.1, 0.4
"""The tenth that has most and the two fifths that have least, whom Palma's ratio compares."""

EQUITY = [
    "subject", "part", "by", "name", "people", "served_people", "mean", "gini", "palma", "people_below",
    "below_share",
]  # fmt: skip


def gini(value: ArrayLike, people: ArrayLike) -> float:
    """
    Mean difference between any two people over twice the mean: 0 if all have as much, towards 1 if one has all.

    Parameters
    ----------
    value, people
        What each of so many people has; not negative. NaN counts as nobody.

    Returns
    -------
    gini
        NaN where nobody is, or nobody has anything.
    """
    x, w = _sorted(value, people)
    total = float((x * w).sum())
    if not total > 0:
        return float("nan")
    below = np.cumsum(x * w) - x * w / 2  # of whom stands in the middle of each group
    return float(1 - 2 * (w * below).sum() / (total * w.sum()))


def palma(value: ArrayLike, people: ArrayLike) -> float:
    """
    What the tenth of the people who have most have, over what the two fifths who have least have.

    Who stands across a border is parted. NaN as in ``gini``; infinite where the poor have nothing.
    """
    x, w = _sorted(value, people)
    if not float((x * w).sum()) > 0:
        return float("nan")
    up_to, has = np.concatenate(([0.0], np.cumsum(w))), np.concatenate(([0.0], np.cumsum(x * w)))
    poor = float(np.interp(POOR * up_to[-1], up_to, has))
    rich = float(has[-1] - np.interp((1 - RICH) * up_to[-1], up_to, has))
    return rich / poor if poor > 0 else float("inf")


def _sorted(value: ArrayLike, people: ArrayLike) -> tuple[Floats, Floats]:
    x, w = np.asarray(value, np.float64), np.asarray(people, np.float64)
    some = ~np.isnan(x) & (w > 0)
    order = np.argsort(x[some], kind="stable")
    return x[some][order], w[some][order]


def equity(places: pd.DataFrame, care: pd.DataFrame | None, seats: pd.DataFrame | None, *, least: dict[str, float],
           care_method: str, seats_view: str) -> pd.DataFrame:  # fmt: skip
    """
    Say how equally care and seats are shared: among all, by size class, and of those moved against those who host.

    Only people who are served count for mean, Gini and Palma: with those who have nothing among them they would
    tell of reach and not of shares. ``people_below`` are all who have less than the standard, served or
    not: at a place with too few doctors everybody, of pupils those without a seat.

    Parameters
    ----------
    places
        With ``pop``, ``size_class`` and ``place_kind``.
    care, seats
        The tables, or None.
    least
        Standard of staff per 1,000 people by level of care, where there is one.
    care_method, seats_view
        Which rows of the tables count.

    Returns
    -------
    table
        ``EQUITY``; ``subject`` is ``care`` (staff per 1,000 people, ``part`` a level) or ``seats`` (seats per
        pupil today, ``part`` a stage, whose people are pupils).
    """
    parts = []
    if care is not None:
        own = care[(care["method"] == care_method) & (care["status"] == "ok")]
        value = own.assign(subject="care", part=own["level"], value=own["per_1000"])
        limit = value["part"].map(least).astype("float64")
        parts.append(value.assign(below=value["people"].where(value["value"] < limit, 0.0).where(limit.notna())))
    if seats is not None:
        own = seats[(seats["view"] == seats_view) & (seats["year"] == 0) & (seats["status"] == "ok")]
        seated = own[["day_placed", "board_placed", "bus_placed"]].sum(axis=1)
        parts.append(own.assign(subject="seats", part=own["stage"], value=seated / own["pupils"],
                                people=own["pupils"], below=own["pupils"] - seated))  # fmt: skip
    kept = ["place_id", "subject", "part", "value", "people", "below"]
    rows = pd.concat([part[kept] for part in parts], ignore_index=True) if parts else pd.DataFrame(columns=kept)
    about = places.set_index("place_id")[["size_class", "place_kind"]].reindex(rows["place_id"])
    moved = np.where(about["place_kind"] == "host", "host", "moved")
    classes = {
        "all": pd.Series("all", rows.index), "size_class": pd.Series(about["size_class"].to_numpy(), rows.index),
        "moved": pd.Series(moved, rows.index),
    }  # fmt: skip
    out = []
    for by, names in classes.items():
        known = names.notna() & (names != "")
        grouped = rows[known].assign(name=names[known]).groupby(["subject", "part", "name"], sort=False)
        out += [(subject, part, by, name, *_told(own)) for (subject, part, name), own in grouped]
    table = pd.DataFrame(out, columns=EQUITY)
    return table.sort_values(["subject", "part", "by", "name"], kind="stable", ignore_index=True)


def _told(rows: pd.DataFrame) -> tuple[float, ...]:
    value, people = rows["value"].to_numpy(np.float64), np.nan_to_num(rows["people"].to_numpy(np.float64))
    served = value > 0
    n, own = float(people.sum()), float(people[served].sum())
    mean = float((value[served] * people[served]).sum() / own) if own > 0 else np.nan
    below = float(rows["below"].sum()) if rows["below"].notna().all() else np.nan
    return (
        n, own, mean, gini(value[served], people[served]), palma(value[served], people[served]), below,
        below / n if n > 0 else np.nan,
    )  # fmt: skip
