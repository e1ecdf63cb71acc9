"""Stages are done once: a run that is killed goes on where it stopped, and what changed is done again and no more."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import yike
from geo import io
from geo.network import Streets
from geo.problems import Problem, Stop
from layers.sample import PROJECT, write_county
from tests.flatland import Town
from yike.stages import Stage, Stages, with_needs
from yike.store import Store, digest_of, key_of
from yike.teller import Teller


class Ear(Teller):
    def __init__(self) -> None:
        self.done: list[str] = []
        self.reused: list[str] = []

    def end(self, stage: str, seconds: float) -> None:
        self.done.append(stage)

    def kept(self, stage: str) -> None:
        self.reused.append(stage)


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county") / "样例"
    write_county(folder, scale=0.1)
    return folder


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "tables").glob("*.parquet"))}


@pytest.fixture(scope="module")
def whole(county, tmp_path_factory):
    base = tmp_path_factory.mktemp("whole")
    run = yike.open(county / PROJECT, cache=base / "stages").run(base / "out")
    return tables(run.folder)


KILLED = """
import os, sys
from pathlib import Path
import yike
from yike.teller import Teller

class Dies(Teller):
    def begin(self, stage):
        if stage == sys.argv[4] and sys.argv[5] == "begin":
            os._exit(9)
    def part(self, text, number, of):
        if sys.argv[5] == "part" and number == of // 2:
            os._exit(9)

yike.open(sys.argv[1], cache=Path(sys.argv[2])).run(sys.argv[3], teller=Dies())
"""


def killed_at(county: Path, cache: Path, out: Path, stage: str, when: str) -> int:
    command = [sys.executable, "-P", "-c", KILLED, str(county / PROJECT), str(cache), str(out), stage, when]
    return subprocess.run(command, check=False, capture_output=True).returncode


class Stops(Ear):
    """Ends the run where a stage begins, as a person's Ctrl-C would."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at

    def begin(self, stage: str) -> None:
        if stage == self.at:
            raise KeyboardInterrupt


def test_a_run_stopped_at_each_stage_goes_on_where_it_stopped(county, whole, tmp_path: Path):
    opened = yike.open(county / PROJECT, cache=tmp_path / "stages")
    names = opened.stage_names()
    # one store through all of it: each run gets one stage further, which the next must not do again
    for number, stage in enumerate(names):
        ear = Stops(stage)
        with pytest.raises(KeyboardInterrupt):
            opened.run(tmp_path / "out", teller=ear)
        assert ear.done == names[max(number - 1, 0) : number]
        assert ear.reused == names[: max(number - 1, 0)]
        assert not (tmp_path / "out").exists()
    ear = Ear()
    run = opened.run(tmp_path / "out", teller=ear)
    assert ear.done == ["workbook"]
    assert ear.reused == names[:-1]
    assert tables(run.folder) == whole


def test_a_run_killed_between_stages_goes_on_where_it_stopped(county, whole, tmp_path: Path):
    opened = yike.open(county / PROJECT, cache=tmp_path / "stages")
    names = opened.stage_names()
    for stage in ("places", "access", "workbook"):
        assert killed_at(county, tmp_path / "stages", tmp_path / "out", stage, "begin") == 9, stage
        assert not (tmp_path / "out").exists()
        kept = [path for path in (tmp_path / "stages").iterdir() if not path.name.startswith(".")]
        assert len(kept) == names.index(stage)
    ear = Ear()
    assert tables(opened.run(tmp_path / "out", teller=ear).folder) == whole
    assert ear.done == ["workbook"]


def test_a_run_killed_within_a_stage_does_that_stage_again(county, whole, tmp_path: Path):
    assert killed_at(county, tmp_path / "stages", tmp_path / "out", "access", "part") == 9
    ear = Ear()
    run = yike.open(county / PROJECT, cache=tmp_path / "stages").run(tmp_path / "out", teller=ear)
    assert ear.done[0] == "access"
    assert "places" in ear.reused
    assert tables(run.folder) == whole
    # the half that it left behind is nobody's result
    assert any(path.name.startswith(".") for path in (tmp_path / "stages").iterdir())


@pytest.fixture
def warm(county, tmp_path: Path):
    folder = shutil.copytree(county, tmp_path / "样例")
    cache = tmp_path / "stages"
    yike.open(folder / PROJECT, cache=cache).run(tmp_path / "out")
    return folder, cache


