"""Every test has a cache of its own, and image folders are drawn where they are needed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steepest.core.errors import DataError


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STEEPEST_CACHE", str(cache))
    return cache


def _photo(seed: int, width: int = 40, height: int = 30) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def photo():
    """A maker of smooth colour images that differ from seed to seed."""
    return _photo


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder of two classes with five images each."""
    for k, name in enumerate(("cats", "dogs")):
        folder = tmp_path / "pets" / name
        folder.mkdir(parents=True)
        for i in range(5):
            _photo(10 * k + i).save(folder / f"{i}.{'png' if i % 2 else 'jpg'}")
    return tmp_path / "pets"


@pytest.fixture
def animals() -> Path:
    """The real photos, where they are."""
    root = Path(__file__).resolve().parents[2]
    for place in (os.environ.get("STEEPEST_TEST_DATA"), root.parent / "shared" / "data"):
        if place and (Path(place) / "animals").is_dir():
            return Path(place) / "animals"
    pytest.skip("the real photos are not here: set STEEPEST_TEST_DATA to the folder that holds animals/")


@pytest.fixture
def refusal():
    """Calls a function that must raise DataError and gives its message, checked to be one printable line."""

    def call(function, *args, **settings) -> str:
        with pytest.raises(DataError) as caught:
            function(*args, **settings)
        message = str(caught.value)
        assert "\n" not in message
        assert message.isprintable()
        return message

    return call
