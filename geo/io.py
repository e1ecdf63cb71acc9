"""
The one door: every file, in and out, goes through here.

What comes in is positions in degrees, rows as they stand in the file with their row numbers, or a raster with
its transform. What cannot come in is a ``Stop`` that says which file and why.
"""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import python_calamine
import rasterio
import shapely
import xlsxwriter
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.enums import Resampling
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.io import MemoryFile
from rasterio.merge import merge
from rasterio.warp import calculate_default_transform, reproject, transform_bounds

from geo import crs as systems
from geo.problems import Problem, Stop

OSM = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2")
VECTOR = (".gpkg", ".shp", ".geojson", ".json", ".gdb", ".fgb", ".parquet")
TABLE = (".csv", ".txt", ".xlsx", ".xlsm", ".xls")
RASTER = (".tif", ".tiff", ".hgt", ".hgt.zip")
GRAPH = (".graphml",)
_KINDS = {"osm": OSM, "vector": VECTOR, "table": TABLE, "raster": RASTER, "graph": GRAPH}
Bounds = tuple[float, float, float, float]


def kind(path: Path) -> str:
    """
    Say what a file is by its ending: ``osm``, ``vector``, ``table``, ``raster``, ``graph`` or nothing.

    Examples
    --------
    >>> kind(Path("A.OSM.PBF")), kind(Path("N27E102.hgt.zip")), kind(Path("photo.jpg"))
    ('osm', 'raster', '')
    """
    name = path.name.lower()
    return next((what for what, endings in _KINDS.items() if name.endswith(endings)), "")


def require(path: Path, *wanted: str) -> Path:
    """
    Return the path if a file of one of the wanted kinds is there; a File Geodatabase is a folder of files.

    Raises
    ------
    Stop
        The file is missing, empty, or of another kind.
    """
    if not path.exists():
        raise Stop(Problem.stop("file_missing", file=path, folder=path.parent))
    if path.is_dir() and path.suffix.lower() != ".gdb":
        raise Stop(Problem.stop("file_is_folder", file=path))
    if not any(part.stat().st_size for part in (files_of(path) if path.is_dir() else [path])):
        raise Stop(Problem.stop("file_empty", file=path))
    if kind(path) not in wanted:
        accepted = " ".join(ending for what in wanted for ending in _KINDS[what])
        raise Stop(Problem.stop("file_kind", file=path, wanted=accepted))
    return path


def files_of(path: Path) -> list[Path]:
    """
    List the files that one input is made of, it first: what a driver reads beside it, or all in a geodatabase.

    Beside a Shapefile lie its parts, beside a raster its world file, overviews and notes, beside a GeoPackage
    what was not yet written into it; in capitals or not.
    """
    if path.is_dir():
        return sorted(part for part in path.rglob("*") if part.is_file())
    name = path.name.lower()
    stem, whole = name.rsplit(".", 1)[0], name
    if name.endswith(".shp"):
        beside = {stem + ending for ending in (".dbf", ".shx", ".prj", ".cpg", ".cst")}
    elif kind(path) == "raster":
        worlds = (".tfw", ".tifw", ".wld", ".jgw", ".prj", ".hdr", ".aux.xml")
        beside = {stem + ending for ending in worlds} | {whole + end for end in (".aux.xml", ".ovr", ".msk")}
    else:
        beside = {whole + ending for ending in ("-wal", "-journal")}
    near = path.parent.iterdir() if path.parent.is_dir() else ()
    return [path, *sorted(part for part in near if part.name.lower() in beside and part.is_file())]


# --- tables -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawTable:
    """
    Rows as they stand in a file. ``rows[0]`` is row 1 of the sheet; cells are text, '' where empty.

    Of a layer (``is_layer``) the first row holds the names of its columns and each other is a feature. ``joined``
    are the cells that a workbook shows as one over several rows: first row, last row and column, from 0 on; the
    first of them holds what is written.
    """

    file: str
    sheet: str
    rows: tuple[tuple[str, ...], ...]
    is_layer: bool = False
    joined: tuple[tuple[int, int, int], ...] = ()


