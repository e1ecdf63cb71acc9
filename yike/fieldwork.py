"""``yike field``: the list of a run for the field, its sheets, and the layers that survey apps open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import geopandas as gpd
import pandas as pd

from analysis.fieldwork import check_list
from geo import io
from geo.problems import Problem, Stop
from layers import catalog as catalogue
from layers.ledgers import name_columns, same_id, town_core, village_core, written_down
from outputs.field import not_gbk_n, write_layers, write_list, write_sheets
from outputs.messages import load
from yike.run import Run, require_apart


@dataclass(frozen=True, slots=True, eq=False)
class Fieldwork:
    """The list, and the files that were written."""

    table: pd.DataFrame
    files: tuple[Path, ...]
    not_gbk_n: int
    """Plots with characters that the Shapefile cannot hold: they are question marks there."""
    no_shape_n: int
    """Plots without a shape: they stand on the sheets and in no layer."""


def prepare_field(
    run: Path, out: Path, *, confidence: float, margin: float, seed: int, key: Path | None = None,
    language: str | None = None,
) -> Fieldwork:  # fmt: skip
    """
    Write the list, the sheets and the layers of a run for the field.

    Parameters
    ----------
    run, out
        The run folder, and another folder to write to.
    confidence, margin, seed
        Of the random sample, see ``analysis.fieldwork``.
    key
        A table by number of the house or of the plot whose other columns (names, telephones) are joined to the
        printed sheets, and to nothing else.
    language
        Instead of the run's.

    Raises
    ------
    Stop
        The folder is no run, or has no homesteads; the key cannot be read or has no number.
    yike.run.FolderTaken
        ``out`` is a run.
    """
    if not (run / "run.json").is_file():
        raise Stop(Problem.stop("not_a_run", file=run))
    if not (run / "tables" / "homesteads.parquet").is_file():
        raise Stop(Problem.stop("run_without_plots", file=run))
    require_apart(out)
    if key is not None and key.resolve().is_relative_to(run.resolve()):
        raise Stop(Problem.stop("key_in_run", file=key))
    project = json.loads((run / "run.json").read_text("utf-8"))["project"]
    words = load(language or project["language"])
    own = Run(run).table("homesteads")
    if not len(own):
        raise Stop(Problem.stop("run_without_plots", file=run))
    table = check_list(own, confidence=confidence, margin=margin, seed=seed)
    names = catalogue.load().land["third_survey"].names
    table = table.assign(
        way=table["way"].map(words.words["way"]), why=table["why"].map(words.words["field_why"]),
        house_stage=table["stage"].map(words.words["house_stage"]).fillna(""),
        slope_class=table["slope_class"].astype("Int64").astype("str").map(words.words["slope"]).fillna(""),
        target_class=table["target_class"].map(lambda code: names.get(code, code)),
        checks=table["checks"].where(table["checks"] != "", words.words["field_why"]["sample"]),
        town=_towns(table),
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    sheets = out / "field_sheets.xlsx"
    printed, extra = table, list[str]()
    if key is not None:
        printed, extra = _with_key(table, key)
    write_sheets(printed, sheets, words, title=words.say("field.title", name=project["name"]), extra=extra)
    listed = out / "check_list.xlsx"
    write_list(table, listed, words, columns=LIST)
    shapes = gpd.read_file(run / "results.gpkg", layer="homesteads", columns=["homestead_id"])
    plots = gpd.GeoDataFrame(table.merge(shapes, on="homestead_id", how="left"), crs=shapes.crs)
    bare = plots.geometry.isna() | plots.geometry.is_empty
    return Fieldwork(table, (listed, sheets, *write_layers(plots, out)), not_gbk_n(plots), int(bare.sum()))


LIST = ("homestead_id", "house_id", "town", "village", "group", "house_stage", "area_m2", "ledger_area_m2",
        "slope_terrain_deg", "slope_class", "way", "target_class", "reasons", "checks", "lon", "lat",
        "why")  # fmt: skip


def _towns(table: pd.DataFrame) -> pd.Series:
    """The town of each plot; where none is told that of its village, if that name is one town's only."""
    known = table[(table["town"] != "") & (table["village"] != "")].drop_duplicates(["town", "village"])
    alone = known.loc[~known["village"].duplicated(keep=False), ["village", "town"]]
    towns = dict(alone.itertuples(index=False, name=None))
    return pd.Series(
        [town or towns.get(village, "") for town, village in zip(table["town"], table["village"], strict=True)],
        index=table.index, dtype="object",
    )  # fmt: skip


def _each(told: pd.Series) -> str:
    return "、".join(text for text in told if text)


def _in_town(key: str, town: str, named: set[str], many: bool) -> str:
    """
    What a house of a village is called in the key, '' where it could be another's.

    That is where the key names another town, or none though houses of that number and village are in several.
    """
    if len(named) > 1:
        return f"{key}@{town}"
    strange = town not in named if named and town else not named and many
    return "" if strange else key


def _with_key(table: pd.DataFrame, key: Path) -> tuple[pd.DataFrame, list[str]]:
    raw = io.read_table(key)
    ledger = name_columns(raw, catalogue.load().headers, sections=("plot", "house", "common"))
    field = next((name for name in ("house_id", "homestead_id") if name in ledger.frame), None)
    if field is None or not len(ledger.frame):
        raise Stop(Problem.stop("field_key", file=key))
    # the number is found by its heading; what else stands in its rows is taken as it is
    rows = written_down(raw)
    heading = next(row for row in reversed(rows[: ledger.frame.index[0] - 1]) if ledger.headings[field] in row)
    at = heading.index(ledger.headings[field])
    taken, names = set(table.columns), {}
    for place, name in enumerate(heading):
        if place != at and name:
            names[place] = next(told for n in count() if (told := name + " " * n) not in taken)
            taken.add(names[place])
    cells = [dict(enumerate(rows[number - 1])) for number in ledger.frame.index]  # a row may be short
    own = pd.DataFrame([{name: row.get(place, "") for place, name in names.items()} for row in cells])
    numbers = pd.Series([same_id(row.get(at, "")) for row in cells])
    # houses of one number in several villages are called by number and village, and by number alone are none
    of = ledger.text("village").map(village_core).reset_index(drop=True)
    several = of.groupby(numbers).transform("nunique") > 1
    # and those of two villages of one name by their town too
    address, town = numbers + "@" + of, ledger.text("town").map(town_core).reset_index(drop=True)
    towns = town[town != ""].groupby(address).agg(set)
    apart = address.map(lambda one: len(towns.get(one, ())) > 1).astype(bool)
    both = pd.concat([own.assign(_key=numbers)[~several & ~apart],
                      own.assign(_key=address + ("@" + town).where(apart, ""))])  # fmt: skip
    both = both[~both["_key"].str.match("@|$").astype(bool)]
    extra = list(names.values())
    # all households of a house
    by_key = both.groupby("_key")[extra].agg(_each)
    number, mark, _ = (table[field].str.partition("@")[part] for part in range(3))
    number = number.map(same_id)
    marked = (mark != "") | number.isin(set(numbers[several | apart]))
    keys = number + ("@" + table["village"].map(village_core)).where(marked, "")
    here = table["town"].map(town_core)
    spread = here.groupby(keys).transform("nunique") > 1
    places = zip(keys, here, marked, spread, strict=True)
    called = [_in_town(key, town, towns.get(key, set()), many) if one else key for key, town, one, many in places]
    joined = table.assign(_key=called).join(by_key, on="_key")
    return joined.fillna(dict.fromkeys(extra, "")), extra
