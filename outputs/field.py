"""For the field: a sheet a village that prints on A4, and files that survey apps and bureau systems open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import xlsxwriter

from geo import io
from geo.overlay import areal
from outputs.messages import Messages

LISTED = ("homestead_id", "house_id", "group", "house_stage", "area_m2", "ledger_area_m2", "slope_terrain_deg",
          "slope_class", "way", "target_class", "reasons", "checks", "lon", "lat")  # fmt: skip
"""What stands on a sheet of plots before the columns that are filled in by hand."""

LINES = {"reasons": 13, "checks": 9}
"""So many Chinese characters stand in a line of a column."""

_WIDE = {"homestead_id": 17, "house_id": 15, "group": 6, "house_stage": 7, "area_m2": 8,
         "ledger_area_m2": 8, "target_class": 9, "slope_terrain_deg": 7, "slope_class": 7, "way": 6,
         "reasons": 26, "checks": 18, "lon": 10.5, "lat": 10, "why": 6}  # fmt: skip

SHAPEFILE = {
    "homestead_id": "宅基地号", "house_id": "旧房编号", "town": "乡镇", "village": "村", "area_m2": "面积",
    "slope_deg": "坡度", "way": "去向", "reasons": "理由", "why": "核查类别",
}  # fmt: skip
"""Names of at most ten bytes of GBK."""


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What no XML may hold."""

_TEXTS = ("Name", "Description", "name", "desc")


