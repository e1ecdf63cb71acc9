"""Who lives there: settlements with what is planted in their rows, scattered households, and hosts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layers.sample.roads import Layout, Spot

TOWN_NAMES = (
    "城关镇",
    "石门乡",
    "向阳乡",
    "红岩乡",
    "双河乡",
    "青杠乡",
    "柏香乡",
    "马鞍乡",
    "白水乡",
    "金竹乡",
    "云台乡",
    "龙泉乡",
)
_FIRST = ("上", "下", "大", "小", "新", "老", "东", "西", "前", "后", "中", "平")
_LAST = ("坝", "湾", "坪", "沟", "岩", "河", "坡", "岭", "塘", "桥")
_TIMES = ("", "二", "三", "四", "五")
COUNTY, CODE = "样例县", "519901"
"""No county has this name or this code."""


@dataclass(frozen=True, slots=True)
class Village:
    """A village with its division code, in a town."""

    code: str
    name: str
    town: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Home:
    """
    A settlement, a household or hosts, at a node of the streets.

    ``trait`` is what is planted in its row; ``shape`` what its people are spread over: '' for a point.
    """

    id: str
    name: str
    town: str
    village: str
    kind: str
    people: int
    node: int
    mode: str = ""
    trait: str = ""
    shape: str = ""
    hosts: int = 0


def name_villages(layout: Layout) -> list[Village]:
    """Name towns and villages; each belongs to the nearest town, and two of one name to two towns."""
    x = np.array(layout.roads.x)
    y = np.array(layout.roads.y)
    seats = [town.centre for town in layout.towns]
    names = [first + last + "村" for last in _LAST for first in _FIRST]
    found: list[Village] = []
    count: dict[int, int] = {}
    for number, spot in enumerate(layout.villages):
        away = np.hypot(x[seats] - x[spot.centre], y[seats] - y[spot.centre])
        town = int(np.argmin(away))
        count[town] = count.get(town, 0) + 1
        code = f"{CODE}{100 + town:03d}{200 + count[town]:03d}"
        found.append(Village(code, names[number], TOWN_NAMES[town], spot))
    twin = next((v for v in found[1:] if v.town != found[0].town), None)
    return [Village(v.code, found[0].name, v.town, v.spot) if v is twin else v for v in found]


def settle(layout: Layout, villages: list[Village], rng: np.random.Generator, n: int) -> list[Home]:
    """Place settlements: in the county town, in town seats, at a park, in villages; some with a planted trait."""
    county = layout.towns[0]
    towns = layout.towns[1:]
    homes = [
        Home("A001", "幸福社区安置点", TOWN_NAMES[0], "", "城镇集中安置", 10_400, county.centre, "步行", hosts=2_600),
        Home("A002", "新城社区安置点", TOWN_NAMES[0], "", "城镇集中安置", 4_120, county.lanes[56], "步行", shape="ground"),
        Home("A003", "工业园安置点", TOWN_NAMES[0], "", "产业园区安置", 1_180, county.lanes[30], "步行", shape="gates"),
    ]  # fmt: skip
    homes += [
        Home(f"A{number:03d}", f"{TOWN_NAMES[number - 3]}集镇安置点", TOWN_NAMES[number - 3], "", "城镇集中安置",
             int(rng.integers(820, 3_300)), town.lanes[0], "步行")
        for number, town in zip(range(4, min(8, n - 8)), towns, strict=False)
    ]  # fmt: skip
    # one that no bridge reaches, one far above every street, and rows with a fault; the rest in villages
    traits = ["swapped", "unplaced", "pop_text", "repeated", "buildings", "by_bus"]
    modes = ("摩托车", "步行", "摩托车", "步行", "", "电动车")
    first = villages[0]
    homes.append(Home(f"A{len(homes) + 1:03d}", "河西安置点", TOWN_NAMES[0], "", "农村安置", 184, layout.far_bank[0],
                      "步行", trait="cut_off"))  # fmt: skip
    homes.append(Home(f"A{len(homes) + 1:03d}", "高山安置点", first.town, first.name, "农村安置", 64, first.spot.centre,
                      "步行", trait="high_up"))  # fmt: skip
    spread = rng.permutation(len(villages))
    count: dict[Village, int] = {}
    while len(homes) < n:
        number = len(homes)
        village = villages[int(spread[number % len(villages)])]
        trait = traits.pop(0) if traits else ""
        count[village] = count.get(village, -1) + 1
        people = int(rng.choice([96, 148, 205, 260, 330, 420, 640, 860, 1_240]))
        node = int(village.spot.lanes[int(rng.integers(0, 9))])
        mode = "公交" if trait == "by_bus" else modes[number % len(modes)]
        shape = "buildings" if trait == "buildings" else ""
        planted = trait if trait not in ("buildings", "by_bus") else ""
        homes.append(Home(f"A{number + 1:03d}", f"{village.town}{village.name}安置点{_TIMES[count[village]]}", village.town, village.name,
                          "农村安置", people, node, mode, planted, shape))  # fmt: skip
    return homes


def scatter(villages: list[Village], rng: np.random.Generator, n: int) -> list[Home]:
    """Scattered households on the lanes and paths of villages; some are known by their village only."""
    homes = []
    for number in range(n):
        village = villages[number % len(villages)]
        node = int(rng.choice(village.spot.lanes))
        homes.append(Home(f"H{number + 1:04d}", "", village.town, village.name, "分散安置", int(rng.integers(1, 8)),
                          node, "", "no_position" if number % 25 == 7 else ""))  # fmt: skip
    return homes


def hosts(layout: Layout, villages: list[Village], rng: np.random.Generator) -> list[Home]:
    """Who lived there before: in each town and each village."""
    out = [
        Home(f"Z{number + 1:03d}", f"{TOWN_NAMES[number]}居民", TOWN_NAMES[number], "", "城镇",
             int(rng.integers(900, 2_500)) if number else 18_000, town.centre)
        for number, town in enumerate(layout.towns)
    ]  # fmt: skip
    return out + [
        Home(f"Z{number:03d}", f"{v.town}{v.name}居民", v.town, v.name, "农村", int(rng.integers(180, 900)), v.spot.centre)
        for number, v in enumerate(villages, start=len(out) + 1)
    ]  # fmt: skip
