"""What the catalogue says of old homesteads: gates, outcomes, exceptions, targets, the score and prices."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from geo.problems import Problem, Stop

MEASURES = ("slope", "inside", "beside", "field", "soil", "altitude", "isolated", "surrounded", "disputed")
"""How a gate may be measured, see ``reclamation.toml``."""

WAYS = ("consolidate", "reclaim", "regreen", "retained", "hold")
"""整理, 复垦, 复绿, 保留, 待定: what a plot should become."""


_NEGATED = re.compile(r"非(?!遗|物质)|未(?!拆)|无|不(?!可移动|可拆|能拆|宜拆|拆)|没有")
"""Before a reason they say that it is none."""


_BECAME = re.compile(r"^.*(?:(?:改造|改建|变更|调整|转变|复垦|恢复|整理)[为成]|[改转变][为成])")
"""What stands before the class that a plot became."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: how it is measured, its limits, and what follows if it fires."""

    id: str
    name_zh: str
    name_en: str
    measure: str
    outcome: str
    source: str
    certainty: str
    layer: str = ""
    over: float = math.nan
    under: float = math.nan
    under_mu: float = math.nan
    within_m: float = math.nan
    share: float = math.nan

    def named(self, language: str) -> str:
        """
        Give its name in a language, with its limits as they are.

        Examples
        --------
        >>> from layers import catalog
        >>> catalog.load().reclamation.with_overrides({"steep.over": 20}).gates["steep"].named("zh")
        '坡度超过20度'
        """
        return str(getattr(self, f"name_{language}")).format(over=f"{self.over:g}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The way that an outcome decides, '' for none, and whether somebody must look."""

    way: str
    check: bool


@dataclass(frozen=True, slots=True)
class LandException:
    """Why a house may stay: parts of the ledger's words, and whether only with the number of an approval."""

    id: str
    words: tuple[str, ...]
    approval: bool
    source: str


@dataclass(frozen=True, slots=True)
class Done:
    """
    What a ledger's words for what was done mean; ``way`` is ``other`` for what is neither field nor green.

    ``assumed`` words name no class: the land class is the one that they mean as a rule.
    """

    words: tuple[str, ...]
    way: str
    land_class: str
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """The land class that a way aims at, up to a slope class, and where soil, height and water allow."""

    way: str
    slope_class: int
    land_class: str
    source: str
    certainty: str
    soil_cm: float = 0.0
    altitude_m: float = math.inf
    water_m: float = math.inf


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of the score: straight lines between ``at`` and ``score``."""

    id: str
    weight: float
    column: str
    at: tuple[float, ...]
    score: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """A price of a mu of surplus, in 10,000 yuan; of a scenario, never a promise."""

    id: str
    name_zh: str
    name_en: str
    per_mu: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class OriginRules:
    """How the ground of an emptied village is judged, see ``analysis.origins``."""

    feeds_per_ha: float
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Reclamation:
    """All that is asked of old homesteads, see ``reclamation.toml``."""

    plausible_m2: tuple[float, float]
    overdue_years: float
    differs_pct: float
    own_share: float
    overlap_m2: float
    sliver_m: float
    check_margin_deg: float
    check_share: tuple[float, float]
    near_m: float
    workable_mu: float
    weights_vary: float
    gates: Mapping[str, Gate]
    outcomes: Mapping[str, Outcome]
    exceptions: Mapping[str, LandException]
    done: tuple[Done, ...]
    targets: tuple[Target, ...]
    ridges: tuple[float, ...]
    factors: Mapping[str, Factor]
    prices: Mapping[str, Price]
    origin: OriginRules

    def exception_of(self, words: str) -> str | None:
        """
        Name why a house may stay of what a ledger says; '' for nothing said, None for what is not known.

        Examples
        --------
        >>> from layers import catalog
        >>> own = catalog.load().reclamation
        >>> [own.exception_of(w) for w in ("保留生产用房", "传统村落", "", "不想拆")]
        ['production', 'heritage', '', None]
        >>> [own.exception_of(w) for w in ("未列入传统村落", "非连体房", "不愿拆，传统村落", "不可移动文物")]
        [None, None, 'heritage', 'heritage']
        """
        if not words:
            return ""
        for part in re.split(r"[，,。；;、\s]", words):
            for one in self.exceptions.values():
                before = next((part[: part.index(word)] for word in one.words if word in part), None)
                if before is not None and not _NEGATED.search(before):
                    return one.id
        return None

    def done_of(self, words: str) -> tuple[Done, ...]:
        """
        Read what was done with a plot, each kind once; none where a part of it is not known or was not done.

        Of what it was before and became (林地改造为旱地) the latter counts; brackets do not.

        Examples
        --------
        >>> from layers import catalog
        >>> own = catalog.load().reclamation
        >>> [[one.land_class for one in own.done_of(w)] for w in ("旱地", "复垦耕地（未复绿）", "林地改造为旱地")]
        [['0103'], ['0103'], ['0103']]
        >>> [[one.land_class for one in own.done_of(w)] for w in ("旱地、林地", "复垦为农村道路", "未复垦")]
        [['0103', '0301'], ['1006'], []]
        >>> [[one.land_class for one in own.done_of(w)] for w in ("宅基地复绿", "复耕复绿", "道路复垦", "荒草地")]
        [['0301'], ['0301', '0103'], ['0103'], ['0404']]
        """
        found: dict[str, Done] = {}
        bare = re.sub(r"[(（\[【].*?[)）\]】]", "", words)
        for part in re.split(r"[、，,;；/和及与+\s]+", bare):
            if not part:
                continue
            became = _BECAME.sub("", part)
            if re.match(r"未|不|没|待|拟|非", became) or not (hits := self._kinds(became)):
                return ()
            for done in hits:  # a word that names the class goes before one that does not
                kind = f"{done.way}:{done.land_class}"
                found[kind] = done if kind not in found or found[kind].assumed else found[kind]
        return tuple(found.values())

    def _kinds(self, words: str) -> list[Done]:
        """The kind that the longest word means, and another that a word beside it does; none where none does."""
        hits = sorted((
            (-len(word), number, words.index(word), done)
            for number, done in enumerate(self.done) for word in done.words if word in words
        ), key=lambda hit: hit[:3])  # fmt: skip
        apart: list[tuple[int, int, Done]] = []
        for minus, _, start, done in hits:
            if all(start >= end or start - minus <= begin for begin, end, _ in apart):
                apart.append((start, start - minus, done))
        # a field or green that stands beside a road or a house is what it became
        grown = [done for _, _, done in apart if done.way != "other"] or [done for _, _, done in apart]
        return [
            done
            for at, done in enumerate(grown)
            if not at or (done.way == "regreen") != (grown[0].way == "regreen")
        ]

    def slope_limits(self) -> tuple[float, ...]:
        """The limits of slope that gates ask for, and 25 degrees, each once, rising."""
        return tuple(sorted({25.0, *(gate.over for gate in self.gates.values() if gate.measure == "slope")}))

    def with_overrides(self, values: Mapping[str, Any]) -> Reclamation:
        """
        Apply a project's own values: ``"steep.over" = 20``, ``"overdue_years" = 3``, ``"weight.slope" = 0.3``.

        Raises
        ------
        Stop
            A key names nothing that there is, or a value is of the wrong kind; all of them at once.
        """
        problems: list[Problem] = []
        out = self
        for key, value in values.items():
            current = out.number(key)
            if current is None:
                near = difflib.get_close_matches(key, out.keys(), n=3, cutoff=0.4)
                problems.append(Problem.stop("key_unknown", key=f"reclamation.{key}", near="、".join(near) or "—"))
            elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                problems.append(Problem.stop("override_value", key=key, value=value, wanted=">= 0"))
            else:
                out = out._with(key, float(value))
        if problems:
            raise Stop(problems)
        return out

    def keys(self) -> list[str]:
        """All that a project may override."""
        rules = [f.name for f in fields(self) if isinstance(getattr(self, f.name), float)]
        gates = [
            f"{gate.id}.{name}"
            for gate in self.gates.values()
            for name in ("over", "under", "under_mu", "within_m", "share")
            if not math.isnan(getattr(gate, name))
        ]
        return [*rules, *gates, *(f"weight.{name}" for name in self.factors)]

    def number(self, key: str) -> float | None:
        """The value under a key of ``keys``, None for another."""
        if key not in self.keys():
            return None
        first, _, second = key.partition(".")
        if not second:
            return float(getattr(self, first))
        return self.factors[second].weight if first == "weight" else float(getattr(self.gates[first], second))

    def _with(self, key: str, value: float) -> Reclamation:
        first, _, second = key.partition(".")
        change: dict[str, Any] = {second or first: value}
        if not second:
            return replace(self, **change)
        if first == "weight":
            return replace(self, factors={**self.factors, second: replace(self.factors[second], weight=value)})
        if getattr(self.gates[first], second) != value:
            change["certainty"] = "P"  # a limit of the project's own is no printed rule
        return replace(self, gates={**self.gates, first: replace(self.gates[first], **change)})


def build_reclamation(data: Mapping[str, Any]) -> Reclamation:
    """Make it of parsed TOML."""
    rules: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else float(v) for n, v in data["rules"].items()}
    return Reclamation(
        **rules,
        gates={row["id"]: Gate(**row) for row in data["gate"]},
        outcomes={name: Outcome(**row) for name, row in data["outcome"].items()},
        exceptions={
            name: LandException(name, tuple(row["words"]), row["approval"], row["source"])
            for name, row in data["exception"].items()
        },
        done=tuple(
            Done(tuple(row["words"]), row["way"], row["class"], row.get("assumed", False)) for row in data["done"]
        ),
        targets=tuple(
            Target(land_class=row["class"], **{key: value for key, value in row.items() if key != "class"})
            for row in data["target"]
        ),
        ridges=tuple(data["ridges"]["rates"]),
        factors={
            row["id"]: Factor(**(row | {"at": tuple(row["at"]), "score": tuple(row["score"])}))
            for row in data["factor"]
        },
        prices={row["id"]: Price(**row) for row in data["price"]},
        origin=OriginRules(**data["origin"]),
    )


def reclamation_faults(data: Mapping[str, Any], layers: Mapping[str, Any]) -> list[tuple[str, str, object]]:
    """Row, key and value of what cannot be: a measure, a layer or an outcome that is none, no source, no mark."""
    faults: list[tuple[str, str, object]] = []
    for row in data["gate"]:
        name = str(row.get("id"))
        allowed = {"measure": MEASURES, "outcome": tuple(data["outcome"]), "certainty": ("T", "V", "H", "U", "P")}
        faults += [(name, key, row.get(key)) for key, known in allowed.items() if row.get(key) not in known]
        if row.get("layer", "redline") not in layers:
            faults.append((name, "layer", row["layer"]))
        if not row.get("source"):
            faults.append((name, "source", ""))
    faults += [(name, "way", row["way"]) for name, row in data["outcome"].items() if row["way"] not in ("", *WAYS)]
    faults += [
        (row["id"], "at", row["at"]) for row in data["factor"]
        if len(row["at"]) != len(row["score"]) or sorted(row["at"]) != row["at"]
    ]  # fmt: skip
    return faults
