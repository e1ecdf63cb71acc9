"""What serves them: facilities by the file they are listed in, at nodes of the streets, and what is planted there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from layers.sample.people import TOWN_NAMES, Village
from layers.sample.roads import Layout

SCHOOL, HEALTH, LEDGER, AMAP, JOBS, OSM, SHIFTED = "school", "health", "ledger", "amap", "jobs", "osm", "shifted"


@dataclass(frozen=True, slots=True)
class Service:
    """
    A facility in one file.

    ``capacity`` is seats, beds or jobs; ``trait`` is what is planted: ``closed``, ``planned``, ``ended`` (does
    not operate), ``twice`` (a second row), ``also`` (the same one in another file, 40 m beside).
    """

    code: str
    category: str
    name: str
    node: int
    source: str
    capacity: int = 0
    staff: int = 0
    town: str = ""
    village: str = ""
    trait: str = ""


_COUNTY_TOWN = {
    SCHOOL: {"kindergarten": 4, "primary_school": 3, "junior_middle_school": 2, "senior_high_school": 1,
             "nine_year_school": 1, "vocational_school": 1, "special_education": 1},
    HEALTH: {"county_hospital": 1, "maternal_child_health": 1, "disease_control": 1, "emergency_station": 1,
             "community_health_centre": 2, "community_health_station": 12},
    AMAP: {"supermarket": 3, "convenience_store": 20, "farmers_market": 2, "fresh_food_store": 6,
           "breakfast_shop": 10, "laundry": 4, "hairdresser": 10, "photo_print": 4, "repair_point": 5,
           "pharmacy": 10, "mall": 1, "restaurant": 14, "bookstore": 2, "wellness_shop": 3, "bank_branch": 6,
           "telecom_office": 4},
    LEDGER: {"party_service_centre": 3, "one_stop_hall": 2, "legal_service": 2, "employment_service": 1,
             "startup_window": 1, "police_post": 2, "fire_station": 1, "emergency_shelter": 3,
             "comprehensive_security": 2, "property_service": 3, "mass_org_point": 1, "self_gov_venue": 1,
             "wedding_funeral_venue": 2, "cultural_centre": 1, "cultural_room": 3, "cultural_square": 3,
             "rural_library": 2, "public_sports_field": 1, "fitness_centre": 1, "multi_sport_court": 3,
             "outdoor_fitness": 4, "park_green": 2, "elderly_home": 1, "elderly_day_care": 2,
             "elderly_complex": 1, "social_work_station": 1, "disability_care": 1, "child_care_home": 1,
             "nursery": 2, "post_office": 2, "parcel_point": 4, "supply_coop": 1, "gas_service": 2,
             "power_service": 1, "water_service": 1, "ecommerce_county_centre": 1, "logistics_centre": 1,
             "private_gym": 2, "training_site": 2, "housekeeping": 3, "atm_agent": 4},
    OSM: {"bus_stop": 12, "public_toilet": 6, "coach_station": 1},
    JOBS: {"industrial_park": 1, "enterprise": 5, "poverty_workshop": 2, "labour_company": 1, "startup_park": 1},
}  # fmt: skip
_TOWN = {
    SCHOOL: {"kindergarten": 1, "primary_school": 1},
    HEALTH: {"township_hospital": 1},
    AMAP: {"supermarket": 1, "farmers_market": 1, "convenience_store": 2, "pharmacy": 1, "restaurant": 2,
           "hairdresser": 1, "bank_branch": 1, "telecom_office": 1, "repair_point": 1, "breakfast_shop": 1},
    LEDGER: {"party_service_centre": 1, "one_stop_hall": 1, "police_post": 1, "cultural_room": 1,
             "cultural_square": 1, "social_work_station": 1, "post_office": 1, "supply_coop": 1,
             "ecommerce_town_station": 1, "power_service": 1, "legal_service": 1, "elderly_home": 1,
             "parcel_point": 1, "wedding_funeral_venue": 1},
    OSM: {"bus_stop": 2, "public_toilet": 1},
    JOBS: {"enterprise": 1, "agri_processing": 1},
}  # fmt: skip
_VILLAGE = (
    (HEALTH, "village_clinic", 0.9), (LEDGER, "convenience_store", 0.85), (LEDGER, "cultural_room", 0.8),
    (LEDGER, "party_service_centre", 1.0), (LEDGER, "farmer_sports_project", 0.9), (LEDGER, "parcel_point", 0.7),
    (LEDGER, "atm_agent", 0.8), (LEDGER, "rural_library", 0.8), (LEDGER, "mutual_aid_elderly", 0.4),
    (LEDGER, "child_care_home", 0.4), (LEDGER, "wedding_funeral_venue", 0.5), (LEDGER, "cultural_square", 0.7),
    (LEDGER, "ecommerce_village_point", 0.5), (OSM, "bus_stop", 0.7), (OSM, "public_toilet", 0.6),
    (JOBS, "coop_family_farm", 0.25), (JOBS, "specialty_base", 0.15), (JOBS, "poverty_workshop", 0.1),
)  # fmt: skip
"""What a village has, from which file, and how likely: what is not there is a planted gap."""

_BY_SIZE = (
    (3_000, ("kindergarten", SCHOOL)), (3_000, ("community_health_station", HEALTH)),
    (800, ("one_stop_hall", LEDGER)), (800, ("elderly_day_care", LEDGER)), (800, ("multi_sport_court", LEDGER)),
    (300, ("outdoor_fitness", LEDGER)), (300, ("property_service", LEDGER)), (500, ("convenience_store", LEDGER)),
)  # fmt: skip
"""What a settlement of so many people got when it was built."""

NAMES = {
    "kindergarten": "幼儿园", "primary_school": "小学", "junior_middle_school": "初级中学", "senior_high_school": "高级中学",
    "nine_year_school": "九年一贯制学校", "vocational_school": "职业技术学校", "special_education": "特殊教育学校",
    "village_clinic": "卫生室", "township_hospital": "卫生院", "community_health_station": "社区卫生服务站",
    "community_health_centre": "社区卫生服务中心", "county_hospital": "人民医院", "maternal_child_health": "妇幼保健院",
    "disease_control": "疾病预防控制中心", "emergency_station": "急救站", "supermarket": "超市",
    "convenience_store": "便民店", "farmers_market": "农贸市场", "fresh_food_store": "生鲜店", "breakfast_shop": "早餐店",
    "laundry": "洗衣店", "hairdresser": "理发店", "photo_print": "照相馆", "repair_point": "维修部", "pharmacy": "药房",
    "mall": "商场", "restaurant": "饭店", "bookstore": "书店", "wellness_shop": "养生馆", "bank_branch": "信用社",
    "telecom_office": "营业厅", "bus_stop": "站", "public_toilet": "公厕", "coach_station": "客运站",
    "party_service_centre": "党群服务中心", "one_stop_hall": "便民服务中心", "legal_service": "公共法律服务站",
    "employment_service": "就业和社会保障服务站", "startup_window": "返乡创业窗口", "police_post": "派出所",
    "fire_station": "消防站", "emergency_shelter": "应急避难场所", "comprehensive_security": "综治中心",
    "property_service": "物业服务点", "mass_org_point": "志愿服务站", "self_gov_venue": "村民议事会场所",
    "wedding_funeral_venue": "红白喜事场所", "cultural_centre": "文化活动中心", "cultural_room": "文化活动室",
    "cultural_square": "文化广场", "rural_library": "农家书屋", "public_sports_field": "公共体育场",
    "fitness_centre": "社区健身中心", "multi_sport_court": "多功能运动场地", "outdoor_fitness": "室外健身点",
    "park_green": "公园", "elderly_home": "敬老院", "elderly_day_care": "老年人日间照料中心",
    "elderly_complex": "社区养老服务综合体", "social_work_station": "社会工作站", "disability_care": "残疾人康复中心",
    "child_care_home": "儿童之家", "nursery": "托育机构", "post_office": "邮政所", "parcel_point": "快递服务点",
    "supply_coop": "供销社", "gas_service": "燃气服务点", "power_service": "电力营业厅", "water_service": "自来水营业厅",
    "ecommerce_county_centre": "电商公共服务中心", "ecommerce_town_station": "电商服务站",
    "ecommerce_village_point": "电商服务点", "logistics_centre": "物流配送中心", "private_gym": "健身房",
    "training_site": "农民夜校", "housekeeping": "家政服务点", "atm_agent": "助农取款点", "industrial_park": "产业园",
    "enterprise": "食品公司", "poverty_workshop": "帮扶车间", "labour_company": "劳务公司", "startup_park": "创业孵化基地",
    "agri_processing": "加工厂", "coop_family_farm": "合作社", "specialty_base": "种植基地",
    "farmer_sports_project": "篮球场", "mutual_aid_elderly": "幸福院", "recycling_point": "废品回收点",
}  # fmt: skip
CAPACITY = {"kindergarten": 240, "primary_school": 540, "junior_middle_school": 900, "senior_high_school": 1_500,
            "nine_year_school": 1_350, "township_hospital": 24, "county_hospital": 320, "elderly_home": 60,
            "poverty_workshop": 45, "industrial_park": 600, "enterprise": 80, "agri_processing": 35,
            "coop_family_farm": 12, "specialty_base": 20}  # fmt: skip
"""Seats, beds or jobs of one."""

STAFF = {"village_clinic": 1, "township_hospital": 16, "community_health_station": 5, "community_health_centre": 22,
         "county_hospital": 210}  # fmt: skip


def serve(
    layout: Layout, villages: list[Village], settlements: Iterable[tuple[str, int, int]], rng: np.random.Generator
) -> list[Service]:
    """
    Give towns, villages and settlements what they have.

    ``settlements`` are names, people and nodes. The first of several rows for one facility is the one whose
    position counts.
    """
    made: list[Service] = []

    def add(source: str, category: str, name: str, node: int, town: str, village: str = "") -> None:
        full = name + NAMES[category]
        code = f"{source[:2].upper()}{len(made) + 1:05d}"
        seats, staff = CAPACITY.get(category, 0), STAFF.get(category, 0)
        made.append(Service(code, category, full, node, source, seats, staff, town, village))

    for number, town in enumerate(layout.towns):
        for source, wanted in (_COUNTY_TOWN if number == 0 else _TOWN).items():
            for category, n in wanted.items():
                for one in range(n):
                    node = int(town.lanes[int(rng.integers(0, len(town.lanes)))])
                    name = TOWN_NAMES[number] + ("" if n == 1 else f"第{one + 1}")
                    add(source, category, name, node, TOWN_NAMES[number])
        if number % 2 == 1:
            add(SCHOOL, "junior_middle_school", TOWN_NAMES[number], int(town.lanes[-2]), TOWN_NAMES[number])
    for village in villages:
        for source, category, share in _VILLAGE:
            if rng.random() < share:
                node = int(village.spot.lanes[int(rng.integers(0, 9))])
                add(source, category, village.town + village.name, node, village.town, village.name)
    for name, people, node in settlements:
        for least, (category, source) in _BY_SIZE:
            if people >= least:
                add(source, category, name.removesuffix("安置点"), node, "")
    # a clinic on the far bank, in sight of the main road, that no bridge reaches
    add(HEALTH, "village_clinic", "河西村", layout.far_bank[5], TOWN_NAMES[0], "河西村")
    county = layout.towns[0]
    for one in range(20):
        add(SHIFTED, "recycling_point", f"城关镇第{one + 1}", int(county.lanes[one * 3]), TOWN_NAMES[0])
    return _planted(made)


def _planted(made: list[Service]) -> list[Service]:
    """Plant what does not operate, what is listed twice, and what two files have."""

    def nth(category: str, source: str, n: int) -> int:
        return [i for i, s in enumerate(made) if s.category == category and s.source == source][n]

    for category, source, number, trait in (
        ("village_clinic", HEALTH, 1, "closed"), ("primary_school", SCHOOL, 2, "planned"),
        ("cultural_room", LEDGER, 1, "ended"), ("parcel_point", LEDGER, 1, "twice"),
        ("kindergarten", SCHOOL, 1, "also_ledger"), ("primary_school", SCHOOL, 0, "also_osm"),
        ("village_clinic", HEALTH, 0, "also_amap"),
    ):  # fmt: skip
        place = nth(category, source, number)
        made[place] = replace(made[place], trait=trait)
    return made