def read_table(path: Path, *, sheet: str | None = None) -> RawTable:
    """
    Read a sheet or a CSV file cell by cell, with nothing guessed about headings.

    CSV is read as UTF-8 and, where that fails, as GB 18030. Without ``sheet`` the first sheet that holds
    anything is taken.

    Raises
    ------
    Stop
        The file is missing, unreadable, of another kind, without such a sheet, or empty.
    """
    require(path, "table")
    if path.name.lower().endswith((".csv", ".txt")):
        table = RawTable(path.name, "", _csv_rows(path))
    else:
        table = _sheet(path, sheet)
    if not any(any(cells) for cells in table.rows):
        raise Stop(Problem.stop("table_empty", file=path, sheet=table.sheet))
    return table


def sheet_names(path: Path) -> list[str]:
    """
    List the sheets of a workbook; a CSV file has one, without a name.

    Raises
    ------
    Stop
        Missing, unreadable or of another kind.
    """
    require(path, "table")
    if path.name.lower().endswith((".csv", ".txt")):
        return [""]
    return list(_book(path).sheet_names)


def _book(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(512)
    if not start.startswith((b"PK", b"\xd0\xcf\x11\xe0")) and b"\x00" not in start and b"\n" in start:
        raise Stop(Problem.stop("table_is_text", file=path))
    try:
        return python_calamine.CalamineWorkbook.from_path(str(path))
    except (python_calamine.CalamineError, OSError, BadZipFile) as error:
        raise Stop(Problem.stop("table_unreadable", file=path, reason=error)) from error


def _csv_rows(path: Path) -> tuple[tuple[str, ...], ...]:
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Stop(Problem.stop("table_encoding", file=path))
    if "\x00" in text:
        raise Stop(Problem.stop("table_unreadable", file=path, reason="NUL"))
    # the mark that parts the fullest of the first lines: a title line above the heading has none of any
    top = text.split("\n", 12)[:12]
    mark = max(",;\t", key=lambda character: max(line.count(character) for line in top))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error as error:
        raise Stop(Problem.stop("table_unreadable", file=path, reason=error)) from error
    return tuple(tuple(cell.strip() for cell in row) for row in rows)


def _sheet(path: Path, sheet: str | None) -> RawTable:
    book = _book(path)
    try:
        if sheet is not None and sheet not in book.sheet_names:
            names = "、".join(book.sheet_names)
            raise Stop(Problem.stop("sheet_missing", file=path, sheet=sheet, sheets=names))
        for name in [sheet] if sheet is not None else book.sheet_names:
            found = book.get_sheet_by_name(name)
            rows = found.to_python(skip_empty_area=False)
            if any(any(cell != "" for cell in row) for row in rows) or sheet is not None:
                cells = tuple(tuple(_text(c) for c in row) for row in rows)
                spans = found.merged_cell_ranges or ()
                joined = tuple((top, low, left) for (top, left), (low, _) in spans
                               if top < low and top < len(cells) and left < len(cells[top]))  # fmt: skip
                return RawTable(path.name, name, cells, joined=joined)
    except (python_calamine.CalamineError, OSError, BadZipFile) as error:
        raise Stop(Problem.stop("table_unreadable", file=path, reason=error)) from error
    raise Stop(Problem.stop("table_empty", file=path, sheet=""))


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float) and math.isfinite(cell) and cell == int(cell) and abs(cell) < 1e15:
        return str(int(cell))  # Excel keeps every number as a float; 12.0 people are 12
    return str(cell).strip()


def write_table(
    rows: Sequence[Sequence[object]], path: Path, *, sheet: str = "", encoding: str = "utf-8-sig"
) -> None:
    """Write rows cell by cell: a CSV file in the encoding, or a workbook with one sheet, by the ending."""
    if path.suffix == ".csv":
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows(rows)
        return
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        page = book.add_worksheet(sheet or None)
        for number, cells in enumerate(rows):
            page.write_row(number, 0, cells)


