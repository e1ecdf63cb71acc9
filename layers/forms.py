"""The ledgers and layers beside settlements and facilities: typed by the catalogue, checked row by row."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import crs as systems
from geo.io import RawTable
from geo.overlay import mended
from geo.problems import Problem
from layers.catalog import Catalog, LedgerForm
from layers.ledgers import Ledger, name_columns, plain, short, some
from layers.places import as_rows

M2_OF = {"亩": systems.M2_PER_MU, "公顷": 10_000.0, "hm2": 10_000.0, "hm²": 10_000.0, "平方公里": 1e6}
"""Units of area in headings, in square metres; without one an area is in square metres."""

PLOT_MU = (0.06, 3.0)
"""A homestead of so few square metres does not exist; as mu it does: 40 to 2,000 m² [P]."""


@dataclass(frozen=True, slots=True)
class Names:
    """Ids of settlements by what ledgers call them: ``exact`` as it stands, else evened out (``plain``)."""

    exact: Mapping[str, str]
    evened: Mapping[str, str]
    """'' for what two settlements are called."""

    def find(self, cell: str) -> str | None:
        """The id of whom a cell names, '' if that might be two, None if nobody."""
        return self.exact.get(cell, self.evened.get(plain(cell)))


def read_table_form(
    raw: RawTable, form: LedgerForm, catalog: Catalog, *, settlements: Names,
    key_of: Callable[[str], str] | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:  # fmt: skip
    """
    Read a ledger by its form; every row comes out.

    Parameters
    ----------
    raw
        The sheet as it is.
    form, catalog
        What its columns are, see ``ledgers.toml``, and the headings and words that say so.
    settlements
        What the settlements are called; a ledger that names others than these is of
        another county, wholly or in rows.
    key_of
        Makes a keyed hash of an ID number, kept as ``household_key``; without it there is none.

    Returns
    -------
    frame, problems
        A column per field that the file has: areas in m² (NaN where they are no area; ``unread`` names those whose
        cell is not empty, each followed by ``;``), numbers as float64,
        dates as ``datetime.date``, flags as True, False or None, the rest text; ``place_id`` where the form
        names settlements; ``file`` and ``row``. Columns that name people are not among them.

    Raises
    ------
    Stop
        No row has a known heading.
    """
    ledger = name_columns(raw, catalog.headers, sections=(form.section, "common"), keyed=form.keyed, key_of=key_of)
    frame, problems = _typed(ledger, form, catalog, unit=_title_unit(raw))
    if form.keyed in ledger.frame and key_of is not None:
        frame["household_key"] = ledger.frame[form.keyed]
    problems = [*ledger.problems, *problems]
    if ledger.unused and not raw.is_layer:  # layers have columns of their own for everything
        problems.append(Problem.doubt("headings_unused", file=raw.file, sheet=raw.sheet, n=len(ledger.unused),
                                      names=some(ledger.unused)))  # fmt: skip
    if form.settlement and form.settlement in ledger.frame:
        named = ledger.text(form.settlement)
        found = named.map(settlements.find)
        frame["place_id"] = found.fillna("")
        strange = frame.index[(frame["place_id"] == "") & (named != "")]
        if len(strange) and len(strange) == int((named != "").sum()):
            problems.append(ledger.doubt("ledger_other_county", form.settlement, n=len(strange)))
            frame = frame.iloc[:0]
        else:
            problems += [
                ledger.fault("settlement_ambiguous", int(row), form.settlement, named[row])
                if found[row] == ""
                else ledger.fault("settlement_unknown", int(row), form.settlement, named[row])
                for row in strange
            ]
    frame["file"], frame["row"] = raw.file, frame.index
    return frame.reset_index(drop=True), problems


def together(frames: list[pd.DataFrame], form: LedgerForm) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Put what ``read_table_form`` read of several files of one ledger under each other.

    An id that an earlier file has too is a fault of the later row, which gets its file and row as suffix.
    """
    whole = _filled(pd.concat(frames, ignore_index=True), form) if frames else pd.DataFrame()
    if form.id_field not in whole:
        return whole, []
    ids = whole[form.id_field]
    again = ids.duplicated()
    problems = [
        Problem("id_repeated", "fault", file=str(row["file"]), row=int(row["row"]), value=str(row[form.id_field]))
        for row in whole[again].to_dict("records")
    ]
    own = ids + "@" + whole["file"] + "#" + whole["row"].astype("str")
    return whole.assign(**{form.id_field: ids.mask(again, own)}), problems


def _filled(whole: pd.DataFrame, form: LedgerForm) -> pd.DataFrame:
    """The same where one file lacks a column that another has: nothing said is what it is in an empty cell."""
    out = whole.copy()
    for name in whole.columns:
        if name in form.flags:
            out[name] = whole[name].astype("boolean")
        elif name in form.dates:
            out[name] = whole[name].astype("object").where(whole[name].notna(), None)
        elif name not in (*form.areas, *form.numbers):
            out[name] = whole[name].where(whole[name].notna(), "")
    return out