def again(folder: Path, cache: Path, out: Path, **more: object) -> tuple[Ear, yike.run.Run]:
    ear = Ear()
    return ear, yike.open(folder / PROJECT, cache=cache).run(out, teller=ear, **more)


def test_nothing_changed_nothing_is_done(warm, whole, tmp_path: Path):
    ear, run = again(*warm, tmp_path / "out")
    assert ear.done == []
    assert tables(run.folder) == whole


def test_a_moved_threshold_reads_nothing_again_and_moves_its_rows(warm, whole, tmp_path: Path):
    folder, cache = warm
    before = pd.read_parquet(tmp_path / "out" / "tables" / "access.parquet")
    with (folder / PROJECT).open("a", encoding="utf-8") as file:
        file.write('\n[standards]\n"village_clinic.rural.walk_min" = 10\n')
    ear, run = again(folder, cache, tmp_path / "out")
    assert ear.done == ["access", "circles", "gaps", "intervals", "laws", "tables", "map", "workbook"]
    differs = (before != run.access) & ~(before.isna() & run.access.isna())
    rows = run.access[differs.any(axis=1)].merge(run.places[["place_id", "profile"]])
    assert set(rows["category"]) == {"village_clinic"}
    assert set(rows["profile"]) == {"rural"}
    moved = json.loads((run.folder / "run.json").read_text("utf-8"))["standards"]["village_clinic.rural"]
    assert (moved["walk_min"], moved["certainty"]) == (10, "P")
    same = tables(run.folder)
    for name in ("places", "snaps", "facilities", "homesteads", "problems"):
        assert same[f"{name}.parquet"] == whole[f"{name}.parquet"]


def written(path: Path, *, row: int, column: int, value: str) -> None:
    """Write over one cell of a workbook, both counted from 1."""
    sheet = io.sheet_names(path)[0]
    rows = [list(cells) for cells in io.read_table(path, sheet=sheet).rows]
    rows[row - 1][column - 1] = value
    io.write_table(rows, path, sheet=sheet)


def test_a_changed_file_is_read_again_and_what_stands_on_it(warm, tmp_path: Path):
    folder, cache = warm
    written(folder / "劳动力台账.xlsx", row=2, column=2, value="77")
    ear, _ = again(folder, cache, tmp_path / "out")
    assert "form_labour" in ear.done
    assert not {"network", "places", "access", "circles", "map"} & set(ear.done)


def test_only_some_stages_and_the_rest_is_absent(warm, tmp_path: Path):
    folder, _ = warm
    ear, run = again(folder, tmp_path / "empty", tmp_path / "out", only=["gaps"])
    assert {"network", "places", "access", "gaps", "laws", "tables"} <= set(ear.done)
    assert not {"circles", "map", "workbook", "plots"} & set(ear.done)
    record = json.loads((run.folder / "run.json").read_text("utf-8"))
    assert {"circles", "map", "workbook", "homesteads"} <= set(record["absent"])
    assert not (run.folder / "map.html").exists()
    with pytest.raises(FileNotFoundError):
        run.table("circles")
    assert len(run.table("gaps"))


def test_an_unknown_stage_is_told_with_the_known_ones(county, tmp_path: Path):
    with pytest.raises(Stop) as stop:
        yike.open(county / PROJECT, cache=tmp_path).run(tmp_path / "out", only=["circle"])
    (problem,) = stop.value.problems
    assert problem.code == "stage_unknown"
    assert "circles" in dict(problem.params)["stages"]


def test_a_torn_entry_is_no_entry(warm, whole, tmp_path: Path):
    folder, cache = warm
    keys = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["stages"]
    (cache / keys["access"] / "access.parquet").write_bytes(b"torn")
    (cache / keys["circles"] / "value.json").write_text("{", "utf-8")
    (cache / keys["map"] / "map.html").unlink()
    ear, run = again(folder, cache, tmp_path / "out")
    assert ear.done == ["access", "circles", "map"]
    assert tables(run.folder) == whole


def test_a_moved_project_keeps_its_stages(warm, tmp_path: Path):
    folder, cache = warm
    moved = shutil.move(folder, tmp_path / "别处")
    ear, _ = again(Path(moved), cache, tmp_path / "out")
    assert ear.done == []