# --- vectors ----------------------------------------------------------------------------------------------


def read_vector(path: Path, *, layer: str | None = None, crs: str | None = None) -> gpd.GeoDataFrame:
    """
    Read a vector file and bring it to degrees.

    Parameters
    ----------
    path, layer
        GeoPackage, File Geodatabase, Shapefile, GeoJSON, FlatGeobuf or GeoParquet; the first layer if none is
        named.
    crs
        The system the coordinates are really in, where the file says none or says wrong (``GCJ-02``).

    Returns
    -------
    frame
        Every feature in file order, attributes as read, geometry in degrees, None where there is none; arcs
        come as lines of many vertices.

    Raises
    ------
    Stop
        Missing, unreadable, of another kind, without such a layer, without shapes, or without a coordinate
        system.
    """
    frame = _layer(path, layer)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise Stop(Problem.stop("vector_without_geometry", file=path))
    if crs is None and frame.crs is None:
        raise Stop(Problem.stop("crs_missing", file=path))
    source = systems.system(crs) if crs is not None else systems.system(frame.crs.to_wkt())
    if systems.in_degrees(source):
        reach = np.abs(shapely.bounds(frame.geometry.to_numpy()))
        with np.errstate(invalid="ignore"):
            beyond = (reach > np.array((180.0, 90.0, 180.0, 90.0)) + 1e-6).any(axis=1)
        if beyond.sum() > len(frame) / 2:  # metres that are called degrees
            raise Stop(Problem.stop("shapes_not_degrees", file=path, n=int(beyond.sum()), all=len(frame)))
    geometry = systems.geometry_to_degrees(frame.geometry.to_numpy(), source)
    return frame.set_geometry(gpd.GeoSeries(geometry, index=frame.index), crs=None).set_crs(
        systems.DEGREES, allow_override=True
    )


def read_attributes(path: Path, *, layer: str | None = None) -> gpd.GeoDataFrame:
    """
    Read what a vector file says of its features, without shapes, as of a file that nobody can place.

    Raises
    ------
    Stop
        Missing, unreadable, of another kind, or without such a layer.
    """
    told = pd.DataFrame(_layer(path, layer)).drop(columns="geometry", errors="ignore")
    return gpd.GeoDataFrame(told, geometry=[None] * len(told), crs=systems.DEGREES)


def _layer(path: Path, layer: str | None) -> Any:
    layers = [info.name for info in list_layers(path)]
    if not layers or (layer is not None and layer not in layers):
        raise Stop(Problem.stop("layer_missing", file=path, wanted=layer or "", layers="、".join(layers)))
    try:
        return _features(path, layer or layers[0])
    except _VECTOR_ERRORS as error:
        raise Stop(Problem.stop("vector_unreadable", file=path, reason=error)) from error


_VECTOR_ERRORS = (
    pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError,
    pa.ArrowException, CRSError, OSError, ValueError, KeyError,
)  # fmt: skip
"""What GDAL raises and, where a GeoParquet is badly written, pyarrow and geopandas."""
_BYTEWISE = "ISO-8859-1"
"""The encoding in which every byte is a letter, so that bytes come through as they are."""


def _is_bytewise(path: Path) -> bool:
    """
    Say whether a Shapefile's text is to be decoded here.

    Without a ``.cpg`` nothing says what it is in; and names that were cut at ten bytes, in the middle of a
    character, cannot be read by GDAL's wrapper even where something does.
    """
    if path.suffix.lower() != ".shp":
        return False
    if not any(path.with_suffix(suffix).is_file() for suffix in (".cpg", ".CPG")):
        return True
    try:
        pyogrio.read_info(path)
    except UnicodeDecodeError:
        return True
    return False


