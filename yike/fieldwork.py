"""``yike field``: the list of a run for the field, its sheets, and the layers that survey apps open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from analysis.fieldwork import check_list
from geo import io
from geo.problems import Problem, Stop
from layers import catalog as catalogue
from layers.ledgers import name_columns, plain
from outputs.field import write_layers, write_sheets
from outputs.messages import Messages, load
from yike.run import Run, require_apart


@dataclass(frozen=True, slots=True, eq=False)
class Fieldwork:
    """The list, and the files that were written."""

    table: pd.DataFrame
    files: tuple[Path, ...]


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
    project = json.loads((run / "run.json").read_text("utf-8"))["project"]
    words = load(language or project["language"])
    table = check_list(Run(run).table("homesteads"), confidence=confidence, margin=margin, seed=seed)
    names = catalogue.load().land["third_survey"].names
    table = table.assign(
        way=table["way"].map(words.words["way"]), why=table["why"].map(words.words["field_why"]),
        house_stage=table["stage"].map(words.words["house_stage"]).fillna(""),
        target_class=table["target_class"].map(lambda code: names.get(code, code)),
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    sheets = out / "field_sheets.xlsx"
    printed, extra = table, list[str]()
    if key is not None:
        printed, extra = _with_key(table, key)
    write_sheets(printed, sheets, words, title=words.say("field.title", name=project["name"]), extra=extra)
    listed = out / "check_list.xlsx"
    _write_list(table, listed, words)
    shapes = gpd.read_file(run / "results.gpkg", layer="homesteads", columns=["homestead_id"])
    plots = gpd.GeoDataFrame(table.merge(shapes, on="homestead_id", how="left"), crs=shapes.crs)
    return Fieldwork(table, (listed, sheets, *write_layers(plots, out)))


LIST = ("homestead_id", "house_id", "town", "village", "group", "house_stage", "area_m2", "ledger_area_m2",
        "slope_deg_mean", "way", "target_class", "reasons", "lon", "lat", "why")  # fmt: skip


def _write_list(table: pd.DataFrame, path: Path, words: Messages) -> None:
    shown = table[list(LIST)].astype("object")
    rows = [tuple(words.heading(name) for name in LIST)]
    rows += [tuple("" if pd.isna(v) else v for v in row) for row in shown.itertuples(index=False, name=None)]
    io.write_table(rows, path, sheet=words.say("field.list"))


def _with_key(table: pd.DataFrame, key: Path) -> tuple[pd.DataFrame, list[str]]:
    raw = io.read_table(key)
    headers = catalogue.load().headers
    # the numbers are found by their headings; what else stands there is taken as it is
    ledger = name_columns(raw, headers, sections=("plot", "house", "common"))
    field = next((name for name in ("house_id", "homestead_id") if name in ledger.frame), None)
    if field is None:
        raise Stop(Problem.stop("field_key", file=key))
    top = next(i for i, row in enumerate(raw.rows) if ledger.headings[field] in row)
    heading = list(raw.rows[top])
    at = heading.index(ledger.headings[field])
    own = pd.DataFrame([row for row in raw.rows[top + 1 :] if len(row) == len(heading)], columns=heading)
    extra = [name for place, name in enumerate(heading) if place != at and name]
    own = own.assign(_key=own[heading[at]].map(plain))
    own = own[own["_key"] != ""].groupby("_key")[extra].agg("、".join)  # all households of a house, nobody of none
    own = own.rename(columns={name: f"{name} " for name in extra if name in table})
    joined = table.assign(_key=table[field].map(plain)).join(own, on="_key")
    names = [f"{name} " if name in table else name for name in extra]
    return joined.fillna(dict.fromkeys(names, "")), names
