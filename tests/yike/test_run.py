from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest

import yike
from geo import io
from layers.sample import PROJECT, write_county
from yike.pipeline import LawBroken
from yike.run import FolderTaken
from yike.teller import Teller

CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("county") / "样例"
    write_county(made, scale=0.1)
    return made


@pytest.fixture(scope="module")
def run(folder):
    return yike.open(folder / PROJECT).run()


def test_the_run_tells_what_it_was(run, folder):
    record = json.loads((run.folder / "run.json").read_text("utf-8"))
    assert record["project"]["name"] == "样例县"
    assert record["walk_function"] == ["irmischer_clarke"]
    assert record["personas_flat_kmh"]["adult"] == 4.0
    assert record["standards"]["primary_school.rural"]["walk_min"] == 40
    assert {"道路.osm.pbf", "安置点台账.xlsx", "高德POI.csv", "三调.gdb", "旧房台账", "行政村.shp"} <= set(
        record["inputs_sha256"]
    )
    # no raster of people, no prices, no own limits
    assert record["absent"] == ["balance", "quota_worth", "ways_moved"]
    assert record["tables"]["access"] == len(run.access)
    assert all(law["held"] for law in record["laws"])
    assert str(folder) not in json.dumps(record)
    assert record["seconds"].keys() >= {"network", "access", "map", "workbook"}


def test_every_column_of_the_workbook_has_a_heading_and_every_code_a_word(run):
    book = run.folder / "workbook.xlsx"
    for name in io.sheet_names(book):
        head, *rows = io.read_table(book, sheet=name).rows
        assert not [word for word in head if CODE.fullmatch(word)], name
        told = pd.DataFrame(rows, columns=head).drop(columns=["道路类型", "列"], errors="ignore")  # of the files
        codes = {cell for column in told for cell in told[column].unique() if CODE.fullmatch(cell)}
        assert not {code for code in codes if "_" in code}, name


def test_layers_are_there_to_look_at(run):
    layers = {name for name, _ in pyogrio.list_layers(run.folder / "results.gpkg")}
    assert layers == {"places", "facilities", "homesteads", "snaps", "rings"}
    read = io.read_vector(run.folder / "results.gpkg", layer="places")
    assert len(read) == run.places["lon"].notna().sum()


def test_two_runs_give_equal_tables(run, folder, tmp_path: Path):
    again = yike.open(folder / PROJECT).run(tmp_path / "again")
    for path in sorted((run.folder / "tables").glob("*.parquet")):
        assert path.read_bytes() == (again.folder / "tables" / path.name).read_bytes(), path.name


def test_a_run_that_dies_leaves_the_last_good_folder(folder, tmp_path: Path, monkeypatch):
    out = tmp_path / "out"
    good = yike.open(folder / PROJECT).run(out)
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("map.write_map", "workbook.write_workbook"):
        with monkeypatch.context() as patched:
            patched.setattr(f"outputs.{step}", dies)
            with pytest.raises(KeyboardInterrupt):
                yike.open(folder / PROJECT, cache=tmp_path.with_name("stages")).run(out)
        assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(good.access)


def test_a_broken_law_writes_nothing(folder, tmp_path: Path, monkeypatch):
    def no_law(tables: dict[str, pd.DataFrame], **_: object) -> pd.DataFrame:
        return pd.DataFrame(
            {"law": ["one_status"], "held": [False], "checked_n": [1], "worst": [1.0], "rows": ["0"]}
        )

    monkeypatch.setattr("yike.pipeline.check_laws", no_law)
    with pytest.raises(LawBroken, match="one_status"):
        yike.open(folder / PROJECT, cache=tmp_path.with_name("none")).run(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_sample_is_measured_again_when_asked(run, folder, tmp_path: Path):
    again = yike.open(folder / PROJECT).run(tmp_path / "again", verified=True)
    laws = again.table("laws")
    assert len(laws) == len(run.table("laws")) + 5
    assert laws["held"].all()
    assert again.access.equals(run.access)


def test_a_law_that_breaks_the_second_time_writes_nothing(folder, tmp_path: Path, monkeypatch):
    def broken(*_: object, **__: object) -> pd.DataFrame:
        return pd.DataFrame({"law": ["order_changes_nothing"], "held": [False], "checked_n": [1], "worst": [1.0],
                             "rows": ["A001/bank_branch"]})  # fmt: skip

    monkeypatch.setattr("yike.pipeline.verify", broken)
    with pytest.raises(LawBroken, match="order_changes_nothing"):
        yike.open(folder / PROJECT, cache=tmp_path.with_name("none")).run(tmp_path / "out", verified=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_others_is_refused_before_anything_is_read(folder, tmp_path: Path):
    (tmp_path / "信.txt").write_text("x", "utf-8")
    with pytest.raises(FolderTaken):
        yike.open(folder / PROJECT).run(tmp_path)


def test_a_notebook_has_tables_and_a_map(run):
    assert len(run.access) > 1000
    assert run.circles["list"].nunique() > 3
    assert run.map().is_file()
    with pytest.raises(FileNotFoundError):
        run.table("no_such")


def test_a_long_run_is_told_of(folder, tmp_path: Path):
    class Ear(Teller):
        def __init__(self) -> None:
            self.heard: list[str] = []
            self.parts = 0

        def begin(self, stage: str) -> None:
            self.heard.append(stage)

        def part(self, text: str, number: int, of: int) -> None:
            assert 1 <= number <= of
            self.parts += 1

    ear = Ear()
    opened = yike.open(folder / PROJECT, cache=tmp_path / "stages")
    opened.run(tmp_path / "out", teller=ear)
    assert ear.heard == opened.stage_names()
    assert {"network", "places", "facilities", "access", "circles", "laws", "tables", "map"} <= set(ear.heard)
    assert ear.parts > 100


def test_people_of_a_raster_are_balanced(folder, tmp_path: Path):
    people = np.zeros((40, 40), np.float32)
    people[20, 20], people[0, 0] = 64, 8
    io.write_raster(people, folder / "人口.tif", west=102.55, north=28.25, step=0.01)
    text = (folder / PROJECT).read_text("utf-8").replace("homesteads =", 'people = "人口.tif"\nhomesteads =')
    (folder / "有人口.toml").write_text(text, "utf-8")
    run = yike.open(folder / "有人口.toml").run(tmp_path / "out")
    balance = run.table("balance").set_index("item")["number"]
    assert balance["raster_total"] == balance["at_places"] + balance["nowhere"]
    assert balance["ledger"] == run.places.loc[run.places["pop_source"] == "ledger", "pop"].sum()
    # only the settlement whose ledger cell is no number may be filled from the raster
    assert run.places["pop_source"].value_counts().to_dict() == {
        "ledger": len(run.places) - 1,
        "raster_nearest": 1,
    }
