"""What ``yike init`` makes of a folder as a county would send it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import yike
from layers import catalog
from layers.sample import PROJECT, write_county
from outputs.messages import load
from yike.recognise import PROJECT_FILE, propose


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("county") / "样例"
    write_county(made, scale=0.1)
    (made / PROJECT).rename(made.with_name("own.toml"))
    return made


@pytest.fixture(scope="module")
def proposed(folder):
    return propose(folder, load("zh"))


def test_every_file_of_the_county_is_recognised_for_what_it_is(folder, proposed):
    own = tomllib.loads(folder.with_name("own.toml").read_text("utf-8"))["layers"]
    mine = tomllib.loads(proposed)["layers"]

    def files(entry):
        entries = entry if isinstance(entry, list) else [entry]
        named = [e if isinstance(e, str) else e.get("path", "osm") for e in entries]
        return sorted(name.split(":")[0] for name in named)

    assert set(mine) == set(own)
    assert {key: files(entry) for key, entry in mine.items()} == {key: files(entry) for key, entry in own.items()}
    assert set(catalog.load().ledgers) <= set(mine)
    # a map provider's type codes are in that provider's system
    provider = next(e for e in mine["facilities"] if e.get("code") == "amap")
    assert provider["crs"] == "GCJ-02"
    assert '# roads = { path = "道路中心线.shp" }' in proposed  # a second network waits


def test_the_proposal_reads_and_says_which_tables_look_shifted(folder, proposed, tmp_path: Path):
    (folder / PROJECT_FILE).write_text(proposed, "utf-8")
    read = yike.open(folder / PROJECT_FILE, cache=tmp_path).read()
    shifted = {problem.file for problem in read.problems if problem.code == "crs_looks_shifted"}
    assert shifted == {"分散户.csv", "便民回收.csv"}
    # those whose points lie by the streets as they stand need no doubt; a dozen hosts are too few to tell by
    assumed = {problem.file for problem in read.problems if problem.code == "crs_assumed"}
    assert assumed == {"原住居民点.xlsx"}


def test_a_household_ledger_without_positions_is_known_by_its_villages(tmp_path: Path):
    (tmp_path / "散户.csv").write_text("户编号,乡镇,村,家庭人口\nH1,上坝乡,新村,4\n", "utf-8")
    assert "households" in tomllib.loads(propose(tmp_path, load("zh")))["layers"]


def test_road_lines_are_the_network_where_there_is_no_other(folder, tmp_path: Path):
    for part in folder.glob("道路中心线.*"):
        (tmp_path / part.name).write_bytes(part.read_bytes())
    assert tomllib.loads(propose(tmp_path, load("zh")))["network"] == {"roads": {"path": "道路中心线.shp"}}