def write_sheets(
    table: pd.DataFrame, path: Path, messages: Messages, *, title: str, extra: Sequence[str] = ()
) -> None:
    """
    Write one sheet a village, landscape on A4, its heading on every page, with room to fill in and to sign.

    Parameters
    ----------
    table
        Of ``analysis.fieldwork.check_list``, ``way`` and ``why`` in words.
    path, messages, title
        Where to, in which language, and what stands on top.
    extra
        Columns of a key that is joined for printing only.
    """
    blank = messages.say("field.blank").split("|")
    columns = [*extra, *(name for name in LISTED if name in table)]
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "border": 1, "align": "center", "font_size": 9})
        cell = book.add_format({"text_wrap": True, "border": 1, "valign": "top", "font_size": 9})
        formats = {
            **dict.fromkeys(("area_m2", "ledger_area_m2"), book.add_format(
                {"border": 1, "num_format": "0.0", "valign": "top", "font_size": 9})),
            "slope_terrain_deg": book.add_format(
                {"border": 1, "num_format": "0.0", "valign": "top", "font_size": 9}),
            **dict.fromkeys(("lon", "lat"), book.add_format(
                {"border": 1, "num_format": "0.000000", "valign": "top", "font_size": 9})),
        }  # fmt: skip
        top = book.add_format({"bold": True, "font_size": 14})
        used: set[str] = set()
        for (town, village), own in table.groupby(["town", "village"], sort=False):
            sheet = book.add_worksheet(_sheet_name(f"{town}{village}" or messages.say("field.nowhere"), used))
            sheet.set_row(1, 27)  # two lines
            where = "".join(text for text in (str(town), str(village)) if text)
            sheet.write(0, 0, f"{title} · {where or messages.say('field.nowhere')}（{len(own)}）", top)
            for number, name in enumerate([*columns, *blank]):
                heading = name if name in extra or name in blank else messages.heading(name)
                sheet.write_string(1, number, heading, head)
                sheet.set_column(number, number, _WIDE.get(name, 11))
            for row, record in enumerate(own.to_dict("records"), start=2):
                for number, name in enumerate(columns):
                    _write(sheet, row, number, record[name], formats.get(name, cell))
                for number in range(len(columns), len(columns) + len(blank)):
                    sheet.write_blank(row, number, None, cell)
                lines = max(3, *(-(-len(str(record.get(name, ""))) // n) for name, n in LINES.items()))
                sheet.set_row(row, 12 * lines)
            sheet.write(len(own) + 3, 0, messages.say("field.sign"))
            sheet.write(len(own) + 4, 0, messages.say("map.default_mark"))
            sheet.write(len(own) + 5, 0, messages.say("field.degrees"))
            _on_paper(sheet, heading=1)


def write_list(table: pd.DataFrame, path: Path, messages: Messages, *, columns: Sequence[str]) -> None:
    """Write the plots to be looked at as one list, its heading on every page, on A4 across."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "border": 1, "font_size": 9})
        cell = book.add_format({"text_wrap": True, "border": 1, "valign": "top", "font_size": 9})
        degrees = book.add_format({"border": 1, "num_format": "0.000000", "valign": "top", "font_size": 9})
        tenths = book.add_format({"border": 1, "num_format": "0.0", "valign": "top", "font_size": 9})
        sheet = book.add_worksheet(messages.say("field.list"))
        for number, name in enumerate(columns):
            heading = "field_why" if name == "why" else name
            sheet.write_string(0, number, messages.heading(heading), head)
            sheet.set_column(number, number, _WIDE.get(name, 11))
            style = degrees if name in ("lon", "lat") else tenths if table[name].dtype == "float64" else cell
            for row, value in enumerate(table[name], start=1):
                _write(sheet, row, number, value, style)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(table), len(columns) - 1)
        _on_paper(sheet, heading=0)


def _on_paper(sheet: Any, *, heading: int) -> None:
    """A4 across, as wide as the page, a row of headings on each, and its number."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(heading)
    sheet.set_footer("&C&P / &N")
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)


def _write(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    if pd.isna(value):
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, float):
        sheet.write_number(row, column, value, style)
    else:
        sheet.write_string(row, column, str(value), style)


def _sheet_name(text: str, used: set[str]) -> str:
    """A name that a sheet may have: 31 characters, none that Excel forbids, each once."""
    clean = "".join("-" if c in "[]:*?/\\'" else c for c in text)[:27] or "-"
    name, number = clean, 1
    while name.lower() in used:
        number += 1
        name = f"{clean}-{number}"
    used.add(name.lower())
    return name


def not_gbk_n(plots: gpd.GeoDataFrame) -> int:
    """Count the plots of whose text a Shapefile in GBK cannot hold all characters."""
    told = plots[[name for name in SHAPEFILE if name in plots]].astype("str").fillna("")
    strange = told.map(lambda text: text.encode("gbk", "ignore").decode("gbk") != text)
    return int(strange.any(axis=1).sum())


def write_layers(plots: gpd.GeoDataFrame, folder: Path) -> list[Path]:
    """
    Write plots as KML, their middles as GPX waypoints, outlines and points each as a Shapefile in GBK.

    Of what there is no plot no file is written.

    Parameters
    ----------
    plots
        Of the list, in degrees, with ``way`` and ``why`` in words.
    folder
        Where to.
    """
    shapes = plots.geometry.to_numpy()
    shaped = plots[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    about = shaped["way"] + "；" + shaped["why"] + "；" + shaped["reasons"]
    named = gpd.GeoDataFrame(
        {"Name": shaped["homestead_id"], "Description": about}, geometry=shaped.geometry, crs=shaped.crs
    )
    points = gpd.GeoDataFrame(
        {"name": shaped["homestead_id"], "desc": about}, geometry=shaped.geometry.representative_point(),
        crs=shaped.crs,
    )  # fmt: skip
    told = shaped.rename(columns={"slope_terrain_deg": "slope_deg"})
    table = told[[*SHAPEFILE, "geometry"]].rename(columns=SHAPEFILE)
    outlined = areal(table.geometry.to_numpy())
    # a Shapefile holds shapes of one kind: what is no outline stands as a point in another
    other = table[~outlined].set_geometry(table.geometry[~outlined].representative_point())
    layers = {"plots.kml": named, "plots.gpx": points, "plots.shp": table[outlined], "plots_points.shp": other}
    paths = []
    for name, frame in layers.items():
        path = folder / name
        for old in io.files_of(path):
            old.unlink(missing_ok=True)
        if len(frame):
            clean = frame.assign(
                **{n: frame[n].str.replace(_CONTROL, " ", regex=True) for n in frame if n in _TEXTS}
            )
            io.write_vector(gpd.GeoDataFrame(clean), path, layer="waypoints" if path.suffix == ".gpx" else "")
            paths.append(path)
    return paths
