"""Where to build where a site holds only so many: location models with room, solved and worked out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from analysis.assignment import assign
from analysis.siting import TIME_LIMIT_S, NoSites, bound_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GOALS = ("fewest", "cover", "median", "center")
"""All placed by the fewest sites; most placed; all placed in the least cost; the furthest placed nearest."""

INFEASIBLE = 2
"""What scipy says where no choice does what is asked."""

STEP = 1000.0
"""Costs are told apart by thousandths when who goes where is worked out again."""


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """
    A choice of sites and who goes to which.

    ``sites`` are columns in order; ``flow`` has ``client``, ``site`` and ``people``. ``value`` is what was asked
    for, worked out from these alone; ``bound`` what no choice can beat, ``gap`` how far apart they are at most.
    """

    sites: Ints
    flow: pd.DataFrame
    value: float
    bound: float
    gap: float


def with_room(
    cost: ArrayLike, people: ArrayLike, room: ArrayLike, *, goal: str, p: int | None = None,
    limit: float = float("inf"), locked: Sequence[int] = (), time_limit_s: float = TIME_LIMIT_S,
) -> Filled:  # fmt: skip
    """
    Choose sites that hold only so many people, and place the people.

    A client may be parted among sites, in whole people. Who has no way within the limit is asked of no site and
    counts for no goal.

    Parameters
    ----------
    cost
        Minutes or metres from each client (row) to each site (column); infinite or NaN where there is no way.
    people, room
        Whole numbers, of clients and of sites.
    goal
        One of ``GOALS``.
    p
        How many sites; for ``fewest`` at most so many (by default all).
    limit
        How far a client may be sent, the rim belonging to it.
    locked
        Sites that are there already.
    time_limit_s
        As in ``analysis.siting``.

    Raises
    ------
    NoSites
        ``room``: not all can be placed (which ``cover`` does not ask for); ``p``: there are not so many sites;
        ``time``.

    References
    ----------
    Current and Storbeck 1988 (covering with capacities); Ross and Soland 1977 (medians and centers).
    """
    costs = np.array(cost, np.float64)
    heads, seats = np.asarray(people, np.int64), np.asarray(room, np.int64)
    n = costs.shape[1]
    most = n if p is None else p
    if goal not in GOALS or not max(len(set(locked)), 1) <= most <= n:
        raise NoSites("p")
    with np.errstate(invalid="ignore"):
        near = np.isfinite(costs) & (costs <= limit)
    asked = _Asked(costs, heads, seats, near, tuple(locked), most, time_limit_s)
    if goal != "cover" and asked.most_placed(np.arange(n)) < heads[near.any(axis=1)].sum():
        raise NoSites("room")
    if goal == "center":
        return _center(asked)
    found = asked.solved(goal)
    return asked.read(found, goal)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    costs: Floats
    people: Ints
    room: Ints
    near: NDArray[np.bool_]
    locked: tuple[int, ...]
    most: int
    time_limit_s: float

    def arcs(self) -> pd.DataFrame:
        client, site = np.nonzero(self.near)
        milli = np.rint(self.costs[client, site] * STEP).astype(np.int64)
        return pd.DataFrame({"group": client, "pool": site, "milli": milli})

    def most_placed(self, sites: Ints) -> int:
        return int(self.placed(sites)["people"].sum())

    def solved(self, goal: str) -> Any:
        arcs = self.arcs()
        client, site = arcs["group"].to_numpy(np.int64), arcs["pool"].to_numpy(np.int64)
        k, n = len(arcs), len(self.room)
        row = np.arange(k)
        heads = self.people[client].astype(np.float64)
        of_client = sparse.csr_array((np.ones(k), (client, row)), shape=(len(self.people), k + n))
        of_site = sparse.csr_array(
            (np.concatenate((np.ones(k), -self.room.astype(float))),
             (np.concatenate((site, np.arange(n))), np.arange(k + n))), shape=(n, k + n),
        )  # fmt: skip
        shut = sparse.csr_array(
            (np.concatenate((np.ones(k), -heads)), (np.tile(row, 2), np.concatenate((row, k + site)))),
            shape=(k, k + n),
        )
        due = np.where(self.near.any(axis=1), self.people, 0)
        open_n = np.concatenate((np.zeros(k), np.ones(n)))
        low = np.zeros(k + n)
        low[[k + number for number in self.locked]] = 1.0
        rules = [
            LinearConstraint(of_client, lb=0 if goal == "cover" else due, ub=due),
            LinearConstraint(of_site, ub=0.0), LinearConstraint(shut, ub=0.0),
            LinearConstraint(open_n[None, :], ub=self.most),
        ]  # fmt: skip
        objective = {
            "fewest": open_n, "cover": -(1.0 - open_n),
            "median": np.concatenate((self.costs[client, site], np.zeros(n))),
        }[goal]  # fmt: skip
        found = milp(
            objective, constraints=rules, integrality=open_n,
            bounds=Bounds(low, np.concatenate((heads, np.ones(n)))),
            options={"time_limit": self.time_limit_s, "mip_rel_gap": 0.0},
        )  # fmt: skip
        if found.x is None:
            raise NoSites("p" if found.status == INFEASIBLE else "time")
        return found

    def read(self, found: Any, goal: str) -> Filled:
        """Work who goes where out again from the sites alone."""
        n = len(self.room)
        sites = np.flatnonzero(np.rint(found.x[-n:]) > 0).astype(np.int64)
        bound = bound_of(found)
        flow = self.placed(sites)
        costs = self.costs[flow["client"], flow["site"]]
        value = {
            "fewest": float(len(sites)), "cover": float(flow["people"].sum()),
            "median": float((costs * flow["people"]).sum()),
        }[goal]  # fmt: skip
        bound = -bound if goal == "cover" else bound
        bound = {"fewest": np.ceil(bound - 1e-6), "cover": np.floor(bound + 1e-6), "median": bound}[goal]
        apart = abs(value - bound) / max(abs(value), 1e-12)
        return Filled(sites, flow, value, float(bound), apart if apart > 1e-6 else 0.0)

    def placed(self, sites: Ints) -> pd.DataFrame:
        """Who goes where at least cost, when as many as can be are placed."""
        open_ = np.zeros(len(self.room), np.int64)
        open_[sites] = self.room[sites]
        arcs = self.arcs()
        arcs["people"] = assign(self.people, open_, arcs, objectives=("milli",)).placed
        used = arcs[arcs["people"] > 0].rename(columns={"group": "client", "pool": "site"})
        return used[["client", "site", "people"]].reset_index(drop=True)


def _center(asked: _Asked) -> Filled:
    """The least limit within which all can still be placed by so many sites, among the costs that there are."""
    heads = asked.people > 0
    steps = np.unique(asked.costs[heads][asked.near[heads]])
    due = int(asked.people[asked.near.any(axis=1)].sum())
    best: Filled | None = None
    low, high = 0, len(steps) - 1
    while low <= high:
        middle = (low + high) // 2
        near = asked.near & (np.nan_to_num(asked.costs, nan=np.inf) <= steps[middle])
        tried = _Asked(asked.costs, asked.people, asked.room, near, asked.locked, asked.most, asked.time_limit_s)
        found = tried.read(tried.solved("cover"), "cover")
        if found.value >= due:
            best, high = found, middle - 1
        elif found.bound < due:
            low = middle + 1
        else:
            raise NoSites("time")
    if best is None:
        if len(steps):
            raise NoSites("p")
        nothing = pd.DataFrame({"client": [], "site": [], "people": []}, dtype=np.int64)
        return Filled(np.array(asked.locked, np.int64), nothing, 0.0, 0.0, 0.0)
    worst = float(asked.costs[best.flow["client"], best.flow["site"]].max())
    return Filled(best.sites, best.flow, worst, worst, 0.0)
