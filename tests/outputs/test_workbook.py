from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.circle import circle_shares, judge_circles
from analysis.gaps import coverage, distance_gaps
from analysis.intervals import VARIANTS
from analysis.laws import check_laws
from geo import io
from geo.problems import Problem
from outputs.messages import load, problem_table
from outputs.workbook import MANY_ROWS, BookInput, folded, write_workbook
from tests.analysis.test_access import CLINIC, LINE, SHOP, measure
from tests.flatland import CATALOG, facilities, places


def book(path: Path, language="zh") -> Path:
    at = places([(0, 0), (20, 0), (50, 0)], people=[10.5, 20, np.nan])
    at["place_name"] = ["甲村", "=1+1", "丙村"]
    access, at = measure(LINE, at, [(CLINIC, (20, 0)), (SHOP, (1, 0))])
    tables = {
        "places": at, "access": access, "gaps": distance_gaps(access), "coverage": coverage(access, at),
        "circles": judge_circles(access, at, catalog=CATALOG, personas=("adult",)),
        "facilities": facilities((CLINIC, (1, 0))),
        "problems": problem_table([Problem("position_missing", "fault", file="a.xlsx", row=3)], load(language)),
    }  # fmt: skip
    tables["shares"] = circle_shares(tables["circles"], at)
    tables["laws"] = check_laws(tables, catalog=CATALOG)
    given = BookInput("样例", tables, CATALOG, {"a.xlsx": "ab" * 32}, "2026-11-24", "0.1.0")
    write_workbook(given, path, load(language))
    return path


def sheet(path: Path, name: str) -> pd.DataFrame:
    head, *rows = io.read_table(path, sheet=name).rows
    return pd.DataFrame(rows, columns=head)


def test_sheets_have_names_instead_of_ids(tmp_path: Path):
    path = book(tmp_path / "workbook.xlsx")
    assert io.sheet_names(path) == [
        "说明",
        "缺口",
        "覆盖",
        "生活圈",
        "分组达标",
        "安置点",
        "可达明细",
        "设施",
        "问题",
        "规则校核",
    ]
    gaps = sheet(path, "缺口")
    mine = gaps[gaps["设施类别"] == "村卫生室"]
    assert mine["安置点"].tolist() == ["丙村"]
    assert float(mine["超出（分钟）"].iloc[0]) == pytest.approx(15.0)
    assert mine["状态"].tolist() == ["超时"]
    text = "".join(
        "".join(row) for name in io.sheet_names(path)[1:9] for row in io.read_table(path, sheet=name).rows
    )
    assert "village_clinic" not in text
    assert "beyond_limit" not in text


def test_unknown_cells_are_empty_and_formulas_are_text(tmp_path: Path):
    path = book(tmp_path / "workbook.xlsx")
    at = sheet(path, "安置点")
    assert at["安置点"].tolist() == ["甲村", "=1+1", "丙村"]
    assert at["人口"].tolist() == ["10.5", "20", ""]


def test_no_data_is_not_listed_as_a_gap(tmp_path: Path):
    path = book(tmp_path / "workbook.xlsx")
    assert set(sheet(path, "缺口")["设施类别"]) <= {"村卫生室", "便利店/便民商店"}


def test_english_has_the_same_shape(tmp_path: Path):
    zh, en = book(tmp_path / "zh.xlsx"), book(tmp_path / "en.xlsx", language="en")
    assert len(io.sheet_names(zh)) == len(io.sheet_names(en))
    gaps = sheet(en, io.sheet_names(en)[1])
    assert "village clinic" in gaps.to_numpy()


@pytest.mark.office
def test_an_office_opens_it(tmp_path: Path, office):
    path = book(tmp_path / "workbook.xlsx")
    home = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    convert = [
        office,
        home,
        "--headless",
        "--convert-to",
        "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2",
    ]
    subprocess.run([*convert, "--outdir", str(tmp_path), str(path)], check=True, capture_output=True, timeout=120)
    (written,) = tmp_path.glob("*.csv")
    assert "丙村" in written.read_text("utf-8")


def test_every_share_is_shown_as_a_percentage(tmp_path: Path):
    at = places([(0, 0)])
    shown = {name: [0.25] for name in ("people_share", "people_share_low", "people_share_high", *VARIANTS)}
    ranges = pd.DataFrame(
        {"place_kind": ["settlement"], "category": [CLINIC], "list": [""], "persona": [""]} | shown
    )
    tables = {"places": at, "intervals": ranges}
    write_workbook(BookInput("样例", tables, CATALOG, {}, "2026-11-25", "0.1.0"), tmp_path / "b.xlsx", load("zh"))
    with zipfile.ZipFile(tmp_path / "b.xlsx") as parts:
        cells = re.findall(
            r'<c r="[A-Z]+2" s="(\d+)"><v>0.25</v>', parts.read("xl/worksheets/sheet2.xml").decode()
        )
        styles = parts.read("xl/styles.xml").decode()
    formats = re.findall(r'<xf numFmtId="(\d+)"', styles.split("<cellXfs")[1])
    codes = dict(re.findall(r'numFmtId="(\d+)" formatCode="([^"]+)"', styles))
    assert [codes[formats[int(style)]] for style in cells] == ["0.0%"] * len(shown)


def test_ten_thousand_problems_of_one_kind_are_a_hundred_rows_and_a_sentence():
    many = [Problem("id_repeated", "fault", file="旧宅.shp", row=n, value="Z") for n in range(10_000)]
    few = [
        Problem("id_repeated", "fault", file="另一.shp", row=3, value="Y"),
        Problem("position_missing", "fault", file="旧宅.shp", row=3),
    ]
    table = problem_table(many + few, load("zh"))
    shown = folded(table, load("zh"))
    assert len(shown) == MANY_ROWS + 1 + 2
    more = shown[shown["what"].str.contains("9,900")]
    assert len(more) == 1
    assert more["row"].isna().all()
    assert (more["file"] == "旧宅.shp").all()
    pd.testing.assert_frame_equal(folded(shown[shown["row"].notna()], load("zh")), shown[shown["row"].notna()])
