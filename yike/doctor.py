"""What this machine has, and what it lacks."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pyogrio
import rasterio

import yike
from outputs.messages import Messages
from yike.kernel_cache import is_temporary
from yike.run import LIBRARIES
from yike.store import UNUSED_DAYS, Store

DRIVERS = {"GPKG": "rw", "ESRI Shapefile": "rw", "GeoJSON": "rw", "OpenFileGDB": "rw", "FlatGeobuf": "rw"}
_FONT_FOLDERS = ("/usr/share/fonts", "/System/Library/Fonts", "C:/Windows/Fonts")
_FONT_NAMES = ("cjk", "simsun", "msyh", "simhei", "pingfang", "wqy", "sourcehan", "hiragino")


def examine(words: Messages) -> tuple[list[str], bool]:
    """Look at versions, drivers, fonts and the compile cache; the lines to print, and whether all is fine."""
    lines = [words.say("doctor.title", version=yike.__version__)]
    lines.append(f"{words.say('doctor.python')} {platform.python_version()} ({platform.platform()})")
    lines += [f"  {name} {metadata.version(name)}" for name in LIBRARIES]
    fine = True
    have = pyogrio.list_drivers()
    missing = [name for name, need in DRIVERS.items() if not set(need) <= set(have.get(name, ""))]
    with rasterio.Env() as env:
        rasters = env.drivers()
    missing += [name for name in ("GTiff", "SRTMHGT") if name not in rasters]
    fine &= not missing
    verdict = words.say("doctor.bad") + " " + "、".join(missing) if missing else words.say("doctor.good")
    lines.append(f"{words.say('doctor.drivers')}: {verdict}")
    font = chinese_font()
    fine &= bool(font)
    lines.append(f"{words.say('doctor.font')}: {font or words.say('doctor.font_missing')}")
    cache = Path(os.environ["NUMBA_CACHE_DIR"])
    said = words.say("doctor.cache_temporary", path=cache) if is_temporary(cache) else str(cache)
    lines.append(f"{words.say('doctor.cache')}: {said}")
    stages = Store().folder
    megabytes = sum(part.stat().st_size for part in stages.rglob("*") if part.is_file()) / 1e6
    lines.append(words.say("doctor.stages", path=stages, megabytes=f"{megabytes:,.0f}", days=UNUSED_DAYS))
    return lines, fine


def chinese_font() -> str:
    """Find a font with Chinese characters; '' where there is none."""
    if shutil.which("fc-list"):
        found = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False)
        names = sorted(line.split(",")[0] for line in found.stdout.splitlines() if line.strip())
        if names:
            return names[0]
    for folder in _FONT_FOLDERS:
        if Path(folder).is_dir():
            for path in sorted(Path(folder).rglob("*.tt[cf]")):
                if any(name in path.name.lower().replace("-", "") for name in _FONT_NAMES):
                    return path.stem
    return ""
