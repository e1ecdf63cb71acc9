"""An explanation in sentences: why a place has its time to a category."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.explain import Explanation
from layers.catalog import Catalog
from outputs.messages import Messages


def told(found: Explanation, name: str, catalog: Catalog, messages: Messages) -> Iterator[str]:
    """Say it line by line: the verdict, the legs off the street, the way by streets, and who else might serve."""
    row, say, words = found.verdict, messages.say, messages.words
    spoken = f"name_{messages.language}"
    category = getattr(catalog.categories[row["category"]], spoken)
    yield say(
        "explain.title", place=name, category=category, persona=getattr(catalog.personas[row["persona"]], spoken),
        mode=words["mode"][row["mode"] if row["rode"] or row["mode"] == "walk" else "walk"],
    )  # fmt: skip
    limit = _minutes(row["threshold_min"], messages)
    time = _minutes(row["time_min"], messages)
    yield say("explain.status", status=words["status"][row["status"]], time=time, limit=limit)
    if pd.notna(row["time_min"]):
        yield say(
            "explain.facility", facility=row["facility_name"] or row["facility_id"],
            kind=getattr(catalog.categories[row["served_by"]], spoken), to=_minutes(row["time_to_min"], messages),
            back=_minutes(row["time_back_min"], messages), metres=f"{row['distance_m']:,.0f}",
            straight=f"{row['straight_m']:,.0f}",
        )  # fmt: skip
    yield say("explain.function", function=words["walk_function"][row["walk_function"]])
    for leg in found.legs.to_dict("records"):
        if np.isfinite(leg["distance_m"]):
            yield say(f"explain.leg_{leg['end']}", metres=f"{leg['distance_m']:,.0f}",
                      time=_minutes(leg["time_min"], messages))  # fmt: skip
        else:
            yield say("explain.no_leg", status=words["snap"][leg["status"]])
    if len(found.way):
        yield say("explain.way")
    for part in found.way.to_dict("records"):
        graded = ""
        if np.isfinite(part["rise_m"]):
            graded = say(
                "explain.grade", rise=f"{part['rise_m']:+.0f}", steepest=f"{100 * part['grade_max']:+.0f}"
            )
        yield say(
            "explain.part", street=part["street_name"] or f"{part['highway']} {part['way_id']}",
            metres=f"{part['length_m']:,.0f}", time=_minutes(part["time_min"], messages), grade=graded,
        )  # fmt: skip
    if len(found.nearest):
        yield say("explain.nearest")
    for other in found.nearest.to_dict("records"):
        kind = getattr(catalog.categories[other["served_by"]], spoken)
        yield say(
            "explain.other", facility=other["facility_name"] or other["facility_id"], kind=kind,
            time=_minutes(other["time_min"], messages), to=_minutes(other["time_to_min"], messages),
            back=_minutes(other["time_back_min"], messages),
        )  # fmt: skip


def _minutes(value: float, messages: Messages) -> str:
    return messages.say("explain.minutes", n=f"{value:.1f}") if np.isfinite(value) else "—"
