"""Walking over open ground, from first principles: octagons, inclines, rivers that do not leak."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyproj import CRS

from geo import crs as systems
from geo._kernels.hill import GRADE_STEPS, MOVES, STEEPEST
from geo.hillside import cover_factors, lay_hillside, walking_grid
from geo.io import Raster
from geo.walking import DEFAULT, LEVEL, WALK_FUNCTIONS
from tests.flatland import PLANE
from tests.geo.test_grades import ground

FLAT, WALK = WALK_FUNCTIONS[LEVEL], WALK_FUNCTIONS[DEFAULT]
CELL = 30.0


def field(values, cell=CELL):
    """Heights on a plane, the first row in the north."""
    rows, columns = np.shape(values)
    west, north = -columns * cell / 2, rows * cell / 2
    return Raster(np.asarray(values, np.float32), Affine(cell, 0, west, 0, -cell, north), PLANE)


def at(grid, row, column):
    """Degrees of the middle of a cell."""
    x, y = grid.transform.c + (column + 0.5) * CELL, grid.transform.f - (row + 0.5) * CELL
    lon, lat = systems.to_degrees(np.atleast_1d(x), np.atleast_1d(y), PLANE.to_wkt())
    return (lon, lat) if np.ndim(row) else (float(lon[0]), float(lat[0]))


def times(grid, row, column, *, factor=None, closed=(), bridges=(), function=FLAT, kmh=4.0, **more):
    hill = lay_hillside(grid, factor=factor, closed=closed, bridges=bridges)
    lon, lat = at(grid, row, column)
    return hill.times([lon], [lat], function=function, flat_kmh=kmh, **{"limit_min": 1e4, **more}).values


@pytest.mark.parametrize("moves", [8, 16])
def test_on_level_ground_time_is_that_of_the_shortest_chain_of_moves(moves):
    # off a path one walks at six tenths: a straight cell takes 30 / (4000/60 × 0.6) minutes
    found = times(field(np.zeros((31, 31))), 15, 15, moves=moves) / (CELL / (4000 / 60 * 0.6))
    i, j = np.abs(np.arange(31) - 15)[:, None], np.abs(np.arange(31) - 15)[None, :]
    low, high = np.minimum(i, j), np.maximum(i, j)
    if moves == 8:
        due = high - low + low * np.sqrt(2)
    else:  # knights where the way is flatter than one in two, with straight steps, else with diagonal ones
        due = np.where(2 * low <= high, high - 2 * low + low * np.sqrt(5),
                       (2 * low - high) * np.sqrt(2) + (high - low) * np.sqrt(5))  # fmt: skip
    np.testing.assert_allclose(found, due, rtol=1e-4, atol=1e-4)
    straight = np.hypot(i, j)
    over = found[straight > 0] / straight[straight > 0] - 1
    assert over.max() < {8: 0.0824, 16: 0.0280}[moves]
    assert over.min() > -1e-4


def test_up_and_down_an_incline_take_as_long_as_the_function_says_off_a_path():
    hill = field(np.tile(np.arange(41) * CELL * 0.2, (9, 1)))  # a fifth up to the east
    away = times(hill, 4, 0, function=WALK)
    back = times(hill, 4, 40, function=WALK)
    for found, grade in ((away[4, 40], 0.2), (back[4, 0], -0.2)):
        assert found == pytest.approx(18.0 * float(WALK.off_path_slowness(grade)), rel=2e-3)
    assert away[4, 40] > back[4, 0]


def test_a_field_takes_longer_than_a_path_and_a_slower_land_longer_still():
    flat = field(np.zeros((9, 41)))
    path_min = 40 * CELL / (4000 / 60)
    open_, bush = (
        times(flat, 4, 0, function=WALK),
        times(flat, 4, 0, function=WALK, factor=np.full((9, 41), 2.0, np.float32)),
    )
    assert open_[4, 40] == pytest.approx(path_min * 3.95 / 2.80, rel=5e-3)
    assert bush[4, 40] == pytest.approx(2 * open_[4, 40], rel=1e-3)


def line(grid, *cells):
    return shapely.LineString([at(grid, row, column) for row, column in cells])


@pytest.mark.parametrize("moves", [8, 16])
@pytest.mark.parametrize("shape", ["line", "area"])
@pytest.mark.parametrize("ends", [(10.2, 10.2), (0.3, 20.4), (3.13, 16.71), (18.21, 1.33), (9.4, 11.3)])
def test_no_move_leaks_across_a_river_and_a_bridge_lets_through(moves, shape, ends):
    grid = field(np.zeros((21, 21)))
    upper, lower = ends  # where it comes in and goes out, beyond the first row and the last
    river = line(grid, (-2, upper), (22, lower))
    rows, columns = np.mgrid[:21, :21]
    left = columns < upper + (rows + 2) * (lower - upper) / 24
    wet = np.zeros((21, 21), bool)
    if shape == "area":
        river = river.buffer(0.0003, cap_style="flat")  # a cell to each side
        wet = shapely.contains_xy(river, *at(grid, rows.ravel(), columns.ravel())).reshape(21, 21)
    side = left if left[15, 1] else ~left
    found = times(grid, 15, 1 if left[15, 1] else 19, closed=[river], moves=moves)
    np.testing.assert_array_equal(np.isfinite(found), side & ~wet)
    bridge = line(grid, (10, -2), (10, 22))
    over = times(grid, 15, 1 if left[15, 1] else 19, closed=[river], bridges=[bridge], moves=moves)
    assert np.isfinite(over)[~wet].all()


def test_a_straight_line_is_walked_off_a_path_up_and_down_and_not_across_a_river():
    hill = lay_hillside(ground(lambda x, _: 2000.0 + 0.1 * x, reach_m=1500.0), closed=[
        shapely.LineString([(102.7505, 27.0), (102.7505, 29.0)])])  # fmt: skip
    here, there = (np.array([102.745, 102.749]), np.array([28.0, 28.0])), (np.array([102.75, 102.751]),) * 2
    there = (there[0], np.array([28.0, 28.0]))
    up, down, length = hill.straight(here, there, function=WALK)
    far = systems.geodesic_m(*here, *there)
    np.testing.assert_allclose(length, far)
    assert up[0] == pytest.approx(far[0] * float(WALK.off_path_slowness(0.1)), rel=1e-3)
    assert down[0] == pytest.approx(far[0] * float(WALK.off_path_slowness(-0.1)), rel=1e-3)
    assert np.isinf(up[1])
    assert np.isinf(down[1])
    assert hill.straight(here, here, function=WALK)[0].tolist() == [0.0, 0.0]


def test_a_straight_line_goes_through_bush_slowly_and_through_no_lake():
    flat = field(np.zeros((21, 21)))
    factor = np.ones((21, 21), np.float32)
    factor[:, 8:12] = 3.0  # four cells of twenty
    lake = shapely.Polygon([at(flat, r, c) for r, c in ((3, 5), (3, 15), (6, 15), (6, 5))])
    hill = lay_hillside(flat, factor=factor, closed=[lake])
    ends = [tuple(np.array(v) for v in zip(at(flat, 10, c), at(flat, 4, c), strict=True)) for c in (0, 20)]
    cost, back, length = hill.straight(*ends, function=FLAT)
    assert length == pytest.approx([600.0, 600.0], rel=1e-6)
    assert cost == pytest.approx([600 / 0.6 * (16 + 4 * 3) / 20, np.inf], rel=1e-3)
    assert back == pytest.approx(cost)


@pytest.mark.parametrize("cell", [5.0, 12.5, 30.0, 90.0])
def test_fine_terrain_is_walked_in_cells_of_some_thirty_metres_that_lie_where_they_lie(cell):
    n = int(3000 / cell)
    x = (np.arange(n) - n / 2 + 0.5) * cell
    fine = field(np.broadcast_to(100 + 0.1 * x, (n, n)), cell=cell)
    grid = walking_grid(fine)
    assert 25 <= grid.transform.a <= max(cell, 38)
    east = grid.cell_centres()[0]
    inner = slice(5, -5)
    np.testing.assert_allclose(
        grid.values[5:-5, inner], np.broadcast_to(100 + 0.1 * east, grid.values.shape)[5:-5, inner], atol=0.02
    )
    cut = Raster(fine.values[3:, 7:], fine.transform @ Affine.translation(7, 3), fine.crs)
    again = walking_grid(cut)
    off = (
        (again.transform.c - grid.transform.c) / grid.transform.a,
        (again.transform.f - grid.transform.f) / grid.transform.a,
    )
    assert np.abs(np.array(off) - np.rint(off)).max() < 1e-6


@pytest.mark.parametrize("moves", [8, 16])
def test_two_closed_cells_that_touch_at_a_corner_are_a_wall(moves):
    factor = np.ones((9, 9), np.float32)
    factor[np.arange(9), np.arange(9)] = 0  # a line of cells that meet at corners only
    found = times(field(np.zeros((9, 9))), 8, 0, factor=factor, moves=moves)
    assert np.isnan(found[np.triu_indices(9, 1)]).all()
    assert np.isfinite(found[np.tril_indices(9, -1)]).all()


def slow_twin(height, factor, start, *, moves, inward, ms_per_m, function):
    """Dijkstra over the moves, written out."""
    rows, columns = height.shape
    table = function.off_path_slowness(
        np.arange(-STEEPEST * GRADE_STEPS, STEEPEST * GRADE_STEPS + 1) / GRADE_STEPS
    )
    table = table.astype(np.float32)
    known = {start: 0} if factor[start] > 0 else {}
    heap, done = [(0, start)] if known else [], set()
    while heap:
        now, (i, j) = heapq.heappop(heap)
        if (i, j) in done:
            continue
        done.add((i, j))
        for m, (di, dj) in enumerate(MOVES[:moves].tolist()):
            a, b = i + di, j + dj
            if not (0 <= a < rows and 0 <= b < columns) or factor[a, b] <= 0:
                continue
            if 4 <= m < 8 and factor[i + di, j] <= 0 and factor[i, j + dj] <= 0:
                continue
            if m >= 8:
                hi, hj = (di // 2, 0) if abs(di) == 2 else (0, dj // 2)
                near = (i + hi, j + hj), (a - hi, b - hj)
                if any(factor[c] <= 0 for c in near):
                    continue
            length = np.hypot(di * CELL, dj * CELL)
            rise = (height[i, j] - height[a, b]) if inward else (height[a, b] - height[i, j])
            index = STEEPEST * GRADE_STEPS
            if np.isfinite(rise):
                index = int(np.clip(np.rint(rise / length * GRADE_STEPS) + index, 0, len(table) - 1))
            new = now + int(np.rint(0.5 * length * ms_per_m * table[index] * (factor[i, j] + factor[a, b])))
            if new < known.get((a, b), np.inf):
                known[a, b] = new
                heapq.heappush(heap, (new, (a, b)))
    return known


@settings(max_examples=60)
@given(
    hnp.arrays(np.float32, (6, 7), elements=st.integers(0, 60).map(float)),
    hnp.arrays(np.float32, (6, 7), elements=st.sampled_from([0.0, 1.0, 1.0, 1.0, 2.0])),
    st.sampled_from([8, 16]), st.booleans(),
)  # fmt: skip
def test_the_kernel_equals_its_twin(height, factor, moves, inward):
    found = times(field(height), 2, 3, factor=factor, function=WALK, moves=moves, inward=inward)
    due = slow_twin(height, factor, (2, 3), moves=moves, inward=inward, ms_per_m=900.0, function=WALK)
    for cell in np.ndindex(6, 7):
        if cell in due:
            assert round(float(found[cell]) * 60_000) == pytest.approx(due[cell], abs=2 + 1e-7 * due[cell])
        else:
            assert np.isnan(found[cell])


@given(
    hnp.arrays(np.float32, (6, 6), elements=st.integers(0, 50).map(float)), st.integers(0, 35), st.integers(0, 35)
)
def test_there_and_back_change_places_when_the_direction_does(height, a, b):
    one, other = divmod(a, 6), divmod(b, 6)
    there = times(field(height), *one, function=WALK)[other]
    back = times(field(height), *other, function=WALK, inward=True)[one]
    assert there == pytest.approx(back, rel=1e-6, abs=1e-4)


def test_the_limit_belongs_to_what_is_reached():
    flat, step_min = field(np.zeros((3, 21))), CELL / (4000 / 60 * 0.6)
    for limit, n in ((5 * step_min, 6), (5 * step_min - 1e-4, 5)):
        found = times(flat, 1, 0, limit_min=limit)
        assert np.isfinite(found[1]).sum() == n


def test_points_outside_in_water_or_nowhere_reach_nothing():
    flat = field(np.zeros((5, 5)))
    water = np.ones((5, 5), np.float32)
    water[2, 2] = 0
    hill = lay_hillside(flat, factor=water)
    lon, lat = zip(at(flat, 2, 2), (0.0, 0.0), (np.nan, np.nan), strict=True)
    assert np.isnan(hill.times(lon, lat, function=FLAT, flat_kmh=4.0).values).all()
    assert hill.cells(lon, lat)[0].tolist() == [2, -1, -1]
    assert np.isnan(hill.times([0.0], [0.0], function=FLAT, flat_kmh=4.0).values).all()


def test_of_several_points_each_cell_has_the_nearest_with_what_lies_behind():
    flat, step_min = field(np.zeros((3, 21))), CELL / (4000 / 60 * 0.6)
    hill = lay_hillside(flat)
    (lon0, lat0), (lon1, lat1) = at(flat, 1, 0), at(flat, 1, 20)
    found = hill.times([lon0, lon1, lon1], [lat0, lat1, lat1], function=FLAT, flat_kmh=4.0, limit_min=99,
                       start_min=[0.0, 6 * step_min, 9.0]).values[1] / step_min  # fmt: skip
    np.testing.assert_allclose(found, np.minimum(np.arange(21), 6 + 20 - np.arange(21)), atol=1e-3)


def test_unknown_heights_are_level_and_cells_of_degrees_have_their_size():
    hole = ground(lambda x, _: 2000.0 + 0 * x, reach_m=600.0, hole=lambda x, y: np.hypot(x, y) < 200)
    hill = lay_hillside(hole)
    found = hill.times([102.75], [28.0], function=FLAT, flat_kmh=4.0)
    lon, lat = found.cell_centres()
    away = systems.geodesic_m(np.full(found.values.shape, 102.75), np.full(found.values.shape, 28.0),
                              *np.broadcast_arrays(lon[None, :], lat[:, None]))  # fmt: skip
    reached = np.isfinite(found.values)
    ratio = found.values[reached] / (away[reached] / (4000 / 60 * 0.6))
    assert reached.mean() > 0.9
    far = away[reached] > 200
    assert ((ratio[far] > 0.9) & (ratio[far] < 1.12)).all()


def test_what_makes_no_sense_is_refused():
    flat = field(np.zeros((5, 5)))
    for factor in (np.ones((4, 5), np.float32), np.full((5, 5), -1, np.float32)):
        with pytest.raises(ValueError, match="factor"):
            lay_hillside(flat, factor=factor)
    with pytest.raises(ValueError, match="moves"):
        times(flat, 1, 1, moves=4)


@pytest.mark.parametrize("degrees", [True, False])
def test_land_cover_is_the_mean_of_nine_places_of_a_cell_and_closed_where_most_are(degrees):
    """Cells of three classes by three: what is due can be counted."""
    plane = PLANE if not degrees else CRS.from_epsg(4326)
    size, west, north = (30.0, 0.0, 0.0) if not degrees else (0.0003, 102.75, 28.0)
    grid = Raster(np.zeros((2, 3), np.float32), Affine(size, 0, west, 0, -size, north), plane)
    rng = np.random.default_rng(5)
    codes = rng.choice([10, 30, 80, 77], (6, 9)).astype(np.float32)
    codes[0, 0] = np.nan
    codes[3:, :3] = 80
    codes[5, 0] = codes[5, 1] = codes[5, 2] = codes[4, 2] = 10  # four open places of nine
    third = Raster(codes, Affine(size / 3, 0, west, 0, -size / 3, north), plane)
    table = {10: 1.5, 30: 1.0, 80: 0.0}
    found = cover_factors(grid, third, table)
    for row in range(2):
        for column in range(3):
            own = codes[3 * row : 3 * row + 3, 3 * column : 3 * column + 3].ravel()
            each = np.array([table.get(int(c), 1.0) if np.isfinite(c) else 1.0 for c in own])
            due = each[each > 0].mean() if (each > 0).sum() >= 5 else 0.0
            assert found[row, column] == pytest.approx(due, rel=1e-6)
    assert found[1, 0] == 0
    away = Raster(codes, Affine(size / 3, 0, west + 900 * size, 0, -size / 3, north), plane)
    assert (cover_factors(grid, away, table) == 1).all()
    assert (cover_factors(grid, third, {}) == 1).all()