def _decoder(texts: Iterable[str]) -> Callable[[str], str]:
    """Choose UTF-8 for bytes if all of them can be that, but for a last character cut short, else GB 18030."""
    encoding = "utf-8" if all(_is_utf8(text.encode(_BYTEWISE)) for text in texts) else "gb18030"
    return lambda text: text.encode(_BYTEWISE).decode(encoding, errors="ignore")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def _features(path: Path, layer: str) -> Any:
    """Read a layer with whole numbers that stay whole where some are missing, and its text decoded."""
    if _is_parquet(path):
        return gpd.read_parquet(path, to_pandas_kwargs={"types_mapper": _WHOLE.get})
    bytewise = _is_bytewise(path)
    frame = _through_arrow(path, layer, encoding=_BYTEWISE if bytewise else None)
    if not bytewise:
        return frame
    own = [name for name in frame.columns if name != "geometry"]
    worded = [name for name in own if pd.api.types.is_string_dtype(frame[name].dtype)]
    decode = _decoder([*own, *(text for name in worded for text in frame[name].dropna())])
    for name in worded:
        frame[name] = frame[name].map(decode, na_action="ignore")
    return frame.rename(columns={name: decode(name) for name in own})


_WHOLE = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}


def _through_arrow(path: Path, layer: str, *, encoding: str | None) -> Any:
    """
    Read a layer through Arrow, which keeps whole numbers, and where it cannot, the shapes beside it.

    It cannot where arcs are (NotImplementedError), nor from FlatGeobuf: GDAL 3.12 crashes, taking Python with
    it, on a feature without a shape.
    """
    options = {"layer": layer, "encoding": encoding}
    arrow = {**options, "use_arrow": True, "arrow_to_pandas_kwargs": {"types_mapper": _WHOLE.get}}
    if path.suffix.lower() != ".fgb":
        with suppress(NotImplementedError):
            return pyogrio.read_dataframe(path, **arrow)
    shapes = pyogrio.read_dataframe(path, **options, columns=[])
    return shapes.join(pyogrio.read_dataframe(path, **arrow, read_geometry=False))


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What a layer of a vector file says of itself. ``geometry`` is OGR's name of the type, '' for none."""

    name: str
    fields: tuple[str, ...]
    geometry: str
    has_crs: bool


def list_layers(path: Path) -> list[LayerInfo]:
    """
    Look at the layers of a vector file without reading the features.

    Raises
    ------
    Stop
        Missing, unreadable, of another kind, or a Parquet table without shapes.
    """
    require(path, "vector")
    try:
        if _is_parquet(path):
            return [_parquet_info(path)]
        return [_layer_info(path, str(name), str(geometry or "")) for name, geometry in pyogrio.list_layers(path)]
    except _VECTOR_ERRORS as error:
        raise Stop(Problem.stop("vector_unreadable", file=path, reason=error)) from error


def _parquet_info(path: Path) -> LayerInfo:
    """Read what GeoParquet keeps under ``geo``; a system that is not mentioned is WGS-84, a null one unknown."""
    schema = pq.read_schema(path)
    if b"geo" not in (schema.metadata or {}):
        raise Stop(Problem.stop("vector_without_geometry", file=path))
    geo = json.loads(schema.metadata[b"geo"])
    shapes = geo["columns"]
    main = shapes[geo["primary_column"]]
    fields = tuple(name for name in schema.names if name not in shapes)
    kinds = main.get("geometry_types", [])
    return LayerInfo(
        path.stem, fields, kinds[0] if len(kinds) == 1 else "Unknown", main.get("crs", "") is not None
    )


def _layer_info(path: Path, name: str, geometry: str) -> LayerInfo:
    bytewise = _is_bytewise(path)
    info = pyogrio.read_info(path, layer=name, encoding=_BYTEWISE if bytewise else None)
    fields = [str(field) for field in info["fields"]]
    decode = _decoder(fields) if bytewise else str
    return LayerInfo(name, tuple(decode(field) for field in fields), geometry, info["crs"] is not None)


