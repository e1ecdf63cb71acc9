"""People who choose among sites by time and crowding until nobody gains by going elsewhere."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def settle(
    first: Ints, site: Ints, time: Floats, people: Floats, room: Floats, flow: Floats, load: Floats, most: int,
    close: float,
) -> int:  # fmt: skip
    """
    Let one client after the other choose anew, until a whole round changes no site's load by more than ``close``.

    Two clients who like two sites alike may exchange people for ever; their costs do not change by it.

    Crowding at a site is its load over its room, and adds to the time. A client with several sites fills them like
    water: each that is used costs the same in the end.

    Parameters
    ----------
    first, site, time
        Ways of client ``i`` are ``first[i]`` to ``first[i + 1]``; the site, and the time in units of crowding.
    people, room
        Of clients and sites; room above 0.
    flow, load
        Of ways and sites; changed in place.
    most
        Rounds at most.
    close
        In people.

    Returns
    -------
    rounds
        How many were made; ``most + 1`` if that was not enough.
    """
    for turn in range(most):
        before = load.copy()
        for i in range(len(people)):
            a, b = first[i], first[i + 1]
            if a == b or people[i] <= 0.0:
                continue
            for k in range(a, b):
                load[site[k]] -= flow[k]
            start = np.empty(b - a)
            for k in range(a, b):
                start[k - a] = time[k] + load[site[k]] / room[site[k]]
            order = np.argsort(start)
            wide, filled, level = 0.0, 0.0, 0.0
            for n in range(b - a):
                k = a + order[n]
                wide += room[site[k]]
                filled += room[site[k]] * start[order[n]]
                level = (people[i] + filled) / wide
                if n + 1 == b - a or level <= start[order[n + 1]]:
                    break
            for k in range(a, b):
                now = max(0.0, (level - start[k - a]) * room[site[k]])
                flow[k] = now
                load[site[k]] += now
        if np.abs(load - before).max() <= close:
            return turn + 1
    return most + 1
