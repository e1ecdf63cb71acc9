"""A made-up province for the bench ``plots``: terrain in tiles of a degree, and old homesteads in hamlets."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.transform import from_origin

from analysis.plots import Land, measure_plots
from analysis.reclamation import Around, Site, decide, distances, fire
from geo.io import RasterFiles
from layers import catalog
from layers.catalog import LandScheme

STEP = 1 / 3600
WEST, NORTH, COLUMNS, ROWS = 99, 34, 9, 5
"""Tiles of 3,600 by 3,600 cells: 45 of them between 29 and 34 degrees are 480,000 km²."""

HAMLETS = 20_000


def heights(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Ridges of several lengths, as steep as Liangshan: over 25 degrees on a fifth of the ground."""
    return (
        2200
        + 500 * np.sin(lon * 61.0)[None, :] * np.cos(lat * 57.0)[:, None]
        + 190 * np.sin(lon * 311.0 + 1.0)[None, :] * np.sin(lat * 287.0)[:, None]
        + 60 * np.sin(lon * 1301.0)[None, :] * np.cos(lat * 1277.0 + 0.3)[:, None]
    )


def write_terrain(folder: Path) -> list[Path]:
    """Write the tiles."""
    paths = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            west, north = WEST + column, NORTH - row
            lon = west + (np.arange(3600) + 0.5) * STEP
            lat = north - (np.arange(3600) + 0.5) * STEP
            path = folder / f"N{north - 1}E{west}.tif"
            with rasterio.open(
                path, "w", driver="GTiff", width=3600, height=3600, count=1, dtype="int16", crs=4326,
                transform=from_origin(west, north, STEP, STEP), tiled=True,
            ) as out:  # fmt: skip
                out.write(np.rint(heights(lon, lat)).astype(np.int16), 1)
            paths.append(path)
    return paths


def hamlets() -> tuple[np.ndarray, np.ndarray]:
    """Where they are."""
    rng = np.random.default_rng(7)
    x = rng.uniform(WEST + 0.01, WEST + COLUMNS - 0.01, HAMLETS)
    y = rng.uniform(NORTH - ROWS + 0.01, NORTH - 0.01, HAMLETS)
    return x, y


def survey(scheme: LandScheme) -> gpd.GeoDataFrame:
    """Six patches a hamlet: where the houses stand, fields, forest and grass around them; 120,000 in all."""
    x, y = hamlets()
    parts = (("203", -25, -25, 0, 25), ("0103", 0, -25, 12, 25), ("203", 12, -25, 25, 25), ("0301", -45, -45, -25, 45),
             ("0103", 25, -45, 45, 45), ("0404", -25, 25, 25, 45))  # fmt: skip
    code = np.repeat([part[0] for part in parts], HAMLETS)
    boxes = [shapely.box(x + w / 1e4, y + s / 1e4, x + e / 1e4, y + n / 1e4) for _, w, s, e, n in parts]
    table = {"class_code": code, "land_use": [scheme.use_of(one) for one in code], "scheme": "third_survey",
             "patch": np.arange(len(code)).astype(str), "deduct_rate": 0.15, "survey_year": 2024.0}  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=np.concatenate(boxes), crs=4326)


def homesteads(n: int) -> gpd.GeoDataFrame:
    """Plots of 8 to 20 m, turned, twenty to a hamlet; fewer are a part of more."""
    x, y = hamlets()
    which = np.arange(n) % HAMLETS
    rng = np.random.default_rng(8)
    turn, wide, deep, dx, dy = (rng.uniform(0, 1, 400_000)[:n] for _ in range(5))
    half = np.stack((4 + 6 * wide, 4 + 6 * deep), axis=1)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])[None, :, :] * half[:, None, :]
    angle = turn * np.pi / 2
    rotated = np.stack(
        (corners[..., 0] * np.cos(angle)[:, None] - corners[..., 1] * np.sin(angle)[:, None],
         corners[..., 0] * np.sin(angle)[:, None] + corners[..., 1] * np.cos(angle)[:, None]), axis=2,
    )  # fmt: skip
    lon = x[which] + (dx - 0.5) * 0.004
    lat = y[which] + (dy - 0.5) * 0.004
    at = np.stack((lon[:, None] + rotated[..., 0] / 96_000, lat[:, None] + rotated[..., 1] / 110_900), axis=2)
    blank = dict.fromkeys(
        ("house_id", "household_key", "county", "town", "village", "group", "collective", "project"), ""
    )
    table = pd.DataFrame({"homestead_id": [f"Z{i:06d}" for i in range(n)], **blank})
    table["ledger_area_m2"], table["soil_cm"] = np.nan, np.nan
    table["mended"] = False
    table["file"], table["row"] = "made up", np.arange(1, n + 1)
    return gpd.GeoDataFrame(table, geometry=shapely.polygons(at), crs=4326)


def classify(plots: gpd.GeoDataFrame, files: list[Path]) -> pd.DataFrame:
    """Measure plots on terrain and land survey, and decide what each becomes; every fifth wood is a red line."""
    own = catalog.load()
    land = survey(own.land["third_survey"])
    with RasterFiles(files) as terrain:
        measured, _ = measure_plots(plots, Land(terrain, survey=land), own)
    woods = land.geometry[land["class_code"] == "0301"].to_numpy()[::5]
    around = Around({"redline": woods}, land)
    site = Site.of(plots, measured, around)
    site = site.with_measured(measured.join(distances(site)))
    fired, number = fire(site, own)
    return measured.join(decide(site, fired, number, own))
