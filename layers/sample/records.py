"""The county's ledgers, row by row. Positions are metres east, and metres north of the bottom of the valley."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settlement; ``trait`` names what is planted in its row, ``lacks_clinic`` a planted gap."""

    id: str
    name: str
    town: str
    kind: str
    people: int
    x: float
    above_m: float
    trait: str = ""
    lacks_clinic: bool = False


SETTLEMENT_HEADING = (
    "序号",
    "安置点编号",
    "安置点名称",
    "乡镇",
    "安置方式",
    "户数（户）",
    "安置人口（人）",
    "经度",
    "纬度",
)

SETTLEMENTS = (
    Settlement("A01", "幸福社区安置点", "城关镇", "城镇集中安置", 10_400, -210, 365),
    Settlement("A02", "新城社区安置点", "城关镇", "城镇集中安置", 3_260, 390, 500),
    Settlement("A03", "工业园安置点", "城关镇", "产业园区安置", 1_180, 1_350, 40),
    Settlement("A04", "上坝村安置点", "上坝乡", "农村安置", 860, -3_500, 3_940),
    Settlement("A05", "石门村安置点", "石门乡", "农村安置", 312, -9_010, 3_100, lacks_clinic=True),
    Settlement("A06", "青杠村安置点", "石门乡", "农村安置", 148, -6_420, -2_540, lacks_clinic=True),
    Settlement("A07", "向阳村安置点", "向阳乡", "农村安置", 226, 3_110, 3_500),
    Settlement("A08", "大湾村安置点", "向阳乡", "农村安置", 505, 5_830, -2_900),
    Settlement("A09", "红岩村安置点", "红岩乡", "农村安置", 96, 8_690, 2_700, lacks_clinic=True),
    Settlement("A10", "河西村安置点", "城关镇", "农村安置", 184, 1_500, -500, trait="across_river"),
    Settlement("A11", "高山村安置点", "红岩乡", "农村安置", 64, 10_000, 5_600, trait="high_up"),
    Settlement("A12", "河坝村安置点", "上坝乡", "农村安置", 420, -4_800, 30),
    Settlement("A13", "马鞍村安置点", "石门乡", "农村安置", 175, -7_700, 25, trait="swapped"),
    Settlement("A14", "柏香村安置点", "向阳乡", "农村安置", 133, 4_400, 25, trait="unplaced"),
    Settlement("A15", "双河村安置点", "红岩乡", "农村安置", 120, 7_300, 35, trait="pop_text"),
)

FACILITY_HEADING = ("名称", "类别", "经度", "纬度")

_TOWN = (
    ("幼儿园", "样例县幼儿园", -100, 300),
    ("县级医院", "样例县人民医院", 250, 240),
    ("社区卫生服务站", "幸福社区卫生服务站", -350, 380),
    ("社区卫生服务中心", "城关镇社区卫生服务中心", 150, 400),
    ("老年人日间照料中心", "幸福社区日间照料中心", -260, 330),
    ("便民商店", "幸福便民店", -150, 380),
    ("便利店", "新城便利店", 420, 520),
    ("综合超市", "样例超市", 60, 250),
    ("农贸市场", "城关农贸市场", -50, 120),
    ("早餐店", "老面馆", -120, 420),
    ("美容美发店", "新城理发", 380, 470),
    ("洗染店", "净衣洗衣", 300, 350),
    ("照相文印店", "光明照相", 210, 380),
    ("维修点", "城关维修部", 0, 330),
    ("药店", "康民药房", -230, 250),
    ("邮政网点", "城关邮政所", 120, 80),
    ("快递综合服务点", "城关快递点", -320, 240),
    ("银行网点", "样例县信用社", 10, 90),
    ("社区党群服务中心", "幸福社区党群服务中心", -200, 450),
    ("派出所", "城关派出所", 330, 90),
    ("消防站", "样例县消防站", 560, 80),
    ("文化活动室", "幸福社区文化室", -280, 400),
    ("客运站", "样例县客运站", -560, 90),
    ("公共厕所", "广场公厕", -20, 200),
)
_VILLAGES = tuple(
    (kind, village + kind.removeprefix("村"), x, above)
    for village, x, above, kinds in (
        ("上坝村", -3_480, 3_800, ("村卫生室", "便民商店", "公共厕所")),
        ("河坝村", -4_700, 40, ("村卫生室", "便利店")),
        ("向阳村", 3_120, 3_300, ("村卫生室",)),
        ("大湾村", 5_800, -2_700, ("村卫生室", "便民商店")),
        ("双河村", 7_200, 40, ("村卫生室", "便民商店", "文化活动室")),
        ("园区", 1_300, 60, ("便利店", "扶贫车间")),
        ("城东村", 1_500, 60, ("村卫生室",)),
    )
    for kind in kinds
)
FACILITIES = (
    *_TOWN,
    *_VILLAGES,
    ("乡镇卫生院", "上坝乡卫生院", -3_450, 3_600),
    ("乡镇卫生院", "红岩乡卫生院", 8_650, 60),
)
"""Kind, name, metres east, metres north of the bottom of the valley."""

SCHOOLS = {
    "小学": (("城关小学", -320.0, 480.0, 24), ("上坝小学", -3_520.0, 3_500.0, 6), ("红岩小学", 7_600.0, 60.0, 6)),
    "初中": (("样例县初级中学", 120.0, 600.0, 18), ("红岩初级中学", 8_000.0, 60.0, 6)),
}
"""Name, metres east, metres north of the bottom of the valley, classes."""
