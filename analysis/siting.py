"""Where to build: location models solved to a proven gap, and checked again from the sites alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEAR_N = 40
"""How many of the nearest sites of each client a median looks at first."""

TIME_LIMIT_S = 60.0


class NoSites(Exception):
    """No choice of sites does what is asked; ``reason`` is ``p``, ``unreached`` or ``time``."""

    def __init__(self, reason: str, clients: Ints | None = None) -> None:
        self.reason = reason
        self.clients = np.zeros(0, np.int64) if clients is None else clients
        super().__init__(reason)


@dataclass(frozen=True, slots=True, eq=False)
class Sited:
    """
    A choice of sites.

    ``sites`` are their columns in order. ``value`` is what was asked for, worked out again from the sites alone;
    ``bound`` is what no choice can beat and ``gap`` how far apart the two are at most, as a part of ``value``.
    ``served_by`` is the site (a column) of each client, the nearest of those chosen, -1 where none is in reach.
    """

    sites: Ints
    value: float
    bound: float
    gap: float
    served_by: Ints


def set_cover(
    cost: ArrayLike, limit: float, *, locked: Sequence[int] = (), time_limit_s: float = TIME_LIMIT_S
) -> Sited:
    """
    Choose the fewest sites so that every client has one within the limit, whose rim belongs to it.

    Clients that no site can reach are left out of the demand and have ``served_by`` -1.

    Parameters
    ----------
    cost
        Minutes or metres from each client (row) to each site (column); infinite or NaN where there is no way.
    limit
        How far a client may have to go.
    locked
        Sites that are there already.
    time_limit_s
        After so many seconds the best choice that was found is given, with its gap.

    Raises
    ------
    NoSites
        Nothing was found in time.

    References
    ----------
    Toregas et al. 1971.
    """
    costs = _costs(cost)
    reach = costs <= limit
    asked = reach.any(axis=1)
    n = costs.shape[1]
    rows = sparse.csr_array(reach[asked].astype(np.float64))
    found = _solved(
        np.ones(n), [LinearConstraint(rows, lb=1.0)] if asked.any() else [], _fixed(n, locked), time_limit_s
    )
    sites = np.flatnonzero(np.rint(found.x) > 0)
    return _sited(sites, float(len(sites)), np.ceil(bound_of(found) - 1e-6), costs, limit)


def set_cover_with_backup(
    cost: ArrayLike, limit: float, *, locked: Sequence[int] = (), time_limit_s: float = TIME_LIMIT_S
) -> tuple[Sited, float]:
    """
    Choose as few sites as ``set_cover``, and of all such choices one that reaches the most clients twice.

    Returns
    -------
    sited, backup_share
        ``value`` counts the clients with two sites within the limit; and their share of all clients.

    References
    ----------
    Daskin and Stern 1981; Church and Murray 2018.
    """
    costs = _costs(cost)
    fewest = set_cover(cost, limit, locked=locked, time_limit_s=time_limit_s)
    reach = costs <= limit
    asked = np.flatnonzero(reach.any(axis=1))
    m, n = len(asked), costs.shape[1]
    # sites, then who is reached twice
    rows = sparse.hstack((sparse.csr_array(reach[asked].astype(np.float64)), -sparse.identity(m))).tocsr()
    whole = _sites_first(n, m)
    constraints = [LinearConstraint(rows, lb=1.0), LinearConstraint(whole[None, :], ub=fewest.value)]
    found = _solved(-(1.0 - whole), constraints, _fixed(n, locked, m), time_limit_s, integrality=whole)
    sites = np.flatnonzero(np.rint(found.x[:n]) > 0)
    twice = int((reach[:, sites].sum(axis=1) >= 2).sum())
    sited = _sited(sites, float(twice), -bound_of(found), costs, limit)
    return sited, twice / len(costs)


def max_cover(
    cost: ArrayLike, weight: ArrayLike, limit: float, p: int, *, locked: Sequence[int] = (),
    time_limit_s: float = TIME_LIMIT_S,
) -> Sited:  # fmt: skip
    """
    Choose ``p`` sites, the locked ones among them, so that most people have one within the limit.

    Parameters
    ----------
    cost, limit, locked, time_limit_s
        As in ``set_cover``.
    weight
        People of each client.
    p
        How many sites there will be.

    Raises
    ------
    NoSites
        ``p`` is less than the locked sites or more than all; or nothing was found in time.

    References
    ----------
    Church and ReVelle 1974.
    """
    costs, people = _costs(cost), np.asarray(weight, np.float64)
    n = costs.shape[1]
    _require_p(p, n, locked)
    reach = costs <= limit
    # clients that the same sites reach are one
    alike, which = np.unique(reach, axis=0, return_inverse=True)
    people_of = np.bincount(which.reshape(-1), people, len(alike))
    asked = np.flatnonzero(alike.any(axis=1) & (people_of > 0))
    m = len(asked)
    rows = sparse.hstack((sparse.csr_array(alike[asked].astype(np.float64)), -sparse.identity(m))).tocsr()
    whole = _sites_first(n, m)
    constraints = [LinearConstraint(rows, lb=0.0), LinearConstraint(whole[None, :], lb=p, ub=p)]
    cost_of: Floats = np.concatenate((np.zeros(n), -people_of[asked])).astype(np.float64)
    found = _solved(cost_of, constraints, _fixed(n, locked, m), time_limit_s, integrality=whole)
    sites = np.flatnonzero(np.rint(found.x[:n]) > 0)
    covered = float(people[reach[:, sites].any(axis=1)].sum())
    return _sited(sites, covered, -bound_of(found), costs, limit)


def p_median(
    cost: ArrayLike, weight: ArrayLike, p: int, *, locked: Sequence[int] = (),
    time_limit_s: float = TIME_LIMIT_S, gap: float = 0.0,
) -> Sited:  # fmt: skip
    """
    Choose ``p`` sites so that all people together travel least, each to the nearest.

    Only the nearest sites of each client are looked at, and a far one that stands for all the others at the cost
    of the next: where it is chosen it is too cheap, so the model is grown and solved again; where it is not, the
    answer is that of the whole model.

    Parameters
    ----------
    cost, locked, time_limit_s
        As in ``set_cover``; every client has a way to some site.
    weight, p
        As in ``max_cover``.
    gap
        The gap that is good enough, as a part of the value.

    Raises
    ------
    NoSites
        As in ``max_cover``; or ``unreached`` with the clients that no site reaches.

    References
    ----------
    Hakimi 1964; ReVelle and Swain 1970.
    """
    costs, people = _costs(cost), np.asarray(weight, np.float64)
    n = costs.shape[1]
    _require_p(p, n, locked)
    lost = np.flatnonzero(~np.isfinite(costs).any(axis=1) & (people > 0))
    if len(lost):
        raise NoSites("unreached", lost)
    own = np.flatnonzero(people > 0)
    order = np.argsort(costs[own], axis=1, kind="stable")
    near = np.full(len(own), min(NEAR_N, n))
    while True:
        found = _median(costs, people, own, order, near, p, locked, time_limit_s, gap)
        sites = np.flatnonzero(np.rint(found.x[:n]) > 0)
        # whose nearest chosen site is not among those looked at
        short = ~(np.isin(order, sites) & (np.arange(n)[None, :] < near[:, None])).any(axis=1)
        if not short.any() or (near[short] >= n).all():
            break
        near[short] = np.minimum(2 * near[short], n)
    value = float((people[own] * costs[np.ix_(own, sites)].min(axis=1)).sum()) if len(own) else 0.0
    return _sited(sites, value, bound_of(found), costs, np.inf)


def _median(
    costs: Floats, people: Floats, own: Ints, order: Ints, near: Ints, p: int, locked: Sequence[int],
    time_limit_s: float, gap: float,
) -> Any:  # fmt: skip
    """Solve a median over the nearest sites of each client and one far column."""
    n = costs.shape[1]
    client = np.repeat(np.arange(len(own)), near)
    place = np.arange(len(client)) - np.repeat(np.cumsum(near) - near, near)
    site = order[client, place]
    pay = people[own[client]] * costs[own[client], site]
    way = np.isfinite(pay)
    client, site, pay = client[way], site[way], pay[way]
    far = np.full(len(own), np.inf)
    more = near < n
    far[more] = costs[own[more], order[np.flatnonzero(more), near[more]]]
    far_pay = people[own] * far
    some = np.flatnonzero(np.isfinite(far_pay))
    k, f = len(client), len(some)
    row = np.arange(k)
    one = sparse.csr_array(
        (np.ones(k + f), (np.concatenate((client, some)), n + np.arange(k + f))), shape=(len(own), n + k + f)
    )
    under = sparse.csr_array(
        (np.concatenate((np.ones(k), -np.ones(k))), (np.tile(row, 2), np.concatenate((n + row, site)))),
        shape=(k, n + k + f),
    )
    whole = _sites_first(n, k + f)
    return _solved(
        np.concatenate((np.zeros(n), pay, far_pay[some])),
        [LinearConstraint(one, lb=1.0, ub=1.0), LinearConstraint(under, ub=0.0),
         LinearConstraint(whole[None, :], lb=p, ub=p)],
        _fixed(n, locked, k + f), time_limit_s, integrality=whole, gap=gap,
    )  # fmt: skip


def p_center(cost: ArrayLike, p: int, *, locked: Sequence[int] = (), time_limit_s: float = TIME_LIMIT_S) -> Sited:
    """
    Choose ``p`` sites so that the client who is worst off is as near to one as can be.

    The least limit for which ``set_cover`` needs no more than ``p`` sites, among the costs that there are.

    Raises
    ------
    NoSites
        As in ``p_median``.

    References
    ----------
    Minieka 1970.
    """
    costs = _costs(cost)
    _require_p(p, costs.shape[1], locked)
    lost = np.flatnonzero(~np.isfinite(costs).any(axis=1))
    if len(lost):
        raise NoSites("unreached", lost)
    steps = np.unique(costs[np.isfinite(costs)])
    # nobody is nearer than the nearest site of the one who lives furthest out
    low, high = int(np.searchsorted(steps, costs.min(axis=1).max())), len(steps) - 1
    best: Sited | None = None
    while low <= high:
        middle = (low + high) // 2
        tried = set_cover(costs, float(steps[middle]), locked=locked, time_limit_s=time_limit_s)
        if tried.value <= p:
            best, high = tried, middle - 1
        elif tried.bound > p:
            low = middle + 1
        else:
            raise NoSites("time")
    if best is None:
        raise NoSites("p")
    worst = float(costs[:, best.sites].min(axis=1).max())
    return _sited(best.sites, worst, worst, costs, np.inf)


def _costs(cost: ArrayLike) -> Floats:
    costs = np.array(cost, np.float64)
    costs[np.isnan(costs)] = np.inf
    return costs


def _require_p(p: int, n: int, locked: Sequence[int]) -> None:
    if not max(len(set(locked)), 1) <= p <= n:
        raise NoSites("p")


def _sites_first(n: int, more: int) -> Floats:
    """Mark the sites, which are whole, before what follows from them and need not be."""
    return np.concatenate((np.ones(n), np.zeros(more)))


def _fixed(n: int, locked: Sequence[int], more: int = 0) -> Bounds:
    """All from 0 to 1, the locked sites at 1."""
    low = np.zeros(n + more)
    low[list(locked)] = 1.0
    return Bounds(low, np.ones(n + more))


def _solved(
    cost: Floats, constraints: list[LinearConstraint], bounds: Bounds, time_limit_s: float, *,
    integrality: Floats | None = None, gap: float = 0.0,
) -> Any:  # fmt: skip
    whole = np.ones(len(cost)) if integrality is None else integrality
    found = milp(
        cost, constraints=constraints, bounds=bounds, integrality=whole,
        options={"time_limit": time_limit_s, "mip_rel_gap": gap},
    )  # fmt: skip
    if found.x is None:
        raise NoSites("time")
    return found


def bound_of(found: Any) -> float:
    """What no choice can beat, of an answer of the solver."""
    bound = found.mip_dual_bound
    return float(found.fun if bound is None else bound)


def _sited(sites: Ints, value: float, bound: float, costs: Floats, limit: float) -> Sited:
    own = costs[:, sites]
    served = np.full(len(costs), -1, np.int64)
    if len(sites):
        nearest = own.argmin(axis=1)
        met = own.min(axis=1) <= limit
        met &= np.isfinite(own.min(axis=1))
        served[met] = sites[nearest[met]]
    apart = abs(value - bound) / max(abs(value), 1e-12)
    return Sited(sites.astype(np.int64), value, float(bound), apart if apart > 1e-9 else 0.0, served)
