"""A comparison in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from analysis.catchment import DEFAULT as CARE_METHOD
from layers import catalog as catalogue
from outputs.messages import Messages

SHOWN = 20


def told(tables: Mapping[str, pd.DataFrame], words: Messages, *, cost: float) -> Iterator[str]:
    """Say by category who gained and who lost, then what became of seats and of doctors."""
    sums = tables["change_sums"]
    catalog = catalogue.load()
    yield words.say("compare.none") if not len(sums) else words.say("compare.categories", n=len(sums))
    order = (sums["people_gained"] + sums["people_lost"]).sort_values(ascending=False, kind="stable").index
    for row in sums.loc[order].head(SHOWN).to_dict("records"):
        yield words.say(
            "compare.category", category=words.category(catalog, str(row["category"])),
            gained=f"{row['people_gained']:,.0f}", lost=f"{row['people_lost']:,.0f}", nearer=row["nearer_n"],
            further=row["further_n"], saved=f"{row['person_min_saved']:,.0f}",
        )  # fmt: skip
    if len(sums) > SHOWN:
        yield words.say("compare.more", n=len(sums) - SHOWN)
    if "seat_changes" in tables:
        seats = tables["seat_changes"]
        moved = (seats["seated_more"] != 0) & (seats["year"] == 0)
        for row in seats[moved].to_dict("records"):
            yield words.say(
                "compare.seats", stage=words.say(f"school_stage.{row['stage']}"),
                view=words.say(f"view.{row['view']}"), was=f"{row['unplaced_was']:,.0f}",
                now=f"{row['unplaced_is']:,.0f}",
            )  # fmt: skip
    if "care_changes" in tables:
        care = tables["care_changes"][tables["care_changes"]["method"] == CARE_METHOD]
        for row in care.to_dict("records"):
            unsaid = [row[f"people_unsaid_{when}"] for when in ("was", "is")]
            if unsaid[0] != unsaid[1]:
                yield words.say(
                    "compare.unsaid", level=words.say(f"level.{row['level']}"), was=f"{unsaid[0]:,.0f}",
                    now=f"{unsaid[1]:,.0f}",
                )  # fmt: skip
                continue
            if not abs(row["staff_short_is"] - row["staff_short_was"]) > 0.005:
                continue
            yield words.say(
                "compare.care", level=words.say(f"level.{row['level']}"), was=f"{row['staff_short_was']:,.1f}",
                now=f"{row['staff_short_is']:,.1f}",
            )  # fmt: skip
    if not np.isnan(cost):
        yield words.say("compare.cost", cost=f"{cost:,g}")
