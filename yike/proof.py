"""Holding what a run of the sample county found against what is planted in it."""

from __future__ import annotations

import pandas as pd

from layers.sample.truth import Truth
from yike.run import Run

AGREE_MIN = 0.02
"""Two computations of one way, one of whole milliseconds an edge, differ by less."""

COLUMNS = ["kind", "code", "planted_n", "found_n", "missed_n", "invented_n"]


def planted_against_found(truth: Truth, run: Run) -> pd.DataFrame:
    """
    Count what is planted and what was found, kind by kind.

    A fault is its code, file and row; a doubt its code and file. A verdict is of a place and a category, with its
    minutes beyond the limit; one that is told with other minutes (0.02 and more) is missed, and invented too.

    Returns
    -------
    table
        ``kind`` (fault, doubt, gap, served), ``code`` (of a verdict its status), ``planted_n, found_n, missed_n``
        and ``invented_n``: all is well where the last two are 0.
    """
    problems = run.table("problems")
    rows = []
    for kind, planted, columns in (
        ("fault", {tuple(map(str, entry)) for entry in truth.faults}, ["code", "file", "row"]),
        ("doubt", {tuple(map(str, entry)) for entry in truth.doubts}, ["code", "file"]),
    ):
        mine = problems.loc[problems["severity"] == kind, columns].astype("str")
        found = set(mine.itertuples(index=False, name=None))
        rows += _counted(kind, planted, found)
    planted, found = _verdicts(truth, run)
    return pd.DataFrame([*rows, *_counted("", planted, found)], columns=COLUMNS)


def _verdicts(truth: Truth, run: Run) -> tuple[set[tuple[str, ...]], set[tuple[str, ...]]]:
    access = run.access
    keys = ["place_id", "category"]
    told = truth.verdicts[truth.verdicts["sure"]]
    both = told.merge(access.loc[access["deciding"]], on=keys, how="left", suffixes=("", "_found"))
    over = both["time_min"] - both["threshold_min"]
    same = (over - both["over_min"]).abs().lt(AGREE_MIN) | (over.isna() & both["over_min"].isna())
    both["status_found"] = both["status_found"].fillna("").where(same, both["status_found"].fillna("") + "?")
    planted = set(both[["status", *keys]].itertuples(index=False, name=None))
    return planted, set(both[["status_found", *keys]].itertuples(index=False, name=None))


def _counted(kind: str, planted: set[tuple[str, ...]], found: set[tuple[str, ...]]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for code in sorted({entry[0] for entry in planted | found}):
        mine, theirs = ({e for e in entries if e[0] == code} for entries in (planted, found))
        named = kind or ("served" if code == "served" else "gap")
        rows.append((named, code, len(mine), len(theirs), len(mine - theirs), len(theirs - mine)))
    return rows
