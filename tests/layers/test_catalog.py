from __future__ import annotations

import copy
import json
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from geo.problems import Stop
from layers import catalog

FILES = catalog.FILES


@pytest.fixture
def data_tables():
    folder = resources.files("layers.catalog")
    return {name: tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in FILES}


def stopped(work) -> list[tuple[str, str]]:
    with pytest.raises(Stop) as stop:
        work()
    return sorted((dict(p.params)["row"], dict(p.params)["key"]) for p in stop.value.problems)


def test_the_catalogue_holds_all_categories():
    loaded = catalog.load()
    assert len(loaded.categories) == 118
    assert len(loaded.in_access()) == len([c for c in loaded.categories.values() if c.in_access])
    assert not any(c.in_access for c in loaded.categories.values() if c.kind == "line")


def test_every_number_has_a_source_and_a_certainty():
    for at, standard in catalog.load().standards.items():
        assert standard.source, at
        assert standard.certainty in catalog.CERTAINTIES, at


def test_lists_have_members():
    loaded = catalog.load()
    sizes = {name: len(loaded.on_list(name)) for name in loaded.lists}
    # the ministry's basic list has 14 entries, of which 前置仓 has no category here
    assert sizes["mofcom_basic"] == 13
    assert sizes["policy_3_named_six"] == 6
    assert sizes["policy_3_named_seven"] == 7
    assert sizes["policy_3_named_two"] == 2
    assert all(sizes.values())


def test_all_faults_are_told_at_once(data_tables):
    broken = copy.deepcopy(data_tables)
    rows = broken["categories"]["category"]
    rows[0]["kind"] = "cloud"
    rows[1]["direction"] = "sideways"
    rows[2]["lists"] = ["nobody's"]
    rows[3]["osm"] = ["amenity"]
    rows[4]["substitutes"] = {"rural": ["no_such"]}
    rows[5]["deciding_mode"] = {"urban": "walk", "park": "walk", "rural": "swim"}
    rows[7]["id"] = rows[6]["id"]
    broken["standards"]["kindergarten"]["urban"]["source"] = ""
    broken["standards"]["kindergarten"]["park"]["certainty"] = "X"
    broken["standards"]["kindergarten"]["rural"]["walk_min"] = -1
    broken["standards"]["kindergarten"]["space"] = {"source": "s", "certainty": "V", "swim_min": 1}
    broken["standards"]["no_such"] = {}
    found = stopped(lambda: catalog.build(broken))
    assert ("kindergarten", "kind") in found
    assert ("nursery", "direction") in found
    assert ("primary_school", "lists") in found
    assert ("teaching_point", "osm") in found
    assert ("junior_middle_school", "substitutes") in found
    assert ("nine_year_school", "deciding_mode.rural") in found
    assert ("senior_high_school", "id") in found
    assert ("kindergarten.urban", "source") in found
    assert ("kindergarten.park", "certainty") in found
    assert ("kindergarten.rural", "walk_min") in found
    assert ("kindergarten.space", "profile") in found
    assert ("kindergarten.space", "swim_min") in found
    assert ("no_such", "id") in found


def test_an_override_moves_one_number_and_says_whose_it_is():
    base = catalog.load()
    moved = base.with_overrides({"primary_school.rural.walk_min": 25}, {})
    assert moved.standard("primary_school", "rural").walk_min == 25
    assert moved.standard("primary_school", "rural").certainty == "P"
    assert "25" in moved.standard("primary_school", "rural").source
    changed = {at for at in base.standards if base.standards[at] != moved.standards[at]}
    assert changed == {("primary_school", "rural")}
    assert base.standard("primary_school", "rural").walk_min == 40  # nothing given is changed


def test_an_override_may_give_a_standard_where_there_was_none():
    base = catalog.load()
    assert base.standard("vocational_school", "rural").walk_min is None
    moved = base.with_overrides({"vocational_school.rural.walk_min": 60}, {})
    assert moved.standard("vocational_school", "rural").walk_min == 60


def test_an_override_of_tags_replaces_the_rules():
    moved = catalog.load().with_overrides({}, {"primary_school.osm": ["amenity=school"]})
    assert [rule.text for rule in moved.categories["primary_school"].osm] == ["amenity=school"]


@pytest.mark.parametrize(
    ("standards", "categories"),
    [
        ({"primary_school.rural.walk": 1}, {}), ({"primary.rural.walk_min": 1}, {}),
        ({"primary_school.walk_min": 1}, {}), ({"primary_school.rural.walk_min": 0}, {}),
        ({"primary_school.rural.walk_min": "40"}, {}), ({"primary_school.rural.walk_min": True}, {}),
        ({}, {"primary_school.amap": []}), ({}, {"no_such.osm": []}), ({}, {"primary_school.osm": "amenity"}),
        ({}, {"primary_school.osm": [1]}),
    ],
)  # fmt: skip
def test_a_wrong_override_is_refused(standards, categories):
    with pytest.raises(Stop) as stop:
        catalog.load().with_overrides(standards, categories)
    assert len(stop.value.problems) == 1


