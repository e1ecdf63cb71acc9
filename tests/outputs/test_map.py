from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import yike
from layers.catalog import load
from layers.sample import PROJECT, write_county
from outputs.map import _plots
from outputs.messages import load as messages


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county") / "样例"
    write_county(folder, scale=0.1)
    return yike.open(folder / PROJECT).run()


def test_the_page_refers_to_nothing_outside(run):
    text = run.map().read_text("utf-8")
    code = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", code)
    assert not re.search(r"url\((?!data:|#)", code)
    assert "<link" not in code
    assert "@import" not in code
    assert "sourceMappingURL" not in text
    assert "default-src 'none'" in text
    # the words of a source may name an address; nothing is fetched from it, see the browser's test


def test_equal_runs_make_equal_pages(run, tmp_path: Path):
    again = yike.open(run.folder.parent / PROJECT).run(tmp_path / "again")
    assert run.map().read_bytes() == again.map().read_bytes()


@pytest.fixture
def page(browser, run):
    opened = browser.new_page(viewport={"width": 1300, "height": 850})
    opened.asked, opened.said = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("console", lambda message: opened.said.append(message.text))
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.goto(run.map().as_uri())
    opened.wait_for_selector("body[data-ready='1']", state="attached", timeout=30_000)
    yield opened
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []
    opened.close()


@pytest.mark.browser
def test_the_page_opens_quietly_and_offers_every_known_category(page, run):
    access = run.access
    known = access.loc[access["deciding"] & (access["status"] != "no_data"), "category"].nunique()
    assert page.locator("#choose option[value^='c']").count() == known
    assert "样例县" in page.title()


@pytest.mark.browser
def test_the_legend_counts_what_the_table_says(page, run):
    ids = page.evaluate(
        "Array.from(document.querySelectorAll('#choose option')).map(o => [o.value, o.textContent])"
    )
    value = next(value for value, text in ids if value.startswith("c") and text.startswith("小学"))
    page.select_option("#choose", value)
    page.uncheck("#show-households")
    shown = dict(page.evaluate("Array.from(document.querySelectorAll('#legend div')).map(d => [d.children[1].textContent, +d.children[2].textContent])"))  # fmt: skip
    access = run.access.merge(run.places.query("place_kind == 'settlement'")[["place_id"]])
    mine = access[access["deciding"] & (access["category"] == "primary_school")]
    counted = mine["status"].value_counts()
    assert shown["超时"] == counted["beyond_limit"] > 3
    assert shown["路网不通"] == counted["unreachable"] == 1
    assert shown["离路太远"] == counted["off_network"] >= 1
    assert shown["达标"] == counted["served"]


@pytest.mark.browser
def test_a_place_is_found_by_name_and_told(page):
    page.fill("#side input[type=search]", "河西安置")
    page.keyboard.press("Enter")
    page.wait_for_selector("#place:not([hidden])")
    text = page.inner_text("#place")
    assert "河西安置点" in text
    assert "够不着" in text
    assert "路网不通" in text
    assert "河西村卫生室" in text


@pytest.mark.browser
def test_hosts_are_counted_when_they_are_shown(page, run):
    kinds = run.places["place_kind"].value_counts()
    count = "Array.from(document.querySelectorAll('#legend b')).reduce((n, b) => n + +b.textContent, 0)"
    assert page.evaluate(count) == kinds["settlement"] + kinds["household"]
    page.check("#show-hosts")
    assert page.evaluate(count) == len(run.places)


@pytest.mark.browser
def test_the_page_says_who_is_not_on_it(browser, run, tmp_path: Path):
    folder = run.folder.parent
    text = (folder / PROJECT).read_text("utf-8").replace('villages = "行政村.shp"', "")
    (folder / "无村界.toml").write_text(text, "utf-8")
    opened = browser.new_page()
    opened.goto(yike.open(folder / "无村界.toml").run(tmp_path / "out").map().as_uri())
    opened.wait_for_selector("body[data-ready='1']", state="attached", timeout=30_000)
    # the one whose coordinates are exchanged, the one without, and households known by their village
    assert "另有 5 处没有可用的坐标" in opened.inner_text("#side")
    opened.close()


