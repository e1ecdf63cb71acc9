"""Hearing what a run is doing."""

from __future__ import annotations


class Teller:
    """Hears what a run is doing; the command line prints it, a notebook does not."""

    def begin(self, stage: str) -> None:
        """A stage begins."""

    def part(self, text: str, number: int, of: int) -> None:
        """A part of a long stage begins."""

    def end(self, stage: str, seconds: float) -> None:
        """The stage is done."""

    def kept(self, stage: str) -> None:
        """The stage was done by an earlier run, and nothing it depends on has changed."""
