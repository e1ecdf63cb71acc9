"""The stages of a run: each done once, kept, timed, and told of to whoever listens."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo import io
from geo.problems import Problem, Stop
from yike.store import Store, Value, digest_of, key_of
from yike.teller import Teller


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """
    What a stage is given: the values of what it stands on, a folder for files, and who hears of it.

    ``digests`` are those of the files it reads, by their name for keys; '' for one that is not there.
    """

    given: Mapping[str, Value]
    folder: Path
    teller: Teller
    digests: Mapping[str, str]


WAS = "was:"
"""Before the name of a stage: as it was without the edits of a scenario."""


@dataclass(frozen=True, slots=True)
class Stage:
    """
    One step: what it reads, what it needs, and the work.

    It runs when all of ``needs`` are done, and with those of ``also`` that are. ``reads`` are its input files,
    ``settings`` all that it takes from the project and the catalogue, as JSON. ``layer`` is what its problems
    are of.
    """

    name: str
    work: Callable[[Work], Value]
    needs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()
    settings: Any = None
    layer: str = ""


class Stages:
    """
    Runs stages in order, or takes them from the store.

    Parameters
    ----------
    store, code
        Where finished stages are kept, and the digest of the program.
    name_of
        How a file is named in keys, so that a moved project keeps its stages.
    """

    def __init__(self, store: Store, code: str, name_of: Callable[[Path], str], teller: Teller) -> None:
        self.teller = teller
        self.seconds: dict[str, float] = {}
        self.values: dict[str, Value] = {}
        self.keys: dict[str, str] = {}
        self.stops: list[Problem] = []
        self.store, self.code, self._name_of = store, code, name_of
        self._digests: dict[Path, str] = {}
        self._states: dict[Path, list[tuple[str, int, int, int]]] = {}

    def run(self, stages: Iterable[Stage], *, gather: bool = False) -> None:
        """
        Run stages whose needs are there.

        With ``gather`` a stop is kept in ``stops`` and the others go on, so that all are told at once; nothing
        that had to do without another stage's answer is then kept.

        Raises
        ------
        Stop
            Without ``gather``: a stage cannot be done.
        """
        for stage in stages:
            if not set(stage.needs) <= set(self.values):
                continue
            try:
                self._one(stage)
            except Stop as stop:
                if not gather:
                    raise
                self.stops += [problem.in_layer(stage.layer or stage.name) for problem in stop.problems]

    def _one(self, stage: Stage) -> None:
        sure = not self.stops
        needs = [*stage.needs, *(name for name in stage.also if name in self.values)]
        digests = {self._name_of(path): self.digest(path) for path in stage.reads}
        key = self._key(stage)
        kept = self.store.load(key) if sure else None
        if kept is not None:
            self.values[stage.name], self.keys[stage.name] = kept, key
            self.seconds[stage.name] = 0.0
            self.teller.kept(stage.name)
            return
        self.teller.begin(stage.name)
        start = time.perf_counter()
        half = self.store.begin(key)
        try:
            given = {name: self.values[name] for name in needs}
            value = stage.work(Work(given, half, self.teller, digests))
            replaced = [path for path in stage.reads if self._state(path) != self._states[path]]
            if replaced:  # which version was read is not known: no later run may find it, or what stands on it
                key = f"{key[:16]}{secrets.token_hex(8)}"
                doubts = [Problem.doubt("file_changed", file=path, layer=stage.layer) for path in replaced]
                value = value | {"problems": (*value.get("problems", ()), *doubts)}
            self.values[stage.name] = self.store.finish(key, half, value) if sure else value
        finally:
            shutil.rmtree(half, ignore_errors=True)
        self.keys[stage.name] = key
        self.seconds[stage.name] = time.perf_counter() - start
        self.teller.end(stage.name, self.seconds[stage.name])

    def takes(self, stage: Stage, other: Stages) -> None:
        """Take a stage's value from other stages as it is."""
        self.values[stage.name], self.keys[stage.name] = other.values[stage.name], other.keys[stage.name]
        self.seconds[stage.name] = 0.0
        self.teller.kept(stage.name)

    def same(self, stage: Stage, other: Stages) -> bool:
        """Say whether other stages have a stage's value, and from all the same."""
        if stage.name not in other.values or not set(stage.needs) <= set(self.values):
            return False
        return self._key(stage) == other.keys[stage.name]

    def remembers(self, other: Stages) -> None:
        """Put the values of other stages beside, under their names with ``WAS`` before."""
        self.values |= {WAS + name: value for name, value in other.values.items()}
        self.keys |= {WAS + name: key for name, key in other.keys.items()}
        self._digests, self._states = other._digests, other._states

    def is_kept(self, stage: Stage) -> bool:
        """Say whether a stage has been done before on all that it stands on."""
        return set(stage.needs) <= set(self.values) and self._key(stage) in self.store

    def _key(self, stage: Stage) -> str:
        needs = [*stage.needs, *(name for name in stage.also if name in self.values)]
        digests = {self._name_of(path): self.digest(path) for path in stage.reads}
        return key_of(
            stage=stage.name, code=self.code, settings=stage.settings, files=digests,
            needs={name: self.keys[name] for name in needs},
        )  # fmt: skip

    def digest(self, path: Path) -> str:
        """The digest of an input file, '' for one that is not there (its stage will say so)."""
        if path not in self._digests:
            self._states[path] = self._state(path)
            self._digests[path] = digest_of(path) if path.exists() else ""
        return self._digests[path]

    @staticmethod
    def _state(path: Path) -> list[tuple[str, int, int, int]]:
        """What shows that a file was written to or replaced, without reading it."""
        stats = [(part.name, part.stat()) for part in (io.files_of(path) if path.exists() else ())]
        return [(name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in stats]


def with_needs(stages: Sequence[Stage], wanted: Iterable[str], *, gather: Sequence[str] = ()) -> list[Stage]:
    """Choose stages by name and all that they stand on, in their order; and ``gather``, which take what comes."""
    by_name = {stage.name: stage for stage in stages}
    chosen: set[str] = set()
    open_ = list(wanted)
    while open_:
        name = open_.pop()
        if name in by_name and name not in chosen:
            chosen.add(name)
            open_ += [*by_name[name].needs, *by_name[name].also]
    for name in gather:
        chosen |= {name, *by_name[name].needs}
    return [stage for stage in stages if stage.name in chosen]