# --- the same county in another order ---------------------------------------------------------------------


def shuffled(path: Path, rng: np.random.Generator) -> None:
    """Shuffle the rows of a ledger under its heading; a total stays at the end."""
    if path.suffix == ".csv":
        raw = io.read_table(path)
        head, rows = raw.rows[0], list(raw.rows[1:])
        rng.shuffle(rows)
        io.write_table([head, *rows], path, encoding="gb18030")
        return
    sheet = io.sheet_names(path)[0]
    rows = list(io.read_table(path, sheet=sheet).rows)
    top = next(n for n, row in enumerate(rows) if sum(bool(cell) for cell in row) > 2)
    last = len(rows) - 1 if any("合计" in cell for cell in rows[-1]) else len(rows)
    middle = rows[top + 1 : last]
    rng.shuffle(middle)
    io.write_table([*rows[: top + 1], *middle, *rows[last:]], path, sheet=sheet)


def test_the_order_of_rows_changes_nothing(county, tmp_path: Path):
    rng = np.random.default_rng(4)
    folder = shutil.copytree(county, tmp_path / "样例")
    # which of two equal ids is the second depends on the order, and must: make them two
    written(folder / "安置点台账.xlsx", row=14, column=2, value="A999")
    layer = folder / "旧宅基地.shp"
    plots = io.read_vector(layer)
    io.write_vector(plots[~plots["编号"].duplicated()], layer, encoding="GBK")
    first = yike.open(folder / PROJECT, cache=tmp_path / "s").run(tmp_path / "one")
    ledgers = [*folder.glob("*.xlsx"), *folder.glob("*.csv")]
    for path in ledgers:
        shuffled(path, rng)
    for file in (folder / "旧房台账").iterdir():
        shuffled(file, rng)
    plots = io.read_vector(layer).sample(frac=1, random_state=1)
    io.write_vector(plots, layer, encoding="GBK")
    second = yike.open(folder / PROJECT, cache=tmp_path / "s").run(tmp_path / "two")
    keys = {
        "places": ["place_id"], "access": ["place_id", "category", "persona", "mode"], "gaps": ["place_id", "category"],
        "circles": ["place_id", "persona", "list"], "coverage": ["place_kind", "category"], "facilities": ["facility_id", "category"],
        "snaps": ["point_id", "kind", "persona", "mode"], "homesteads": ["homestead_id"],
        "shares": ["place_kind", "by", "name", "list", "persona"], "slopes": ["slope_class"],
        "ways": ["way"], "houses": ["house_id"], "demolition": ["unit_level", "unit_id"], "rights": ["collective"],
        "quota": ["unit_level", "unit_id"], "origins": ["admin_code"],
    }  # fmt: skip
    for name, key in keys.items():
        one, two = (
            run.table(name).drop(columns=["row"], errors="ignore").sort_values(key).reset_index(drop=True)
            for run in (first, second)
        )
        # sums of people over classes are added in another order
        summed = ("shares", "coverage", "slopes", "ways", "demolition", "rights", "quota", "origins")
        pd.testing.assert_frame_equal(one, two, check_exact=name not in summed, obj=name)


# --- the store --------------------------------------------------------------------------------------------


def test_values_come_back_as_they_were(tmp_path: Path):
    store = Store(tmp_path)
    frame = pd.DataFrame(
        {"text": ["一", ""], "number": [1.5, np.nan], "flag": pd.array([True, None], dtype="boolean"),
         "whole": pd.array([3, None], dtype="Int64")}
    )  # fmt: skip
    streets = Town().grid(3, 3).streets()
    layer = gpd.GeoDataFrame({"a": [1]}, geometry=gpd.points_from_xy([102.0], [28.0]), crs=4326)
    raster = io.Raster(np.array([[1, np.nan]], np.float32), io.Affine(1, 0, 2, 0, -1, 3), streets_crs())
    problem = Problem("x", "fault", file="甲.xlsx", row=3, params=(("n", "1"),))
    half = store.begin("k")
    (half / "map.html").write_text("x", "utf-8")
    kept = store.finish(
        "k", half,
        {"frame": frame, "streets": streets, "layer": layer, "raster": raster, "area": layer.geometry[0].buffer(1),
         "problems": (problem,), "map": half / "map.html", "sourced": ["a"], "none": None},
    )  # fmt: skip
    pd.testing.assert_frame_equal(kept["frame"], frame)
    assert isinstance(kept["streets"], Streets)
    np.testing.assert_array_equal(kept["streets"].length_m, streets.length_m)
    pd.testing.assert_frame_equal(kept["streets"].tags, streets.tags)
    assert (kept["streets"].box, kept["streets"].cut) == (streets.box, streets.cut)
    assert kept["layer"].crs == layer.crs
    assert kept["layer"].geometry[0].equals(layer.geometry[0])
    np.testing.assert_array_equal(kept["raster"].values, raster.values)
    assert kept["raster"].transform == raster.transform
    assert kept["area"].equals(layer.geometry[0].buffer(1))
    assert kept["problems"] == (problem,)
    assert kept["map"].read_text("utf-8") == "x"
    assert (kept["sourced"], kept["none"]) == (["a"], None)
    assert store.load("other") is None


