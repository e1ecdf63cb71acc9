"""Faults and doubts as values: a code and its parameters, turned into a sentence only at the edge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["stop", "fault", "doubt"]


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One fault or doubt about the input, without words.

    ``stop`` is a fault of a whole required file, ``fault`` one of a row that is then left out of results,
    ``doubt`` something used as it is that a person should look at. ``row`` is the row number a person sees in
    the file (the first is 1). ``params`` fill the sentence that the message catalogue keeps for ``code``.
    """

    code: str
    severity: Severity
    layer: str = ""
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    params: tuple[tuple[str, str], ...] = ()

    @classmethod
    def stop(cls, code: str, *, file: object = "", layer: str = "", **params: object) -> Problem:
        """Make the fault of a whole file."""
        return cls(code, "stop", layer=layer, file=_name(file), params=_params(params))

    @classmethod
    def doubt(cls, code: str, *, file: object = "", layer: str = "", **params: object) -> Problem:
        """Make a doubt that concerns a whole file or setting."""
        return cls(code, "doubt", layer=layer, file=_name(file), params=_params(params))

    @classmethod
    def fault(
        cls, code: str, *, file: object, row: object, value: object = "", layer: str = "", **params: object
    ) -> Problem:
        """Make the fault of a row."""
        number = int(str(row))
        return cls(
            code, "fault", layer=layer, file=_name(file), row=number, value=str(value), params=_params(params)
        )

    def in_layer(self, layer: str) -> Problem:
        """Name the layer, unless it has one already."""
        return self if self.layer else replace(self, layer=layer)


def _name(file: object) -> str:
    return str(getattr(file, "name", file))


def _params(params: dict[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, str(value)) for key, value in params.items()))


class GroundError(Exception):
    """Root of every error raised under ``geo``."""


class Stop(GroundError):
    """Work cannot go on: one or more whole-file faults, all that were found."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(f"{p.code} {p.file} {dict(p.params)}".strip() for p in self.problems))


class CRSUnitError(GroundError, ValueError):
    """Coordinates are not true metres in a projected plane."""
