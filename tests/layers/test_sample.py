"""The sample county is read back by the ordinary readers, and what is planted in it is found, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import yike
from geo.problems import Stop
from layers.sample import PROJECT, write_county


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county") / "样例"
    return write_county(folder), yike.open(folder / PROJECT).run()


def deciding(run, category):
    access = run.access
    return access[access["deciding"] & (access["category"] == category)].set_index("place_id")


def test_every_planted_fault_is_found_and_none_invented(county):
    truth, run = county
    problems = run.table("problems")
    faults = problems[problems["severity"] == "fault"]
    assert {(p.code, p.file, int(p.row)) for p in faults.itertuples()} == truth.faults
    assert len(faults) == len(truth.faults)
    doubts = problems[problems["severity"] == "doubt"]
    assert set(doubts["code"]) == {"totals_left_out"}


def test_what_is_cut_off_is_found(county):
    truth, run = county
    clinic = deciding(run, "village_clinic")
    assert set(clinic.index[clinic["status"] == "unreachable"]) == truth.cut_off
    assert set(clinic.index[clinic["status"] == "off_network"]) == truth.off_network
    assert set(clinic.index[clinic["status"] == "outside_data"]) == truth.unplaced
    # the clinic across the river is near in the air and not to be walked to
    assert (clinic.loc[list(truth.cut_off), "straight_m"] < 700).all()


def test_the_planted_gap_of_clinics_is_found(county):
    truth, run = county
    clinic = deciding(run, "village_clinic")
    assert set(clinic.index[clinic["status"] == "beyond_limit"]) == truth.no_clinic
    gaps = run.table("gaps")
    lacking = set(gaps.loc[gaps["category"] == "village_clinic", "place_id"])
    assert lacking == truth.no_clinic | truth.cut_off | truth.off_network


def test_every_row_comes_out(county):
    truth, run = county
    places = run.places
    assert len(places) == 15
    assert places["pop"].isna().sum() == 1
    plots = run.table("homesteads")
    assert len(plots) == truth.plots_n
    # drawn 9 to 18 by 8 to 14 m
    assert plots["area_m2"].between(9 * 8, 18 * 14).all()
    assert plots["slope_deg_mean"].notna().all()
    assert run.table("slopes")["plots_n"].sum() == truth.plots_n


def test_the_county_is_always_the_same(tmp_path: Path):
    def content(folder: Path):
        write_county(folder)
        return {
            p.name: p.read_bytes()
            for p in folder.iterdir()
            if p.suffix in (".csv", ".shp", ".toml", ".tif", ".pbf")
        }

    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_an_old_county_is_written_over_and_nothing_else(tmp_path: Path):
    write_county(tmp_path / "a")
    write_county(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "重要.txt").write_text("x", "utf-8")
    with pytest.raises(Stop) as stop:
        write_county(tmp_path / "b")
    assert stop.value.problems[0].code == "folder_not_ours"
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["重要.txt"]


def test_the_tables_keep_their_contract(county):
    _, run = county
    contract = {
        "places": "place_id place_kind place_name county town village size_class profile pop pop_resident "
        "pop_registered pop_host position_source position_error_m",
        "access": "place_id category persona mode deciding facility_id facility_name time_to_min time_back_min time_min "
        "distance_m straight_m threshold_min radius_m status met straight_met people people_met edge_affected "
        "walk_function certainty",
        "circles": "place_id persona list met_n total_n unknown_n missing",
        "snaps": "point_id kind persona distance_m edge_id component status",
        "problems": "code layer file sheet row column value severity what action",
        "laws": "law held checked_n worst rows",
    }
    for name, columns in contract.items():
        table = run.table(name)
        assert set(columns.split()) <= set(table.columns), name
        for column in table.columns[table.columns.str.endswith(("_min", "_m", "_m2", "_mu", "_share"))]:
            assert table[column].dtype == "float64", (name, column)
    assert run.table("laws")["held"].all()


def test_no_name_of_a_person_is_kept(county):
    _, run = county
    for path in (run.folder / "tables").glob("*.parquet"):
        assert not {"householder", "id_no", "phone", "户主"} & set(pd.read_parquet(path).columns)


def test_a_changed_project_file_is_kept(tmp_path: Path):
    write_county(tmp_path / "a")
    path = tmp_path / "a" / PROJECT
    changed = path.read_text("utf-8").replace('name = "样例县"', 'name = "我的县"')
    path.write_text(changed, "utf-8")
    write_county(tmp_path / "a")
    assert path.read_text("utf-8") == changed
