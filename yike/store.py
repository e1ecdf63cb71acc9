"""
Finished stages on disk, each under the key of everything that it came from.

Values are kept in open formats, never as pickles: what lies in a folder must not be able to run. An entry appears
whole or not at all, and one that cannot be read any more counts as none.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from pyproj import CRS

from geo import io
from geo.grades import Grades
from geo.hillside import Hillside
from geo.network import Streets
from geo.problems import Problem
from yike.kernel_cache import user_cache

Value = dict[str, Any]
"""
What a stage leaves, by name: frames with and without geometry, streets, grades, rasters, a hillside, geometries,
tuples of problems, files (a ``Path`` to one that the stage wrote into its folder), and what JSON can say.
"""

UNUSED_DAYS = 30
"""An entry that no run has asked for in so many days is taken away."""

_UNREADABLE = (
    OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, shapely.errors.ShapelyError,
)  # fmt: skip


def digest_of(path: Path) -> str:
    """SHA-256 of a file; of one made of several, as a Shapefile or a folder, of all of them with their names."""
    parts = io.files_of(path)
    if parts == [path]:
        return _digest_of_one(path)
    root = path if path.is_dir() else path.parent
    whole = "".join(f"{part.relative_to(root).as_posix()}\n{_digest_of_one(part)}\n" for part in parts)
    return hashlib.sha256(whole.encode()).hexdigest()


def _digest_of_one(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(*, stage: str, code: str, settings: object, files: Mapping[str, str], needs: Mapping[str, str]) -> str:
    """The name of a stage's entry: it changes with anything that the stage depends on."""
    whole = {"stage": stage, "code": code, "settings": settings, "files": dict(files), "needs": dict(needs)}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def code_digest(libraries: Mapping[str, str]) -> str:
    """A digest of all code and data of this program and of the versions under it."""
    root = Path(__file__).resolve().parent.parent
    found = hashlib.sha256(json.dumps(dict(libraries), sort_keys=True).encode())
    for package in ("geo", "layers", "analysis", "outputs", "yike"):
        for source in sorted((root / package).rglob("*")):
            if source.suffix in (".py", ".toml", ".js", ".css"):
                found.update(f"{source.relative_to(root).as_posix()}\n".encode() + source.read_bytes())
    return found.hexdigest()