def streets_crs():
    from pyproj import CRS

    return CRS.from_epsg(4326)


def test_a_key_changes_with_everything_it_stands_on():
    base = {"stage": "a", "code": "c", "settings": {"x": 1}, "files": {"f": "1"}, "needs": {"n": "2"}}
    keys = {key_of(**base)}
    for change in (
        {"stage": "b"},
        {"code": "d"},
        {"settings": {"x": 2}},
        {"files": {"f": "2"}},
        {"needs": {"n": "3"}},
    ):
        keys.add(key_of(**(base | change)))
    assert len(keys) == 6
    assert key_of(**base) == key_of(**base)


def test_a_folder_is_signed_with_its_names_and_contents(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.xlsx").write_bytes(b"x")
    one = digest_of(tmp_path / "a")
    (tmp_path / "a" / "1.xlsx").rename(tmp_path / "a" / "2.xlsx")
    assert digest_of(tmp_path / "a") != one


def test_old_entries_go_and_used_ones_stay(tmp_path: Path):
    import os

    store = Store(tmp_path)
    for name in ("old", "new"):
        store.finish(name, store.begin(name), {"a": 1})
    os.utime(tmp_path / "old", (0, 0))
    store.prune()
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path):
    (tmp_path / "file").write_text("x", "utf-8")
    store = Store(tmp_path / "file" / "stages")
    assert store.folder.is_dir()
    assert tmp_path not in store.folder.parents


def test_stops_of_several_stages_are_told_together(tmp_path: Path):
    def stops(code):
        def work(_):
            raise Stop(Problem.stop(code))

        return work

    stages = Stages(Store(tmp_path), "c", str, Teller())
    stages.run(
        [Stage("a", stops("one")), Stage("b", lambda at: {"n": len(at.given)}, also=("a",)), Stage("c", stops("two")),
         Stage("d", stops("three"), needs=("a",))],
        gather=True,
    )  # fmt: skip
    assert [problem.code for problem in stages.stops] == ["one", "two"]
    assert stages.values == {"b": {"n": 0}}
    # what had to do without an answer is not kept for a run that has it
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_nothing_needs_stops_nothing(warm, whole, tmp_path: Path):
    folder, cache = warm
    (folder / "旧房台账" / "空.xlsx").write_bytes(b"")
    (folder / "旧房台账" / "假.xlsx").write_text("旧房编号,宅基地面积\nJ1,160\n", "utf-8")
    (folder / "管网.gpkg").unlink()
    ear, run = again(folder, cache, tmp_path / "out")
    assert "access" in ear.reused
    problems = run.table("problems")
    told = set(zip(problems["code"], problems["file"], problems["severity"], strict=True))
    assert {("file_empty", "空.xlsx", "fault"), ("table_is_text", "假.xlsx", "fault"),
            ("file_missing", "管网.gpkg", "fault")} <= told  # fmt: skip
    same = tables(run.folder)
    assert same["access.parquet"] == whole["access.parquet"]


def test_needs_are_chosen_with_a_stage():
    def stage(name, **more):
        return Stage(name, lambda _: {}, **more)

    chain = [stage("a"), stage("b", needs=("a",)), stage("c", also=("b",)), stage("d"), stage("e", needs=("c",))]
    assert [s.name for s in with_needs(chain, ["c"])] == ["a", "b", "c"]
    assert [s.name for s in with_needs(chain, ["d"])] == ["d"]
