"""More room where it is short: which pools to enlarge and which sites to open at least cost, and the proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from analysis.assignment import NotProved, assign
from analysis.siting import TIME_LIMIT_S, NoSites, bound_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """
    Where people may be placed, row by row, and what more room costs there.

    ``room`` and ``beds`` there are now; a unit (a class) is ``unit`` of room, of which at most ``most`` can be
    added, and at most ``most_beds`` beds. ``new`` marks sites that are not open yet: nothing is there but what is
    added, and opening one costs ``cost_new``.
    """

    room: Ints
    beds: Ints
    unit: Ints
    most: Ints
    most_beds: Ints
    new: Bools
    cost_new: float
    cost_unit: float
    cost_bed: float


@dataclass(frozen=True, slots=True, eq=False)
class Expansion:
    """
    What to add: units and beds of each pool.

    ``placed`` is how many then have a place, worked out again by ``analysis.assignment``; ``bound`` is what no
    choice of as many sites or as much money can beat. ``cost`` is that of what is added, ``cost_bound`` what
    placing as many costs at least, ``gap`` how far it is above, as a part of it.
    """

    units: Ints
    beds: Ints
    opened: Bools
    placed: int
    bound: float
    cost: float
    cost_bound: float
    gap: float


def expand(
    people: ArrayLike, arcs: pd.DataFrame, pools: Pools, *, sites: int | None = None, budget: float | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Expansion:  # fmt: skip
    """
    Place as many people as can be with so many new sites and so much money, in the cheapest way to do that.

    Parameters
    ----------
    people, arcs
        As of ``analysis.assignment.assign``: how many each group has; ``group``, ``pool`` and ``boards``.
    pools
        What there is, what can be added, and what it costs.
    sites
        How many new sites may be opened at most; None for as many as pay.
    budget
        What may be spent at most; None for as much as it takes.
    time_limit_s
        For each of the two questions; then the best that was found is given with its bound. If no cheaper way was
        found in time, what the first found is given, with the bound 0.

    Raises
    ------
    analysis.siting.NoSites
        Nothing was found in time.
    analysis.assignment.NotProved
        The checker places another number; never seen.

    References
    ----------
    Capacitated facility location with modular capacities: Correia and Captivo 2003.
    """
    model = _Model(np.asarray(people, np.int64), arcs, pools)
    first = model.solve(-model.of_flow(), sites, budget, time_limit_s)
    # people are whole
    most, bound = round(-float(first.fun)), float(np.floor(-bound_of(first) + 1e-6))
    try:  # the solver may stop a little short of whole numbers
        second = model.solve(model.cost(), sites, budget, time_limit_s, at_least=most - 1e-6)
        chosen, least = second.x, bound_of(second)
    except NoSites:  # the first answer places as many; nothing is known of what it must cost
        chosen, least = first.x, 0.0
    units, beds, opened = model.read(chosen)
    placed = int(assign(model.people, pools.room + pools.unit * units, arcs, beds=pools.beds + beds).placed.sum())
    if placed < most:
        raise NotProved(f"{placed} of {most} placed")
    cost = model.price(units, beds, opened)
    least = min(least, cost)
    gap = (cost - least) / cost if cost > 0 else 0.0
    return Expansion(
        units, beds, opened, placed, max(bound, placed), cost, least, gap if gap > 1e-6 else 0.0
    )  # fmt: skip


class _Model:
    """Variables are people on arcs, units and beds of pools, and which new pools open, in this order."""

    def __init__(self, people: Ints, arcs: pd.DataFrame, pools: Pools) -> None:
        self.people, self.pools = people, pools
        group, pool = (arcs[name].to_numpy(np.int64) for name in ("group", "pool"))
        boards = arcs["boards"].to_numpy(bool) if "boards" in arcs else np.zeros(len(arcs), bool)
        k, m, n = len(arcs), len(pools.room), len(people)
        self.k, self.m = k, m
        self.width = k + 3 * m
        arc, own = np.arange(k), np.arange(m)
        in_group = self._rows((np.ones(k), (group, arc)), n)
        in_pool = self._rows(
            (
                np.concatenate((np.ones(k), -pools.unit)),
                (np.concatenate((pool, own)), np.concatenate((arc, k + own))),
            ),
            m,
        )
        in_bed = self._rows(
            (np.concatenate((np.ones(int(boards.sum())), -np.ones(m))),
             (np.concatenate((pool[boards], own)), np.concatenate((arc[boards], k + m + own)))),
            m,
        )  # fmt: skip
        new = np.flatnonzero(pools.new)
        of_new = np.flatnonzero(pools.new[pool])
        row = np.arange(len(of_new))
        # nobody goes to a site that is not open, and no class is there
        shut = self._rows(
            (np.concatenate((np.ones(len(of_new)), -people[group[of_new]].astype(float))),
             (np.concatenate((row, row)), np.concatenate((of_new, k + 2 * m + pool[of_new])))),
            len(of_new),
        )  # fmt: skip
        row = np.arange(len(new))
        empty = self._rows(
            (np.concatenate((np.ones(len(new)), -pools.most[new].astype(float))),
             (np.concatenate((row, row)), np.concatenate((k + new, k + 2 * m + new)))),
            len(new),
        )  # fmt: skip
        self.rules = [
            LinearConstraint(in_group, ub=people), LinearConstraint(in_pool, ub=pools.room),
            LinearConstraint(in_bed, ub=pools.beds),
        ]  # fmt: skip
        self.rules += [LinearConstraint(rows, ub=0.0) for rows in (shut, empty) if rows.shape[0]]
        self.integrality = np.concatenate((np.zeros(k), np.ones(3 * m)))
        self.bounds = Bounds(
            np.zeros(self.width),
            np.concatenate((people[group], pools.most, pools.most_beds, pools.new)).astype(np.float64),
        )

    def _rows(self, entries: Any, n: int) -> Any:
        return sparse.csr_array(entries, shape=(n, self.width))

    def of_flow(self) -> Floats:
        """One for everybody who is placed."""
        return np.concatenate((np.ones(self.k), np.zeros(3 * self.m)))

    def cost(self) -> Floats:
        """What each variable costs."""
        pools = self.pools
        return np.concatenate((
            np.zeros(self.k), np.full(self.m, pools.cost_unit), np.full(self.m, pools.cost_bed),
            np.where(pools.new, pools.cost_new, 0.0),
        ))  # fmt: skip

    def price(self, units: Ints, beds: Ints, opened: Bools) -> float:
        """What all that is added costs."""
        pools = self.pools
        return float(units.sum() * pools.cost_unit + beds.sum() * pools.cost_bed + opened.sum() * pools.cost_new)

    def read(self, x: Floats) -> tuple[Ints, Ints, Bools]:
        """Units, beds and open sites of a solution."""
        units, beds, opened = np.split(np.rint(x[self.k :]).astype(np.int64), 3)
        return units, beds, (opened > 0) & (units > 0)

    def solve(
        self, objective: Floats, sites: int | None, budget: float | None, time_limit_s: float, *,
        at_least: float | None = None,
    ) -> Any:  # fmt: skip
        """Find the least of an objective."""
        rules = list(self.rules)
        if sites is not None:
            opened = np.concatenate((np.zeros(self.k + 2 * self.m), np.ones(self.m)))
            rules.append(LinearConstraint(opened[None, :], ub=float(sites)))
        if budget is not None:
            rules.append(LinearConstraint(self.cost()[None, :], ub=budget))
        if at_least is not None:
            rules.append(LinearConstraint(self.of_flow()[None, :], lb=at_least))
        found = milp(
            objective, constraints=rules, bounds=self.bounds, integrality=self.integrality,
            options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
        )  # fmt: skip
        if found.x is None:
            raise NoSites("time")
        return found


def in_turn(people: ArrayLike, arcs: pd.DataFrame, pools: Pools, found: Expansion) -> tuple[Ints, Ints]:
    """
    Put what is added in an order, each time the pool next that places the most more, and say how many.

    Returns
    -------
    order, gained
        Rows of pools that are added to, and how many more each places after those before it.
    """
    left = np.flatnonzero((found.units > 0) | (found.beds > 0)).tolist()
    room, beds = pools.room.copy(), pools.beds.copy()
    so_far = int(assign(people, room, arcs, beds=beds).placed.sum())
    order, gained = [], []
    while left:
        placed = []
        for pool in left:
            more, more_beds = room.copy(), beds.copy()
            more[pool] += pools.unit[pool] * found.units[pool]
            more_beds[pool] += found.beds[pool]
            placed.append(int(assign(people, more, arcs, beds=more_beds).placed.sum()))
        best = int(np.argmax(placed))
        pool = left.pop(best)
        room[pool] += pools.unit[pool] * found.units[pool]
        beds[pool] += found.beds[pool]
        order.append(pool)
        gained.append(placed[best] - so_far)
        so_far = placed[best]
    return np.array(order, np.int64), np.array(gained, np.int64)
