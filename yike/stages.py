"""The stages of a run: timed, and told of to whoever listens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Teller:
    """Hears what a run is doing; the command line prints it, a notebook does not."""

    def begin(self, stage: str) -> None:
        """A stage begins."""

    def part(self, text: str, number: int, of: int) -> None:
        """A part of a long stage begins."""

    def end(self, stage: str, seconds: float) -> None:
        """The stage is done."""


class Stages:
    """Times stages and tells of them."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Run a stage."""
        self.teller.begin(name)
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
        self.teller.end(name, self.seconds[name])