def test_wrong_overrides_are_told_together():
    with pytest.raises(Stop) as stop:
        catalog.load().with_overrides({"a.b.c": 1, "primary_school.rural.walk_min": -2}, {"x.osm": []})
    assert len(stop.value.problems) == 3


@pytest.mark.parametrize(
    ("people", "name"),
    [
        (0, "micro"),
        (199, "micro"),
        (200, "small"),
        (800, "medium"),
        (3000, "large"),
        (10_000, "huge"),
        (float("nan"), ""),
    ],
)
def test_the_lower_bound_belongs_to_a_size_class(people, name):
    assert catalog.load().size_class(people) == name


@pytest.mark.parametrize(
    ("words", "profile"),
    [("城镇集中安置", "urban"), ("产业园区安置", "park"), ("农村集中安置", "rural"), ("是", ""), ("", "")],
)
def test_a_ledgers_words_name_the_profile(words, profile):
    assert catalog.load().profile_of(words) == profile


# --- against the facts ------------------------------------------------------------------------------------


@pytest.mark.data
def test_every_category_of_the_facts_is_here_with_its_thresholds(data: Path):
    facts = json.loads((data.parent / "facts" / "taxonomy.json").read_text("utf-8"))
    own = catalog.load()
    assert set(own.categories) == {fact["id"] for fact in facts}
    for fact in facts:
        category = own.categories[fact["id"]]
        for profile, walk, radius, drive in (
            ("urban", "urban_walk_min", "urban_m", None), ("park", "urban_walk_min", "urban_m", None),
            ("rural", "rural_walk_min", None, "rural_drive_min"),
        ):  # fmt: skip
            standard = own.standard(category.id, profile)
            due = [fact.get(key) if key else None for key in (walk, drive, radius)]
            assert [standard.walk_min, standard.drive_min, standard.radius_m] == due, (category.id, profile)
            assert (profile in category.no_standard) == (due == [None] * 3), (category.id, profile)
        assert (category.direction, category.persona, category.in_access) == (
            fact["direction"], fact["persona"], fact["in_access"],
        )  # fmt: skip
        assert dict(category.deciding_mode) == fact["deciding_mode"]
        assert sorted(category.lists) == sorted(fact["lists"])
        assert {p: list(ids) for p, ids in category.substitutes.items() if ids} == {
            p: ids for p, ids in fact["substitutes"].items() if ids
        }
        due_people = {p: n for p, n in (fact.get("min_population") or {}).items() if n is not None}
        assert dict(category.min_population) == due_people


@pytest.mark.data
def test_every_heading_of_the_facts_is_known(data: Path):
    facts = json.loads((data.parent / "facts" / "header_aliases.json").read_text("utf-8"))
    own = catalog.load().headers
    for ledger, fields in facts.items():
        for field, words in fields.items():
            assert set(words) <= set(own[ledger.lower()][field]), (ledger, field)


def test_a_category_that_went_missing_fails_the_load(data_tables):
    broken = copy.deepcopy(data_tables)
    lost = broken["categories"]["category"].pop(0)
    found = stopped(lambda: catalog.build(broken))
    assert (lost["group"], "category_n") in found
    assert (lost["lists"][0], "category_n") in found
    assert (lost["id"], "id") in found  # its standards name nobody


def test_a_category_without_a_word_on_a_profile_fails_the_load(data_tables):
    broken = copy.deepcopy(data_tables)
    del broken["standards"]["kindergarten"]["rural"]
    broken["categories"]["category"][1]["no_standard"] = ["urban"]  # and it has one
    found = stopped(lambda: catalog.build(broken))
    assert ("kindergarten.rural", "no_standard") in found
    assert ("nursery.urban", "no_standard") in found


def test_a_ledger_of_fields_that_no_heading_names_fails_the_load(data_tables):
    broken = copy.deepcopy(data_tables)
    broken["ledgers"]["labour"]["numbers"].append("horses")
    broken["landuse"]["third_survey"]["use"]["01"] = "sea"
    broken["landuse"]["third_survey"]["source"] = ""
    broken["categories"]["category"][0]["amap_name"] = "("
    found = stopped(lambda: catalog.build(broken))
    assert {
        ("labour", "labour"),
        ("third_survey.01", "use"),
        ("third_survey", "source"),
        ("kindergarten", "amap_name"),
    } <= set(found)
