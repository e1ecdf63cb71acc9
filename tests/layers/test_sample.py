"""The sample county is read back by the ordinary readers, and what is planted in it is found, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyogrio
import pytest

import yike
from geo import io
from geo.problems import Stop
from layers.sample import PROJECT, write_county
from yike.proof import planted_against_found

SMALL = 0.1


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county") / "样例"
    truth = write_county(folder, scale=SMALL)
    return truth, yike.open(folder / PROJECT, cache=folder.with_name("stages")).run()


def deciding(run, category):
    access = run.access
    return access[access["deciding"] & (access["category"] == category)].set_index("place_id")


def all_found(truth, run):
    table = planted_against_found(truth, run)
    assert (table[["missed_n", "invented_n"]] == 0).all(axis=None), table.to_string()
    return table.groupby("kind")["planted_n"].sum()


def test_everything_planted_is_found_and_nothing_invented(county):
    planted = all_found(*county)
    assert planted["fault"] >= 10
    assert planted["doubt"] >= 15
    assert planted["gap"] > 1000
    assert planted["served"] > 500


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed_is_another_county_that_knows_itself(county, tmp_path: Path, seed):
    truth = write_county(tmp_path / "a", seed=seed, scale=SMALL)
    all_found(truth, yike.open(tmp_path / "a" / PROJECT).run())
    assert not truth.verdicts.equals(county[0].verdicts)


def test_a_proof_tells_what_is_missed_and_what_is_invented(county):
    truth, run = county
    lost = pd.DataFrame([("A001", "bank_branch", "served", -1.0, True)], columns=truth.verdicts.columns)
    faults = frozenset({*sorted(truth.faults)[1:], ("not_a_number", "无.xlsx", 3)})
    table = planted_against_found(type(truth)(faults, truth.doubts, lost, {}), run)
    assert table.loc[table["kind"] == "fault", ["missed_n", "invented_n"]].sum().tolist() == [1, 1]
    assert table.loc[table["kind"].isin(["gap", "served"]), "missed_n"].sum() == 1


def test_the_whole_county_is_as_large_as_it_says(tmp_path: Path):
    n = write_county(tmp_path / "a").numbers
    assert (n["towns"], n["villages"], n["settlements"], n["households"]) == (12, 90, 46, 600)
    assert n["facilities"] >= 1_500
    assert n["schools"] >= 40
    assert n["clinics"] >= 100
    assert n["homesteads"] >= 6_000
    ledgers = io.tables_in(tmp_path / "a" / "旧房台账")
    assert len(ledgers) == 12
    west, south, east, north = pyogrio.read_info(tmp_path / "a" / "行政村.shp")["total_bounds"]
    assert 1_050 < (east - west) * 98.3 * (north - south) * 110.9 < 1_150  # km²


def test_what_is_cut_off_is_found(county):
    _truth, run = county
    places = run.places.set_index("place_name")
    cut_off, high_up = places.loc["河西安置点", "place_id"], places.loc["高山安置点", "place_id"]
    school = deciding(run, "primary_school")
    assert school.loc[cut_off, "status"] == "unreachable"
    assert set(school.index[school["status"] == "unreachable"]) == {cut_off}
    surveyed = set(places.loc[places["position_source"] == "surveyed", "place_id"])
    assert set(school.index[school["status"] == "off_network"]) & surveyed == {high_up}
    # the clinic across the river is near in the air, and who lives on its bank has it
    clinic = deciding(run, "village_clinic")
    assert clinic.loc[cut_off, "status"] == "served"
    assert (clinic["facility_name"] == "河西村卫生室").sum() == 1


def test_every_row_comes_out(county):
    truth, run = county
    kinds = run.places["place_kind"].value_counts()
    assert kinds.to_dict() == {name[:-1]: truth.numbers[name] for name in ("settlements", "households", "hosts")}
    assert run.places["pop"].isna().sum() == 1
    plots = run.table("homesteads")
    assert len(plots) == truth.numbers["homesteads"]
    # drawn 9 to 18 by 8 to 13 m, one a line for an area, one with a hole
    assert plots["area_m2"].isna().sum() == 1
    assert plots["area_m2"].dropna().between(9 * 8 - 4, 18 * 13).all()
    assert plots["slope_terrain_deg"].isna().sum() == 1
    assert plots["slope_deg_mean"].isna().equals(plots["slope_source"] != "terrain")
    assert plots.loc[plots["area_m2"].isna(), "way"].tolist() == ["hold"]
    assert run.table("slopes")["plots_n"].sum() == len(plots)


def test_what_must_go_and_has_gone_is_as_it_was_written(county):
    truth, run = county
    table = run.table("demolition").set_index("unit_level")
    whole = table.loc["county"]
    assert whole["houses_n"] == truth.numbers["houses"]
    assert whole["should_demolish_n"] == truth.numbers["should_demolish"]
    assert whole["demolished_n"] == truth.numbers["demolished"]
    assert whole["overdue_n"] == truth.numbers["overdue"]
    assert whole["households_n"] == whole["houses_n"] + 1
    homesteads = run.table("homesteads")
    assert run.table("ways")["area_m2"].sum() == pytest.approx(homesteads["area_m2"].sum(), abs=0.01)
    quota = run.table("quota").set_index("unit_id")
    # the balance of the first rests on fields where only green may grow, the second took more than it gave
    assert quota.loc["X01", "farmland_balance_mu"] > 0 > quota.loc["X01", "farmland_balance_open_mu"]
    assert quota.loc["X01", "usable"] is pd.NA
    assert not quota.loc["X02", "usable"]
    first = homesteads[homesteads["slope_source"] == "survey"]
    assert len(first) > 50
    assert set(first["slope_class"]) == {1, 3}


def test_a_facility_of_several_files_is_counted_once(county):
    _, run = county
    table = run.table("facilities")
    merged = table[table["merged_n"] > 1]
    # a school of ledger and OSM, a kindergarten of two ledgers, a clinic of ledger and map provider, one typed twice
    assert sorted(merged["category"]) == ["kindergarten", "parcel_point", "primary_school", "village_clinic"]
    assert (merged["merged_n"] == 2).all()
    idle = table[~table["operating"]]
    assert sorted(idle["category"]) == ["cultural_room", "primary_school", "village_clinic"]
    assert not set(run.access["facility_id"]) & set(idle["facility_id"])


def test_places_known_by_their_village_only_say_so(county):
    _truth, run = county
    coarse = run.places[run.places["position_source"] == "village_centre"]
    assert set(coarse["place_kind"]) == {"settlement", "household"}
    assert (coarse["position_error_m"] > 200).all()
    shares = run.table("shares").query("by == 'all' and place_kind == 'household'").dropna()
    assert (shares["people_share_low"] <= shares["people_all_met_share"] + 1e-12).all()
    assert (shares["people_all_met_share"] <= shares["people_share_high"] + 1e-12).all()
    assert (shares["people_share_low"] < shares["people_share_high"]).any()


def test_the_county_is_always_the_same(tmp_path: Path):
    def content(folder: Path):
        write_county(folder, scale=SMALL)
        kept = (".csv", ".shp", ".dbf", ".toml", ".tif", ".pbf", ".fgb", ".parquet")
        return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix in kept}

    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_an_old_county_is_written_over_and_nothing_else(tmp_path: Path):
    first = write_county(tmp_path / "a", scale=SMALL)
    again = write_county(tmp_path / "a", scale=SMALL)
    assert first.verdicts.equals(again.verdicts)
    assert len(io.read_vector(tmp_path / "a" / "三调.gdb", layer="DLTB")) == 3 * 3 * first.numbers["villages"]
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


def test_no_name_and_no_number_of_a_person_is_kept(county):
    _, run = county
    files = run.folder.parent
    number = io.read_table(io.tables_in(files / "旧房台账")[0]).rows[2][3]
    assert len(number) == 18
    kept = [
        path for folder in (run.folder, files.with_name("stages")) for path in folder.rglob("*") if path.is_file()
    ]
    assert len(kept) > 60
    for path in kept:
        text = path.read_bytes().decode("utf-8", errors="ignore")
        if path.suffix == ".parquet":  # compressed
            text = pd.read_parquet(path).to_csv()
        assert "张某某" not in text, path
        assert number not in text, path


def test_a_changed_project_file_is_kept(tmp_path: Path):
    write_county(tmp_path / "a", scale=SMALL)
    path = tmp_path / "a" / PROJECT
    changed = path.read_text("utf-8").replace('name = "样例县"', 'name = "我的县"')
    path.write_text(changed, "utf-8")
    write_county(tmp_path / "a", scale=SMALL)
    assert path.read_text("utf-8") == changed
