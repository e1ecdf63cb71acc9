"""Running a project and keeping what came out."""

from __future__ import annotations

import datetime as dt
import difflib
import glob
import json
import platform
import re
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import crs as systems
from geo import io
from geo.problems import GroundError, Problem, Stop
from layers.catalog import Catalog
from layers.doors import door_table
from layers.edits import touched_categories
from layers.facilities import short_names
from outputs.land import with_words
from outputs.messages import load as load_messages
from outputs.messages import problem_table
from yike.pipeline import (
    TABLES,
    closed_in,
    computing_stages,
    edited_stages,
    grades_in,
    hillside_in,
    problems_of,
    reading_stages,
    tables_of,
    terrain_in,
)
from yike.project import Project, load_project
from yike.stages import Stage, Stages, Work, with_needs
from yike.store import Store, Value, code_digest
from yike.teller import Teller

if TYPE_CHECKING:
    from analysis.explain import Explanation
    from yike.comparing import Comparison
    from yike.sites import Sites

LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "geopandas",
    "shapely",
    "pyproj",
    "rasterio",
    "osmium",
    "numba",
    "folium",
)


_PYTHON = platform.python_version()


LATER = ("intervals", "map", "workbook")
"""What a scenario does without, if not asked for in full."""


class FolderTaken(GroundError, FileExistsError):
    """The run folder holds something this program did not write."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a project's files hold, read and checked."""

    places: pd.DataFrame
    facilities: pd.DataFrame
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class OpenProject:
    """
    A project file that was read and found good. ``cache`` is where its finished stages are kept.

    With a scenario ``base`` is the project without it.
    """

    project: Project
    cache: Path | None = None
    base: Project | None = None

    @classmethod
    def load(
        cls, path: Path, *, language: str | None = None, cache: Path | None = None, scenario: Path | None = None
    ) -> OpenProject:
        """Read a project file, see ``yike.open``; a language goes before the file's own."""
        project = load_project(path)
        project = project if language is None else replace(project, language=language)
        return cls(project, cache) if scenario is None else cls(project.changed(scenario), cache, project)

    def default_out(self) -> Path:
        """The run folder beside the project file: its name, that of the scenario, and ``-run``."""
        stem, scenario = self.project.file.stem, self.project.scenario.name
        safe = re.sub(r'[\\/:*?"<>|\s]+', "-", scenario).strip("-.") if self.base is not None else ""
        return self.project.file.with_name(f"{stem}-{safe}-run" if safe else f"{stem}-run")

    def stage_names(
        self, *, reading_only: bool = False, only: Sequence[str] = (), verified: bool = False
    ) -> list[str]:
        """
        Name the stages that the project goes through, in order; ``only`` some and what they stand on.

        With a scenario those without it come first.
        """
        before = [stage.name for stage in self._without()] if self.is_changed and not reading_only else []
        return before + [
            stage.name for stage in self._chosen(reading_only=reading_only, only=only, verified=verified)
        ]

    def _chosen(
        self, *, reading_only: bool = False, only: Sequence[str] = (), verified: bool = False
    ) -> list[Stage]:
        stages = reading_stages(self.project)
        if reading_only:
            return stages
        stages += [*computing_stages(self.project, verified=verified), *_writing_stages(self.project)]
        names = [stage.name for stage in stages]
        wrong = [name for name in only if name not in names]
        if wrong:
            shown = "、".join(names)
            raise Stop([Problem.stop("stage_unknown", stage=name, stages=shown) for name in wrong])
        if not only:
            return stages
        last = [*(["verify"] if verified else []), "laws", "tables"]
        return with_needs(stages, [*only, "places", "facilities"], gather=last)

    @property
    def is_changed(self) -> bool:
        """Say whether a scenario edits anything."""
        return self.base is not None and bool(self.project.scenario.edits)

    def _without(self) -> list[Stage]:
        """The stages without the scenario that those with it stand on."""
        if self.base is None:
            return []
        care = [f"care_{name}" for name in self.base.catalog().care]
        wanted = ("people_at", "hillside", "open_ground", "access", "seats", "grids", *care)
        computing = [stage for stage in computing_stages(self.base) if stage.name in wanted]
        return [*reading_stages(self.base), *computing]

    def _edited(self, stages: Stages, chosen: Sequence[Stage]) -> Stages:
        """
        Read what is there, then what a scenario makes of it, of the stages that are chosen.

        Returns
        -------
        was
            The stages that read what is there; ``stages`` remember them.
        """
        if self.base is None:
            raise ValueError("there is no scenario")
        reading = {stage.name for stage in reading_stages(self.base)}
        was = Stages(stages.store, stages.code, self.base.relative, stages.teller)
        _read(was, reading_stages(self.base))
        stages.remembers(was)
        edited = edited_stages(self.project)
        stops: list[Problem] = []
        for stage in edited.values():  # what is wrong in any edit is told at once
            try:
                stages.run([stage])
            except Stop as stop:
                stops += stop.problems
        if stops:
            raise Stop(stops)
        for stage in chosen:
            if stage.name in reading and stage.name not in edited:
                if stages.same(stage, was):
                    stages.takes(stage, was)
                else:
                    _read(stages, [stage])
        return was

    def _changed(
        self, stages: Stages, chosen: Sequence[Stage], *, verified: bool, anyhow: Collection[str]
    ) -> None:
        """
        Do the stages of a scenario, and none that its edits do not touch.

        What takes long and shows nothing new (``LATER``) is left out, if it is not to be done ``anyhow``.
        """
        was = self._edited(stages, chosen)
        reading = set(was.values)
        was.run(stage for stage in self._without() if stage.name not in reading)
        stages.remembers(was)
        catalog = self.project.catalog()
        before, after = (one.values["facilities"]["facilities"] for one in (was, stages))
        touched = touched_categories(self.project.scenario, before, after, catalog)
        levels = list(catalog.care.values())
        caring = {name for level in levels for name in level.categories}
        own_kinds = {"seats": set(catalog.schools), "grids": caring}  # whoever gives care may lead a grid
        for level, above in zip(levels, [*levels[1:], levels[-1]], strict=True):  # they send on to those above
            own_kinds[f"care_{level.id}"] = {*level.categories, *above.categories}
        names = {stage.name for stage in chosen} - reading
        computing = computing_stages(self.project, verified=verified, touched=touched)
        for stage in [*computing, *_writing_stages(self.project)]:
            # only what is told by ids: rows of facilities may have moved
            apart = touched is not None and stage.name in own_kinds and not touched & own_kinds[stage.name]
            left_out = stage.name in LATER and stage.name not in anyhow and not stages.is_kept(stage)
            if stage.name not in names or left_out:
                continue
            if stage.name in was.values and (apart or stages.same(stage, was)):
                stages.takes(stage, was)
            else:
                stages.run([stage])

    def _stages(self, teller: Teller | None) -> Stages:
        code = code_digest({name: metadata.version(name) for name in LIBRARIES} | {"python": _PYTHON})
        return Stages(Store(self.cache), code, self.project.relative, teller or Teller())

    def read(self, teller: Teller | None = None) -> Inputs:
        """
        Read and check every file without measuring anything.

        Raises
        ------
        geo.problems.Stop
            All faults of all files that cannot be used.
        """
        stages = self._stages(teller)
        self._prepare(stages, self._chosen(reading_only=True))
        values = stages.values
        return Inputs(values["places"]["places"], values["facilities"]["facilities"], tuple(problems_of(values)))

    def _prepare(self, stages: Stages, chosen: Sequence[Stage]) -> None:
        """Read what the chosen stages read, as a scenario makes it if there is one."""
        if self.is_changed:
            self._edited(stages, chosen)
        else:
            reading = {stage.name for stage in reading_stages(self.project)}
            _read(stages, [stage for stage in chosen if stage.name in reading])

    def _worked(self, needed: Sequence[str], teller: Teller | None) -> Stages:
        """Do some stages and all that they stand on."""
        stages = self._stages(teller)
        reading = reading_stages(self.project)
        chosen = with_needs([*reading, *computing_stages(self.project)], needed)
        self._prepare(stages, chosen)
        names = {stage.name for stage in reading}
        stages.run(stage for stage in chosen if stage.name not in names)
        return stages

    def explain(self, place: str, category: str, teller: Teller | None = None) -> tuple[Explanation, str]:
        """
        Say why a place has its time to a category, see ``analysis.explain``.

        Parameters
        ----------
        place
            Its id, or its name if no other has it.
        category
            Its id, or its name in Chinese or English.
        teller
            Hears of the stages.

        Returns
        -------
        explanation, name
            And the name of the place.

        Raises
        ------
        geo.problems.Stop
            A required file is at fault, or there is no such place or category; the nearest ones are named.
        """
        from analysis.explain import explain

        needed = ("network", "places", "facilities", "grades", "hillside", "barriers", "form_rivers", "people_at")
        stages = self._worked(needed, teller)
        values, catalog = stages.values, self.project.catalog()
        places = values["people_at"]["places"]
        number, problems = _named_place(places, place)
        kind, more = _named_category(catalog, category)
        if problems or more:
            raise Stop([replace(problem, file=self.project.file.name) for problem in (*problems, *more)])
        facilities = values["facilities"]
        found = explain(
            places, facilities["facilities"], place_id=number, category=kind, catalog=catalog,
            streets=values["network"]["streets"], sourced=frozenset(facilities["sourced"]),
            points=values["places"]["points"], met_share=self.project.met_share,
            grades=grades_in(values), hillside=hillside_in(values),
            closed=closed_in(values),
        )  # fmt: skip
        return found, str(places.loc[places["place_id"] == number, "place_name"].iloc[0])

    def explain_plot(self, plot: str, teller: Teller | None = None) -> tuple[pd.Series, pd.DataFrame]:
        """
        Say what an old homestead is and what each gate says of it, see ``outputs.land.told``.

        Parameters
        ----------
        plot
            The id of the plot, or of its house if that has no other.
        teller
            Hears of the stages.

        Returns
        -------
        row, gates
            Of ``homesteads``; and by the id of each gate ``fired`` and ``number``.

        Raises
        ------
        geo.problems.Stop
            A required file is at fault, or there is no such plot; the nearest ones are named.
        """
        if self.project.homesteads is None:
            raise Stop(Problem.stop("run_without_plots", file=self.project.file))
        values = self._worked(("reclamation",), teller).values
        own = values["reclamation"]
        table = own["homesteads"]
        at, near = _called(table, plot, "homestead_id", "house_id")
        houses = values.get("houses", {}).get("houses", pd.DataFrame({"house_id": []}))
        lone = houses[houses["house_id"] == plot]
        if not len(at) and len(lone):
            row = lone.iloc[0]
            raise Stop(Problem("house_without_plot", "stop", "house_ledger", str(row["file"]), row=int(row["row"]),
                               value=plot))  # fmt: skip
        if len(at) != 1:
            raise Stop(Problem.stop("plot_unknown", file=self.project.file, plot=plot, n=len(at), near=near))
        found = pd.DataFrame(
            {"fired": own["fired"].iloc[at[0]], "number": own["asked"].iloc[at[0]].astype("float64")}
        )
        return table.iloc[at[0]], found

    def site(
        self, category: str, *, new: int, goal: str = "cover", growing: bool = False, time_limit_s: float = 60.0,
        teller: Teller | None = None,
    ) -> Sites:  # fmt: skip
        """
        Propose where to build, and for schools how many classes and beds to add, see ``analysis.remedies``.

        Parameters
        ----------
        category
            Its id, or its name in Chinese or English.
        new, goal, growing, time_limit_s
            As in ``propose``.
        teller
            Hears of the stages.

        Raises
        ------
        geo.problems.Stop
            A required file is at fault, there is no such category, or nothing can be proposed.
        """
        from yike.sites import find_sites

        kind, problems = _named_category(self.project.catalog(), category)
        if problems:
            raise Stop([replace(problem, file=self.project.file.name) for problem in problems])
        layers = ("terrain", "form_villages", "form_plan_parcels", *(f"form_{n}" for n in
                  self.project.catalog().remedies.forbidden))  # fmt: skip
        needed = ("people_at", "facilities", "grades", "hillside", "barriers", "form_rivers", *layers)
        stages = self._worked(needed, teller)
        return find_sites(
            self.project, stages.values, category=kind, new=new, goal=goal, growing=growing,
            time_limit_s=time_limit_s,
        )  # fmt: skip

    def run(
        self, out: Path | str | None = None, *, only: Sequence[str] = (), verified: bool = False,
        full: bool = False, teller: Teller | None = None,
    ) -> Run:  # fmt: skip
        """
        Measure everything and write the run folder, which appears whole or not at all.

        A stage that an earlier run finished, and for which nothing has changed, is not done again. ``only``
        names stages to do, with what they stand on; the rest is named in ``run.json`` as absent. ``verified``
        measures some places again with one thing changed, and holds that against the laws, see
        ``analysis.verify``. A scenario leaves out what takes long and shows nothing new (``LATER``), if not
        ``full``.

        Raises
        ------
        geo.problems.Stop
            A required file is at fault, a name in ``only`` is no stage, or the folder cannot be written.
        yike.pipeline.LawBroken
            A result contradicts a law.
        FolderTaken
            The folder is there and is not a run of ours.
        """
        folder = Path(out) if out is not None else self.default_out()
        only = [only] if isinstance(only, str) else only
        chosen = self._chosen(only=only, verified=verified)
        stages = self._stages(teller)
        with _assembled(folder) as half:
            if self.is_changed:
                self._changed(stages, chosen, verified=verified, anyhow=LATER if full else only)
            else:
                self._prepare(stages, chosen)
                reading = set(stages.values)
                stages.run(stage for stage in chosen if stage.name not in reading)
            _assemble(half, self.project, stages, [stage.name for stage in self._chosen(verified=verified)])
        stages.store.prune()
        return Run(folder)


