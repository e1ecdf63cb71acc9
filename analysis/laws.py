"""Laws that every run's results must obey, checked on the results themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from analysis.access import REQUIREMENTS, STATUSES, UNJUDGED
from analysis.circle import URBAN_ONLY
from analysis.seats import VIEWS
from geo.crs import area_m2
from geo.profile import fastest_kmh, fastest_walk_kmh
from layers.catalog import Catalog

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class _Rules:
    """What results are held against beside themselves."""

    catalog: Catalog
    met_share: float


Breach = Callable[[Tables, _Rules], pd.Series]


@dataclass(frozen=True, slots=True)
class _Law:
    name: str
    table: str
    worst_of: Breach
    """By how much each row breaks it; 0 where it holds."""


def check_laws(tables: Tables, *, catalog: Catalog, met_share: float | None = None) -> pd.DataFrame:
    """
    Check each law on the tables that are there.

    Parameters
    ----------
    tables
        Finished tables by name.
    catalog
        The categories that every place must have been measured against, their standards, lists and speeds.
    met_share
        The share of a place's people that makes it served; the catalogue's by default.

    Returns
    -------
    laws
        ``law, held, checked_n, worst`` (the largest breach, 0 if none) and ``rows`` (up to ten breaking rows).
    """
    rules = _Rules(catalog, met_share or catalog.met_share)
    rows = []
    for law in LAWS:
        if law.table in tables:
            breach = law.worst_of(tables, rules)
            broken = breach[breach > 0]
            named = ";".join(str(index) for index in broken.index[:10])
            worst = float(breach.max()) if len(breach) else 0.0
            rows.append((law.name, broken.empty, len(breach), worst, named))
    return pd.DataFrame(rows, columns=["law", "held", "checked_n", "worst", "rows"])


def _of_place(tables: Tables, table: str, column: str) -> pd.Series:
    """A column of places for each row of another table; NaN where it names no place."""
    return tables[table]["place_id"].map(tables["places"].set_index("place_id")[column])


def _one_status(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["access"]
    return (~(rows["status"].isin(STATUSES) & rows["requirement"].isin(REQUIREMENTS))).astype("float64")


def _every_place_once(tables: Tables, rules: _Rules) -> pd.Series:
    access = tables["access"]
    twice = access.duplicated(["place_id", "category", "persona", "mode"]).astype("float64")
    ids = [category.id for category in rules.catalog.in_access()]
    wanted = pd.MultiIndex.from_product([tables["places"]["place_id"], ids])
    deciding = access[access["deciding"]]
    # each pair that is wanted once, and no other
    both = pd.DataFrame(
        {"due": pd.Series(1, index=wanted), "found": deciding.groupby(["place_id", "category"]).size()}
    )
    apart = (both["found"].fillna(0) - both["due"].fillna(0)).abs()
    return pd.concat([twice, apart.astype("float64")])


def _by_kind(rows: pd.DataFrame, number_of: Callable[[tuple[Any, ...]], float | None]) -> pd.Series:
    """A number for each row that follows from its values, worked out once for equal rows."""
    kind = rows.groupby(list(rows.columns), sort=False, dropna=False, observed=True).ngroup().to_numpy(np.int64)
    first = rows[~pd.Series(kind).duplicated().to_numpy(bool)]
    numbers = np.array([number_of(key) for key in first.itertuples(index=False, name=None)], np.float64)
    order = pd.Series(kind).drop_duplicates().to_numpy(np.int64)
    of_kind = np.full(len(order), np.nan)
    of_kind[order] = numbers
    return pd.Series(of_kind[kind], rows.index, dtype="float64")


def _threshold_is_the_standard(tables: Tables, rules: _Rules) -> pd.Series:
    """Held against the catalogue: of walking for whom did not ride, of riding for whom did."""
    rows = tables["access"]
    profile = _of_place(tables, "access", "profile")
    how = rows["mode"].where(rows["rode"], "walk")
    found = pd.DataFrame({"category": rows["category"], "profile": profile, "how": how})
    due = _by_kind(found, lambda key: rules.catalog.standard(key[0], key[1]).limit_min(key[2]))
    same = (due == rows["threshold_min"]) | (due.isna() & rows["threshold_min"].isna())
    return (~same).astype("float64")


def _pupils_add_up(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["seats"][tables["seats"]["status"] == "ok"]
    parts = ["day_placed", "board_placed", "bus_placed", "unplaced_distance", "unplaced_capacity"]
    below = (-rows[parts].min(axis=1)).clip(lower=0.0)
    return (rows[parts].sum(axis=1, skipna=False) - rows["pupils"]).abs().fillna(np.inf) + below


def _no_school_over_capacity(tables: Tables, _: _Rules) -> pd.Series:
    """By how many a school has more than seats, or more boarders than beds, in all its stages."""
    pool = tables["schools"].groupby(["pool_id", "view", "year"])
    over = pool["placed"].sum() - pool["capacity"].sum(min_count=1).fillna(0.0)
    in_bed = pool["boarders"].sum() - pool["boarding_beds"].first()
    return over.where(over > in_bed, in_bed).clip(lower=0.0)


def _seats_are_taken_once(tables: Tables, _: _Rules) -> pd.Series:
    """By how many more pupils have a seat than seats are taken; of some places nothing is said."""
    keys = ["stage", "view", "year"]
    seated = tables["seats"].groupby(keys)[["day_placed", "board_placed"]].sum().sum(axis=1)
    taken = tables["schools"].groupby(keys)["placed"].sum().reindex(seated.index).fillna(0.0)
    every = (tables["seats"]["status"] == "ok").groupby([tables["seats"][key] for key in keys]).all()
    return (seated - taken).clip(lower=0.0) + (taken - seated).clip(lower=0.0).where(every, 0.0)


def _cuts_prove_what_is_short(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["cuts"]
    return (rows["pupils"] - rows["seats"] - rows["beds"] - rows["short"]).abs() + (rows["short"] <= 0)


def _moving_never_harms(tables: Tables, _: _Rules) -> pd.Series:
    """By how many more have no seat where more may move, in all stages together; where nothing is unknown."""
    rows = tables["seats"]
    unsure = set(rows.loc[rows["status"].isin(["seats_unknown", "no_data"]), "year"])
    left = rows[["year", "view"]].assign(n=(rows["unplaced_distance"] + rows["unplaced_capacity"]).fillna(0.0))
    short = left[~left["year"].isin(unsure)].pivot_table("n", index="year", columns="view", aggfunc="sum")
    views = [name for name in VIEWS if name in short]
    return short[views].diff(axis=1).max(axis=1).fillna(0.0).clip(lower=0.0)


def _care_is_shared_once(tables: Tables, _: _Rules) -> pd.Series:
    """By how many doctors what all have together differs from those within reach, where nothing is unknown."""
    keys = ["level", "method"]
    care = tables["care"]
    sure = ~care["status"].isin(["staff_unknown", "no_position", "outside_data"])
    every = sure.groupby([care[key] for key in keys]).all()
    has = (care["people"] * care["per_1000"] / 1000).groupby([care[key] for key in keys]).sum()
    due = tables["care_levels"].set_index(keys)["staff_reached"].reindex(has.index)
    over = has - due
    # with these some of it is left unused
    apart = over.abs().mask(has.index.get_level_values("method").isin(["m2sfca", "raam"]), over.clip(lower=0.0))
    return apart.where(every & (apart > 1e-6 * due.clip(lower=1.0)), 0.0)


def _one_grid_each(tables: Tables, _: _Rules) -> pd.Series:
    """By how many a grid's places differ from those that name it."""
    named = tables["care"].drop_duplicates("place_id").groupby("grid_id").size()
    own = tables["grids"].groupby("grid_id")["places_n"].sum()
    both = pd.DataFrame({"named": named.drop("", errors="ignore"), "own": own}).fillna(0.0)
    return (both["named"] - both["own"]).abs()


