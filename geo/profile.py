"""Frozen descriptions that others fill: who travels how, on which roads, and which tags name a thing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from geo.walking import DEFAULT, WALK_FUNCTIONS, WalkFunction

Mode = Literal["walk", "ebike", "bus", "drive"]


@dataclass(frozen=True, slots=True)
class RoadRule:
    """
    What one class of street carries. ``drive_kmh`` is None where no car goes; walking has no class speed.

    ``carry_kmh`` is the speed of what carries everybody, however fast he walks: a ferry; None for a street.
    ``wait_min`` is how long one waits for it.
    """

    name: str
    walk: bool
    drive_kmh: float | None
    carry_kmh: float | None = None
    wait_min: float = 0.0


@dataclass(frozen=True, slots=True)
class TravelProfile:
    """
    One persona in one mode.

    ``flat_kmh`` is the walking speed on level ground, also used between a point and the street in every mode.
    ``off_street_limit_min`` bounds that leg: a point further from every street is off the network. ``ride_kmh``
    is the speed of an e-bike or a bus on streets that carry it, no more than cars go there. ``walk_function``,
    one of ``geo.walking``, says how grades slow or quicken what is walked.
    """

    persona: str
    mode: Mode
    flat_kmh: float
    roads: tuple[RoadRule, ...]
    off_street_limit_min: float = 30.0
    ride_kmh: float | None = None
    walk_function: str = DEFAULT

    def __post_init__(self) -> None:
        if self.walk_function not in WALK_FUNCTIONS:
            known = ", ".join(WALK_FUNCTIONS)
            raise ValueError(f"{self.persona}: no walking function {self.walk_function!r}, only {known}")
        if not self.flat_kmh > 0:  # written so that NaN fails too
            raise ValueError(f"{self.persona}: flat_kmh must be > 0, got {self.flat_kmh}")
        if self.mode in ("ebike", "bus") and not (self.ride_kmh or 0.0) > 0:
            raise ValueError(f"{self.persona}: ride_kmh must be > 0 to ride, got {self.ride_kmh}")
        if not self.off_street_limit_min > 0:
            raise ValueError(f"{self.persona}: off_street_limit_min must be > 0, got {self.off_street_limit_min}")

    @property
    def function(self) -> WalkFunction:
        """The walking function itself."""
        return WALK_FUNCTIONS[self.walk_function]

    @property
    def off_street_limit_m(self) -> float:
        """The longest leg between a point and a street, in metres."""
        return self.flat_kmh * self.off_street_limit_min * 1000.0 / 60.0


FASTEST_FERRY_KMH = 60.0
"""No ferry is quicker; one whose tags say so goes at this speed [P]."""


def fastest_kmh(profile: TravelProfile) -> float:
    """Give the highest speed at which a profile can move anywhere."""
    cars = [rule.drive_kmh or 0.0 for rule in profile.roads] if profile.mode == "drive" else []
    return max([fastest_walk_kmh(profile), profile.ride_kmh or 0.0, *cars])


def fastest_walk_kmh(profile: TravelProfile) -> float:
    """Give the highest speed at which a profile gets on without riding: a little downhill, or on a ferry."""
    carried = [FASTEST_FERRY_KMH for rule in profile.roads if rule.carry_kmh]
    return max([profile.flat_kmh * WALK_FUNCTIONS[profile.walk_function].peak, *carried])


@dataclass(frozen=True, slots=True)
class Condition:
    """One test on the tags of an object: key, accepted values (none means any), or a pattern on its name."""

    key: str
    values: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    negated: bool = False

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Say whether the tags pass; a value may be one of several, parted by semicolons."""
        value = tags.get(self.key)
        if value is None:
            return self.negated
        if self.pattern is not None:
            return (self.pattern.search(value) is not None) != self.negated
        return not self.values or bool(self.values & {part.strip() for part in value.split(";")})


@dataclass(frozen=True, slots=True)
class TagRule:
    """
    All of some conditions, written ``amenity=school + name~小学 + name!~高级``; ``a=b|c`` accepts two values.

    Examples
    --------
    >>> rule = TagRule.parse("amenity=clinic|hospital + name~卫生院")
    >>> rule.holds({"amenity": "clinic", "name": "树坪乡卫生院"}), rule.holds({"amenity": "clinic"})
    (True, False)
    """

    text: str
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, text: str) -> TagRule:
        """
        Read the written form.

        Raises
        ------
        ValueError
            A part is none of ``key=value``, ``key=*``, ``name~pattern`` and ``name!~pattern``, the pattern is
            not a regular expression, or no part asks for a tag's value.
        """
        conditions = tuple(_condition(part.strip(), text) for part in text.split(" + "))
        if all(condition.pattern is not None for condition in conditions):
            raise ValueError(f"{text!r}: at least one part must be key=value")
        return cls(text, conditions)

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Say whether all conditions hold."""
        return all(condition.holds(tags) for condition in self.conditions)

    @property
    def anchor(self) -> Condition:
        """The first condition on a tag's value, by which a reader can preselect."""
        return next(condition for condition in self.conditions if condition.pattern is None)


def _condition(part: str, text: str) -> Condition:
    for mark, negated in (("!~", True), ("~", False)):
        key, found, pattern = part.partition(mark)
        if found and "=" not in key:
            try:
                return Condition(key.strip(), pattern=re.compile(pattern.strip()), negated=negated)
            except re.error as error:
                raise ValueError(f"{text!r}: {pattern!r} is no pattern ({error})") from error
    key, found, values = part.partition("=")
    if not found or not key.strip() or not values.strip():
        raise ValueError(f"{text!r}: {part!r} is not key=value, name~pattern or name!~pattern")
    accepted = frozenset() if values.strip() == "*" else frozenset(v.strip() for v in values.split("|"))
    return Condition(key.strip(), accepted)