DRIVERS = {
    ".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".json": "GeoJSON", ".gdb": "OpenFileGDB",
    ".fgb": "FlatGeobuf", ".kml": "KML", ".gpx": "GPX",
}  # fmt: skip
"""By which driver of GDAL each vector format is written; GeoParquet goes through pyarrow."""


def write_vector(
    frame: gpd.GeoDataFrame, path: Path, *, layer: str = "", encoding: str = "GBK", cpg: bool = True
) -> None:
    """
    Write a vector file of the kind that the ending names, in the system of the frame, rows in their order.

    A GeoPackage or File Geodatabase that is there keeps its other layers; every other file is replaced.

    Parameters
    ----------
    frame
        What to write. GeoJSON, KML and GPX know degrees of WGS-84 only and get them.
    path, layer
        The file, and the name of the layer; the name of the file if none is given, and always in GeoParquet.
    encoding, cpg
        Of a Shapefile: what its text is in, and whether the ``.cpg`` that says so stands beside it. Longer text is
        cut to 254 bytes, between two characters, and ends in ``…``.

    Raises
    ------
    Stop
        The ending is of no vector format, or the file cannot be written.
    """
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            frame.to_parquet(path, index=False)
        elif ending in DRIVERS:
            written, options = _writing(frame, ending, encoding)
            pyogrio.write_dataframe(written, path, layer=layer or path.stem, driver=DRIVERS[ending], **options)
        else:
            raise Stop(Problem.stop("file_kind", file=path, wanted=" ".join(VECTOR)))
    except _VECTOR_ERRORS as error:
        raise Stop(Problem.stop("vector_unwritable", file=path, reason=error)) from error
    if ending == ".shp" and not cpg:
        path.with_suffix(".cpg").unlink(missing_ok=True)


