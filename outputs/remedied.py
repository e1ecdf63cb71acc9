"""A proposal in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis.remedies import Proposal
from layers.catalog import Catalog
from outputs.messages import Messages

STEPS_SHOWN = 10
"""So many steps of the curve are said; the table has all."""


def told(proposal: Proposal, catalog: Catalog, words: Messages, *, goal: str) -> Iterator[str]:
    """Say what is proposed, step by step, whom each step helps, what it costs, and how sure that is."""
    seats = bool(proposal.stages)
    kind = "seated" if seats else "served"
    stages = "、".join(words.say(f"school_stage.{stage}") for stage in proposal.stages)
    yield words.say(
        f"site.before_{kind}", stages=stages, people=f"{proposal.people:,.0f}", before=f"{proposal.before:,.0f}",
        left=f"{proposal.people - proposal.before:,.0f}",
    )  # fmt: skip
    if not len(proposal.remedies):
        was = _told(proposal.value_before, 1)
        yield words.say("site.no_nearer", was=was) if goal == "center" else words.say("site.nothing")
        return
    name = f"name_{words.language}"
    for row in proposal.remedies.to_dict("records"):
        category = getattr(catalog.categories[str(row["category"])], name)
        what = [words.say("site.classes", n=row["units"])] if seats and row["units"] else []
        what += [words.say("site.beds", n=row["beds"])] if row["beds"] else []
        cost = "" if np.isnan(row["cost"]) else words.say("site.cost", cost=f"{row['cost']:,.0f}")
        yield words.say(
            f"site.{row['action']}", rank=row["rank"], category=category, name=row["facility_name"],
            x=f"{row['x']:.5f}", y=f"{row['y']:.5f}", what="、".join(what) or "—", cost=cost,
            people=f"{row['people_gained']:,.0f}",
        )  # fmt: skip
    yield words.say(
        f"site.after_{kind}", after=f"{proposal.after:,.0f}", left=f"{proposal.people - proposal.after:,.0f}"
    )
    if goal in ("median", "center", "backup"):
        digits = 0 if goal == "backup" else 1
        was, now = (_told(value, digits) for value in (proposal.value_before, proposal.value_after))
        yield words.say(f"site.{goal}", was=was, now=now)
    gap = float(proposal.remedies["gap"].iloc[0])
    yield words.say("site.proven") if gap <= 1e-9 else words.say("site.gap", pct=f"{100 * gap:.2f}")
    curve = proposal.curve[proposal.curve["people_gained"] > 0]
    if len(curve) > 1:
        yield words.say("site.curve")
        step = -(-len(curve) // STEPS_SHOWN)
        for row in curve.iloc[::-1].iloc[::step].iloc[::-1].to_dict("records"):  # the last among them
            cost = "" if np.isnan(row["cost"]) else words.say(
                "site.cost_each", cost=f"{row['cost']:,.0f}", each=f"{row['cost_per_person']:,.2f}"
            )  # fmt: skip
            yield words.say(
                "site.step_seats" if seats else "site.step", new=row["new_n"], units=row["units"],
                beds=row["beds"], cost=cost, people=f"{row['people_gained']:,.0f}",
            )  # fmt: skip


def _told(value: float, digits: int) -> str:
    return "—" if np.isnan(value) else f"{value:,.{digits}f}"
