"""A pickle read as data: dicts, lists, text, whole numbers and uint8 arrays, and nothing is ever called or imported.

CIFAR comes as pickles, and unpickling runs whatever a file asks for. Here `pickletools` only takes the file apart, and
the few opcodes that plain data needs are followed by hand. NumPy's own three names are known as words that stand for
"an array follows"; every other name is refused, and so is every opcode that could make or change an object.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.core.errors import DataError
from steepest.data.paths import shown

MOST_STEPS = 3_000_000  # opcodes; CIFAR-100's 50,000 rows take 500,000
SPARE = 1 << 16  # for short texts that are turned more than once
ARRAY, NDARRAY, DTYPE, BUFFER, ENCODE = "an array", "its class", "its type", "its bytes", "text as bytes"
NAMES = {
    "_reconstruct": ARRAY,
    "ndarray": NDARRAY,
    "dtype": DTYPE,
    "_frombuffer": BUFFER,
}
MODULES = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
NUMBERS = ("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4")
BYTES = ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
OLD_TEXTS = ("SHORT_BINSTRING", "BINSTRING")  # Python 2's, given as latin-1
TEXTS = ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE")
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class _Word:
    """A name that the file mentions and that is known to be harmless."""

    meaning: str


@dataclass
class _Made:
    """An array or a type under construction: what it was made from, then the state that it was given."""

    meaning: str
    arguments: tuple[Any, ...]
    state: Any = None


class _Mark:
    """The pickle machine's mark on its stack."""


def read_pickle(data: bytes, where: str) -> Any:
    """The plain values of a pickle; text of Python 2 comes as bytes, arrays as uint8 arrays.

    Raises DataError for everything that is not plain data, before anything of it could run.
    """
    machine = _Machine(where, len(data))
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "STOP":
                return machine.result()
            machine.follow(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: truncated or damaged, no whole pickle; fetch it again") from error
    raise DataError(f"{where}: truncated, no whole pickle; fetch it again")


class _Machine:
    """A stack and a memo, as in the pickle module, without anything that calls."""

    def __init__(self, where: str, size: int) -> None:
        self.where, self.stack, self.memo, self.steps = where, [], {}, 0
        self.room = size + SPARE  # bytes that texts may become: each is turned once, and takes no more than in the file

    def result(self) -> Any:
        if len(self.stack) != 1:
            raise ValueError("the stack is not empty")
        return self._finished(self.stack[0])

    def follow(self, name: str, argument: Any) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise DataError(f"{self.where}: a pickle of more than {MOST_STEPS:,} steps; refused")
        if name in NUMBERS or name in TEXTS or name in BYTES:
            self.stack.append(argument)
        elif name in OLD_TEXTS:
            self.stack.append(argument.encode("latin-1"))
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[int(argument)] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self.stack.append(self.memo[int(argument)])
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in ("PROTO", "FRAME"):
            return
        else:
            self._build(name, argument)

    def _build(self, name: str, argument: Any) -> None:
        """The opcodes that put things together."""
        if name == "MARK":
            self.stack.append(_Mark)
        elif name in ("EMPTY_LIST", "EMPTY_DICT"):
            self.stack.append([] if name == "EMPTY_LIST" else {})
        elif name in ("LIST", "DICT", "TUPLE"):
            items = self._to_mark()
            self.stack.append({"LIST": list, "DICT": _pairs, "TUPLE": tuple}[name](items))
        elif name in TUPLES:
            self.stack[-TUPLES[name] :] = [tuple(self._pop(TUPLES[name]))]
        elif name in ("APPEND", "APPENDS"):
            items = self._pop(1, drop=True) if name == "APPEND" else self._to_mark()
            self._top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._pop(2, drop=True) if name == "SETITEM" else self._to_mark()
            self._top(dict).update(_pairs(items))
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            self._name(argument.split(" ") if name == "GLOBAL" else self._pop(2, drop=True))
        elif name == "REDUCE":
            self._reduce(*self._pop(2, drop=True))
        elif name == "BUILD":
            [state] = self._pop(1, drop=True)
            self._top(_Made).state = state
        else:
            raise DataError(
                f"{self.where}: its pickle asks for {name}, which plain data does not need; refused, nothing was run"
            )

    def _name(self, words: list[Any]) -> None:
        module, name = words
        if (module, name) == ("_codecs", "encode"):
            self.stack.append(_Word(ENCODE))
        elif module in MODULES and name in NAMES:
            self.stack.append(_Word(NAMES[name]))
        else:
            asked = f"{shown(module)}.{shown(name)}"
            raise DataError(
                f"{self.where}: its pickle asks for {asked}, which could run code; refused, nothing was run"
            )

    def _reduce(self, word: Any, arguments: Any) -> None:
        if not isinstance(word, _Word) or not isinstance(arguments, tuple):
            raise ValueError("no known name")
        if word.meaning == ENCODE:  # how Python 3 writes bytes for Python 2
            text, encoding = arguments
            if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
                raise ValueError("another encoding")
            self.room -= len(text)
            if self.room < 0:
                raise DataError(f"{self.where}: its pickle makes more bytes of its texts than it holds; refused")
            self.stack.append(text.encode("latin-1"))
        elif word.meaning in (ARRAY, DTYPE, BUFFER):
            self.stack.append(_Made(word.meaning, arguments))
        else:
            raise ValueError("no object is made")

    def _finished(self, value: Any, depth: int = 0) -> Any:
        """The value with its arrays in place of what they were made from; these stand in a dict, nowhere deeper."""
        if isinstance(value, _Made):
            return self._array(value)
        if isinstance(value, dict) and depth == 0:
            return {key: self._finished(inner, 1) for key, inner in value.items()}
        return value

    def _array(self, made: _Made) -> np.ndarray:
        if made.meaning == BUFFER:
            raw, dtype, shape, order = made.arguments
            fortran = order == "F"
        else:
            _, shape, dtype, fortran, raw = made.state
        if not isinstance(dtype, _Made) or dtype.meaning != DTYPE or dtype.arguments[0] not in ("u1", b"u1"):
            raise DataError(f"{self.where}: holds an array of other numbers than bytes (uint8); refused")
        if not isinstance(raw, bytes | bytearray) or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError("no array")
        values = np.frombuffer(raw, np.uint8)  # as many as there are; reshape refuses another product
        return values.reshape(shape, order="F" if fortran else "C")

    def _pop(self, count: int, drop: bool = False) -> list[Any]:
        items = self.stack[-count:]
        if len(items) < count or any(item is _Mark for item in items):
            raise ValueError("the stack is too short")
        if drop:
            del self.stack[-count:]
        return items

    def _to_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while self.stack[place] is not _Mark:
            place -= 1
            if place < 0:
                raise ValueError("no mark")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def _top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise ValueError("not what it is used as")
        return self.stack[-1]


def _pairs(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise ValueError("a key without a value")
    if any(not isinstance(key, bytes | str | int) for key in items[::2]):
        raise ValueError("a key of another kind")  # hashing tuples of tuples can take for ever
    return dict(zip(items[::2], items[1::2]))
