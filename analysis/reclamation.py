"""Old homesteads, first pass: true area, and how steep the ground under them is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from geo import crs as systems
from geo.io import Raster
from geo.terrain import slope_deg, slope_under

OVER_DEG = 25.0
"""Ground steeper than this may not grow crops: 水土保持法 第二十条 [V21]."""

PLAUSIBLE_M2 = (60.0, 600.0)
"""A homestead plot between these is plausible [P]."""


def survey_plots(plots: gpd.GeoDataFrame, *, terrain: Raster | None, plane: CRS | None = None) -> pd.DataFrame:
    """
    Measure plots: ellipsoidal area, and slope from the terrain raster.

    A slope of exactly 25° is not over 25°. ``slope_class`` is the survey class with most of the plot's area, 1
    (at most 2°) to 5 (over 25°). ``field_check`` where the raster cannot decide: a mean within 5° of 25, or a
    share over 25° between 20 and 80 %, rims included.

    Parameters
    ----------
    plots
        ``layers.homesteads.plots``: polygons in degrees; a point has no area of its own.
    terrain
        Heights in metres, or None.
    plane
        Where the planar area beside is measured; None takes the CGCS2000 3° zone of the plots.

    Returns
    -------
    homesteads
        One row a plot in its order. Area NaN for what is no polygon, slope NaN where the terrain has none.
    """
    shapes = plots.geometry.to_numpy()
    polygon = plots.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy()
    area = np.where(polygon, systems.area_m2(shapes), np.nan)
    points = plots.geometry.representative_point()
    out = pd.DataFrame(
        {
            "homestead_id": plots["homestead_id"],
            "lon": points.x,
            "lat": points.y,
            "area_m2": area,
            "area_mu": area / systems.M2_PER_MU,
            "area_planar_m2": np.where(polygon, _planar_m2(plots, plane), np.nan),
            "area_plausible": pd.array((area >= PLAUSIBLE_M2[0]) & (area <= PLAUSIBLE_M2[1]), dtype="boolean"),
            "area_source": np.where(polygon, "polygon", ""),
        },
        index=plots.index,
    )
    out["area_plausible"] = out["area_plausible"].mask(out["area_m2"].isna())
    if terrain is None:
        return out.assign(
            slope_deg_mean=np.nan, slope_over_25_share=np.nan, slope_known_share=np.nan,
            slope_class=pd.array([pd.NA] * len(out), dtype="Int64"), slope_source="",
            field_check=pd.array([pd.NA] * len(out), dtype="boolean"),
        )  # fmt: skip
    under = slope_under(plots[polygon], slope_deg(terrain), limit_deg=OVER_DEG)
    under = under.rename(columns={"slope_over_share": "slope_over_25_share"}).reindex(plots.index)
    out = out.join(under)
    out["slope_source"] = np.where(out["slope_deg_mean"].notna(), "terrain", "")
    near = (out["slope_deg_mean"] - OVER_DEG).abs() <= 5.0
    split = out["slope_over_25_share"].between(0.2, 0.8)
    out["field_check"] = (near | split).astype("boolean").mask(out["slope_deg_mean"].isna())
    return out


def by_slope_class(homesteads: pd.DataFrame) -> pd.DataFrame:
    """Add up plots and area by slope class, the unknown ones as their own row; the sums are those of the plots."""
    known = homesteads["slope_class"].astype("Int64")
    rows = homesteads.assign(slope_class=known.astype("str").fillna("unknown"), plots_n=1)
    rows["check_n"] = homesteads["field_check"].fillna(False).astype("int64")
    columns = ["plots_n", "area_m2", "area_mu", "check_n"]
    return rows.groupby("slope_class")[columns].sum().reset_index()


def _planar_m2(plots: gpd.GeoDataFrame, plane: CRS | None) -> np.ndarray:
    if plots.geometry.isna().all() or not len(plots):
        return np.full(len(plots), np.nan)
    plane = plane or systems.zone(float(plots.geometry.bounds["minx"].median()))
    return np.asarray(plots.geometry.to_crs(plane).area, np.float64)
