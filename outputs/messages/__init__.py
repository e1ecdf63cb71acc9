"""The message catalogue: all words that users see, in Chinese and English, with the same keys in both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd

from geo.problems import Problem
from layers.catalog import Catalog
from layers.ledgers import without_personal

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Messages:
    """The words of one language."""

    language: str
    words: Mapping[str, Any]

    def say(self, key: str, **params: object) -> str:
        """
        Give the words of a key (``section.name``), with its parameters filled in.

        Raises
        ------
        KeyError
            There is no such key.
        """
        section, _, name = key.partition(".")
        return str(self.words[section][name]).format_map({k: str(v) for k, v in params.items()})

    def heading(self, column: str) -> str:
        """The heading of a result column; the column itself where it has none of its own."""
        return str(self.words["column"].get(column, column))

    def problem(self, problem: Problem) -> tuple[str, str]:
        """Say what a problem is and what is or should be done about it."""
        entry, own = self.words["problem"][problem.code], f"_{self.language}"
        params = {"value": without_personal(problem.value)} | dict(problem.params)
        # what has a name in each language is given in both: names_zh, names_en
        params |= {name.removesuffix(own): text for name, text in problem.params if name.endswith(own)}
        return str(entry["what"]).format_map(params), str(entry["action"]).format_map(params)

    def sentence(self, problem: Problem) -> str:
        """Say a problem in one line: where, what, what to do."""
        what, action = self.problem(problem)
        where = [problem.file]
        if problem.sheet:
            where.append(self.say("where.sheet", sheet=problem.sheet))
        if problem.row is not None:
            where.append(self.say("where.row", row=problem.row))
        if problem.column:
            where.append(self.heading(problem.column))
        place = " ".join(part for part in where if part)
        return self.say("where.line", place=place, what=what, action=action) if place else f"{what} {action}"

    def category(self, catalog: Catalog, name: str) -> str:
        """The name of a category."""
        category = catalog.categories[name]
        return category.name_zh if self.language == "zh" else category.name_en

    def certainty(self, mark: str) -> str:
        """What a certainty mark means, '' for none."""
        return str(self.words["certainty"].get(mark, ""))


def load(language: str) -> Messages:
    """
    Read the words of a language, ``zh`` or ``en``.

    Examples
    --------
    >>> load("en").say("status.served"), load("zh").say("status.served")
    ('within the limit', '达标')
    """
    text = (resources.files("outputs.messages") / f"{language}.toml").read_text("utf-8")
    return Messages(language, tomllib.loads(text))


PROBLEM_COLUMNS = ["code", "layer", "file", "sheet", "row", "column", "value", "severity", "what", "action"]


def problem_table(problems: list[Problem], messages: Messages) -> pd.DataFrame:
    """Make the table ``problems``: worst first, then by file, sheet and row."""
    rank = {"stop": 0, "fault": 1, "doubt": 2}
    # a table that looks shifted puts everything in it half a kilometre off: it comes before the small doubts
    ordered = sorted(
        problems, key=lambda p: (rank[p.severity], p.code != "crs_looks_shifted", p.file, p.sheet, p.row or 0)
    )
    rows = [
        (
            p.code,
            p.layer,
            p.file,
            p.sheet,
            p.row,
            messages.heading(p.column),
            without_personal(p.value),
            p.severity,
            *messages.problem(p),
        )
        for p in ordered
    ]
    return pd.DataFrame(rows, columns=PROBLEM_COLUMNS).astype({"row": "Int64"})
