"""3,000 JPEGs of 400×300 to 32×32: steepest against Pillow alone, and steepest's cache against decoding."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

import steepest as st
from benchmarks.measure import Outcome, interleaved, ratio
from steepest.train.device import cores

SIZE = 32
CLASSES = ("cats", "dogs", "panda")


def run(rounds: int, small: bool = False) -> Outcome:
    """Targets: 0.9 of Pillow's speed with as many threads; 20 times as fast from the cache."""
    before = os.environ.get("STEEPEST_CACHE")
    with tempfile.TemporaryDirectory() as place:
        folder, cache = Path(place) / "photos", Path(place) / "cache"
        number = draw_photos(folder, 20 if small else 1000)
        files = sorted(folder.glob("*/*.jpg"))

        def decoded() -> None:
            shutil.rmtree(cache, ignore_errors=True)
            st.open(folder, size=SIZE)

        os.environ["STEEPEST_CACHE"] = str(cache)
        try:
            work = {
                "steepest": decoded,
                "from the cache": lambda: st.open(folder, size=SIZE),  # right after it was filled
                "Pillow": lambda: pillow_alone(files, 2 * SIZE),
                "Pillow, coarse draft": lambda: pillow_alone(files, SIZE),
            }
            times = interleaved(work, rounds)
        finally:
            if before is None:
                del os.environ["STEEPEST_CACHE"]
            else:
                os.environ["STEEPEST_CACHE"] = before
    what = f"{number:,} JPEGs of 400×300 to {SIZE}×{SIZE}"
    lines = [
        ratio(what, f"Pillow, draft to twice the size, {cores()} threads", times, "steepest", "Pillow", 0.9),
        ratio(what, f"Pillow, draft to the size, {cores()} threads", times, "steepest", "Pillow, coarse draft"),
        ratio(f"{what}, from the cache", "steepest decoding them", times, "from the cache", "steepest", 20),
    ]
    notes = [
        "steepest drafts to at least twice the size, for the pixels' sake, and lists, hashes, checks and caches too"
    ]
    return Outcome(what, lines, times, notes)


def draw_photos(folder: Path, each: int) -> int:
    """Photos that differ: smooth colour with some grain, each class in its own folder."""
    chance = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for i in range(each):
            coarse = chance.integers(0, 256, (12, 16, 3), dtype=np.uint8)
            smooth = np.asarray(Image.fromarray(coarse).resize((400, 300), Image.Resampling.BICUBIC), np.int16)
            grain = chance.integers(-12, 13, (300, 400, 1), dtype=np.int16)
            Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(
                folder / name / f"{i:04}.jpg", quality=85
            )
    return each * len(CLASSES)


def pillow_alone(files: list[Path], draft: int) -> np.ndarray:
    """The pixels by Pillow, in as many threads as cores."""

    def one(path: Path) -> np.ndarray:
        with Image.open(path) as image:
            image.draft("RGB", (draft, draft))
            return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))

    with ThreadPoolExecutor(cores()) as pool:
        return np.stack(list(pool.map(one, files, chunksize=16)))