def _named_place(places: pd.DataFrame, place: str) -> tuple[str, list[Problem]]:
    """The id of whom a person names, by id or else by name."""
    at, near = _called(places, place, "place_id", "place_name")
    if len(at) == 1:
        return str(places["place_id"].iloc[at[0]]), []
    return "", [Problem.stop("place_unknown", place=place, n=len(at), near=near)]


def _called(table: pd.DataFrame, text: str, number: str, name: str) -> tuple[NDArray[np.int64], str]:
    """The rows that are called so, by number or else by name; which numbers these are, or what is near to it."""
    at = np.flatnonzero(table[number] == text)
    at = at if len(at) else np.flatnonzero(table[name] == text)
    known = list(table[number].iloc[at]) if len(at) else [*table[number], *table[name]]
    near = known if len(at) else difflib.get_close_matches(text, known, n=5, cutoff=0.3)
    return at, "、".join(near) or "—"


def _named_category(catalog: Catalog, category: str) -> tuple[str, list[Problem]]:
    words = {word: c.id for c in catalog.in_access() for word in (c.id, c.name_zh, c.name_en, *short_names(c))}
    if category in words:
        return words[category], []
    near = "、".join(difflib.get_close_matches(category, list(words), n=5, cutoff=0.3))
    return "", [Problem.stop("category_not_known", category=category, near=near or "—")]


