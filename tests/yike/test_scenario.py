"""Scenarios in the run: an empty one is its base, and what is not done again is as if it had been."""

from __future__ import annotations

import pandas as pd
import pytest

import yike
from layers.sample import PROJECT, write_county
from yike import run as running
from yike.run import OpenProject
from yike.teller import Teller


class Ear(Teller):
    def __init__(self) -> None:
        self.done: list[str] = []

    def end(self, stage: str, seconds: float) -> None:
        self.done.append(stage)


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenario") / "样例"
    write_county(folder, scale=0.1)
    return folder


@pytest.fixture(scope="module")
def base(county, tmp_path_factory):
    out = tmp_path_factory.mktemp("base")
    return yike.open(county / PROJECT, cache=out / "stages").run(out / "out"), out / "stages"


def clinic(run):
    own = run.table("facilities")
    return own[(own["category"] == "village_clinic") & own["operating"]].iloc[2]


def written(folder, text):
    path = folder / "情景.toml"
    path.write_text(text, "utf-8")
    return path


def test_an_empty_scenario_is_its_base_byte_for_byte(county, base, tmp_path):
    run, cache = base
    path = written(tmp_path, '[scenario]\nname = "空"\n')
    ear = Ear()
    again = OpenProject.load(county / PROJECT, cache=cache, scenario=path).run(tmp_path / "out", teller=ear)
    assert ear.done == []
    files = {p.relative_to(run.folder) for p in run.folder.rglob("*") if p.is_file()} - {"run.json"}
    assert {p.relative_to(again.folder) for p in again.folder.rglob("*") if p.is_file()} >= files
    for name in files:
        if name.name != "run.json":
            assert (run.folder / name).read_bytes() == (again.folder / name).read_bytes(), name


@pytest.mark.parametrize("edit", [
    'do = "move"\nfacility = "{id}"\nlon = {lon}\nlat = {lat}',
    'do = "close"\nfacility = "{id}"',
    'do = "add"\ncategory = "pharmacy"\nname = "新"\nlon = {lon}\nlat = {lat}',
    'do = "standard"\nkey = "pharmacy.rural.walk_min"\nvalue = 20',
])  # fmt: skip
def test_what_is_not_measured_again_is_as_if_it_had_been(county, base, tmp_path, monkeypatch, edit):
    run, cache = base
    own = clinic(run)
    told = edit.format(id=own["facility_id"], lon=own["lon"] + 0.004, lat=own["lat"] + 0.002)
    path = written(tmp_path, f"[[edit]]\n{told}\n")
    ear = Ear()
    some = OpenProject.load(county / PROJECT, cache=cache, scenario=path).run(tmp_path / "some", teller=ear)
    assert "seats" not in ear.done
    assert "network" not in ear.done
    assert ("care_village" in ear.done) == ("clinic" in edit or "{id}" in edit)
    monkeypatch.setattr(running, "touched_categories", lambda *_: None)
    path = written(tmp_path, f"# again\n[[edit]]\n{told}\n")
    every = OpenProject.load(county / PROJECT, cache=tmp_path / "c", scenario=path).run(tmp_path / "every")
    for table in sorted((every.folder / "tables").glob("*.parquet")):
        pd.testing.assert_frame_equal(some.table(table.stem), every.table(table.stem), obj=table.stem)
    before, after = run.access, some.access
    assert not before.equals(after)


def test_more_people_and_a_closed_road_do_everything_again(county, base, tmp_path):
    run, cache = base
    place = run.places.loc[run.places["place_kind"] == "settlement"].iloc[0]
    path = written(tmp_path, f'[[edit]]\ndo = "add_people"\nplace = "{place["place_id"]}"\npeople = 300\n'
                             '[[edit]]\ndo = "close_road"\nway = 1\n')  # fmt: skip
    found = OpenProject.load(county / PROJECT, cache=cache, scenario=path).run(tmp_path / "out")
    now = found.places.set_index("place_id").loc[place["place_id"]]
    assert now["pop"] == place["pop"] + 300
    times = run.access.set_index(["place_id", "category", "persona", "mode"])["time_min"]
    after = found.access.set_index(["place_id", "category", "persona", "mode"])["time_min"].reindex(times.index)
    assert not times.equals(after)
    walked = times.index.get_level_values("mode") == "walk"
    assert (after[walked] - times[walked] >= -1e-3).all() or after[walked].isna().any()
    assert found.table("laws")["held"].all()


def test_the_name_of_the_run_folder_is_that_of_the_scenario(county, tmp_path):
    path = written(tmp_path, '[scenario]\nname = "三所 新/小学"\n')
    folder = OpenProject.load(county / PROJECT, scenario=path).default_out()
    assert folder.name == "样例县-三所-新-小学-run"
