"""Data sets that can be downloaded by name: what they are, where they lie, how they are checked. No network here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from steepest.core.errors import DataError


@dataclass(frozen=True)
class File:
    """A file's length in bytes and its checksum, written as `algorithm:hexadecimal`."""

    size: int
    checksum: str


@dataclass(frozen=True)
class Named:
    """A download: what it is, the address under which its files lie, and the files."""

    about: str
    address: str
    files: dict[str, File]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())


NAMED: dict[str, Named] = {
    "cifar10": Named(
        "60,000 colour photos of 32×32, 10 classes (10,000 to test)",
        "https://www.cs.toronto.edu/~kriz/",
        {
            "cifar-10-python.tar.gz": File(
                170_498_071, "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
            )
        },
    ),
    "cifar100": Named(
        "60,000 colour photos of 32×32, 100 classes in 20 superclasses (10,000 to test)",
        "https://www.cs.toronto.edu/~kriz/",
        {
            "cifar-100-python.tar.gz": File(
                169_001_437, "sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
            )
        },
    ),
    "mnist": Named(
        "70,000 handwritten digits, 28×28 grey images (10,000 to test)",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",  # the authors' own server lets nobody in any more
        {
            "train-images-idx3-ubyte.gz": File(9_912_422, "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            "train-labels-idx1-ubyte.gz": File(28_881, "md5:d53e105ee54ea40749a09fcbcd1e9432"),
            "t10k-images-idx3-ubyte.gz": File(1_648_877, "md5:9fb629c4189551a2d022fa330f9573f3"),
            "t10k-labels-idx1-ubyte.gz": File(4_542, "md5:ec29112dd5afa0611ce80d1b7f02629c"),
        },
    ),
    "fashion-mnist": Named(
        "70,000 pictures of clothes, 28×28 grey images, 10 classes (10,000 to test)",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        {
            "train-images-idx3-ubyte.gz": File(26_421_880, "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            "train-labels-idx1-ubyte.gz": File(29_515, "md5:25c81989df183df01b3e8a0aad5dffbe"),
            "t10k-images-idx3-ubyte.gz": File(4_422_102, "md5:bef4ecab320f06d8554ea6380940ec79"),
            "t10k-labels-idx1-ubyte.gz": File(5_148, "md5:bb300cfdad3c16e7a12a480ee83cd310"),
        },
    ),
}


def downloads() -> Path:
    """Where downloads lie: the folder `data` in STEEPEST_HOME, or the user's own folder for data.

    >>> os.environ["STEEPEST_HOME"] = "/data/studies"
    >>> downloads().as_posix()
    '/data/studies/data'
    >>> del os.environ["STEEPEST_HOME"]
    """
    home = os.environ.get("STEEPEST_HOME")
    if home:
        return Path(home).expanduser() / "data"
    import platformdirs

    return platformdirs.user_data_path("steepest")


def is_here(name: str) -> bool:
    """Whether every file of a download is there under its own name, which none has before it was checked."""
    folder = downloads() / name
    return all((folder / file).is_file() for file in NAMED[name].files)


def located(name: str) -> Path:
    """The folder of a download; DataError with the command that gets it where it is not here."""
    if not is_here(name):
        raise DataError(f"{name} is not here; get it: steepest data get {name}")
    return downloads() / name
