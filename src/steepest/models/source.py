"""Where a user's own model comes from: `file.py:name`, and the hash of the file's content. Importing this needs no JAX.

net.py:net                   as people write it
net.py:net@3f2a91c04b7d      as runs and model files keep it: net.py as it was, by the first digits of its SHA-256
"""

from __future__ import annotations

import difflib
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from steepest.core.errors import SettingError

WRITTEN = re.compile(r"(?P<path>.*\.py):(?P<name>[^:@]+)(?:@(?P<digits>[0-9a-f]{12,64}))?", re.DOTALL)
DIGITS = 12


class Source(NamedTuple):
    """A file of Python, the name of the model in it, and the SHA-256 of what the file held."""

    path: str
    name: str
    sha256: str

    def __repr__(self) -> str:
        return self.text

    @property
    def written(self) -> str:
        """As people write it."""
        return f"{self.path}:{self.name}"

    @property
    def place(self) -> str:
        """The file's whole path, which tracebacks name."""
        return str(Path(self.path).resolve())

    @property
    def text(self) -> str:
        """As it is kept: with the hash."""
        return f"{self.written}@{self.sha256[:DIGITS]}"


def is_own(text: str) -> bool:
    """Whether a text names a user's own model.

    >>> is_own("net.py:net"), is_own("net.py"), is_own("mlp:64")
    (True, True, False)
    """
    return re.search(r"\.py(:|$)", text.strip()) is not None


def read(text: str) -> tuple[Source, bytes]:
    """The source that a text names, and the file's content; nothing of it is run.

    **Raises** SettingError for a text without a name, a file that is missing or cannot be read, and one whose content
    is not what the text's hash says.
    """
    match = WRITTEN.fullmatch(text.strip())
    if match is None:
        raise SettingError(f"model {text!r} cannot be read; write file.py:NAME, the name of the model in the file")
    path, name, digits = match["path"], match["name"].strip(), match["digits"]
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise _missing(path, name, digits) from None
    except OSError as error:
        raise SettingError(f"model {path}:{name}: {path} cannot be read ({error.strerror or error})") from error
    source = Source(path, name, hashlib.sha256(content).hexdigest())
    if digits and not source.sha256.startswith(digits):
        raise changed(source, digits)
    return source, content


def pinned(text: str) -> str:
    """A model's text with the hash of its file's content where it is a user's own; any other as it is."""
    return read(text)[0].text if is_own(text) else text


def changed(now: Source, then: str) -> SettingError:
    """The error for a file that is not what it was."""
    return SettingError(
        f"model {now.written}: {now.path} has changed (it was {then[:DIGITS]} and is {now.sha256[:DIGITS]}); "
        f"put the file back as it was, or train anew"
    )


def _missing(path: str, name: str, digits: str | None) -> SettingError:
    folder = Path(path).parent
    try:
        beside = [str(folder / entry.name) for entry in folder.iterdir() if entry.suffix == ".py"]
    except OSError:
        return SettingError(f"model {path}:{name}: there is no folder {folder}")
    near = difflib.get_close_matches(path, beside, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    again = "; its model needs the file again, unchanged" if digits else ""
    return SettingError(f"model {path}:{name}: there is no file {path}{again or hint}")