def read_layer_form(
    shapes: gpd.GeoDataFrame, form: LedgerForm, catalog: Catalog, *, file: str
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """
    Read a layer by its form, see ``read_table_form``; every feature comes out, with its geometry in degrees.

    Faults: a feature without a shape, a polygon that crosses itself (kept, its parts made simple), a shape of
    another kind than the form's, a land class that the survey's scheme does not know.
    """
    shapes = shapes.reset_index(drop=True)
    if len(shapes.columns) > 1:
        raw = as_rows(shapes, catalog, file=file)
        raw = replace(raw, rows=tuple(row[:-2] for row in raw.rows))  # the shape says where it is
        ledger = name_columns(raw, catalog.headers, sections=(form.section, "common"))
        frame, problems = _typed(ledger, form, catalog, unit="")
    else:
        frame, problems = pd.DataFrame(index=pd.RangeIndex(1, len(shapes) + 1, name="row")), []
    if form.land_class and form.land_class in frame:
        scheme = catalog.land["third_survey"]
        frame["scheme"] = scheme.id
        frame["land_use"] = frame[form.land_class].map(scheme.use_of)
        problems += [
            ledger.fault("land_class_unknown", int(row), form.land_class, frame.loc[row, form.land_class])
            for row in frame.index[frame["land_use"] == ""]
        ]
    if form.section == "slope_map" and "slope_class" in frame:
        cells = ledger.text("slope_class")
        frame["slope_class"] = cells.map(slope_class_of)
        problems += [
            ledger.fault("slope_class_unknown", int(row), "slope_class", short(cells[row]))
            for row in frame.index[(cells != "") & frame["slope_class"].isna()]
        ]
    geometry = shapes.geometry.set_axis(frame.index)
    empty = geometry.isna() | geometry.is_empty
    crossing = ~empty & ~geometry.is_valid
    kind = {"polygon": "Polygon", "line": "LineString"}[form.shapes]
    other = ~empty & (geometry.geom_type.str.removeprefix("Multi") != kind)
    for fault, rows in (
        (Problem("shape_missing", "fault", file=file, column="geometry"), empty),
        (Problem("shape_crossing", "fault", file=file, column="geometry"), crossing),
        (Problem("shape_kind", "fault", file=file, column="geometry", params=(("wanted", kind),)), other),
    ):
        problems += [replace(fault, row=int(row), value=str(row)) for row in frame.index[rows]]
    frame["file"], frame["row"] = file, frame.index
    simple = mended(geometry, crossing)
    return gpd.GeoDataFrame(frame, geometry=simple, crs=shapes.crs).reset_index(drop=True), problems


def slope_class_of(cell: str) -> float:
    """
    Read a slope class of the survey, 1 to 5, as maps write it; NaN for what is none.

    Examples
    --------
    >>> [slope_class_of(c) for c in ("4", "4.0", "4级", "Ⅳ", "15°-25°", ">25", "25度以上", "≤2", "2～6", "7")]
    [4.0, 4.0, 4.0, 4.0, 4.0, 5.0, 5.0, 1.0, 2.0, nan]
    """
    text = unicodedata.normalize("NFKC", cell).upper()
    text = re.sub(r"[\s级类度°]|\.0$", "", text)
    if text in _CLASSES:
        return float(_CLASSES.index(text) + 1)
    figures = re.findall(r"\d+", text)
    if len(figures) == 2 and tuple(figures) in _CLASS_RIMS:
        return float(_CLASS_RIMS.index((figures[0], figures[1])) + 1)
    if figures == ["25"] and re.search(r">|以上|大于", text):
        return 5.0
    if figures == ["2"] and re.search(r"<|≤|以下|小于", text):
        return 1.0
    return float(_ROMAN.index(text) + 1) if text in _ROMAN else math.nan


_CLASSES, _ROMAN = ("1", "2", "3", "4", "5"), ("I", "II", "III", "IV", "V")
_CLASS_RIMS = (("0", "2"), ("2", "6"), ("6", "15"), ("15", "25"), ("25", "90"))


def _typed(ledger: Ledger, form: LedgerForm, catalog: Catalog, *, unit: str) -> tuple[pd.DataFrame, list[Problem]]:
    frame = pd.DataFrame(index=ledger.frame.index)
    problems: list[Problem] = []
    unread: dict[str, pd.Series] = {}
    for field in ledger.frame.columns:
        if field in form.personal:
            continue
        if field in form.areas:
            frame[field], faults = area_column_m2(
                ledger, field, unit, plots=field in form.plot_areas, needed=form.units_needed
            )
            unread[field] = ledger.text(field).ne("") & frame[field].isna()
        elif field in form.numbers:
            frame[field], faults = ledger.numbers(field)
        elif field in form.dates:
            frame[field], faults = ledger.dates(field)
        elif field in form.flags:
            cells = ledger.text(field)
            said = ledger.frame[field].map(lambda cell: catalog.says("flag", cell))  # 无 is a no here
            frame[field] = said.astype("object").where(said.notna(), None).astype("boolean")
            wrong = cells.index[(cells != "") & said.isna()]
            faults = [ledger.fault("not_yes_or_no", int(row), field, short(cells[row])) for row in wrong]
        elif field == form.id_field:
            frame[field], faults = ledger.ids(field)
        else:
            frame[field], faults = ledger.text(field), []
        problems += faults
    frame["unread"] = ""
    for field, rows in unread.items():  # an empty cell says nothing, this one something that nobody can read
        frame.loc[rows, "unread"] += field + ";"
    return frame, problems


def area_column_m2(
    ledger: Ledger, field: str, unit: str, *, plots: bool, needed: bool = False
) -> tuple[pd.Series, list[Problem]]:  # fmt: skip
    """
    Read areas in the unit of the heading, else of the title line; mu in a column of m² are told.

    Without either they are square metres, or where a unit is ``needed`` unknown, which is told.
    """
    numbers, problems = ledger.numbers(field)
    heading = ledger.headings[field]
    factor = next((f for name, f in M2_OF.items() if name in heading.lower()), None)
    if factor is None:
        metres = re.search(r"㎡|m2|m²|平方米|平米", heading.lower())
        if needed and not metres and unit not in M2_OF:
            told = numbers.notna().any()
            lacking = [ledger.doubt("area_unit_missing", field, n=int(numbers.notna().sum()))] if told else []
            return numbers * np.nan, problems + lacking
        factor = 1.0 if metres else M2_OF.get(unit, 1.0)
    below = numbers < 0
    problems += [ledger.fault("area_negative", int(r), field, f"{numbers[r]:g}") for r in numbers.index[below]]
    numbers = numbers.mask(below)
    area = numbers * factor
    if plots and factor == 1.0:
        low, high = PLOT_MU
        small = (numbers >= low) & (numbers <= high)
        if small.sum() > max(10, numbers.notna().sum() / 2):  # the whole column, said once
            problems.append(ledger.doubt("area_column_in_mu", field, n=int(small.sum())))
            return area.mask(small), problems
        problems += [ledger.fault("area_in_mu", int(r), field, f"{numbers[r]:g}") for r in numbers.index[small]]
        area = area.mask(small)
    return area, problems


def _title_unit(raw: RawTable) -> str:
    """The unit of area that a line above the heading names, '' for none."""
    for row in raw.rows[:5]:
        for cell in row:
            found = re.search(r"单位[:：](.*)", cell)
            if found:
                return next((name for name in M2_OF if name in found.group(1)), "")
    return ""


def gazetteer(villages: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Make a list of places to look rows up in, of the villages of ``read_layer_form``.

    Returns
    -------
    villages
        ``code, town, name`` (evened out, a village of two names twice), ``lon, lat`` inside it, and
        ``error_m``, the radius of a circle of its area.
    """
    shaped = villages[villages.geometry.notna() & ~villages.geometry.is_empty]
    inside = shaped.geometry.representative_point()
    blank = pd.Series("", index=shaped.index)
    table = pd.DataFrame(
        {
            "code": shaped.get("admin_code", blank),
            "town": shaped.get("town", blank).map(plain),
            "name": shaped.get("name", shaped.get("village", blank)).map(plain),
            "lon": inside.x,
            "lat": inside.y,
            "error_m": np.sqrt(systems.area_m2(shaped.geometry.to_numpy()) / np.pi),
        }
    )
    old = shaped.get("old_name", blank).map(plain)
    other = (old != "") & (old != table["name"])
    renamed = table[other].assign(name=old[other], code="")
    return pd.DataFrame(pd.concat([table, renamed], ignore_index=True))


def names_of(places: pd.DataFrame) -> Names:
    """Say what settlements are called: their ids and names. An id that another bears as its name names neither."""
    own = places[places["place_kind"] == "settlement"]
    called: dict[str, set[str]] = {}
    for name, number in zip(own["place_name"], own["place_id"], strict=True):
        for word in (plain(name), plain(number)):
            called.setdefault(word, set()).add(number)
    named = own.groupby(own["place_name"].map(plain))["place_id"].agg(set)
    exact = {number: number for number in own["place_id"] if named.get(plain(number), set()) <= {number}}
    return Names(exact, {word: next(iter(ids)) if len(ids) == 1 else "" for word, ids in called.items()})
