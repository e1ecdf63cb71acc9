"""What nobody crosses off the streets: waters, coasts, motorways, walls."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def crossing(closed: shapely.STRtree, here: Floats, there: Floats) -> NDArray[np.bool_]:
    """
    Say which straight lines meet something closed, or run inside it.

    Parameters
    ----------
    closed
        The shapes, in some plane.
    here, there
        The ends of each line in that plane, n × 2; a line without both ends meets nothing.
    """
    found = np.zeros(len(here), bool)
    known = np.flatnonzero(np.isfinite(here).all(axis=1) & np.isfinite(there).all(axis=1))
    if len(known) and len(closed.geometries):
        lines = shapely.linestrings(np.stack((here[known], there[known]), axis=1))
        found[known[np.unique(closed.query(lines, predicate="intersects")[0])]] = True
    return found
