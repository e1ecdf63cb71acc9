"""Tables as counties write them: finding the heading row, naming columns, reading numbers and positions."""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import crs as systems
from geo.io import Bounds, RawTable
from geo.problems import Problem, Stop

Headers = Mapping[str, Mapping[str, tuple[str, ...]]]
Floats = NDArray[np.float64]

HEADING_ROWS = 10
"""How far down a heading row is looked for; above it stand titles and units."""

_NOTHING = frozenset({"", "无", "/", "\\", "-", "—", "——", "nan", "none", "null"})
_TOTALS = re.compile(r"(合计|小计|总计|总数|共计)")
_SIGNATURES = re.compile(r"(填表人?|填报人|制表人?|审核人|负责人|填报单位|填报日期|联系电话)")
_MOBILE = re.compile(r"(?<![\d.])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
_LANDLINE = re.compile(r"(?<![\d.])\(?0(?:10|2\d|[3-9]\d{2})\)?[- ][2-9]\d{6,7}(?!\d)")
_OLD_ID_NUMBER = re.compile(r"(?<!\d)[1-6]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)")
_ID_NUMBER = re.compile(
    r"(?<!\d)[1-9]\d{5}[- ]?(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[- ]?\d{3}[\dXx](?!\d)"
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
HIDDEN = "***"


def plain(heading: str) -> str:
    """
    Even out a heading: width, case, spaces and what stands in brackets.

    Examples
    --------
    >>> plain("安置 人口（人）"), plain("ＬＯＮ")
    ('安置人口', 'lon')
    """
    text = unicodedata.normalize("NFKC", heading)
    text = re.sub(r"\(.*?\)|\[.*?\]|【.*?】", "", text)
    return re.sub(r"[\s:*_]+", "", text).lower()


def same_id(text: str) -> str:
    """
    Even out an id: width, case, spaces, kinds of brackets, and the ``.0`` of a file that keeps it as a fraction.

    Examples
    --------
    >>> same_id("川增减挂（2019） 12号"), same_id("川增减挂〔2019〕12号"), same_id("ｊ01"), same_id("12.0")
    ('川增减挂(2019)12号', '川增减挂(2019)12号', 'J01', '12')
    """
    even = re.sub(r"\s+", "", unicodedata.normalize("NFKC", str(text))).upper().translate(_BRACKETS)
    return re.sub(r"^(\d+)\.0$", r"\1", even)


_BRACKETS = str.maketrans("〔【[〕】]", "((()))")


_OWNERS = re.compile(
    r"(农民集体|集体经济组织|股份经济合作(联合)?社|经济合作(联合)?社|经济联合社|村民委员会|居民委员会|村委会|集体所有|集体)$"
)


def collective_core(name: str) -> str:
    """
    Take off the words for a collective, which files write in many ways.

    Examples
    --------
    >>> collective_core("云台乡上坡村农民集体"), collective_core("上坡村股份经济合作社")
    ('云台乡上坡村', '上坡村')
    >>> collective_core("上坡村第十二村民小组"), collective_core("上坡村（12组）"), collective_core("上坡村二社")
    ('上坡村12组', '上坡村12组', '上坡村2组')
    """
    core = _OWNERS.sub("", re.sub(r"[()\[\]【】]", "", same_id(name)))
    return _GROUP.sub(lambda found: f"{_counted(found[1])}组", core)


_VILLAGE = re.compile(r"(村民委员会|居民委员会|村委会|居委会|社区|行政村|村)$")


def town_core(name: str) -> str:
    """
    Take off the words for a town, which files write or leave out.

    Examples
    --------
    >>> town_core("云台乡"), town_core("城关街道办事处"), town_core("云台")
    ('云台', '城关', '云台')
    """
    return re.sub(r"(街道办事处|街道|乡|镇)$", "", plain(name))


def village_core(name: str) -> str:
    """
    Take off the words for a village, which files write or leave out.

    Examples
    --------
    >>> village_core("上坡村"), village_core("上坡 村委会"), village_core("云台乡上坡"), village_core("村")
    ('上坡', '上坡', '云台乡上坡', '村')
    """
    even = plain(name)
    return _VILLAGE.sub("", even) or even


def one_name(one: str, other: str) -> bool:
    """
    Say whether two names are one, but for a town, township or street before it.

    Examples
    --------
    >>> one_name("云台乡上坡", "上坡"), one_name("下上坡", "上坡")
    (True, False)
    """
    long, short_ = sorted((one, other), key=len, reverse=True)
    before = long[: len(long) - len(short_)]
    return long.endswith(short_) and before[-1:] in ("", "乡", "镇", "办", "道", "县", "区")


_GROUP = re.compile(r"第?(\d+|[一二三四五六七八九十]+)(?:村民小组|小组|组|社|队)$")


def _counted(number: str) -> int:
    """A number up to 99 in figures or Chinese words."""
    if number.isdigit():
        return int(number)
    tens, ten, ones = number.rpartition("十")
    digits = "〇一二三四五六七八九"
    return (10 * (digits.index(tens[-1:]) if tens else 1) if ten else 0) + (digits.index(ones[-1:]) if ones else 0)


def without_personal(text: str) -> str:
    """
    Blot out ID numbers (18 places, a date and a check digit that fits; 15 places amid other words) and telephones.

    References
    ----------
    GB 11643-1999: the check digit is that of ISO 7064, MOD 11-2.

    Examples
    --------
    >>> without_personal("张某 13800138000"), without_personal("11010519491231002X")
    ('张某 ***', '***')
    >>> without_personal("0834-3221234，513431620101001不同意"), without_personal("513431101201001")
    ('***,***不同意', '513431101201001')
    >>> without_personal("513431200001010001"), without_personal("510000000001")
    ('513431200001010001', '510000000001')
    """
    if len(text) < 11:
        return text
    even = unicodedata.normalize("NFKC", text)  # full-width digits are digits
    blotted = _LANDLINE.sub(HIDDEN, _MOBILE.sub(HIDDEN, _ID_NUMBER.sub(_blotted_id, even)))
    if not even.isdigit():  # alone, so many digits are a code
        blotted = _OLD_ID_NUMBER.sub(HIDDEN, blotted)
    return text if blotted == even else blotted


_HARMLESS = re.compile(
    r"(平方米|公顷|左右|大[概约]|以[上下内]|不[详明清]|上旬|中旬|下旬|[是否有无已未待暂不约近半第]|拆[除了]?|[去今明前]年|[年月日号初中底末亩元人户个座]"
    r"|[一二三四五六七八九十百千〇零两]+|(?<![0-9])[0-9]{1,6}(?![0-9]))+"
)


def short(cell: str) -> str:
    """
    Show a cell that holds other words than it should: figures and words that name nobody, … for all else.

    Examples
    --------
    >>> short("约三十亩"), short("2019年13月"), short("李四妹家"), short("已拆，户主李四妹，02812345678")
    ('约三十亩', '2019年13月', '…', '已拆,…,…')
    """
    words = re.split(r"(\W+)", unicodedata.normalize("NFKC", cell))
    shown = "".join(
        word if at % 2 or not word or _HARMLESS.fullmatch(word) else "…" for at, word in enumerate(words)
    )
    return shown if len(shown) <= SHORT else shown[:SHORT] + "…"


SHORT = 24
"""So many characters of a cell are shown."""


def _blotted_id(found: re.Match[str]) -> str:
    digits = re.sub(r"[- ]", "", found.group())
    rest = sum(int(digit) * weight for digit, weight in zip(digits[:17], _ID_WEIGHTS, strict=True)) % 11
    return HIDDEN if "10X98765432"[rest] == digits[17].upper() else found.group()


def unique_ids(given: pd.Series, *, otherwise: pd.Series) -> tuple[pd.Series, pd.Series]:
    """
    Make ids unique that people gave.

    Parameters
    ----------
    given
        Ids as text; '' where there is none.
    otherwise
        What stands in for a missing one, unique.

    Returns
    -------
    ids, repeated
        The first of equal ids keeps it, a later one gets ``#`` and its index; and which rows were later ones.
        A whole number that a file keeps as a decimal fraction loses its ``.0``.
    """
    named = given.str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    named = named.where(named != "", otherwise)
    repeated = named.duplicated(keep="first")
    ids = named.where(~repeated, named + "#" + named.index.astype("str"))
    while ids.duplicated().any():  # somebody gave an id of that very form
        ids = ids.where(~ids.duplicated(keep="first"), ids + "#")
    return ids, repeated


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """
    A table with its columns named.

    ``frame`` holds text, one column per known field, index = row number in the sheet; ``headings`` are the
    words of the file for each field, and ``unused`` those of columns that hold something and are no field.
    """

    file: str
    sheet: str
    frame: pd.DataFrame
    headings: Mapping[str, str]
    problems: tuple[Problem, ...]
    unused: tuple[str, ...] = ()

    def fault(self, code: str, row: int, field: str, value: object, **params: object) -> Problem:
        """Name a fault in one cell."""
        return Problem(
            code, "fault", file=self.file, sheet=self.sheet, row=row, column=self.headings.get(field, ""),
            value=str(value), params=tuple(sorted((k, str(v)) for k, v in params.items())),
        )  # fmt: skip

    def doubt(self, code: str, field: str, **params: object) -> Problem:
        """Name a doubt about a column."""
        return replace(self.fault(code, 0, field, "", **params), severity="doubt", row=None)

    def text(self, field: str) -> pd.Series:
        """A column of text, '' where the file has no such column or nothing in it."""
        if field not in self.frame:
            return pd.Series("", index=self.frame.index, dtype="str", name=field)
        cells = self.frame[field]
        return cells.mask(cells.str.lower().isin(_NOTHING), "")

    def ids(self, field: str) -> tuple[pd.Series, list[Problem]]:
        """
        A column of ids made unique, see ``unique_ids``.

        A row without one is named by its file, its sheet and its name, and where that does not tell it from
        another by a digest of its cells: who sorts a ledger must not rename what is in it.
        """
        where = ":".join(part for part in (self.file.rsplit(".", 1)[0], self.sheet) if part)
        label = self.text("name")
        several = (label == "") | label.duplicated(keep=False)
        cells = self.frame.agg("\x1f".join, axis=1) if len(self.frame) else label
        digest = cells.map(lambda text: hashlib.sha256(text.encode()).hexdigest()[:8])
        otherwise = where + ":" + label.where(~several, label + "#" + digest)
        given = self.text(field)
        ids, repeated = unique_ids(given, otherwise=otherwise)
        problems = [self.fault("id_repeated", int(row), field, given[row]) for row in ids.index[repeated]]
        return ids, problems

    def dates(self, field: str) -> tuple[pd.Series, list[Problem]]:
        """A column of days (``datetime.date``), None where empty; what is no date is None and a fault."""
        cells = self.text(field)
        read = [parse_date(cell) if cell else None for cell in cells]
        days = pd.Series(read, index=cells.index, dtype="object", name=field)
        wrong = cells.index[(cells != "") & days.isna()]
        return days, [self.fault("not_a_date", int(row), field, short(cells[row])) for row in wrong]

    def numbers(self, field: str) -> tuple[pd.Series, list[Problem]]:
        """A column of numbers, NaN where empty; what is no number is NaN and a fault."""
        problems = []
        values = []
        for row, cell in self.text(field).items():
            number = parse_number(cell)
            if number is None:
                problems.append(self.fault("not_a_number", int(str(row)), field, short(cell)))
            values.append(math.nan if number is None else number)
        return pd.Series(values, index=self.frame.index, dtype="float64", name=field), problems


def parse_number(cell: str) -> float | None:
    """
    Read a number as people type it; NaN for an empty cell, None for what is no number.

    Examples
    --------
    >>> parse_number("１，２００ 人"), parse_number("约3"), math.isnan(parse_number("/"))
    (1200.0, None, True)
    """
    text = unicodedata.normalize("NFKC", cell).strip().replace(",", "").replace(" ", "")
    if text.lower() in _NOTHING:
        return math.nan
    found = re.fullmatch(r"([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)[人户个名座张°]?", text)
    number = float(found.group(1)) if found else math.inf
    return number if math.isfinite(number) else None


def parse_date(cell: str) -> dt.date | None:
    """
    Read a day as people type it; a month is its last day and a year too, None for what is no date.

    Examples
    --------
    >>> str(parse_date("2018年初")), str(parse_date("2018年中"))
    ('2018-01-31', '2018-06-30')
    >>> [str(parse_date(c)) for c in ("2019.12", "2018年底", "2020-03-05", "2021年6月1日", "2020/2", "明年")]
    ['2019-12-31', '2018-12-31', '2020-03-05', '2021-06-01', '2020-02-29', 'None']
    """
    text = unicodedata.normalize("NFKC", cell).strip().split(" ")[0]
    found = re.fullmatch(
        r"((?:19|20)\d{2})(?:[-./年](?:(\d{1,2})(?:[-./月](?:(\d{1,2})日?)?)?)?)?([初中底末]?)", text
    )
    if found is None:
        found = re.fullmatch(r"((?:19|20)\d{2})(\d{2})(\d{2})?()", text)
    if found is None:
        return None
    year, month, day = (int(part) if part else 0 for part in found.groups()[:3])
    month = month or {"初": 1, "中": 6}.get(found[4], 12)
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    return dt.date(year, month, day or last) if day <= last else None


def name_columns(
    raw: RawTable, headers: Headers, *, sections: Sequence[str], keyed: str = "",
    key_of: Callable[[str], str] | None = None,
) -> Ledger:  # fmt: skip
    """
    Find the heading row and keep the columns whose heading is known, under their field names.

    The heading row is the one of the first ten with the most known headings. A heading that names two fields
    goes to the section named first, and there to the field that no other column names; of two columns for one
    field the first is taken. Empty rows are left out;
    so are totals, signature rows and headings repeated at a page break, which are named in a doubt. ID numbers
    and mobile numbers are blotted out, in whatever column they stand. Of a layer
    every feature is a record, numbered from 1. Cells of the field ``keyed`` become what ``key_of`` makes of them.
    What is written in a cell that is one over several rows is said of each of them; a number, which may be their
    sum, of the first alone, unless it is an id.

    Raises
    ------
    Stop
        No row has a known heading.
    """
    known = _known(headers, sections)
    told = written_down(raw)
    heads, below = (list(raw.rows[0]), 1) if raw.is_layer else _headings(raw, told, known)
    choices = [known.get(plain(heading)) or (_cut(heading, known) if raw.is_layer else []) for heading in heads]
    fields = _fields(choices)
    rows, numbers, left_out = [], [], []
    for at, cells in enumerate(raw.rows[below:], start=below):
        number = at if raw.is_layer else at + 1
        filled = [cell for cell in cells if cell]
        if not filled and not raw.is_layer:
            continue
        if not raw.is_layer and (_is_no_record(filled) or list(cells) == heads):
            left_out.append(number)
            continue
        row = []
        for field, column in fields.items():
            cell = cells[column] if column < len(cells) else ""
            if not cell and column < len(told[at]) and (field.endswith("_id") or not _is_number(told[at][column])):
                cell = told[at][column]
            row.append(key_of(cell) if key_of is not None and field == keyed else without_personal(cell))
        rows.append(row)
        numbers.append(number)
    problems = []
    if left_out:
        params = (("n", str(len(left_out))), ("rows", some(left_out)))
        problems.append(Problem("totals_left_out", "doubt", file=raw.file, sheet=raw.sheet, params=params))
    frame = pd.DataFrame(rows, columns=list(fields), index=pd.Index(numbers, name="row"), dtype="str")
    for field in fields:  # among ID numbers one that was mistyped is one, too
        if (frame[field] == HIDDEN).any():
            typed = frame[field].str.fullmatch(f"{_ID_NUMBER.pattern}|{_OLD_ID_NUMBER.pattern}")
            frame[field] = frame[field].mask(typed, HIDDEN)
    headings = {field: heads[column] for field, column in fields.items()}
    records = [raw.rows[number - (not raw.is_layer)] for number in numbers]
    unused = tuple(head for column, head in enumerate(heads) if head and column not in fields.values()
                   and any(cells[column] for cells in records if column < len(cells)))  # fmt: skip
    return Ledger(raw.file, raw.sheet, frame, headings, tuple(problems), unused)


def _known(headers: Headers, sections: Sequence[str]) -> dict[str, list[str]]:
    """The fields that each heading may be, of the first section that has it."""
    known: dict[str, list[str]] = {}
    for section in sections:
        named: dict[str, list[str]] = {}
        for field, words in headers[section].items():
            for word in {plain(word) for word in (field, *words)}:
                named.setdefault(word, []).append(field)
        known = {**named, **known}
    return known


DBF_BYTES = 10
"""So much of the name of a column a Shapefile keeps: three Chinese characters in UTF-8."""


def _cut(heading: str, known: Mapping[str, list[str]]) -> list[str]:
    """The field of the headings that a Shapefile would have cut to this one, if they are of one field."""
    word = plain(heading)
    if len(word.encode()) < DBF_BYTES - 2:
        return []
    fields = {own[0] for name, own in known.items()
              if len(name) > len(word) and name.encode()[:DBF_BYTES].decode(errors="ignore") == word}  # fmt: skip
    return list(fields) if len(fields) == 1 else []


def _fields(choices: Sequence[list[str]]) -> dict[str, int]:
    """Which column is which field; a heading that may be two leaves one to a heading that is that alone."""
    certain = {field for field, *others in filter(None, choices) if not others}
    fields: dict[str, int] = {}
    for column, choice in enumerate(choices):
        if choice[:1] == ["x_or_y"]:
            fields.setdefault("x_or_y_2" if "x_or_y" in fields else "x_or_y", column)
        elif choice:
            fields.setdefault(next((one for one in choice if one not in certain), choice[0]), column)
    return fields


def written_down(raw: RawTable) -> Sequence[Sequence[str]]:
    """Give the rows, with what is written in a cell of several rows in each of them."""
    if not raw.joined:
        return raw.rows
    rows = [list(cells) for cells in raw.rows]
    for first, last, column in raw.joined:
        for row in rows[first + 1 : last + 1]:
            row[column] = rows[first][column]
    return rows


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+]?[\d,.]+%?", cell))


def _headings(
    raw: RawTable, told: Sequence[Sequence[str]], known: Mapping[str, list[str]]
) -> tuple[list[str], int]:
    """
    Give the headings and the number of the first row below them.

    Headings of which a part stands in the row above or below, not joined to it, are refused: what is under them
    would be lost.
    """
    hits = [sum(plain(cell) in known for cell in row) for row in told[:HEADING_ROWS]]
    if not any(hits):
        raise Stop(Problem("no_headings", "stop", file=raw.file, sheet=raw.sheet))
    top = int(np.argmax(hits))
    # a heading that stands in two rows says that the next is of the headings, too
    last = max([top, *(low for first, low, _ in raw.joined if first <= top < low < HEADING_ROWS)])
    columns = zip_longest(*reversed(told[top : last + 1]), fillvalue="")
    heads = [next((cell for cell in own if plain(cell) in known), own[0]) for own in columns]
    own = {column for column, cell in enumerate(heads) if plain(cell) in known}
    for other, least in ((top - 1, 1), (last + 1, 2)):  # a record may hold a word that is a heading too
        if 0 <= other < len(raw.rows) and list(raw.rows[other]) != heads:
            cells = enumerate(raw.rows[other])
            if sum(plain(cell) in known and column not in own for column, cell in cells) >= least:
                rows = "、".join(str(row + 1) for row in sorted((top, other)))
                raise Stop(Problem.stop("headings_in_two_rows", file=raw.file, rows=rows))
    return heads, last + 1


def _is_no_record(filled: list[str]) -> bool:
    """Say whether a row is a total (in one of its first cells) or a line for signatures."""
    if any(_TOTALS.fullmatch(plain(cell)) for cell in filled[:3]):
        return True
    # a signature line begins with who is to sign, and a colon or an empty place follows
    first = unicodedata.normalize("NFKC", filled[0]).replace(" ", "")
    found = _SIGNATURES.match(first)
    return found is not None and first[found.end() :][:1] in ("", ":")


def some(rows: Sequence[object]) -> str:
    """Name things, the first eight of them."""
    return "、".join(str(row) for row in rows[:8]) + ("…" if len(rows) > 8 else "")


def positions(ledger: Ledger, *, crs: str, box: Bounds) -> tuple[Floats, Floats, list[Problem]]:
    """
    Read the position of every row as degrees; NaN and a fault where there is none that can be used.

    Longitude and latitude count if there are such columns, else east and north in the metres of ``crs``. Which
    of two columns X and Y is which is decided by which order falls into ``box``, and said in a doubt. A pair
    that falls into the box only when exchanged is a fault and is not used; so is one that the system cannot
    hold, and an easting with the zone before it. One outside the box is used, and told in a doubt.

    Raises
    ------
    Stop
        There are no columns of positions, or they are metres and no system of metres is declared.
    """
    source = systems.system(crs)
    fields = next(
        (
            pair
            for pair in (("lon", "lat"), ("easting", "northing"), ("x_or_y", "x_or_y_2"))
            if set(pair) <= set(ledger.frame.columns)
        ),
        None,
    )
    if fields is None:
        raise Stop(Problem("no_positions", "stop", file=ledger.file, sheet=ledger.sheet))
    metres = fields[0] != "lon"
    if metres and systems.in_degrees(source):
        column = ledger.headings[fields[0]]
        raise Stop(Problem("metres_without_crs", "stop", file=ledger.file, sheet=ledger.sheet, column=column))
    (a, faults_a), (b, faults_b) = ledger.numbers(fields[0]), ledger.numbers(fields[1])
    problems = [*faults_a, *faults_b]
    if fields[0] == "x_or_y":
        a, b, order = _in_order(ledger, a, b, source, box)
        problems.append(order)
    blank = (a.isna() | (a == 0)) | (b.isna() | (b == 0))
    a, b = a.mask(blank), b.mask(blank)
    faulty = {problem.row for problem in problems}
    problems += [
        ledger.fault("position_missing", int(row), fields[0], "")
        for row in ledger.frame.index[blank]
        if row not in faulty
    ]
    if not metres:
        swapped = ~_inside(a, b, box) & _inside(b, a, box)
        for row in ledger.frame.index[swapped]:
            value = f"{a[row]:g}, {b[row]:g}"
            problems.append(ledger.fault("position_swapped", int(row), fields[0], value))
        a, b = a.mask(swapped), b.mask(swapped)
    lon, lat = systems.to_degrees(a.to_numpy(np.float64), b.to_numpy(np.float64), source)
    known, finite = (a.notna() & b.notna()).to_numpy(), (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    inside = finite & _inside(pd.Series(lon), pd.Series(lat), box).to_numpy()
    # eight places before the point are a zone and an easting, and only some systems have them so
    unusable = known & ~inside & (~finite | ((a.abs() >= 1e7).to_numpy() & metres))
    problems += [
        ledger.fault("position_impossible", int(row), fields[0], f"{a[row]:.10g}, {b[row]:.10g}")
        for row in ledger.frame.index[unusable]
    ]
    used = finite & ~unusable
    if (used & ~inside).any():
        apart = ledger.frame.index[used & ~inside]
        problems.append(ledger.doubt("position_outside", fields[0], n=len(apart), rows=some(list(apart))))
    return np.where(used, lon, np.nan), np.where(used, lat, np.nan), problems


def _inside(x: pd.Series, y: pd.Series, box: Bounds) -> pd.Series:
    west, south, east, north = box
    return x.between(west, east) & y.between(south, north)


def _in_order(
    ledger: Ledger, a: pd.Series, b: pd.Series, source: str, box: Bounds
) -> tuple[pd.Series, pd.Series, Problem]:
    def inside(east: pd.Series, north: pd.Series) -> int:
        lon, lat = systems.to_degrees(east.to_numpy(np.float64), north.to_numpy(np.float64), source)
        return int(_inside(pd.Series(lon), pd.Series(lat), box).sum())

    swapped = inside(b, a) > inside(a, b)
    first, second = ledger.headings["x_or_y"], ledger.headings["x_or_y_2"]
    params = (("east", second if swapped else first), ("north", first if swapped else second))
    said = Problem("xy_order", "doubt", file=ledger.file, sheet=ledger.sheet, params=params)
    return (b, a, said) if swapped else (a, b, said)
