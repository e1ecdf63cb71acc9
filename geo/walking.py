"""
Walking functions: how fast people go up and down, by published formulas, over the grade of the ground.

Grade is rise over run, uphill above 0: +0.10 climbs a metre in ten. Run is measured on the map. The formulas and
their sources are those of ``facts/standards.md``, section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

OFF_PATH = 0.6
"""What is left of the speed off a path, for functions without a form of their own: Tobler's factor."""


@dataclass(frozen=True, slots=True)
class WalkFunction:
    """A published walking speed in km/h over grade; its form off a path; who published it."""

    name: str
    source: str
    on_path_kmh: Callable[[ArrayLike], Floats]
    own_off_path_kmh: Callable[[ArrayLike], Floats] | None = None

    def off_path_kmh(self, grade: ArrayLike) -> Floats:
        """Speed off a path: the function's own form or six tenths, and never more than on a path."""
        on = self.on_path_kmh(grade)
        return np.minimum(on, self.own_off_path_kmh(grade)) if self.own_off_path_kmh else OFF_PATH * on

    @property
    def flat_kmh(self) -> float:
        """The function's own speed on level ground, which ``raw`` uses in place of the persona's."""
        return float(self.on_path_kmh(0.0))

    @property
    def peak(self) -> float:
        """How many times faster than on level ground it is where it is fastest, to a thousandth of grade."""
        return float(self.on_path_kmh(np.linspace(-1.0, 1.0, 2001)).max()) / self.flat_kmh

    def slowness(self, grade: ArrayLike) -> Floats:
        """How many times longer a metre takes than on level ground: f(0) / f(grade)."""
        return np.asarray(self.flat_kmh / self.on_path_kmh(grade), np.float64)

    def off_path_slowness(self, grade: ArrayLike) -> Floats:
        """How many times longer a metre off a path takes than a level metre on one."""
        return np.asarray(self.flat_kmh / self.off_path_kmh(grade), np.float64)


def level_kmh(grade: ArrayLike) -> Floats:
    """
    Give no heed to the grade: 4 km/h everywhere.

    Examples
    --------
    >>> level_kmh([0.0, 0.3]).tolist()
    [4.0, 4.0]
    """
    return np.full(np.shape(grade), 4.0)


def tobler_kmh(grade: ArrayLike) -> Floats:
    """
    Tobler's hiking function: 6·exp(−3.5·|x + 0.05|).

    Examples
    --------
    >>> tobler_kmh([0.0, 0.10, -0.05]).round(2).tolist()
    [5.04, 3.55, 6.0]
    """
    return np.asarray(6.0 * np.exp(-3.5 * np.abs(np.asarray(grade, np.float64) + 0.05)), np.float64)


def marquez_perez_kmh(grade: ArrayLike) -> Floats:
    """
    Tobler's function refitted on mountain trails: 4.8·exp(−5.3·|0.7x + 0.03|).

    Examples
    --------
    >>> marquez_perez_kmh([0.0, 0.25, -0.25]).round(2).tolist()
    [4.09, 1.62, 2.23]
    """
    return np.asarray(4.8 * np.exp(-5.3 * np.abs(0.7 * np.asarray(grade, np.float64) + 0.03)), np.float64)


def irmischer_clarke_kmh(grade: ArrayLike) -> Floats:
    """
    Speed of people on foot on a path: 0.11 + exp(−(100x + 5)² / (2·30²)) m/s.

    Examples
    --------
    >>> irmischer_clarke_kmh([0.0, 0.25, -0.25]).round(2).tolist()
    [3.95, 2.58, 3.28]
    """
    x = np.asarray(grade, np.float64)
    return np.asarray(3.6 * (0.11 + np.exp(-((100.0 * x + 5.0) ** 2) / 1800.0)), np.float64)


def irmischer_clarke_off_path_kmh(grade: ArrayLike) -> Floats:
    """
    The same off a path: 0.11 + 0.67·exp(−(100x + 2)² / (2·30²)) m/s.

    Examples
    --------
    >>> irmischer_clarke_off_path_kmh([0.0]).round(2).tolist()
    [2.8]
    """
    x = np.asarray(grade, np.float64)
    return np.asarray(3.6 * (0.11 + 0.67 * np.exp(-((100.0 * x + 2.0) ** 2) / 1800.0)), np.float64)


def campbell_kmh(grade: ArrayLike, a: float, b: float, c: float, d: float, e: float) -> Floats:
    """Lorentz curve over the angle θ in degrees: c / (πb(1 + ((θ − a)/b)²)) + d + eθ m/s."""
    angle = np.degrees(np.arctan(np.asarray(grade, np.float64)))
    return np.asarray(3.6 * (c / (np.pi * b * (1 + ((angle - a) / b) ** 2)) + d + e * angle), np.float64)


def campbell_p1_kmh(grade: ArrayLike) -> Floats:
    """
    The slowest hundredth of walkers, as old people go.

    Examples
    --------
    >>> campbell_p1_kmh([0.0]).round(2).tolist()
    [2.93]
    """
    return campbell_kmh(grade, -2.1, 12.273, 21.816, 0.263, -0.00193)


def campbell_p5_kmh(grade: ArrayLike) -> Floats:
    """
    The slowest twentieth of walkers, as villagers go.

    Examples
    --------
    >>> campbell_p5_kmh([0.0, 0.25, -0.25]).round(2).tolist()
    [4.12, 2.36, 2.96]
    """
    return campbell_kmh(grade, -1.527, 14.041, 36.813, 0.320, -0.00273)


def naismith_langmuir_kmh(grade: ArrayLike) -> Floats:
    """
    Seconds a metre: 0.72, 6 more a metre up, 2 less a metre down from 5° to 12°, 2 more a metre down beyond.

    It jumps at both angles and is capped at 6 km/h, which it would pass going gently down.

    Examples
    --------
    >>> naismith_langmuir_kmh([0.0, 0.10, -0.05, -0.15, -0.30]).round(2).tolist()
    [5.0, 2.73, 5.0, 6.0, 2.73]
    """
    x = np.asarray(grade, np.float64)
    down = np.degrees(np.arctan(-x))
    pace = 0.72 + np.where(x > 0, 6.0 * x, np.where(down > 12.0, -2.0 * x, np.where(down >= 5.0, 2.0 * x, 0.0)))
    return np.asarray(np.minimum(3.6 / pace, 6.0), np.float64)


LEVEL = "flat"
DEFAULT = "irmischer_clarke"

WALK_FUNCTIONS = {
    function.name: function
    for function in (
        WalkFunction(LEVEL, "level ground", level_kmh),
        WalkFunction(DEFAULT, "Irmischer & Clarke 2018", irmischer_clarke_kmh, irmischer_clarke_off_path_kmh),
        WalkFunction("tobler", "Tobler 1993", tobler_kmh),
        WalkFunction("marquez_perez", "Márquez-Pérez et al. 2017", marquez_perez_kmh),
        WalkFunction("campbell_p1", "Campbell et al. 2019, 1st percentile", campbell_p1_kmh),
        WalkFunction("campbell_p5", "Campbell et al. 2019, 5th percentile", campbell_p5_kmh),
        WalkFunction("naismith_langmuir", "Naismith 1892, Langmuir 1984, capped at 6 km/h", naismith_langmuir_kmh),
    )
}
