"""Running a project and keeping what came out."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import crs as systems
from geo import io
from geo.problems import GroundError, Problem, Stop
from outputs.map import MapInput, write_map
from outputs.messages import load as load_messages
from outputs.messages import problem_table
from outputs.workbook import BookInput, write_workbook
from yike.pipeline import Inputs, Results, compute, read_inputs
from yike.project import Project, load_project
from yike.stages import Stages, Teller

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


class FolderTaken(GroundError, FileExistsError):
    """The run folder holds something this program did not write."""


@dataclass(frozen=True, slots=True)
class OpenProject:
    """A project file that was read and found good."""

    project: Project

    @classmethod
    def load(cls, path: Path, *, language: str | None = None) -> OpenProject:
        """Read a project file, see ``yike.open``; a language goes before the file's own."""
        project = load_project(path)
        return cls(project if language is None else replace(project, language=language))

    def default_out(self) -> Path:
        """The run folder beside the project file: its name with ``-run``."""
        return self.project.file.with_name(f"{self.project.file.stem}-run")

    def read(self, teller: Teller | None = None) -> Inputs:
        """Read and check every file without measuring anything."""
        return read_inputs(self.project, Stages(teller or Teller()))

    def run(self, out: Path | str | None = None, *, teller: Teller | None = None) -> Run:
        """
        Measure everything and write the run folder, which appears whole or not at all.

        Raises
        ------
        geo.problems.Stop
            A required file is at fault, or the folder cannot be written.
        yike.pipeline.LawBroken
            A result contradicts a law.
        FolderTaken
            The folder is there and is not a run of ours.
        """
        folder = Path(out) if out is not None else self.default_out()
        stages = Stages(teller or Teller())
        with _assembled(folder) as half:
            inputs = read_inputs(self.project, stages)
            write_run(half, inputs, compute(inputs, stages), stages)
        return Run(folder)


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

    def map(self) -> Path:
        """Where the map page is."""
        return self.folder / "map.html"


OURS = ("map.html", "workbook.xlsx", "results.gpkg", "run.json", "tables")


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


def write_run(folder: Path, inputs: Inputs, results: Results, stages: Stages) -> None:
    """Write everything that a run leaves into an empty folder."""
    project = inputs.project
    messages = load_messages(project.language)
    date = dt.datetime.now(tz=dt.UTC).astimezone().date().isoformat()
    version = metadata.version("yike")
    digests = {project.relative(path): _digest(path) for path in project.input_files()}
    tables = results.tables | {"problems": problem_table(list(results.problems), messages)}
    with stages.stage("tables"):
        (folder / "tables").mkdir()
        for name, frame in tables.items():
            io.write_parquet(frame, folder / "tables" / f"{name}.parquet")
        _write_layers(folder / "results.gpkg", inputs, results)
    with stages.stage("map"):
        given = MapInput(
            project.name, tables["places"], tables["access"], tables["circles"],
            project.circle_personas[0], inputs.facilities,
            inputs.streets, results.plots, inputs.terrain, inputs.catalog, date, version,
        )  # fmt: skip
        write_map(given, folder / "map.html", messages)
    with stages.stage("workbook"):
        book = BookInput(project.name, tables, inputs.catalog, digests, date, version)
        write_workbook(book, folder / "workbook.xlsx", messages)
    io.write_json(_record(inputs, results, tables, stages, digests, date), folder / "run.json")


def _write_layers(path: Path, inputs: Inputs, results: Results) -> None:
    places, snaps = results.tables["places"], results.tables["snaps"]
    io.write_layer(_points(places), path, layer="places")
    if len(inputs.facilities):
        io.write_layer(_points(inputs.facilities), path, layer="facilities")
    if results.plots is not None and len(results.plots):
        io.write_layer(results.plots, path, layer="homesteads")
    walked = snaps[(snaps["persona"] == "adult") & (snaps["mode"] == "walk") & snaps["snap_lon"].notna()]
    at = pd.concat(
        [
            places[["place_id", "lon", "lat"]].set_axis(["point_id", "lon", "lat"], axis=1).assign(kind="place"),
            inputs.facilities[["facility_id", "lon", "lat"]]
            .set_axis(["point_id", "lon", "lat"], axis=1)
            .drop_duplicates("point_id")
            .assign(kind="facility"),
        ]
    )
    legs = walked.merge(at, on=["point_id", "kind"])
    ends = np.stack((legs[["lon", "lat"]].to_numpy(float), legs[["snap_lon", "snap_lat"]].to_numpy(float)), axis=1)
    lines = gpd.GeoDataFrame(
        legs.drop(columns=["lon", "lat", "snap_lon", "snap_lat"]),
        geometry=shapely.linestrings(ends),
        crs=systems.DEGREES,
    )
    if len(lines):
        io.write_layer(lines, path, layer="snaps")


def _points(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    known = frame[frame["lon"].notna()]
    points = shapely.points(known["lon"].to_numpy(np.float64), known["lat"].to_numpy(np.float64))
    return gpd.GeoDataFrame(known.drop(columns=["lon", "lat"]), geometry=points, crs=systems.DEGREES)


def _record(
    inputs: Inputs,
    results: Results,
    tables: dict[str, pd.DataFrame],
    stages: Stages,
    digests: dict[str, str],
    date: str,
) -> dict[str, Any]:
    catalog = inputs.catalog
    standards = {
        f"{name}.{profile}": {
            "walk_min": s.walk_min, "drive_min": s.drive_min, "radius_m": s.radius_m,
            "certainty": s.certainty, "source": s.source,
        }
        for (name, profile), s in catalog.standards.items()
    }  # fmt: skip
    streets = inputs.streets
    return {
        "yike": metadata.version("yike"),
        "date": date,
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "project": inputs.project.resolved(),
        "standards": standards,
        "personas_flat_kmh": {p.id: p.flat_kmh for p in catalog.personas.values()},
        "walk_function": "flat",
        "inputs_sha256": digests,
        "network": {
            "ways": len(streets.tags), "nodes": len(streets.node_id), "edges": streets.edge_n,
            "length_km": float(streets.length_m.sum() / 1000), "box": list(streets.box),
        },
        "mass_balance": {"people": results.balance},
        "laws": tables["laws"].to_dict("records"),
        "tables": {name: len(frame) for name, frame in tables.items()},
        "absent": sorted({"homesteads", "balance"} - set(tables)),
        "problems": tables["problems"].groupby("severity").size().to_dict(),
        "seconds": {name: round(seconds, 3) for name, seconds in stages.seconds.items()},
    }  # fmt: skip


def _digest(path: Path) -> str:
    """SHA-256 of a file; of a Shapefile or a geodatabase, of all its parts."""
    found = hashlib.sha256()
    for part in io.files_of(path):
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    return found.hexdigest()