def _read(stages: Stages, reading: Sequence[Stage]) -> None:
    stages.run(reading, gather=True)
    if stages.stops:
        # the network is asked for by several layers; and faults of rows may be what is behind a stop
        once = {replace(problem, layer=""): problem for problem in stages.stops}
        faults = [p for p in problems_of(stages.values) if p.severity == "fault"]
        raise Stop([*once.values(), *faults])


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder; tables are read when they are asked for."""

    folder: Path

    def table(self, name: str) -> pd.DataFrame:
        """
        Read a table of the run.

        Raises
        ------
        FileNotFoundError
            The run has no such table.
        """
        return pd.read_parquet(self.folder / "tables" / f"{name}.parquet")

    @property
    def access(self) -> pd.DataFrame:
        """The table ``access``."""
        return self.table("access")

    @property
    def circles(self) -> pd.DataFrame:
        """The table ``circles``."""
        return self.table("circles")

    @property
    def places(self) -> pd.DataFrame:
        """The table ``places``."""
        return self.table("places")

    def compare(self, after: Run) -> Comparison:
        """Hold another run against this one, see ``yike.comparing``."""
        from yike.comparing import compare_runs

        return compare_runs(self.folder, after.folder)

    def map(self) -> Path:
        """Where the map page is."""
        return self.folder / "map.html"


OURS = ("map.html", "workbook.xlsx", "results.gpkg", "run.json", "tables")


def require_apart(folder: Path) -> None:
    """
    Make sure that something other than a run may be written into a folder.

    Raises
    ------
    FolderTaken
        It is a file, or a run, or lies within one.
    """
    if any(_is_run(parent) for parent in folder.resolve().parents) or (
        folder.exists() and (not folder.is_dir() or _is_run(folder))
    ):
        raise FolderTaken(str(folder))


def _require_ours(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or _is_run(folder))):
        raise FolderTaken(str(folder))


def _is_run(folder: Path) -> bool:
    try:
        return "yike" in json.loads((folder / "run.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False


@contextmanager
def _assembled(folder: Path) -> Iterator[Path]:
    """Give an empty folder under a temporary name that takes the place of ``folder`` if all goes well."""
    _require_ours(folder)
    try:
        _sweep(folder.resolve())
        half = io.temporary_beside(folder.resolve())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Stop(Problem.stop("out_unwritable", file=folder, folder=folder.parent, reason=reason)) from error
    try:
        half.chmod(0o755)
        yield half
        _require_ours(folder)
        _put(half, folder)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise


def _sweep(folder: Path) -> None:
    """Take away what a run that was killed more than a day ago left beside the folder."""
    yesterday = time.time() - 86_400
    for half in folder.parent.glob(f".{glob.escape(folder.name)}-*"):
        if half.is_dir() and half.stat().st_mtime < yesterday:
            shutil.rmtree(half, ignore_errors=True)


def _put(new: Path, folder: Path) -> None:
    if not folder.exists():
        new.replace(folder)
        return
    old = io.temporary_beside(folder.resolve())
    old.rmdir()  # not every system moves a folder onto an empty one
    folder.replace(old)
    try:
        new.replace(folder)
    except OSError:
        old.replace(folder)
        raise
    for entry in old.iterdir():
        if entry.name not in OURS:  # what somebody put there stays there
            entry.replace(folder / entry.name)
    shutil.rmtree(old)


def _writing_stages(project: Project) -> list[Stage]:
    """Give the stages that write files: tables, map and workbook."""
    reading = tuple(stage.name for stage in reading_stages(project))
    computing = tuple(stage.name for stage in computing_stages(project))
    shown = [project.language, project.name, list(project.circle_personas), _today()]  # they bear its date
    files = tuple(project.input_files())
    drawn = ("network", "facilities", "people_at", "access", "circles")
    coloured = ("seats", "care", *(f"care_{name}" for name in project.catalog().care))
    return [
        Stage("tables", partial(_tables, project), needs=("places", "laws"), also=(*reading, *computing),
              settings=[project.language]),
        Stage("map", partial(_map, project), needs=drawn,
              also=("places", "homesteads", "reclamation", "terrain", *coloured),
              settings=[shown, project.standards, project.categories]),
        Stage("workbook", partial(_workbook, project), needs=(*drawn, "tables"), also=computing, reads=files,
              settings=[shown, project.standards, project.categories]),
    ]  # fmt: skip


def _worded(project: Project, given: Mapping[str, Value]) -> dict[str, pd.DataFrame]:
    """The finished tables and facilities, with reasons in words."""
    tables = tables_of(given) | {"facilities": given["facilities"]["facilities"]}
    if "homesteads" in tables:
        messages = load_messages(project.language)
        tables["homesteads"] = with_words(tables["homesteads"], project.catalog(), messages)
    return tables


def _all_tables(project: Project, given: Mapping[str, Value]) -> dict[str, pd.DataFrame]:
    problems = problem_table(problems_of(given), load_messages(project.language))
    return _worded(project, given) | {"problems": problems}


def _tables(project: Project, at: Work) -> Value:
    value: Value = {}
    tables = _all_tables(project, at.given)
    for name, frame in tables.items():
        io.write_parquet(frame, at.folder / f"{name}.parquet")
        value[name] = at.folder / f"{name}.parquet"
    _write_layers(at.folder / "results.gpkg", at.given, tables)
    return value | {"results": at.folder / "results.gpkg", "table_problems": tables["problems"]}


def _map(project: Project, at: Work) -> Value:
    from outputs.map import MapInput, write_map  # a scenario draws none, and need not wait for folium
    from outputs.themes import themes_of

    given = at.given
    given_map = MapInput(
        project.name, given["people_at"]["places"], given["access"]["access"], given["circles"]["circles"],
        project.circle_personas[0], given["facilities"]["facilities"], given["network"]["streets"],
        _measured_plots(given, _worded(project, given)),
        terrain_in(given), _joins(given),
        project.catalog(), _today(), metadata.version("yike"),
        tuple(themes_of(tables_of(given), project.catalog(), load_messages(project.language))),
    )  # fmt: skip
    write_map(given_map, at.folder / "map.html", load_messages(project.language))
    return {"map": at.folder / "map.html"}


def _workbook(project: Project, at: Work) -> Value:
    from outputs.workbook import BookInput, write_workbook

    tables = _worded(project, at.given) | {"problems": at.given["tables"]["table_problems"]}
    digests = {name: digest for name, digest in at.digests.items() if digest}
    book = BookInput(project.name, tables, project.catalog(), digests, _today(), metadata.version("yike"))
    write_workbook(book, at.folder / "workbook.xlsx", load_messages(project.language))
    return {"workbook": at.folder / "workbook.xlsx"}


def _today() -> str:
    return dt.datetime.now(tz=dt.UTC).astimezone().date().isoformat()


def _measured_plots(given: Mapping[str, Value], tables: Mapping[str, pd.DataFrame]) -> gpd.GeoDataFrame | None:
    if "reclamation" not in given:
        return None
    named = given["homesteads"]["plots"][["homestead_id", "geometry"]]
    return gpd.GeoDataFrame(named.join(tables["homesteads"].drop(columns="homestead_id")))


def _assemble(folder: Path, project: Project, stages: Stages, all_names: Sequence[str]) -> None:
    """Put the run folder together from what the stages left."""
    written = stages.values["tables"]
    (folder / "tables").mkdir()
    for path in written.values():
        if isinstance(path, Path):
            shutil.copyfile(path, folder / ("tables" if path.suffix == ".parquet" else "") / path.name)
    for name in ("map", "workbook"):
        if name in stages.values:
            path = stages.values[name][name]
            shutil.copyfile(path, folder / path.name)
    io.write_json(_record(project, stages, all_names), folder / "run.json")


def _write_layers(path: Path, given: Mapping[str, Value], tables: Mapping[str, pd.DataFrame]) -> None:
    places = given["places"]["places"]
    facilities, plots = given["facilities"]["facilities"], _measured_plots(given, tables)
    io.write_layer(_points(tables.get("places", places)), path, layer="places")
    if len(facilities):
        io.write_layer(_points(facilities), path, layer="facilities")
    if plots is not None and len(plots):
        io.write_layer(plots, path, layer="homesteads")
    if "rings" in given and len(given["rings"]["rings"]):
        io.write_layer(given["rings"]["rings"], path, layer="rings")
    lines = _joins(given)
    if len(lines):
        io.write_layer(lines, path, layer="snaps")


def _joins(given: Mapping[str, Value]) -> gpd.GeoDataFrame:
    """Lines from places and facilities to where an adult on foot meets the streets."""
    columns = ["point_id", "kind", "snap_lon", "snap_lat", "persona", "mode"]
    snaps = given["access"]["snaps"] if "access" in given else pd.DataFrame(columns=columns)
    points, facilities = given["places"]["points"], given["facilities"]["facilities"]
    walked = snaps[(snaps["persona"] == "adult") & (snaps["mode"] == "walk") & snaps["snap_lon"].notna()]
    doors = door_table(facilities)
    doors["point_id"] = facilities["facility_id"].to_numpy()[doors["facility"]]
    at = pd.concat(
        [points[["point_id", "lon", "lat"]].assign(kind="place"),
         doors[["point_id", "lon", "lat"]].assign(kind="facility")]
    )  # fmt: skip
    legs = walked.merge(at, on=["point_id", "kind"])
    # a facility of several doors is joined by the one that is next to the street
    legs["apart_m"] = systems.geodesic_m(*(legs[name] for name in ("lon", "lat", "snap_lon", "snap_lat")))
    legs = legs.sort_values("apart_m", kind="stable").drop_duplicates(["point_id", "kind"]).sort_index()
    legs = legs.drop(columns="apart_m")
    ends = np.stack((legs[["lon", "lat"]].to_numpy(float), legs[["snap_lon", "snap_lat"]].to_numpy(float)), axis=1)
    return gpd.GeoDataFrame(
        legs.drop(columns=["lon", "lat", "snap_lon", "snap_lat"]), geometry=shapely.linestrings(ends),
        crs=systems.DEGREES,
    )  # fmt: skip


def _points(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    known = frame[frame["lon"].notna()]
    points = shapely.points(known["lon"].to_numpy(np.float64), known["lat"].to_numpy(np.float64))
    return gpd.GeoDataFrame(known.drop(columns=["lon", "lat"]), geometry=points, crs=systems.DEGREES)


def _record(project: Project, stages: Stages, all_names: Sequence[str]) -> dict[str, Any]:
    catalog = project.catalog()
    standards = {
        f"{name}.{profile}": {
            "walk_min": s.walk_min, "drive_min": s.drive_min, "radius_m": s.radius_m,
            "certainty": s.certainty, "source": s.source,
        }
        for (name, profile), s in catalog.standards.items()
    }  # fmt: skip
    streets = stages.values["network"]["streets"]
    tables = tables_of(stages.values)
    problems = stages.values["tables"]["table_problems"]
    balance = tables["balance"].set_index("item")["number"].to_dict() if "balance" in tables else {}
    slope = tables["slope_effect"].set_index("item")["number"].to_dict() if "slope_effect" in tables else {}
    return {
        "yike": metadata.version("yike"),
        "date": _today(),
        "python": _PYTHON,
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "project": project.resolved(),
        "standards": standards,
        "personas_flat_kmh": {p: catalog.travel_profile(p, "walk").flat_kmh for p in catalog.personas},
        "ride_kmh": {m.id: m.kmh for m in catalog.modes.values() if m.kmh},
        "met_share": project.met_share or catalog.met_share,
        "walk_function": sorted(set(tables["access"]["walk_function"])) if "access" in tables else [],
        "inputs_sha256": {project.relative(path): stages.digest(path) for path in project.input_files()},
        "network": {
            "ways": len(streets.tags), "nodes": len(streets.node_id), "edges": streets.edge_n,
            "length_km": float(streets.length_m.sum() / 1000), "box": list(streets.box),
        },
        "mass_balance": {"people": balance},
        "slope_effect": slope,
        "laws": tables["laws"].to_dict("records"),
        "tables": {name: len(frame) for name, frame in tables.items()}
        | {"facilities": len(stages.values["facilities"]["facilities"]), "problems": len(problems)},
        "absent": sorted((set(TABLES) - set(tables)) | (set(all_names) - set(stages.values))),
        "problems": problems.groupby("severity").size().to_dict(),
        "seconds": {name: round(seconds, 3) for name, seconds in stages.seconds.items()},
        "stages": dict(stages.keys),
    }  # fmt: skip
