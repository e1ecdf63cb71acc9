from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

import yike
from analysis.access import STATUSES
from analysis.care import CARE_METHODS, CARE_STATUSES
from analysis.laws import LAWS
from analysis.seats import SEAT_STATUSES
from geo.problems import Problem
from layers import catalog
from outputs.messages import LANGUAGES, load, problem_table

ROOT = Path(yike.__file__).resolve().parent.parent
SOURCES = [
    path for package in ("geo", "layers", "analysis", "outputs", "yike") for path in (ROOT / package).rglob("*.py")
]


def leaves(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_parameters():
    zh, en = (dict(leaves(load(language).words)) for language in LANGUAGES)
    assert zh.keys() == en.keys()
    different = {key for key in zh if holes(zh[key]) != holes(en[key])}
    assert not different


def used_codes():
    """Every code of a problem that the code raises, with all names and texts of the function that does so."""
    for path in SOURCES:
        tree = ast.parse(path.read_text("utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            nodes = list(ast.walk(function))
            words = {n.arg for n in nodes if isinstance(n, ast.keyword)}
            words |= {word.removesuffix("_zh") for word in words if word}  # named in each language
            words |= {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            for call in nodes:
                if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                    name = ast.unparse(call.func).rsplit(".", 1)
                    if name[-1] in ("Problem", "stop", "doubt", "fault", "_faults"):
                        yield str(call.args[0].value), words, f"{path.name}:{call.lineno}"


def test_every_problem_has_its_sentence_and_its_parameters():
    known = load("zh").words["problem"]
    used = list(used_codes())
    assert len(used) > 50
    for code, words, where in used:
        assert code in known, where
        assert holes(known[code]["what"] + known[code]["action"]) <= words | {"value"}, (code, where)


def test_what_has_a_name_in_each_language_is_named_in_its_own():
    told = Problem.doubt(
        "gates_not_asked", file="旧宅.shp", layer="homesteads", n=1, names_zh="近耕地", names_en="near fields"
    )
    assert "近耕地" in load("zh").sentence(told)
    assert "near fields" in load("en").sentence(told)
    assert "近耕地" not in load("en").sentence(told)


def test_no_sentence_is_left_over():
    assert set(load("zh").words["problem"]) == {code for code, _, _ in used_codes()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_shown_has_a_word(language):
    words = load(language).words
    assert set(words["status"]) == {*STATUSES, *SEAT_STATUSES, *CARE_STATUSES}
    assert set(CARE_METHODS) <= set(words["method"])
    assert {law.name for law in LAWS} <= set(words["law"])
    assert set(catalog.CERTAINTIES) <= set(words["certainty"])
    assert set(catalog.PROFILES) == set(words["profile"])


def test_chinese_is_chinese():
    for key, text in leaves(load("zh").words):
        if key.startswith(("problem.", "status.", "column.")) and text and not holes(text):
            assert re.search(r"[一-鿿]", text), key


def test_a_sentence_names_its_place():
    problem = Problem(
        "not_a_number", "fault", file="台账.xlsx", sheet="安置点", row=17, column="人口", value="约20"
    )
    assert load("zh").sentence(problem) == "台账.xlsx 〔安置点〕 第 17 行 人口：“约20”不是数。 按空值处理。"
    assert load("en").sentence(problem).startswith("台账.xlsx")
    assert "row 17" in load("en").sentence(problem)


def test_personal_values_are_hidden_everywhere():
    problem = Problem(
        "not_a_number", "fault", file="a.xlsx", row=2, column="人口", value="张某 11010519491231002X"
    )
    messages = load("zh")
    table = problem_table([problem], messages)
    assert "1101" not in messages.sentence(problem) + " ".join(table.astype(str).iloc[0])


def test_problems_come_by_file_and_row():
    rows = [
        Problem("position_missing", "fault", file=file, row=row) for file, row in (("b", 2), ("a", 17), ("a", 16))
    ]
    assert problem_table(rows, load("zh"))[["file", "row"]].values.tolist() == [["a", 16], ["a", 17], ["b", 2]]


def test_the_worst_come_first():
    kinds = ("doubt", "stop", "fault", "doubt")
    table = problem_table([Problem("position_missing", kind) for kind in kinds], load("zh"))
    assert table["severity"].tolist() == ["stop", "fault", "doubt", "doubt"]