def _writing(frame: gpd.GeoDataFrame, ending: str, encoding: str) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Bring a frame into what a format can hold, with the options that keep the rest."""
    if ending == ".shp":
        words = [n for n in frame.columns.drop(frame.geometry.name) if str(frame[n].dtype) in ("object", "str")]
        return frame.assign(**{n: frame[n].map(partial(_fitting, encoding)) for n in words}), {
            "encoding": encoding
        }
    if ending == ".fgb":
        return frame, {"SPATIAL_INDEX": "NO"}  # the index would sort the rows, and takes none without a shape
    if DRIVERS[ending] in ("GeoJSON", "KML", "GPX") and frame.crs is not None:
        return frame.to_crs(systems.DEGREES), {}
    if ending == ".gdb":
        wide = [name for name in frame.columns if str(frame[name].dtype).lower() in ("int64", "uint32")]
        small = [name for name in wide if frame[name].dropna().between(-(2**31), 2**31 - 1).all()]
        # a larger one is written as a float, of 15 digits where the code of a plot has 19, or for new ArcGIS
        newest = {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"} if len(wide) > len(small) else {}
        return frame.astype(dict.fromkeys(small, "Int32")), newest
    return frame, {}


DBF_BYTES = 254
"""So many bytes of text a field of a Shapefile holds."""


def _fitting(encoding: str, value: object) -> object:
    """Text as a Shapefile can hold it: cut between characters, a question mark for what its encoding has not."""
    if not isinstance(value, str):
        return value
    told = value.encode(encoding, "replace")
    if len(told) > DBF_BYTES:
        mark = "…".encode(encoding, "replace")
        told = told[: DBF_BYTES - len(mark)].decode(encoding, "ignore").encode(encoding) + mark
    return told.decode(encoding)


def write_layer(frame: gpd.GeoDataFrame, path: Path, *, layer: str) -> None:
    """Write a layer of degrees into a GeoPackage, beside those it has; in China they are named CGCS2000."""
    west, _, east, _ = frame.total_bounds
    if np.isfinite(west):
        code = systems.zone((west + east) / 2).to_epsg()
        frame = frame.set_crs("EPSG:4490" if code else systems.DEGREES, allow_override=True)
    write_vector(frame, path, layer=layer)


# --- rasters ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """One band, float32 with NaN where there is no data, north up. ``crs`` is what the file says."""

    values: NDArray[np.float32]
    transform: Affine
    crs: CRS

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in the raster's own system."""
        rows, columns = self.values.shape
        west, north = float(self.transform.c), float(self.transform.f)
        return west, north + self.transform.e * rows, west + self.transform.a * columns, north

    def own_xy(self, lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bring degrees into the raster's own system."""
        if self.crs.is_geographic:
            return np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        return systems.project(lon, lat, self.crs)

    def cell_centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """X of the columns and y of the rows, at the middle of the cells."""
        rows, columns = self.values.shape
        x = self.transform.c + self.transform.a * (np.arange(columns) + 0.5)
        y = self.transform.f + self.transform.e * (np.arange(rows) + 0.5)
        return np.asarray(x, np.float64), np.asarray(y, np.float64)


class RasterFiles:
    """
    One raster, or several tiles that are one, of which windows are read.

    A context: the files are open while it is. No cell is resampled; voids (the file's own no-data value) are NaN.

    Raises
    ------
    Stop
        A tile is missing, unreadable, has no coordinate system or one unlike the others, lies upside down, or
        its cells are not those of the others.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._opened: list[Any] = []
        problems: list[Problem] = []
        try:
            for path in paths:
                try:
                    self._opened.append(rasterio.open(require(path, "raster")))
                except Stop as stop:
                    problems.extend(stop.problems)
                except (RasterioIOError, RasterioError) as error:
                    problems.append(Problem.stop("raster_unreadable", file=path, reason=error))
            problems.extend(_tile_problems(self._opened))
            if problems:
                raise Stop(problems)
        except BaseException:
            self.close()
            raise
        self.transform: Affine = self._opened[0].transform
        self.crs = CRS.from_user_input(self._opened[0].crs.to_wkt())

    def __enter__(self) -> RasterFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        for source in self._opened:
            source.close()

    def holds(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which places in degrees lie on a tile, its rim too."""
        x, y = Raster(np.zeros((1, 1), np.float32), self.transform, self.crs).own_xy(lon, lat)
        out = np.zeros(len(x), bool)
        for source in self._opened:
            west, south, east, north = source.bounds
            out |= (x >= west) & (x <= east) & (y >= south) & (y <= north)
        return out

    def window(self, within: Bounds | None = None, *, crs: str = systems.DEGREES) -> Raster:
        """
        Read what lies in a box of a system, all of it without one.

        Nothing in the box gives a raster of NaN only, which the caller judges.

        Raises
        ------
        Stop
            A tile cannot be read.
        """
        box = _window(self._opened, within, crs)
        if box is None:
            return Raster(np.full((1, 1), np.nan, np.float32), self.transform, self.crs)
        west, south, east, north = box
        own = [
            s for s in self._opened
            if s.bounds.left < east and s.bounds.right > west and s.bounds.bottom < north and s.bounds.top > south
        ] or self._opened[:1]  # fmt: skip
        try:
            values, transform = merge(own, bounds=box, nodata=np.nan, dtype="float32")
        except RasterioError as error:
            raise Stop(Problem.stop("raster_unreadable", file=self._paths[0], reason=error)) from error
        return Raster(values[0], transform, self.crs)


def usable_tiles(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """Say which tiles can be read together, in the system and on the grid of most, and why the others cannot."""
    found: dict[Path, tuple[str, Affine]] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            with RasterFiles([path]) as tile:
                found[path] = tile.crs.to_wkt(), tile.transform
        except Stop as stop:
            problems += stop.problems
    if not found:
        return [], problems
    system = Counter(wkt for wkt, _ in found.values()).most_common(1)[0][0]
    grid = next(transform for wkt, transform in found.values() if wkt == system)
    there = []
    for path, (wkt, transform) in found.items():
        if wkt != system:
            problems.append(Problem.stop("raster_crs_differs", file=path))
        elif not _on_grid(transform, grid):
            problems.append(Problem.stop("raster_grid_differs", file=path))
        else:
            there.append(path)
    return there, problems


def read_raster(paths: Sequence[Path], *, within: Bounds | None = None) -> Raster:
    """
    Read one raster, or several tiles as one, cut to a box in degrees, see ``RasterFiles``.

    Raises
    ------
    Stop
        As for ``RasterFiles``.
    """
    with RasterFiles(paths) as files:
        return files.window(within)


_UNIT_M = {
    **dict.fromkeys(("", "m", "metre", "meter", "metres", "meters"), 1.0),
    **dict.fromkeys(("ft", "foot", "feet", "international foot"), 0.3048),
    **dict.fromkeys(("us survey foot", "us_survey_foot", "foot_us", "us-ft", "ftus"), 1200 / 3937),
}
"""How many metres the units are that rasters of heights name; '' is not said."""


def height_unit_m(path: Path) -> tuple[float, str]:
    """
    Give how many metres the heights of a raster are counted in, NaN for an unknown unit, and its name.

    What the band says goes before the vertical part of the coordinate system; who says nothing means metres.
    """
    with rasterio.open(require(path, "raster")) as source:
        said = (source.units[0] or "").strip()
        crs = CRS.from_user_input(source.crs.to_wkt()) if source.crs else None
    if not said and crs is not None and crs.is_compound:
        axis = crs.sub_crs_list[-1].axis_info[0]
        return float(axis.unit_conversion_factor), axis.unit_name
    return _UNIT_M.get(said.lower(), math.nan), said


def _tile_problems(opened: list[Any]) -> list[Problem]:
    problems = []
    for source in opened:
        if source.crs is None:
            problems.append(Problem.stop("raster_without_crs", file=Path(source.name)))
        elif source.crs != opened[0].crs:
            problems.append(Problem.stop("raster_crs_differs", file=Path(source.name)))
        elif source.transform.e >= 0 or source.transform.b or source.transform.d:
            problems.append(Problem.stop("raster_not_north_up", file=Path(source.name)))
        elif not _on_grid(source.transform, opened[0].transform):
            problems.append(Problem.stop("raster_grid_differs", file=Path(source.name)))
    return problems


def _on_grid(one: Affine, other: Affine) -> bool:
    # cells of one size whose corners fall on each other, to a thousandth of a cell
    if abs(one.a / other.a - 1) > 1e-6 or abs(one.e / other.e - 1) > 1e-6:
        return False
    apart = (one.c - other.c) / other.a, (one.f - other.f) / other.e
    return all(abs(step - round(step)) < 1e-3 for step in apart)


def _window(opened: list[Any], within: Bounds | None, crs: str) -> Bounds | None:
    west, south = min(s.bounds.left for s in opened), min(s.bounds.bottom for s in opened)
    east, north = max(s.bounds.right for s in opened), max(s.bounds.top for s in opened)
    if within is None:
        return west, south, east, north
    first = opened[0]
    box = within if first.crs == crs else transform_bounds(crs, first.crs, *within)
    a, e = first.transform.a, -first.transform.e
    # whole cells only, on the grid of the first tile, so that nothing is resampled
    left = first.bounds.left + math.floor((max(box[0], west) - first.bounds.left) / a) * a
    right = first.bounds.left + math.ceil((min(box[2], east) - first.bounds.left) / a) * a
    top = first.bounds.top - math.floor((first.bounds.top - min(box[3], north)) / e) * e
    bottom = first.bounds.top - math.ceil((first.bounds.top - max(box[1], south)) / e) * e
    if left >= right or bottom >= top:
        return None
    return left, bottom, right, top


def touches(raster: Raster, box: Bounds) -> bool:
    """Say whether any cell with data touches a box of degrees; a box may be a single point."""
    west, south, east, north = transform_bounds(systems.DEGREES, raster.crs.to_wkt(), *box)
    x, y = raster.cell_centres()
    half_x, half_y = raster.transform.a / 2, -raster.transform.e / 2
    rows = (y >= south - half_y) & (y <= north + half_y)
    inside = np.ix_(rows, (x >= west - half_x) & (x <= east + half_x))
    return bool(np.isfinite(raster.values[inside]).any())


def shaded_png(raster: Raster, *, widest_px: int = 900) -> tuple[bytes, Bounds]:
    """
    Draw the terrain as a grey relief picture in Web Mercator, for display only.

    Returns
    -------
    png, bounds
        The picture with transparent voids, and its west, south, east, north in degrees.
    """
    rows, columns = raster.values.shape
    mercator = "EPSG:3857"
    wkt = raster.crs.to_wkt()
    transform, width, height = calculate_default_transform(wkt, mercator, columns, rows, *raster.bounds)
    factor = max(1.0, max(width, height) / widest_px)
    transform = transform @ Affine.scale(factor)
    width, height = max(2, int(width / factor)), max(2, int(height / factor))
    ground = np.full((height, width), np.nan, np.float32)
    reproject(
        raster.values, ground, src_transform=raster.transform, src_crs=wkt, src_nodata=np.nan,
        dst_transform=transform, dst_crs=mercator, dst_nodata=np.nan, resampling=Resampling.average,
    )  # fmt: skip
    north, east = np.gradient(np.nan_to_num(ground), abs(transform.e))
    light = (0.7 + 0.5 * (north - east)) / np.sqrt(1 + north**2 + east**2)
    shade = np.clip(150 + 105 * light, 0, 255).astype(np.uint8)
    alpha = np.where(np.isfinite(ground) & (ground != 0), 150, 0).astype(np.uint8)
    with MemoryFile() as memory:
        with memory.open(
            driver="PNG", width=width, height=height, count=2, dtype="uint8", crs=mercator, transform=transform
        ) as picture:
            picture.write(shade, 1)
            picture.write(alpha, 2)
        png = bytes(memory.read())
    west, top = transform.c, transform.f
    box = (west, top + transform.e * height, west + transform.a * width, top)
    return png, tuple(float(v) for v in transform_bounds(mercator, systems.DEGREES, *box))  # type: ignore[return-value]


def write_raster(values: NDArray[np.float32], path: Path, *, west: float, north: float, step: float) -> None:
    """Write one band on a grid of degrees as a GeoTIFF."""
    rows, columns = values.shape
    transform = Affine(step, 0, west, 0, -step, north)
    profile = {"driver": "GTiff", "width": columns, "height": rows, "count": 1, "dtype": "float32"}
    with rasterio.open(
        path, "w", **profile, crs=systems.DEGREES, transform=transform, nodata=-9999, compress="deflate"
    ) as out:
        out.write(np.where(np.isfinite(values), values, -9999).astype(np.float32), 1)


# --- results ----------------------------------------------------------------------------------------------


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a long table; float64 as it is, no index."""
    frame.to_parquet(path, index=False)


def write_json(value: object, path: Path) -> None:
    """Write readable JSON; NaN is refused, because it is not JSON."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n", "utf-8")


def temporary_beside(path: Path) -> Path:
    """Make an empty folder on the same disk as ``path``, so that a finished one can be moved there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))


def bounds_of(geometry: NDArray[np.object_]) -> Bounds:
    """West, south, east, north of all geometries; NaN where there is none."""
    if not len(geometry):
        return np.nan, np.nan, np.nan, np.nan
    west, south, east, north = (float(v) for v in shapely.total_bounds(geometry))
    return west, south, east, north


def tables_in(path: Path) -> list[Path]:
    """
    List the tables of a folder by name, one workbook a township; a file is the only one of itself.

    Raises
    ------
    Stop
        The folder holds no table.
    """
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if kind(p) == "table" and not p.name.startswith((".", "~$")))
    if not found:
        raise Stop(Problem.stop("folder_without_tables", file=path, wanted=" ".join(TABLE)))
    return found