class Store:
    """A folder of finished stages; by default one in the user's cache, which nobody else may read."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_cache() / "stages"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=self.folder):
                pass
        except OSError:  # stages are then kept for this run only
            self.folder = Path(tempfile.mkdtemp(prefix="yike-stages-"))

    def __contains__(self, key: str) -> bool:
        return (self.folder / key / "value.json").is_file()

    def load(self, key: str) -> Value | None:
        """Read an entry; None where there is none that can be read."""
        folder = self.folder / key
        if key not in self:
            return None
        try:
            told = json.loads((folder / "value.json").read_text("utf-8"))
            value = {name: _decoded(item, folder) for name, item in told.items()}
        except _UNREADABLE:
            shutil.rmtree(folder, ignore_errors=True)  # a torn entry is no entry: the stage is done again
            return None
        with contextlib.suppress(OSError):  # only tells how long it has not been asked for
            os.utime(folder)
        return value

    def begin(self, key: str) -> Path:
        """Make the folder that a stage works in; its files may be written there."""
        return io.temporary_beside(self.folder / key)

    def finish(self, key: str, half: Path, value: Value) -> Value:
        """Keep what a stage left and give it back as it will be read again."""
        told = {name: _encoded(name, item, half) for name, item in value.items()}
        (half / "value.json").write_text(json.dumps(told, ensure_ascii=False, allow_nan=False), "utf-8")
        folder = self.folder / key
        shutil.rmtree(folder, ignore_errors=True)
        try:
            half.replace(folder)
        except OSError:  # another run was as quick; its entry is the same
            shutil.rmtree(half, ignore_errors=True)
        loaded = self.load(key)
        if loaded is None:
            raise OSError(f"{folder}: what was just written cannot be read")
        return loaded

    def prune(self) -> None:
        """Take away what has not been asked for in a month, and halves that a killed run left."""
        if not self.folder.is_dir():
            return
        now = time.time()
        for entry in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another run takes it away at the same time
                days = (now - entry.stat().st_mtime) / 86_400
                if days > UNUSED_DAYS or (entry.name.startswith(".") and days > 1):
                    shutil.rmtree(entry, ignore_errors=True)


def _encoded(name: str, value: Any, folder: Path) -> dict[str, Any]:
    if isinstance(value, gpd.GeoDataFrame):
        value.to_parquet(folder / f"{name}.parquet", index=False)
        return {"is": "layer", "file": f"{name}.parquet"}
    if isinstance(value, pd.DataFrame):
        io.write_parquet(value, folder / f"{name}.parquet")
        return {"is": "frame", "file": f"{name}.parquet"}
    if isinstance(value, Streets):
        arrays = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        io.write_parquet(arrays.pop("tags"), folder / f"{name}.parquet")
        io.write_parquet(arrays.pop("barriers"), folder / f"{name}-barriers.parquet")
        box, cut = arrays.pop("box"), arrays.pop("cut")
        np.savez(folder / f"{name}.npz", **arrays)
        return {"is": "streets", "file": name, "box": [v if np.isfinite(v) else None for v in box], "cut": cut}
    if isinstance(value, Grades):
        np.savez(folder / f"{name}.npz", **{f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
        return {"is": "grades", "file": f"{name}.npz"}
    if isinstance(value, io.Raster):
        np.savez(folder / f"{name}.npz", values=value.values)
        return {"is": "raster", "file": f"{name}.npz"} | _placed(value)
    if isinstance(value, Hillside):
        arrays = {field: getattr(value, field) for field in _OF_HILLSIDE}
        np.savez(folder / f"{name}.npz", values=value.ground.values, **arrays)
        closed = shapely.to_wkb(shapely.geometrycollections(value.closed.geometries), hex=True)
        return {"is": "hillside", "file": f"{name}.npz", "closed": closed} | _placed(value.ground)
    if isinstance(value, shapely.Geometry):
        return {"is": "geometry", "wkb": shapely.to_wkb(value, hex=True)}
    if isinstance(value, tuple) and all(isinstance(item, Problem) for item in value):
        return {"is": "problems", "rows": [dataclasses.asdict(problem) for problem in value]}
    if isinstance(value, Path):
        return {"is": "file", "file": value.relative_to(folder).as_posix()}
    return {"is": "plain", "value": value}


_OF_HILLSIDE = ("height", "factor", "shut", "width_m", "height_m")


def _placed(raster: io.Raster) -> dict[str, Any]:
    return {"transform": list(raster.transform)[:6], "crs": raster.crs.to_wkt()}


def _decoded(item: Mapping[str, Any], folder: Path) -> Any:
    kind = item["is"]
    if kind == "layer":
        return gpd.read_parquet(folder / item["file"])
    if kind == "frame":
        return pd.read_parquet(folder / item["file"])
    if kind == "streets":
        with np.load(folder / f"{item['file']}.npz") as arrays:
            held = {name: arrays[name] for name in arrays.files}
        west, south, east, north = (np.nan if v is None else float(v) for v in item["box"])
        box = (west, south, east, north)
        tags, barriers = (pd.read_parquet(folder / f"{item['file']}{part}.parquet") for part in ("", "-barriers"))
        return Streets(**held, tags=tags, barriers=barriers, box=box, cut=item["cut"])
    if kind == "grades":
        with np.load(folder / item["file"]) as arrays:
            return Grades(**{name: arrays[name] for name in arrays.files})
    if kind == "raster":
        with np.load(folder / item["file"]) as arrays:
            return io.Raster(arrays["values"], Affine(*item["transform"]), CRS.from_wkt(item["crs"]))
    if kind == "hillside":
        with np.load(folder / item["file"]) as arrays:
            ground = io.Raster(arrays["values"], Affine(*item["transform"]), CRS.from_wkt(item["crs"]))
            own = {field: arrays[field] for field in _OF_HILLSIDE}
        closed = shapely.STRtree(shapely.get_parts(shapely.from_wkb(item["closed"])))
        return Hillside(ground=ground, closed=closed, **own)
    if kind == "geometry":
        return shapely.from_wkb(item["wkb"])
    if kind == "problems":
        rows = item["rows"]
        return tuple(Problem(**{**row, "params": tuple(tuple(pair) for pair in row["params"])}) for row in rows)
    if kind == "file":
        if not (folder / item["file"]).exists():
            raise FileNotFoundError(folder / item["file"])
        return folder / item["file"]
    return item["value"]