def _met_is_served(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["access"]
    judged = ~rows["status"].isin(UNJUDGED) & rows["threshold_min"].notna()
    served = (rows["status"] == "served").astype("float64").where(judged)
    met = rows["met"].astype("float64")
    return ((met != served) & ~(met.isna() & served.isna())).astype("float64")


def _people_met_are_people(tables: Tables, rules: _Rules) -> pd.Series:
    rows = tables["access"]
    met, people = rows["met"].astype("float64"), rows["people"]
    own = _of_place(tables, "access", "pop")
    others = ((people != own) & ~(people.isna() & own.isna())) * 1.0
    due = (rows["people_met"].notna() != (people * met).notna()) * 1.0
    # a place of several points is met by so many of its people as are the share, and by all of them at most
    least, most = (met == 1) * rules.met_share * people, people.where(met == 1, rules.met_share * people)
    apart = pd.concat([least - rows["people_met"], rows["people_met"] - most], axis=1).max(axis=1)
    return pd.concat([others, due, apart.where(apart > 1e-6 * people, 0.0)], axis=1).max(axis=1).fillna(0.0)


def _time_between_its_legs(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["access"].dropna(subset="time_min")
    legs = rows[["time_to_min", "time_back_min"]]
    below, above = legs.min(axis=1) - rows["time_min"], rows["time_min"] - legs.max(axis=1)
    negative = -legs.join(rows["time_min"]).min(axis=1)
    # a mean of two float64 may leave them by its last bit
    return pd.concat([below, above, negative], axis=1).max(axis=1).where(lambda d: d > 1e-9, 0.0)


def _served_in_time(tables: Tables, _: _Rules) -> pd.Series:
    """Who is served is so within the limit, and who is beyond it beyond; half a millisecond is the least step."""
    rows, step = tables["access"], 1 / 120_000
    over = rows["time_min"] - rows["threshold_min"]
    late = over.fillna(np.inf).where((rows["status"] == "served") & ~(over <= step), 0.0)
    early = (step - over).where((rows["status"] == "beyond_limit") & (over <= 0), 0.0)
    return late + early


def _time_only_where_reached(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["access"]
    reached = rows["status"].isin(["served", "beyond_limit"])
    unreached = rows["status"].isin(["unreachable", "off_network", "no_facility", "no_data", "outside_data"])
    has_time = rows["time_min"].notna()
    named = rows["facility_id"] != ""
    return ((reached & ~has_time) | (unreached & has_time) | (named != has_time)).astype("float64")


def _no_shorter_than_straight(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["access"]
    both = rows[rows["time_min"].notna()]
    # the straight line to the nearest, which the one travelled to cannot beat. Where a long edge is entered is
    # found in the plane, whose scale moves along it; and a centimetre for the projection
    room = 0.01 + 1e-5 * both["distance_m"]
    return (both["straight_m"] - both["distance_m"] - room).clip(lower=0)


def _no_faster_than_possible(tables: Tables, rules: _Rules) -> pd.Series:
    """The slower of there and back takes at least as long as its way at the highest speed there is."""
    rows = tables["access"][["persona", "mode", "rode", "time_to_min", "time_back_min", "distance_m"]]

    def fastest(key: tuple[Any, ...]) -> float:
        profile = rules.catalog.travel_profile(key[0], key[1])
        return fastest_kmh(profile) if key[2] else fastest_walk_kmh(profile)

    speed = _by_kind(rows[["persona", "mode", "rode"]], fastest) * 1000 / 60
    slower = rows[["time_to_min", "time_back_min"]].max(axis=1)
    # each edge and leg is rounded to a millisecond
    return (rows["distance_m"] / speed - slower * (1 + 1e-3) - 1e-3).clip(lower=0).fillna(0.0)


def _known_sizes(tables: Tables, rules: _Rules) -> pd.Series:
    rows = tables["places"]
    due = rows["pop"].map(rules.catalog.size_class).where(rows["place_kind"] == "settlement", "")
    return (due != rows["size_class"]).astype("float64")


def _every_list_judged(tables: Tables, rules: _Rules) -> pd.Series:
    """Each place has each list that is for its profile, once a persona, with all its categories."""
    rows, places = tables["circles"], tables["places"]
    size = {name: len(rules.catalog.on_list(name)) for name in rules.catalog.lists}
    lists = [name for name in size if size[name]]
    keys = ["place_id", "persona", "list"]
    wanted = pd.MultiIndex.from_product([places["place_id"], rows["persona"].unique(), lists], names=keys)
    rural = wanted.get_level_values(0).isin(places.loc[places["profile"] == "rural", "place_id"])
    wanted = wanted[~(rural & wanted.get_level_values(2).str.startswith(URBAN_ONLY))]
    found = rows.groupby(keys)["list_n"].agg(["size", "sum"])
    due = pd.DataFrame({"n": 1, "of": wanted.get_level_values(2).map(size)}, index=wanted)
    both = due.join(found, how="outer").fillna(0)
    return (both["n"] - both["size"]).abs() + (both["of"] - both["sum"]).abs()


def _circle_adds_up(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["circles"]
    named = {name: rows[name].map(lambda cell: len(cell.split(";")) if cell else 0) for name in
             ("missing", "far", "unknown")}  # fmt: skip
    parts = rows["total_n"] + rows["unknown_n"] + rows["no_standard_n"]
    apart = (parts - rows["list_n"]).abs() + (rows["unknown_n"] - named["unknown"]).abs()
    apart += (rows["total_n"] - rows["met_n"] - named["missing"] - named["far"]).abs()
    apart += (rows["exist_n"] - rows["exist_met_n"] - named["missing"]).abs()
    return apart.astype("float64")


def _shares_add_up(tables: Tables, _: _Rules) -> pd.Series:
    columns = ["places_n", "people", "missing_n"]
    keys = ["place_kind", "list", "persona"]
    summed = tables["shares"].groupby(["by", *keys])[columns].sum().reset_index()
    whole = summed[summed["by"] == "all"].drop(columns="by")
    both = summed.merge(whole, on=keys, suffixes=("", "_all"))
    apart = pd.concat([(both[name] - both[f"{name}_all"]).abs() for name in columns], axis=1).max(axis=1)
    # sums of people over classes in another order
    return apart.where(apart > 1e-6, 0.0)


def _shares_are_shares(tables: Tables, _: _Rules) -> pd.Series:
    """The judged are some of the places, those with all met some of the judged; low, found and high in order."""
    rows = tables["shares"]
    met, low, high = (rows[f"people_{name}"] for name in ("all_met_share", "share_low", "share_high"))
    falls = [
        rows["judged_n"] - rows["places_n"], rows["all_met_n"] - rows["judged_n"],
        rows["people_all_met"] - rows["people"] - 1e-6, low - met, met - high, high - 1.0 - 1e-9, -low,
        (met * rows["people"] - rows["people_all_met"]).abs() - 1e-6, -rows["missing_n"],
        (rows["exist_n"] - rows["exist_met_n"] - rows["missing_n"]).abs(),
        *((share.notna() != (rows["people"] > 0)) * 1.0 for share in (met, low, high)),
    ]  # fmt: skip
    whole = tables["places"].groupby("place_kind").agg(places_n=("place_id", "size"), people=("pop", "sum"))
    due = whole.reindex(rows["place_kind"]).set_axis(rows.index)
    falls += [(rows[name] - due[name]).where(rows["by"] == "all", 0.0) - 1e-6 for name in due]
    return pd.concat(falls, axis=1).max(axis=1).clip(lower=0).fillna(0.0)


def _nobody_small_must_own(tables: Tables, _: _Rules) -> pd.Series:
    """A missing category is one whose number of people the place reaches; so a place of nobody misses none."""
    rows, places = tables["circles"], tables["places"].set_index("place_id")
    people = (places["pop"] + places["pop_host"].fillna(0.0)).reindex(rows["place_id"]).to_numpy()
    return ((rows["exist_n"] > 0) & ~(people > 0)).astype("float64")


def _mu_are_metres(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["homesteads"].dropna(subset="area_m2")
    # an area of 60 to 600 m² is far above what rounding of a float64 can do to it
    return (rows["area_mu"] * 2000 - rows["area_m2"] * 3).abs().where(lambda d: d > 1e-6, 0.0)


def _people_add_up(tables: Tables, _: _Rules) -> pd.Series:
    number = tables["balance"].set_index("item")["number"]
    missing = abs(number["at_places"] + number["nowhere"] - number["raster_total"])
    # sums of some millions of float32 cells in float64: a thousandth of a person is far above their rounding
    return pd.Series([missing if missing > 1e-3 else 0.0], index=["raster"])


def _rings_nest(tables: Tables, _: _Rules) -> pd.Series:
    """What is reached in five minutes is reached in ten; in square metres that stick out."""
    rings = tables["rings"].sort_values(["place_id", "persona", "minutes"], kind="stable")
    shapes = np.asarray(rings.geometry, object)
    follows = (rings[["place_id", "persona"]] == rings[["place_id", "persona"]].shift()).all(axis=1).to_numpy()
    out = np.zeros(len(rings))
    out[follows] = area_m2(shapely.difference(shapes[:-1][follows[1:]], shapes[1:][follows[1:]]))
    # a point in which two contours touch may be off by the last digits of a degree
    return pd.Series(np.where(out > 1.0, out, 0.0), rings.index)


def _ways_add_up(tables: Tables, _: _Rules) -> pd.Series:
    """The areas of all ways are those of all plots, in square metres."""
    apart = abs(tables["ways"]["area_m2"].sum() - tables["homesteads"]["area_m2"].sum())
    return pd.Series([apart if apart > 0.01 else 0.0], index=["area_m2"])


def _survey_parts_add_up(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["homesteads"].dropna(subset=["construction_area_m2", "area_m2"])
    parts = rows[["construction_area_m2", "other_area_m2", "unmapped_area_m2"]].sum(axis=1)
    return (parts - rows["area_m2"]).abs().where(lambda d: d > 0.01, 0.0)


def _quota_balances(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["quota"].dropna(subset="surplus_mu")
    spent = rows[["resettlement_in_project_mu", "other_new_use_mu", "reserved_mu"]].sum(axis=1)
    came = rows["accepted_farmland_net_mu"] + rows["accepted_other_agri_mu"]
    sold = rows["sold_in_province_mu"] + rows["sold_cross_province_mu"]
    falls = [(rows["surplus_mu"] - came + spent).abs(), (rows["remaining_mu"] - rows["surplus_mu"] + sold).abs(),
             (rows["usable"].fillna(False).astype(bool) & (rows["farmland_balance_mu"] < 0)) * 1.0,
             rows["accepted_farmland_net_mu"] + rows["accepted_other_agri_mu"] - rows["accepted_mu"]]  # fmt: skip
    return pd.concat(falls, axis=1).max(axis=1).clip(lower=0.0).where(lambda d: d > 1e-6, 0.0)


def _accepted_adds_up(tables: Tables, _: _Rules) -> pd.Series:
    """What is accepted earns, is a ridge, or is excluded for one reason."""
    rows = tables["quota"]
    parts = ["accepted_farmland_net_mu", "accepted_ridges_mu", "accepted_other_agri_mu", "excluded_unused_mu",
             "excluded_unmapped_mu", "excluded_claimed_mu", "excluded_no_project_mu"]  # fmt: skip
    known = rows[rows["unknown_n"] == 0].dropna(subset=[*parts, "accepted_mu"])
    return (known[parts].sum(axis=1) - known["accepted_mu"]).abs().where(lambda d: d > 1e-6, 0.0)


def _demolition_adds_up(tables: Tables, _: _Rules) -> pd.Series:
    """Villages, towns and counties count the same; what is done is no more than what must be."""
    rows = tables["demolition"]
    numbers = [name for name in rows if str(name).endswith(("_n", "_mu"))]
    by = rows.groupby("unit_level")[numbers].sum()
    apart = (by.max() - by.min()).max() if len(by) else 0.0
    chains = (("should_demolish", "demolished"), ("should_reclaim", "reclaimed"), ("reclaimed", "accepted"))
    falls = [rows[f"{less}_n"] - rows[f"{more}_n"] for more, less in chains]
    worst = pd.concat(falls, axis=1).max(axis=1).clip(lower=0.0)
    return worst.where(worst > 0, apart if apart > 1e-6 else 0.0)


def _rights_add_up(tables: Tables, _: _Rules) -> pd.Series:
    """Every plot is of one collective, and what is accepted is what the quota calls accepted."""
    rows = tables["rights"]
    apart = {"plots": abs(rows["plots"].sum() - len(tables["homesteads"]))}
    if "quota" in tables:
        projects = tables["quota"].loc[lambda t: t["unit_level"] == "project", "accepted_mu"].sum()
        apart["accepted_mu"] = abs(rows["accepted_mu"].sum() - projects)
    return pd.Series(apart, dtype="float64").where(lambda d: d > 1e-6, 0.0)


def _counties_are_sums(tables: Tables, _: _Rules) -> pd.Series:
    """What plots give is the same by project and by county, and a county's surplus is that of its projects."""
    rows = tables["quota"]
    gives = ["potential_mu", "demolished_mu", "reclaimed_mu", "accepted_mu", "accepted_farmland_net_mu",
             "accepted_other_agri_mu", "excluded_no_project_mu", "accepted_unknown_n"]  # fmt: skip
    by = rows.groupby("unit_level")[gives].sum()
    apart = by.max() - by.min() if len(by) > 1 else pd.Series(dtype="float64")
    named = rows[(rows["unit_level"] == "project") & (rows["unit_id"] != "")]
    whole = rows[rows["unit_level"] == "county"].set_index("unit_id")["surplus_mu"].dropna()
    parts = named.groupby("county")["surplus_mu"].sum(skipna=False).reindex(whole.index)
    return pd.concat([apart, (whole - parts).abs()]).fillna(1.0).where(lambda d: d > 1e-6, 0.0)


def _quota_on_construction_land(tables: Tables, _: _Rules) -> pd.Series:
    rows = tables["homesteads"].reindex(columns=["quota_area_m2", "construction_area_m2"]).dropna()
    beyond = rows["quota_area_m2"] - rows["construction_area_m2"]
    return beyond.where(beyond > 0.01, 0.0)


LAWS = (
    _Law("ways_add_up", "ways", _ways_add_up),
    _Law("survey_parts_add_up", "homesteads", _survey_parts_add_up),
    _Law("quota_balances", "quota", _quota_balances),
    _Law("accepted_adds_up", "quota", _accepted_adds_up),
    _Law("demolition_adds_up", "demolition", _demolition_adds_up),
    _Law("rights_add_up", "rights", _rights_add_up),
    _Law("counties_are_sums", "quota", _counties_are_sums),
    _Law("quota_on_construction_land", "homesteads", _quota_on_construction_land),
    _Law("one_status", "access", _one_status),
    _Law("every_place_once", "access", _every_place_once),
    _Law("known_sizes", "places", _known_sizes),
    _Law("threshold_is_the_standard", "access", _threshold_is_the_standard),
    _Law("met_is_served", "access", _met_is_served),
    _Law("people_met_are_people", "access", _people_met_are_people),
    _Law("served_in_time", "access", _served_in_time),
    _Law("time_between_its_legs", "access", _time_between_its_legs),
    _Law("time_only_where_reached", "access", _time_only_where_reached),
    _Law("no_shorter_than_straight", "access", _no_shorter_than_straight),
    _Law("no_faster_than_possible", "access", _no_faster_than_possible),
    _Law("every_list_judged", "circles", _every_list_judged),
    _Law("circle_adds_up", "circles", _circle_adds_up),
    _Law("shares_add_up", "shares", _shares_add_up),
    _Law("shares_are_shares", "shares", _shares_are_shares),
    _Law("nobody_small_must_own", "circles", _nobody_small_must_own),
    _Law("rings_nest", "rings", _rings_nest),
    _Law("mu_are_metres", "homesteads", _mu_are_metres),
    _Law("people_add_up", "balance", _people_add_up),
    _Law("pupils_add_up", "seats", _pupils_add_up),
    _Law("no_school_over_capacity", "schools", _no_school_over_capacity),
    _Law("seats_are_taken_once", "schools", _seats_are_taken_once),
    _Law("moving_never_harms", "seats", _moving_never_harms),
    _Law("care_is_shared_once", "care", _care_is_shared_once),
    _Law("one_grid_each", "grids", _one_grid_each),
    _Law("cuts_prove_what_is_short", "cuts", _cuts_prove_what_is_short),
)
