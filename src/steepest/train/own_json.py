"""Users' own models in stored recipes: by name and hash, never by their code.

    {"name": "own", "settings": {"file": "net.py", "of": "net", "sha256": "3f2a…"}}        (or nulls: made in Python)

What is stored names a file but does not make it run: whoever reads it names the model again, and the file's content
must be what it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from steepest.core.errors import DataError, SettingError
from steepest.models.contract import Model
from steepest.models.loading import as_model
from steepest.models.own import FromFile, Own
from steepest.models.source import Source, changed, is_own, read
from steepest.models.text import model_from_text, model_text

NAME = "own"
SETTINGS = ("file", "of", "sha256")


def is_own_model(model: Any) -> bool:
    """Whether a model is one that a user wrote."""
    return isinstance(model, Own | FromFile)


def own_to_json(model: Own | FromFile) -> dict[str, Any]:
    """What is stored of a user's own model."""
    source = model.source
    values = (source.path, source.name, source.sha256) if source else (None,) * len(SETTINGS)
    return {"name": NAME, "settings": dict(zip(SETTINGS, values))}


def own_from_json(entry: Any, given: Any) -> Model | None:
    """The user's own model where a stored entry is of one, and `given` is it: `file.py:name`, or what Python makes one.

    None where the entry is of a model that is stored whole.

    **Raises** DataError where no model is given, or the entry cannot be read; SettingError where what is given is
    another model than the stored one.
    """
    if not isinstance(entry, dict) or entry.get("name") != NAME:
        if given is not None:
            raise SettingError("its model is stored whole; leave the other out")
        return None
    stored = _source(entry.get("settings"))
    if given is None:
        named = stored.written if stored else "made in Python"
        again = f"name it again if you trust that file: --model {named}" if stored else "give it to load(…, model=…)"
        raise DataError(f"its model is a user's own, {named}, whose code is not stored; {again}")
    if isinstance(given, str) and is_own(given) and stored is not None:
        now = read(given)[0]
        if now.sha256 != stored.sha256:
            if Path(now.path).name != Path(stored.path).name:
                raise SettingError(f"model {now.written}: another file than that of the stored model, {stored.written}")
            raise changed(now, stored.sha256)  # and is not run
        if now.name != stored.name:
            raise SettingError(f"model {now.written}: it was {stored.name} of that file; name that one")
    model = model_from_text(given) if isinstance(given, str) else as_model(given)
    if not is_own_model(model):
        raise SettingError(f"model {model_text(model)}: the stored one is a user's own, {stored or 'made in Python'}")
    return model


def _source(settings: Any) -> Source | None:
    """The file that was stored; None for a model that was made in Python."""
    found = isinstance(settings, dict) and settings.keys() == set(SETTINGS)
    values = [settings[name] for name in SETTINGS] if found else []
    if values == [None] * len(SETTINGS):
        return None
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(SETTINGS):
        raise DataError("the stored recipe cannot be read: its model is no name and hash of a file")
    return Source(*texts)
