"""What must be looked at in the field: plots that nothing decides from afar, and a random sample of the others."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import norm

from layers.houses import stage_number


def sample_size(n: int, *, confidence: float, margin: float) -> int:
    """
    Say how many of ``n`` must be looked at so that a share of errors is known to a margin.

    Worst case: half of them wrong. For a finite number of plots.

    Parameters
    ----------
    n
        How many there are.
    confidence, margin
        0 to 1: how sure, and to how much on either side.

    References
    ----------
    Cochran 1977, Sampling Techniques, section 4.4.

    Examples
    --------
    >>> sample_size(6000, confidence=0.95, margin=0.05), sample_size(20, confidence=0.95, margin=0.05)
    (362, 20)
    """
    if n <= 0:
        return 0
    many = float(norm.ppf(0.5 + confidence / 2)) ** 2 * 0.25 / margin**2
    return min(n, math.ceil(many / (1 + (many - 1) / n)))


def check_list(homesteads: pd.DataFrame, *, confidence: float, margin: float, seed: int) -> pd.DataFrame:
    """
    List the plots that must be looked at, and a random sample of the others.

    The sample hangs on the seed and on ids, not on the order of rows.

    Parameters
    ----------
    homesteads
        The table of a run: ``homestead_id``, ``town``, ``village``, ``stage``, ``field_check``.
    confidence, margin, seed
        Of the sample, see ``sample_size``.

    Returns
    -------
    table
        Rows of ``homesteads`` with ``why``: ``doubtful`` or ``sample``, by town and village; there the doubtful
        ones first, of them those of which least is done, as what they become can still be chosen.
    """
    ids = homesteads["homestead_id"].astype("str")
    doubtful = homesteads["field_check"].to_numpy(bool)
    others = np.flatnonzero(~doubtful)
    others = others[np.argsort(ids.to_numpy(str)[others], kind="stable")]
    n = sample_size(len(others), confidence=confidence, margin=margin)
    drawn = np.random.default_rng(seed).permutation(len(others))[:n]
    why = np.where(doubtful, "doubtful", "").astype(object)
    why[others[drawn]] = "sample"
    table: pd.DataFrame = homesteads.assign(why=why, _done=stage_number(homesteads["stage"]))[why != ""]
    order = ["town", "village", "why", "_done", "homestead_id"]
    return table.sort_values(order, ignore_index=True).drop(columns="_done")
