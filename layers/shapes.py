"""Layers of shapes that belong to the rows of a ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.overlay import mended
from geo.problems import Problem
from layers.ledgers import plain, some

DISAGREE_M = 500.0
"""A position this far from its own shape, or from another source's, is doubted [P]."""


def matched_shapes(
    frame: gpd.GeoDataFrame, lookups: Sequence[tuple[Iterable[str], pd.Series]], *, file: str
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """
    Find out whose shapes those of a layer are.

    Parameters
    ----------
    frame
        The layer, in degrees.
    lookups
        Headings of a column and what its cells stand for, the most certain first.
    file
        The name of the layer, for the records.

    Returns
    -------
    shapes, problems
        ``owner`` and geometry; a doubt about those of nobody, a fault for each outline that crosses itself, which
        is mended.
    """
    own = [column for column in frame.columns if column != frame.geometry.name]
    found = pd.Series("", index=frame.index, dtype="object")
    for words, lookup in lookups:
        known = {plain(word) for word in words}
        for column in own:
            if plain(str(column)) in known:
                cells = frame[column].astype("str").str.replace(r"^(\d+)\.0$", r"\1", regex=True)
                matched = cells.map(lookup)
                found = found.where((found != "") | matched.isna(), matched)
    good = (found != "") & frame.geometry.notna() & ~frame.geometry.is_empty
    problems = []
    if not good.all():
        rows = some(list(np.flatnonzero(~good.to_numpy()) + 1))
        problems.append(Problem.doubt("shape_of_nobody", file=file, n=int((~good).sum()), rows=rows))
    crossing = good & ~frame.geometry.is_valid
    for number in np.flatnonzero(crossing) + 1:
        fault = Problem("shape_crossing", "fault", file=file, row=int(number), column="geometry")
        problems.append(replace(fault, value=str(found.iloc[number - 1])))
    simple = mended(frame.geometry, crossing)
    shapes = gpd.GeoDataFrame({"owner": found[good]}, geometry=simple[good], crs=frame.crs)
    return shapes.reset_index(drop=True), problems


def off_shape(about: pd.Series, *, name: str, distance_m: float, file: str) -> Problem:
    """Doubt a position in a ledger that its own shape contradicts."""
    doubt = Problem.doubt(
        "position_off_shape", file=about["file"], distance=f"{distance_m:,.0f}", name=name, shapes=file
    )
    return replace(doubt, row=int(about["row"]))
