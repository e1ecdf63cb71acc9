"""Old houses (旧房) of a ledger: a row a house with the households that share it, and their plots."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import math
import re
import unicodedata
from calendar import monthrange
from collections import Counter
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.problems import Problem
from layers.catalog import Catalog
from layers.ledgers import (
    HIDDEN,
    collective_core,
    one_name,
    parse_date,
    plain,
    same_id,
    short,
    some,
    town_core,
    village_core,
)

STAGES = ("standing", "demolished", "reclaimed", "self_checked", "accepted", "changed", "certified")
"""What happened to a house and its plot, in this order: 待拆, 已拆, 已复垦, 县级自验, 已验收, 已变更, 已确权."""

DONE = STAGES.index("reclaimed")
"""From this stage on a plot has been made something."""


def stage_number(stages: pd.Series) -> NDArray[np.int64]:
    """Say how far each stage is in ``STAGES``, from 0 on; -1 where none is known."""
    return pd.Index(STAGES).get_indexer(pd.Index(stages)).astype(np.int64)


_FLAG_OF = {
    "demolished": "demolished", "reclaimed": "reclaimed", "self_checked": "self_checked", "accepted": "accepted",
    "changed": "land_changed", "certified": "registered",
}  # fmt: skip
AREAS = ("plot_area", "house_area", "reclaim_area", "regreen_area", "new_farmland_area", "cleared_area")
DATES = ("demolish_date", "accept_date", "move_in_date")
WORDS = ("county", "town", "village", "group", "collective", "quota_project", "approval", "reclaim_kind",
         "quality")  # fmt: skip
FLAGS = ("old_house", "should_demolish", "reclaim_req", "accepted", "registered", "certified", "land_changed")
HOUSES = [
    "house_id", "ledger_id", "households_n", *WORDS, "exception", "exception_known", *AREAS, *DATES, *FLAGS,
    "stage", "place_id", "household_keys", "project_twice", "lon", "lat", "file", "row",
]  # fmt: skip


_PREFIX = re.compile(r"(^|[批发函文字府资办政建规土委镇乡县局审许证备拆第A-Za-z-])$")
"""How what stands before the number of a document ends; a name does not."""

_FIGURES = re.compile(r"[0-9〇一二三四五六七八九十〔〕\[\]()（）\-—–_/.年第字号A-Za-z]*")

_NO_NUMBER = re.compile(r"^(暂|待|尚|未|没|无)|^[^0-9〇一二三四五六七八九十]*$")


def document_number(cell: str) -> str:
    """
    Take the number of a document out of a cell; what stands beside it may name somebody. '' for none.

    Examples
    --------
    >>> document_number("样批〔2019〕12号（户主李四）"), document_number("李四 2019-12"), document_number("暂无")
    ('样批〔2019〕12号', '2019-12', '')
    >>> [document_number(c) for c in ("李四（样批2019-12）", "李四房〔2019〕12号", "13组李四", "李四2号房")]
    ['样批2019-12', '〔2019〕12号', '', '']
    """
    if _NO_NUMBER.search(unicodedata.normalize("NFKC", cell)):
        return ""
    inside = re.search(r"[(（]([^)）]*[0-9][^)）]*)[)）]", cell)
    outside = re.sub(r"[(（].*?[)）]", "", cell)
    lone = inside is not None and not re.search(r"[0-9]|[〇一二三四五六七八九十]号", outside)
    bare = inside[1] if inside is not None and lone else re.sub(r"[(（][^0-9)）]*[)）]", "", cell)
    found = re.search(r"[^\s，,；;。:：]*[〔\[(（]?\d{4}[〕\])）]?[^\s，,；;。:：]*?号", bare)
    words = [found.group()] if found else re.split(r"[\s，,；;。:：]+", bare)
    word = next((word for word in words if re.search(r"[0-9]|[〇一二三四五六七八九十]号", word)), "")
    start = re.search(r"[0-9〔\[(（]|[〇一二三四五六七八九十]+号", word)
    if start is None:
        return ""
    before, figures = word[: start.start()], _FIGURES.match(word, start.start())
    number = figures[0] if figures else ""
    # who is named before or behind it is left out, and what little is left then is none
    named = not _PREFIX.search(before) or len(before + number) < len(word)
    if named and len(re.findall(r"[0-9〇一二三四五六七八九十]", number)) < 4:
        return ""
    return (before if _PREFIX.search(before) else "") + number


def is_collective(name: str) -> bool:
    """
    Say whether an owner is called as collectives are, and not as people.

    Examples
    --------
    >>> [is_collective(name) for name in ("上坡村农民集体", "上坡村", "二社", "上坡村经济合作社", "李四妹")]
    [True, True, True, True, False]
    """
    bare = re.sub(r"[(（].*?[)）]", "", name).strip()
    return len(bare) < 2 or bool(_COLLECTIVE.search(bare))


_COLLECTIVE = re.compile(
    r"(集体|组织|合作社|联合社|经联社|公司|委会|政府|办事处|国有|国家|[村组社队乡镇寨屯区县])$|集体|合作社|委员会|村民小组"
)


def grade_of(cell: str) -> float:
    """
    Read a grade of farmland, 1 to 15; NaN for what is none.

    Examples
    --------
    >>> [grade_of(c) for c in ("8", "8等", "第8级", "８.0", "较好", "80")]
    [8.0, 8.0, 8.0, 8.0, nan, nan]
    """
    even = re.sub(r"\s", "", unicodedata.normalize("NFKC", cell))
    found = re.fullmatch(r"第?(\d+(?:\.\d+)?)(?:等级|等|级)?", even)
    return float(found[1]) if found and 1 <= float(found[1]) <= WORST_GRADE else math.nan


WORST_GRADE = 15
"""Grades of farmland run from 1 to 15 [H]."""


def key_maker(secret: bytes) -> Callable[[str], str]:
    """
    Make a function that turns an ID number into a keyed hash; '' for what is none.

    Spaces, width and a small x do not matter. Who does not have the secret can neither read the number out of the
    hash nor try all numbers.

    References
    ----------
    HMAC: RFC 2104.
    """

    def key_of(cell: str) -> str:
        even = re.sub(r"[\s-]+", "", unicodedata.normalize("NFKC", cell)).upper()
        if len(even) < 15 or not re.fullmatch(r"[0-9]{14,17}[0-9X]", even):  # none, or masked
            return ""
        return hmac.new(secret, even.encode(), hashlib.sha256).hexdigest()[:20]

    return key_of


def houses(
    ledger: pd.DataFrame, catalog: Catalog, *, as_of: dt.date | None = None
) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Put the rows of an old-house ledger together by house: each row is a household, and several may share one.

    What rows of one house say differently is a fault; what a row leaves out the others say. Of their stages the
    earliest counts, of dates the latest; their settlements (``place_id``) are joined by ``;``. A household without
    an old house is none of a house that others have, which is a fault, too.
    Areas that all say alike stand once, others are added up. A row without the number of a house is a house.
    A second row of the same household in the same house is a fault, and is no household more. One number in
    several villages (towns, files, where villages are not told) is several houses, named with them and told in a
    doubt.

    Parameters
    ----------
    ledger
        Of the form ``house_ledger``, see ``layers.forms``.
    catalog
        What words mean an exception.
    as_of
        The day: what is dated later has not happened, and is told in a doubt.

    Returns
    -------
    houses, problems
        ``HOUSES``: ``ledger_id`` is the number as the ledger has it; areas in m² (NaN where not told), days as
        ``datetime.date`` or None, flags nullable. ``exception`` is the id of ``reclamation.toml``, '' for none
        said; ``exception_known`` is False where a reason is given that none of them is. ``stage`` is '' where the
        ledger does not say whether it stands.
    """
    if not len(ledger):
        return pd.DataFrame({name: pd.Series(dtype="object") for name in HOUSES}), []
    rows = pd.DataFrame(index=ledger.index)
    blank = pd.Series("", index=ledger.index)
    label = ledger["file"].astype("str") + "#" + ledger["row"].astype("str")
    given = ledger.get("house_id", blank).astype("str")
    hidden = given == HIDDEN
    given = given.mask(hidden, "")
    even = given.map(same_id)
    rows["ledger_id"] = even.map(given.groupby(even).min())  # however rows write it
    rows["house_id"] = rows["ledger_id"].where(given != "", label)
    for name in WORDS:
        rows[name] = ledger.get(name, blank).astype("str")
    for name, core in (("town", town_core), ("village", village_core)):
        rows[name] = _in_full(rows[name], core)
    rows["approval"] = rows["approval"].map(document_number)
    # the owner of a house is a person, of its ground a collective
    person = (rows["collective"] != "") & ~rows["collective"].map(is_collective)
    rows["collective"] = rows["collective"].mask(person, "")
    for name in AREAS:
        rows[name] = ledger.get(name, pd.Series(np.nan, index=ledger.index)).astype("float64")
    for name in DATES:
        rows[name] = ledger.get(name, pd.Series([None] * len(ledger), index=ledger.index)).astype("object")
    rows["place_id"], rows["file"], rows["row"] = ledger.get("place_id", blank), ledger["file"], ledger["row"]
    problems = [
        Problem.fault("id_is_personal", layer="house_ledger", file=row.file, row=row.row, value=HIDDEN)
        for row in rows[hidden].itertuples()
    ]
    problems += [
        Problem.doubt("owner_no_collective", file=file, layer="house_ledger", n=len(own))
        for file, own in rows[person].groupby("file", sort=False)
    ]
    flags, found = _flags(ledger, rows, catalog, as_of)
    rows = rows.join(flags)
    problems += found
    shifted = ledger.get("crs", blank).astype("str").str.contains(r"GCJ|BD|火星|百度|高德|80|54", case=False)
    for name in ("lon", "lat"):
        degrees = pd.to_numeric(ledger.get(name, blank), errors="coerce").astype("float64")
        rows[name] = degrees.mask(shifted)  # a shift of hundreds of metres would find the neighbour
    rows["key"] = ledger.get("household_key", blank).astype("str")
    rows["house_id"], apart = _by_village(rows)
    bare = (given == "").groupby(rows["file"]).transform("all") & ~hidden
    problems += [
        Problem.doubt("house_ids_missing", file=file, layer="house_ledger", n=len(own))
        for file, own in rows[bare].groupby("file", sort=False)
    ]
    problems += _in_several(rows)
    rows, found = _from_other_files(rows)
    problems += found
    reasons, found = _exceptions(ledger, catalog)
    rows = rows.join(reasons)
    problems += found
    odd = rows[(rows["quality"] != "") & rows["quality"].map(grade_of).isna()]
    problems += [
        Problem.doubt("grade_unknown", file=file, layer="house_ledger", n=own["house_id"].nunique(),
                      ids=some(sorted(set(own["house_id"]))))
        for file, own in odd.groupby("file", sort=False)
    ]  # fmt: skip
    rows["stage_n"], found = _stages(rows, catalog)
    problems += [*found, *apart]
    twice = _said_again(ledger, rows) & ((rows["key"] != "") | (given != ""))
    problems += [
        Problem.fault("household_twice", layer="house_ledger", file=row.file, row=row.row, value=row.house_id)
        for row in rows[twice].itertuples()
    ]
    # a row said again adds nothing but what the first leaves out
    household = [rows["house_id"], rows["key"].where(rows["key"] != "", label)]
    rows[list(AREAS)] = rows.groupby(household)[list(AREAS)].transform("first").mask(twice)
    rows["stage_n"] = rows["stage_n"].where(rows["stage_n"] >= 0)
    table, found = _together(rows.assign(household=~twice & ~rows["continued"]))
    return table, problems + found