@pytest.mark.browser
def test_something_is_drawn(page):
    # the canvas is not empty: streets, places, plots
    drawn = page.evaluate("""() => { const c = document.querySelector('canvas.leaflet-zoom-animated');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; }""")
    assert drawn > 1000


@pytest.mark.browser
def test_a_list_that_is_mostly_unknown_is_not_called_met(page, run):
    lists = page.evaluate(
        "Array.from(document.querySelectorAll('#choose option')).map(o => [o.value, o.textContent])"
    )
    shown_on = run.places.query("place_kind != 'host'")[["place_id", "lon"]]
    circles = run.circles[run.circles["persona"] == "adult"].merge(shown_on).dropna(subset="lon")
    for value, text in lists:
        if not value.startswith("l"):
            continue
        page.select_option("#choose", value)
        shown = dict(page.evaluate("Array.from(document.querySelectorAll('#legend div')).filter(d => d.children.length > 2).map(d => [d.children[1].textContent, +d.children[2].textContent])"))  # fmt: skip
        mine = circles[circles["list"] == {c.name_zh: c.id for c in load().lists.values()}[text]]
        judged = mine[2 * mine["total_n"] >= mine["list_n"]]
        assert shown["全部达标"] == (judged["met_n"] == judged["total_n"]).sum(), text
        assert sum(shown.values()) == len(shown_on.dropna())


@pytest.mark.browser
def test_plots_are_coloured_by_way_and_one_that_is_clicked_is_told(page, run):
    plots = run.table("homesteads")
    shown = page.locator("section", has=page.locator("#plots-by")).inner_text()
    counts = plots["way"].value_counts()
    for way, word in (("consolidate", "整理"), ("regreen", "复绿"), ("retained", "保留"), ("hold", "待定")):
        assert f"{word}：{counts[way]}" in shown
    page.select_option("#plots-by", label="阶段")
    shown = page.locator("section", has=page.locator("#plots-by")).inner_text()
    late = plots["overdue"].fillna(False).astype(bool)
    for words, own in (("待拆，已逾期", late), ("待拆", ~late & (plots["stage"] == "standing")),
                       ("已确权", plots["stage"] == "certified"), ("阶段不明", plots["stage"] == "")):  # fmt: skip
        assert f"{words}：{own.sum()}" in shown
    page.select_option("#plots-by", label="是否须现场核查")
    shown = page.locator("section", has=page.locator("#plots-by")).inner_text()
    assert f"须现场核查：{plots['field_check'].sum()}" in shown
    one = plots[(plots["way"] == "regreen") & (plots["stage"] == "certified")].iloc[3]
    page.wait_for_timeout(1000)  # the page comes to rest on the whole county first
    page.evaluate(
        "at => { window[Object.keys(window).find(k => k.startsWith('map_'))].setView(at, 19, { animate: false }); }",
        [one["lat"], one["lon"]],
    )
    page.wait_for_timeout(1000)
    box = page.locator(".leaflet-container").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#place:not([hidden])", timeout=5_000)
    told = page.locator("#place").inner_text()
    assert told.startswith(("关闭", one["homestead_id"]))
    assert f"{one['homestead_id']} · 复绿" in told
    assert one["reasons"].split("；")[0] in told
    assert f"{one['area_m2']:.1f} ㎡" in told
    assert "已确权" in told


def test_the_hole_of_a_plot_is_a_hole():
    ring = shapely.box(0.2, 0.2, 0.4, 0.4).exterior
    shapes = [shapely.box(0, 0, 1, 1), shapely.Polygon(shapely.box(0, 0, 1, 1).exterior, [ring])]
    told = {"homestead_id": ["A", "B"], "area_m2": 1.0, "reasons": "", "way": "reclaim", "slope_class": pd.NA,
            "slope_deg_mean": float("nan"), "field_check": False, "stage": "", "overdue": pd.NA}  # fmt: skip
    drawn, _ = _plots(gpd.GeoDataFrame(told, geometry=shapes, crs=4326), messages("zh"))
    assert list(drawn["holes"]) == [1]
    assert np.abs(np.array(drawn["holes"][1][0]).reshape(-1, 2).cumsum(axis=0)[0]).max() <= 400_000
    assert [by["name"] for by in drawn["by"]] == ["去向", "坡度级", "是否须现场核查"]  # no ledger, no stages
