"""How much of a supply each place has, when all who reach it share it: floating catchments, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo._kernels.agents import settle

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ZONES = (1.0, 0.68, 0.22)
"""Weights of the three thirds of a catchment: the slow decay of Luo and Qi [H]."""


@dataclass(frozen=True, slots=True, eq=False)
class Catchment:
    """
    What the method gives each client (``access``), and supply per head of who draws on a site (``ratio``).

    ``per_head`` is the supply per head of each client. It differs from ``access`` where the method parts what a
    site offers among the clients by their number and not by their people (``balanced``): there it is the mean of
    the ratios that the people of a client meet where they are parted to. A client who reaches no supply has 0; a
    site that nobody reaches has a ratio of NaN.
    """

    access: Floats
    ratio: Floats
    per_head: Floats


def _flat(share: Floats) -> Floats:
    return np.ones(len(share))


def _zones(share: Floats) -> Floats:
    zone = np.minimum(np.ceil(share * len(ZONES) - 1e-9), len(ZONES)).astype(np.int64)
    return np.array(ZONES)[np.maximum(zone - 1, 0)]


def _gauss(share: Floats) -> Floats:
    rim = np.exp(-0.5)
    return np.asarray((np.exp(-0.5 * share**2) - rim) / (1 - rim), np.float64)


DECAYS: dict[str, Callable[[Floats], Floats]] = {"flat": _flat, "zones": _zones, "gauss": _gauss}
"""How much a way counts by its share of the limit: all alike, in three zones, by a bell that is 0 at the rim."""

METHODS: dict[str, tuple[str, str]] = {
    "2sfca": ("flat", "shared"), "e2sfca": ("zones", "shared"), "gaussian": ("gauss", "shared"),
    "3sfca": ("zones", "chosen"), "m2sfca": ("zones", "unused"), "balanced": ("zones", "balanced"),
}  # fmt: skip
"""Each method's decay and how it shares."""

DEFAULT = "balanced"


def catchment(
    people: ArrayLike, supply: ArrayLike, ways: pd.DataFrame, *, limit_min: float, method: str = DEFAULT,
    decay: str | None = None,
) -> Catchment:  # fmt: skip
    """
    Share each supply among all who reach it within the limit, whose rim belongs to it.

    ``2sfca`` lets all who reach a site have as much of it; ``e2sfca`` and ``gaussian`` give the near more; in
    ``3sfca`` who has several sites asks less of each; ``m2sfca`` leaves unused what is far; ``balanced`` parts the
    people among their sites and a site's service among its people, so that nobody is counted twice.

    What each conserves: with ``2sfca``, ``e2sfca``, ``gaussian`` and ``3sfca`` the sum of people times access is
    the supply that somebody reaches; with ``m2sfca`` it is no more; with ``balanced`` the people parted among the
    sites are those who reach one, the access of all adds up to the ratios of all, and the sum of people times
    ``per_head`` is the supply that somebody reaches.

    Parameters
    ----------
    people
        Of each client; not negative.
    supply
        Of each site: doctors, nurses, beds; not negative.
    ways
        ``client`` and ``site`` (rows of both) and ``time_min``; each pair once. Others have no way.
    limit_min
        The size of a catchment.
    method
        One of ``METHODS``.
    decay
        One of ``DECAYS``, instead of the one of the method.

    Raises
    ------
    ValueError
        An unknown method or decay, a limit that is not above 0, or a negative number.

    References
    ----------
    Luo and Wang 2003 (2SFCA); Luo and Qi 2009 (E2SFCA); Dai 2010 (Gaussian); Wan, Zou and Sternberg 2012 (3SFCA);
    Delamater 2013 (M2SFCA); Paez, Higgins and Vivona 2019 (balanced).
    """
    heads, amount = np.asarray(people, np.float64), np.asarray(supply, np.float64)
    if method not in METHODS or (decay is not None and decay not in DECAYS):
        raise ValueError(f"method must be one of {', '.join(METHODS)}, and decay one of {', '.join(DECAYS)}")
    if not limit_min > 0 or min([0.0, *heads, *amount]) < 0:
        raise ValueError("the limit must be above 0, and people and supply not negative")
    own = ways[ways["time_min"].to_numpy(np.float64) <= limit_min]
    i, j = (own[name].to_numpy(np.int64) for name in ("client", "site"))
    n, m = len(heads), len(amount)
    usual, shares = METHODS[method]
    w = DECAYS[decay or usual](own["time_min"].to_numpy(np.float64) / limit_min)
    asks = w
    if shares == "chosen":  # the more one has to choose from, the less one asks of each
        asks = w * _part(w, i, n)
    elif shares == "balanced":
        asks = _part(w, i, n)
    ratio = _over(amount, np.bincount(j, heads[i] * asks, m).astype(np.float64))
    gets = {"shared": w, "chosen": asks, "unused": w * w, "balanced": _part(w, j, m)}[shares]
    meets = np.nan_to_num(ratio)[j]
    access = np.bincount(i, meets * gets, n).astype(np.float64)
    per_head = np.bincount(i, meets * asks, n).astype(np.float64) if shares == "balanced" else access
    return Catchment(access, ratio, per_head)