def _said_again(ledger: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Say which rows are of a household that an earlier row names; without ID numbers, one of another file."""
    keyed = rows["key"] != ""
    columns = [name for name in ledger if name not in ("file", "row", "unread")]
    same = ledger[columns].astype("str").assign(_house=rows["house_id"])
    elsewhere = same.duplicated() & ~same.assign(_file=ledger["file"]).duplicated()
    return rows.duplicated(["house_id", "key"]).where(keyed, elsewhere)


def _exceptions(ledger: pd.DataFrame, catalog: Catalog) -> tuple[pd.DataFrame, list[Problem]]:
    """Why a house may stay, as the catalogue calls it: ``exception`` and ``exception_known``."""
    blank = pd.Series("", index=ledger.index)
    words = [ledger.get(name, blank).astype("str") for name in ("exception", "retained_prod")]
    kept, produces = (said.mask(said.map(lambda word: catalog.says("flag", word) is False), "") for said in words)
    said = kept.where(kept != "", produces)
    named = said.map(catalog.reclamation.exception_of)
    # a yes under the heading of retained production houses is one
    named = named.where(~said.map(lambda word: catalog.says("flag", word) is True), "production")
    out = pd.DataFrame({"exception": named.fillna("").astype("str"), "exception_known": named.notna()})
    return out, [  # its words may name somebody
        Problem.fault("exception_unknown", layer="house_ledger", file=row.file, row=row.row)
        for row in ledger[named.isna()].itertuples()
    ]


def _by_village(rows: pd.DataFrame) -> tuple[pd.Series, list[Problem]]:
    """
    Tell houses apart that have one number in several villages: the name of the village is put behind it.

    Where no row of a number tells its village, its town counts, and where none tells that, its file. Rows of one
    village in several files, which tell no town, are one house if a household stands in both or nothing tells
    them apart; if their plots are of other sizes they are several.
    """
    town = _town_of_village(rows)
    told = pd.DataFrame({
        "village": (town + "/" + rows["village"]).where(rows["village"] != "", ""),
        "town": rows["town"], "file": rows["file"].astype("str"),
    })  # fmt: skip
    where = pd.Series("", index=rows.index)
    for level in ("village", "town", "file"):
        open_ = ~(where != "").groupby(rows["house_id"]).transform("any")
        where = where.mask(open_, told[level].map(plain))
    strangers = _strangers(rows, where)
    where = where.mask(strangers, told["town"].where(told["town"] != "", told["file"]).map(plain))
    where = where.mask(
        _elsewhere(rows.assign(where=where)) & ~strangers, where + rows["file"].astype("str").map(plain)
    )
    spread = rows.assign(where=where)[where != ""].drop_duplicates(["house_id", "where"])
    several = set(spread.loc[spread["house_id"].duplicated(), "house_id"])
    if not several:
        return rows["house_id"], []
    apart = rows["house_id"].isin(several) & (where != "")
    named = rows["house_id"].where(~apart, rows["house_id"] + "@" + where.str.replace("/", ""))
    doubts = [
        Problem.doubt("house_number_in_villages", file=file, layer="house_ledger", n=own["house_id"].nunique(),
                      ids=some(sorted(set(own["house_id"]))))
        for file, own in rows[apart].groupby("file", sort=False)
    ]  # fmt: skip
    return named, doubts


def _in_full(names: pd.Series, core: Callable[[str], str]) -> pd.Series:
    """Write names that stand without their last word (上坡, 上坡村) with it, if it is one alone in the ledger."""
    full: dict[str, set[str]] = {}
    for name in set(names):
        if name and plain(name) != core(name):
            full.setdefault(core(name), set()).add(name)
    spelt = {word: next(iter(own)) for word, own in full.items() if len(own) == 1}
    return names.map({name: spelt.get(plain(name), name) for name in set(names)})


def _town_of_village(rows: pd.DataFrame) -> pd.Series:
    """The town of each row; where none is told the only one of its number and village."""
    known = rows["town"].where(rows["town"] != "").groupby([rows["house_id"], rows["village"]])
    lone = (rows["town"] == "") & (known.transform("nunique") == 1)
    return rows["town"].where(~lone, known.transform("first"))


def _strangers(rows: pd.DataFrame, where: pd.Series) -> pd.Series:
    """
    Say which rows without a village are of other houses than those of their number in other files that tell one.

    They are where both name households and none is in both, or both name a town and another.
    """
    number = rows["house_id"]
    told = rows.assign(where=where)[where != ""]
    pairs = pd.MultiIndex.from_frame
    here = pairs(rows[["house_id", "file"]]).isin(pairs(told[["house_id", "file"]]))
    silent = (where == "") & ~here & number.isin(set(told["house_id"]))
    keyed = (rows["key"] != "") & number.isin(set(told.loc[told["key"] != "", "house_id"]))
    met = pairs(rows[["house_id", "key"]]).isin(pairs(told.loc[told["key"] != "", ["house_id", "key"]]))
    towns = rows.assign(town=rows["town"].map(town_core))[["house_id", "town"]]
    named = number.isin(set(told.loc[told["town"] != "", "house_id"])) & (towns["town"] != "")
    same_town = pairs(towns).isin(pairs(towns.loc[told.index]))
    return silent & ((keyed & ~met) | (named & ~same_town)) & ~(keyed & met)


def with_towns(ledger: pd.DataFrame, towns: set[str]) -> pd.DataFrame:
    """Give rows the town that the name of their file bears, where the file tells none and bears one alone."""
    told = ledger["town"] if "town" in ledger else pd.Series("", index=ledger.index)
    silent = ~(told != "").groupby(ledger["file"]).transform("any")
    borne = {file: [town for town in towns if town and town in file] for file in set(ledger.loc[silent, "file"])}
    named = ledger["file"].map({file: own[0] for file, own in borne.items() if len(own) == 1})
    return ledger.assign(town=told.where(~silent | named.isna(), named))


def _elsewhere(rows: pd.DataFrame) -> pd.Series:
    """
    Say which rows of a village without a town are of another house than those of their number elsewhere.

    Where of the numbers of two files more differ than agree, in owner or in area, all without a household in both
    are others.
    """
    out = pd.Series(False, index=rows.index)
    open_ = rows[(rows["where"] != "") & (rows["town"] == "") & (rows["village"] != "")]
    files = open_.groupby(["house_id", "where"])["file"].transform("nunique")
    for _, own in open_[files > 1].groupby("where"):
        before, *others = (part for _, part in own.groupby("file", sort=False))
        for part in others:
            by = dict(list(before.groupby("house_id")))
            told = {number: _told_apart(by[number], rows_) for number, rows_ in part.groupby("house_id")
                    if number in by}  # fmt: skip
            n = Counter(told.values())
            mostly = n["other"] > n["same"] + n["alike"]
            apart = [number for number, one in told.items() if one == "other" or (mostly and one != "same")]
            out[part.index] = part["house_id"].isin(apart)
            before = pd.concat([before, part])
    return out


def _told_apart(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """Whether rows of one number in two files are ``same`` (a household in both), ``alike``, ``other`` or ''."""
    if set(one["key"]) & set(other["key"]) - {""}:
        return "same"
    owners = [{collective_core(name) for name in rows["collective"]} - {""} for rows in (one, other)]
    if all(owners) and not any(one_name(a, b) for a in owners[0] for b in owners[1]):
        return "other"
    size, size_of = one["plot_area"].max(), other["plot_area"].max()
    if np.isnan(size) or np.isnan(size_of):
        return ""
    return "other" if abs(size - size_of) > ALIKE * size else "alike"


def _from_other_files(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Let rows of a house say what only the other files of it have a column for.

    Rows of a file that names no household are none (``continued``) where another file names those of the house.
    """
    out = rows.copy()
    files, house = rows["file"], rows["house_id"]
    for name in [*FLAGS, *dict.fromkeys(_FLAG_OF.values())]:
        silent = out[name].isna().groupby(files).transform("all")
        if silent.any() and not silent.all():
            known = out[out[name].notna()].astype({name: "bool"}).groupby("house_id")[name].min()
            out[name] = out[name].mask(silent, house.map(known).astype("boolean"))
    keyed = (rows["key"] != "").groupby(files).transform("any")
    out["continued"] = ~keyed & keyed.groupby(house).transform("any")
    return out, [
        Problem.doubt("house_in_files", file=file, layer="house_ledger", n=own["house_id"].nunique())
        for file, own in out[out["continued"]].groupby("file", sort=False)
    ]


def _in_several(rows: pd.DataFrame) -> list[Problem]:
    """Name households that stand in several houses, a doubt a file."""
    known = rows[(rows["key"] != "") & ~rows["old_house"].eq(False).fillna(False)]
    own = known.drop_duplicates(["key", "house_id"])
    several = own[own["key"].duplicated(keep=False)]
    return [
        Problem.doubt("household_in_houses", file=file, layer="house_ledger", n=part["key"].nunique(),
                      ids=some(sorted(set(part["house_id"]))))
        for file, part in several.groupby("file", sort=False)
    ]  # fmt: skip


def _flags(
    ledger: pd.DataFrame, rows: pd.DataFrame, catalog: Catalog, as_of: dt.date | None
) -> tuple[pd.DataFrame, list[Problem]]:
    """What rows say yes or no to; a day alone says that it was done, a day to come that it was not."""
    out = pd.DataFrame({name: _flag(ledger, name, catalog) for name in {*FLAGS, *_FLAG_OF.values()}})
    both = _flag(ledger, "registered_certified", catalog)
    for name in ("registered", "certified"):
        out[name] = out[name].fillna(both)
    order = list(_FLAG_OF.values())
    coming = pd.Series(False, index=rows.index)
    problems: list[Problem] = []
    for flag, day in (("demolished", "demolish_date"), ("accepted", "accept_date")):
        to_come = rows[day].map(lambda d: as_of is not None and d is not None and d > as_of).astype(bool)
        # the year or the month that is not over yet stands as its last day: who says yes says that it was before
        open_ = rows[day].map(lambda d: as_of is not None and d is not None and _still(d, as_of)).astype(bool)
        to_come &= ~(open_ & out[flag].eq(True).fillna(False).astype(bool))
        denied = (out[flag].eq(False).fillna(False) & rows[day].notna() & ~to_come).astype(bool)
        problems += [
            Problem.fault("no_but_dated", layer="house_ledger", file=row.file, row=row.row,
                          value=str(getattr(row, day)), **_heading(flag, "no", catalog))
            for row in rows[denied].itertuples()
        ]  # fmt: skip
        out[flag] = out[flag].mask(out[flag].isna() & rows[day].notna() & ~coming, True).mask(to_come, False)
        for after in order[order.index(flag) + 1 :]:
            out[after] = out[after].mask(to_come)
        coming |= to_come
    coming |= rows["move_in_date"].map(lambda d: as_of is not None and d is not None and d > as_of).astype(bool)
    problems += [
        Problem.doubt("date_to_come", file=file, layer="house_ledger", n=len(own), rows=some(list(own["row"])))
        for file, own in rows[coming].groupby("file", sort=False)
    ]
    days = zip(rows["accept_date"], rows["demolish_date"], strict=True)
    early = np.array([a is not None and d is not None and a < d for a, d in days], bool)
    problems += [
        Problem.fault("dates_out_of_order", layer="house_ledger", file=row.file, row=row.row,
                      value=f"{row.accept_date} < {row.demolish_date}")
        for row in rows[early].itertuples()
    ]  # fmt: skip
    problems += [
        Problem.fault(
            "not_yes_or_no", layer="house_ledger", file=row.file, row=row.row, value=short(str(row.cell))
        )
        for name in ("self_checked", "land_changed", "registered_certified") if name in ledger
        for row in rows.assign(cell=ledger[name].astype("str"))[
            (ledger[name].astype("str") != "") & _flag(ledger, name, catalog).isna()
        ].itertuples()
    ]  # fmt: skip
    return out, problems


def _still(day: dt.date, as_of: dt.date) -> bool:
    """Whether a day is the last of the month or of the year that ``as_of`` is in."""
    return day.year == as_of.year and (day.month, day.day) in (
        (12, 31),
        (as_of.month, monthrange(*_month(day))[1]),
    )


def _month(day: dt.date) -> tuple[int, int]:
    return day.year, day.month


def _flag(ledger: pd.DataFrame, name: str, catalog: Catalog) -> pd.Series:
    """A flag of a ledger; a year or a day under the heading of one is a yes."""
    if name not in ledger:
        return pd.Series([pd.NA] * len(ledger), index=ledger.index, dtype="boolean")
    cells = ledger[name]
    if cells.dtype == "boolean":
        return cells
    words = cells.astype("str")
    said = words.map(lambda word: catalog.says("flag", word)).astype("object")
    dated = words.map(lambda word: bool(word) and parse_date(word) is not None)
    return said.where(~dated, True).where(lambda s: s.notna(), None).astype("boolean")


def _heading(flag: str, name: str, catalog: Catalog) -> dict[str, str]:
    """A parameter of a problem: what ledgers call a flag, in both languages."""
    words = catalog.headers["house"].get(flag, (flag,))
    return {f"{name}_zh": words[0], f"{name}_en": flag}


def _stages(rows: pd.DataFrame, catalog: Catalog) -> tuple[pd.Series, list[Problem]]:
    """
    The number of the last stage that is said, -1 where it is not said whether the house stands.

    What comes after acceptance shows none: without it a plot is no further than it was before.
    """
    said = np.column_stack([rows[_FLAG_OF[name]].astype("float64").to_numpy(np.float64) for name in STAGES[1:]])
    yes, no = said == 1, said == 0  # NaN is not told
    number = np.arange(1, len(STAGES))
    # nothing can come after what is said not to have happened; checks and the survey may follow at any time
    stops = no & np.isin(STAGES[1:], ("demolished", "reclaimed", "accepted"))
    first_no = np.where(stops, number, len(STAGES)).min(axis=1)
    accepting = STAGES.index("accepted")
    counts = yes & (number < first_no[:, None]) & ((number <= accepting) | yes[:, accepting - 1 : accepting])
    last = np.where(counts, number, 0).max(axis=1)
    after = yes & (number > first_no[:, None])
    unsaid = yes[:, accepting:].any(axis=1) & np.isnan(said[:, accepting - 1]) & ~after.any(axis=1)
    known = yes.any(axis=1) | no[:, 0]
    stage = pd.Series(np.where(known, last, -1), index=rows.index)
    problems = []
    for at in np.flatnonzero(after.any(axis=1)):
        row, flags = rows.iloc[at], [_FLAG_OF[name] for name in STAGES[1:]]
        denied, claimed = flags[first_no[at] - 1], flags[int(after[at].argmax())]
        problems.append(Problem.fault(
            "stage_order", layer="house_ledger", file=row["file"], row=int(row["row"]), value=row["house_id"],
            **_heading(denied, "no", catalog), **_heading(claimed, "yes", catalog),
        ))  # fmt: skip
    problems += [
        Problem.doubt("accepted_unsaid", file=file, layer="house_ledger", n=len(own),
                      ids=some(list(own["house_id"])))
        for file, own in rows[unsaid].groupby("file", sort=False)
    ]  # fmt: skip
    return stage, problems


def _together(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    # who has no house says nothing of the house of others, and is none of its households
    none = (rows["exception"] == "none") | ~rows["old_house"].fillna(True).astype(bool)
    lone = none & ~none.groupby(rows["house_id"]).transform("all")
    guests = set(rows.loc[lone, "house_id"])
    rows = rows.assign(project=rows["quota_project"].map(same_id))[~lone]
    by = rows.groupby("house_id", sort=False)
    table = by[["ledger_id", "file", "row", "exception_known", "lon", "lat"]].first()
    table["place_id"] = _joined(rows, "place_id")
    table["households_n"] = by["household"].sum().astype("int64")
    problems: list[Problem] = []
    several = table.index[table["households_n"] > 1]
    # to have no house and to give that as the reason to stay is one thing said twice
    told = rows.assign(project=rows["project"].where(rows["project"] != ""),
                       exception=rows["exception"].mask(none, "none"))  # fmt: skip
    differ = told.groupby("house_id")[["stage_n", "exception", "project", "should_demolish"]].nunique()
    odd = table[(differ > 1).any(axis=1).reindex(table.index).to_numpy(bool) | table.index.isin(guests)]
    problems += [
        Problem.fault("house_rows_differ", layer="house_ledger", file=row.file, row=row.row, value=row.Index)
        for row in odd.itertuples()
    ]
    for name in WORDS:
        table[name] = _first_word(rows, name)
    table["exception"] = _first_word(rows, "exception")
    table["exception_known"] = by["exception_known"].all()
    for name in AREAS:
        table[name] = by[name].first().where(by[name].min() == by[name].max(), by[name].sum(min_count=1))
    for name in DATES:
        days = rows[rows[name].notna()].groupby("house_id")[name].max()
        table[name] = days.reindex(table.index).astype("object").where(lambda c: c.notna(), None)
    table["project_twice"] = (rows[rows["project"] != ""].drop_duplicates(["house_id", "project"])
                              .groupby("house_id").size().reindex(table.index).fillna(0) > 1)  # fmt: skip
    for name in FLAGS:
        known = rows[rows[name].notna()].astype({name: "bool"}).groupby("house_id")[name].min()
        table[name] = known.reindex(table.index).astype("boolean")
    stage = by["stage_n"].min().fillna(-1)
    table["stage"] = np.array(["", *STAGES], object)[stage.to_numpy(np.int64) + 1]
    table["household_keys"] = _joined(rows, "key")
    if len(several):
        files = table.loc[several].groupby("file", sort=False)
        problems += [
            Problem.doubt("house_shared", file=file, layer="house_ledger", n=len(own), ids=some(list(own.index)))
            for file, own in files
        ]
    return table.reset_index()[HOUSES], problems


def _first_word(rows: pd.DataFrame, name: str) -> pd.Series:
    """What is said, of several words the first in their own order."""
    said = rows[rows[name] != ""].groupby("house_id", sort=False)[name].min()
    return said.reindex(rows["house_id"].unique()).fillna("")


def _joined(rows: pd.DataFrame, name: str) -> pd.Series:
    """All that is said, each once, in its own order."""
    said = rows[rows[name] != ""].groupby("house_id")[name].agg(lambda own: ";".join(sorted(set(own))))
    return said.reindex(rows["house_id"].unique()).fillna("")


ALIKE = 0.02
"""So little may the area of a house's plot in the ledger differ from that of the polygon it is matched by [P]."""


def match(plots: gpd.GeoDataFrame, houses: pd.DataFrame, *, area_m2: np.ndarray) -> pd.DataFrame:
    """
    Match plots and houses: by the number of the house, by household, by position, and by place and area.

    A number of more than ``MANY_PLOTS`` plots matches none of them, nor does one of two villages.

    Each step looks at those that the steps before left over on both sides. A house may have several plots by its
    number; the other steps pair one with one, and leave out what could be two.

    Parameters
    ----------
    plots
        Of ``layers.homesteads.plots``.
    houses
        Of ``houses``.
    area_m2
        Of each plot.

    Returns
    -------
    matched
        A row a plot that has a house: ``plot`` and ``house`` (rows, counted from 0) and ``matched_by``.
    """
    found: list[tuple[int, int, str]] = []
    left_plots, left_houses = set(range(len(plots))), set(range(len(houses)))
    numbered = by_number(plots, houses)
    # a house of more plots than any has is several houses, or its number is none
    many = numbered.groupby("house")["plot"].transform("size") > MANY_PLOTS
    for plot, house in numbered[~many].itertuples(index=False, name=None):
        found.append((plot, house, "house_id"))
        left_plots.discard(plot)
        left_houses.discard(house)
    for by in ("household", "position"):
        one, other = (
            (_keys(plots["household_key"], left_plots), _keys(houses["household_keys"], left_houses))
            if by == "household" else _positions(plots, houses, left_houses)
        )  # fmt: skip
        pairs = [(a[0], b[0]) for key, a in one.items() if len(a) == 1 and len(b := other.get(key, [])) == 1]
        _take(_once(pairs), by, found, left_plots, left_houses)
    sizes = (
        _addresses(plots, area_m2, left_plots),
        _addresses(houses, houses["plot_area"].to_numpy(np.float64), left_houses),
    )
    _take(_once(_alike(*sizes)), "area", found, left_plots, left_houses)
    table = pd.DataFrame(found, columns=["plot", "house", "matched_by"])
    return table.astype({"plot": "int64", "house": "int64"}).sort_values("plot", ignore_index=True)


def by_number(plots: gpd.GeoDataFrame, houses: pd.DataFrame) -> pd.DataFrame:
    """
    Pair plots and houses of one number: in one village, else the only house of it unless it is of another village.

    Where numbers start again in each village, a plot that tells none is of the village on whose ground it lies
    (``ground_village``, if there is such a column). Where most villages differ, files call them otherwise, and are
    not asked. Of several houses in villages of one name the plot's is that of its ``ground_town``, if there is
    such a column, and a house with a plot in its own has none elsewhere. A village's plots may lie on the ground
    of another, so that it decides nothing else.

    Returns
    -------
    pairs
        ``plot`` and ``house`` (rows), each plot at most once.
    """
    one, other = (
        pd.DataFrame({
            "number": table[name].map(same_id).astype("object").to_numpy(), "row": np.arange(len(table)),
            **{at: table.get(at, pd.Series("", index=table.index)).map(town_core).astype("object").to_numpy()
               for at in ("town", "ground_town")},
            "village": table["village"].map(village_core).astype("object").to_numpy(),
        }) for table, name in ((plots, "house_id"), (houses, "ledger_id"))
    )  # fmt: skip
    one = one[one["number"] != ""]
    spread = other[(other["number"] != "") & (other["village"] != "")].drop_duplicates(["number", "village"])
    if "ground_village" in plots and spread["number"].duplicated().any():
        ground = plots["ground_village"].map(village_core).astype("object").to_numpy()[one["row"]]
        one = one.assign(village=one["village"].where(one["village"] != "", ground))
    here = one[one["village"] != ""].merge(other, on=["number", "village"], suffixes=("", "_of"))
    # two villages of one name lie in two towns
    here = here[(here["town"] == here["town_of"]) | (here["town"] == "") | (here["town_of"] == "")]
    left = one[~one["row"].isin(here["row"])]
    again = here["row"].duplicated(keep=False)
    agrees = (here["ground_town"] == here["town_of"]) & (here["town_of"] != "")
    open_ = (here["ground_town"] == "") | (here["town_of"] == "")
    # whose plot lies in its own town has no other in another
    here = here[(~again & (open_ | ~agrees.groupby(here["row_of"]).transform("any"))) | agrees]
    again = here["row"].duplicated(keep=False)
    columns = ["village", "village_of", "town", "town_of"]
    only = other[~other["number"].duplicated(keep=False)]
    there = left.merge(only, on="number", suffixes=("", "_of"))
    same = {names: all(not a or not b or one_name(a, b) for a, b in (names[:2], names[2:]))
            for names in there[columns].drop_duplicates().itertuples(index=False, name=None)}  # fmt: skip
    strange = np.array([not same[names] for names in there[columns].itertuples(index=False, name=None)], bool)
    named = len(here) + int((there[["village", "village_of"]] != "").all(axis=1).sum())
    if strange.sum() <= named / 2 or named < FEW:
        there = there[~strange]
    pairs = pd.concat([here[~again], there])[["row", "row_of"]].drop_duplicates()
    return pairs.set_axis(["plot", "house"], axis=1).astype("int64").sort_values("plot", ignore_index=True)


FEW = 20
"""From so many plots on it is the writing of villages that differs where most do."""

MANY_PLOTS = 10
"""A house of more plots is several houses of one number, or one plot many times [P]."""


def _once(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out what could be two: who stands in several pairs is in none."""
    one, other = (Counter(pair[side] for pair in set(pairs)) for side in (0, 1))
    return [pair for pair in dict.fromkeys(pairs) if one[pair[0]] == 1 and other[pair[1]] == 1]


def _take(
    pairs: list[tuple[int, int]], by: str, found: list[tuple[int, int, str]], plots: set[int], houses: set[int]
) -> None:
    for plot, house in pairs:
        if plot in plots and house in houses:
            found.append((plot, house, by))
            plots.discard(plot)
            houses.discard(house)


def _positions(plots: gpd.GeoDataFrame, houses: pd.DataFrame, left: set[int]) -> tuple[Rows, Rows]:
    """
    By plot and house together which stand in one another: a house that stands in two plots is in neither.

    Nor is one in a plot of another village: its position may be of another datum.
    """
    rows = [row for row in sorted(left) if np.isfinite(houses["lon"].iloc[row])]
    at = shapely.points(houses[["lon", "lat"]].to_numpy(np.float64)[rows])
    house, plot = shapely.STRtree(plots.geometry.to_numpy()).query(at, predicate="intersects")
    here, there = (table["village"].map(village_core).to_numpy(str) for table in (plots, houses))
    here, there = here[plot], there[np.array(rows, np.int64)[house]]
    same = (here == there) | (here == "") | (there == "")
    house, plot = house[same], plot[same]
    one: Rows = {}
    other: Rows = {}
    alone = np.bincount(house, minlength=len(rows))
    for a, b in zip(plot, house, strict=True):
        if alone[b] == 1:
            one.setdefault(str(a), []).append(int(a))
            other.setdefault(str(a), []).append(rows[int(b)])
    return {key: own[:1] for key, own in one.items()}, other


Rows = dict[str, list[int]]


def _keys(column: pd.Series, left: set[int]) -> Rows:
    out: Rows = {}
    for row, text in enumerate(column):
        if row in left:
            for key in str(text).split(";"):
                if key:
                    out.setdefault(key, []).append(row)
    return out


Addresses = dict[tuple[str, str, str], list[tuple[float, int]]]


def _addresses(table: pd.DataFrame, area: np.ndarray, left: set[int]) -> Addresses:
    out: Addresses = {}
    names = [table[name].map(plain) for name in ("town", "village", "group")]
    for row, address in enumerate(zip(*names, strict=True)):
        if row in left and address[1] and area[row] > 0:
            out.setdefault(address, []).append((float(area[row]), row))
    return out


def _alike(one: Addresses, other: Addresses) -> list[tuple[int, int]]:
    """Pairs of one address, each the only one of the other's size."""
    pairs = []
    villages: dict[str, list[tuple[str, str, str]]] = {}
    for name in other:
        villages.setdefault(name[1], []).append(name)
    for address, own in one.items():
        # who writes no town or no group means any
        theirs = [
            pair for name in villages.get(address[1], [])
            if all(not a or not b or a == b for a, b in zip(name, address, strict=True))
            for pair in other[name]
        ]  # fmt: skip
        if not theirs:
            continue
        theirs.sort()
        a, b = np.array([size for size, _ in own]), np.array([size for size, _ in theirs])
        low = np.searchsorted(b, a * (1 - ALIKE), "left")
        high = np.searchsorted(b, a * (1 + ALIKE), "right")
        # of each of theirs how many of ours are near
        many = np.cumsum(np.bincount(low, minlength=len(b) + 1) - np.bincount(high, minlength=len(b) + 1))
        pairs += [
            (own[int(i)][1], theirs[int(low[i])][1]) for i in np.flatnonzero(high - low == 1) if many[low[i]] == 1
        ]
    return pairs