ROUNDS = 10_000
"""Rounds of choosing at most."""


class NotSettled(Exception):
    """The choices did not settle; never seen."""


def rational_agents(
    people: ArrayLike, supply: ArrayLike, ways: pd.DataFrame, *, limit_min: float, tau_min: float
) -> tuple[Catchment, Floats]:
    """
    Let people choose among the sites within the limit by time and crowding, until nobody gains by another choice.

    A site that is as crowded as all supply is on average by all people costs as much as ``tau_min`` on the way.
    Each client's people may go to several sites, which then cost them the same; those who reach one are all at
    some. Both ``access`` and ``per_head`` are the mean of the ratios that they meet, so that the sum of people
    times access is the supply that somebody uses; a site that nobody uses has a ratio of NaN. Costs and ratios
    are the only ones there are; where several clients may change places at no cost, earlier rows chose first.

    Parameters
    ----------
    people, supply, ways, limit_min
        As of ``catchment``. A site without supply is none.
    tau_min
        How long a way people take to avoid the mean crowding.

    Returns
    -------
    catchment, cost
        ``cost`` of each client: minutes over ``tau_min`` plus crowding, NaN for who reaches no supply.

    Raises
    ------
    ValueError
        As ``catchment``; or ``tau_min`` is not above 0.
    NotSettled
        There is no end to it.

    References
    ----------
    Saxon and Snow 2020 (rational agent access model).
    """
    heads, amount = np.asarray(people, np.float64), np.asarray(supply, np.float64)
    if not (limit_min > 0 and tau_min > 0) or min([0.0, *heads, *amount]) < 0:
        raise ValueError("the limit and tau must be above 0, and people and supply not negative")
    kept = (ways["time_min"].to_numpy(np.float64) <= limit_min) & (amount[ways["site"].to_numpy(np.int64)] > 0)
    own = ways[kept].sort_values(["client", "site"], kind="stable")
    i, j = (own[name].to_numpy(np.int64) for name in ("client", "site"))
    n, m = len(heads), len(amount)
    time = own["time_min"].to_numpy(np.float64) / tau_min
    mean = heads.sum() / amount.sum() if amount.sum() > 0 and heads.sum() > 0 else 1.0
    flow, load = np.zeros(len(own)), np.zeros(m)
    first = np.searchsorted(i, np.arange(n + 1))
    close = 1e-9 * max(float(heads.sum()), 1.0)
    if m and settle(first, j, time, heads, amount * mean, flow, load, ROUNDS, close) > ROUNDS:
        raise NotSettled(f"{n} clients, {m} sites")
    ratio = _over(amount, load)
    part = np.nan_to_num(_over(flow, heads[i]))
    access = np.bincount(i, part * np.nan_to_num(ratio)[j], n).astype(np.float64)
    costs = time + load[j] / (amount * mean)[j]
    best = np.full(n, np.nan)
    np.fmin.at(best, i, costs)  # those that are used cost the same, the others no less
    return Catchment(access, ratio, access), best


def _part(w: Floats, rows: Ints, n: int) -> Floats:
    """Each weight as a part of all of its row."""
    whole = np.bincount(rows, w, n).astype(np.float64)
    return np.nan_to_num(_over(w, whole[rows]))


def _over(a: Floats, b: Floats) -> Floats:
    out = np.full(len(a), np.nan)
    np.divide(a, b, out=out, where=b > 0)
    return out
