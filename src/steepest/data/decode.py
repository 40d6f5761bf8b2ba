"""One image file → uint8 [size, size, 3]: a defined conversion for every kind of image, a reason for every refusal."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

DECODER = 1  # goes up whenever decoding gives other pixels: cached ones are then decoded anew
MOST_PIXELS = (1 << 30) // 12  # declared width × height; Pillow begins to warn at the same number
MOST_BYTES = 1 << 29  # of one file

# What Pillow's readers raise on damaged files, by fuzzing them and from their sources; MemoryError is not among them.
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    struct.error,
    zlib.error,
)

REMARKS = {
    "animated": "first frame of {} taken",
    "alpha": "transparency of {} put on white",
    "deep": "more than 8 bits a pixel of {} scaled to 8",
    "turned": "{} turned upright by the EXIF orientation",
}


class Unreadable(Exception):
    """An image file that cannot be used, and why; the caller names the file."""


def image_format(head: bytes) -> str | None:
    """The format by the first 16 bytes of the content, of those that steepest reads; the extension says nothing.

    >>> image_format(b"GIF89a\\x01\\x00")
    'GIF'
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM") and len(head) >= 14 and head[6:10] == b"\0\0\0\0":  # the reserved bytes: "BMW" is text
        return "BMP"
    return None


def prepare() -> None:
    """Import Pillow's readers once, before threads use them."""
    from PIL import (
        BmpImagePlugin,  # noqa: F401
        GifImagePlugin,  # noqa: F401
        Image,
        JpegImagePlugin,  # noqa: F401
        PngImagePlugin,  # noqa: F401
        TiffImagePlugin,  # noqa: F401
        WebPImagePlugin,  # noqa: F401
    )

    Image.preinit()


def decode(data: bytes, size: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """uint8 [size, size, 3] and remarks (keys of REMARKS). Raises Unreadable with the reason.

    JPEGs are drafted to at least twice the size first; every image is resized to the square with an antialiasing
    triangle filter. Upright by EXIF; transparency on white; 16 bits scaled; the first frame of many.
    """
    from PIL import Image

    kind = image_format(data[:16])
    if kind is None:
        raise Unreadable("empty file" if not data else "not a JPEG, PNG, GIF, BMP, TIFF or WebP image")
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            return _pixels(image, kind, size)
    except Image.DecompressionBombError:
        raise Unreadable(f"declares more than {MOST_PIXELS:,} pixels") from None
    except DAMAGED as error:
        raise Unreadable(_reason(error, kind, len(data))) from error


def _reason(error: BaseException, kind: str, length: int) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, EOFError) or "truncated" in text.lower():
        return f"cannot be decoded (truncated after {length:,} bytes)"
    if not text or "BytesIO" in text:
        text = "damaged"
    return f"cannot be decoded as {kind} ({text})"


def _pixels(image: Image.Image, kind: str, size: int) -> tuple[np.ndarray, tuple[str, ...]]:
    from PIL import Image

    width, height = image.size
    if width * height > MOST_PIXELS:
        raise Unreadable(f"declares {width:,}×{height:,} pixels; at most {MOST_PIXELS:,} are decoded")
    remarks = []
    if kind == "JPEG":
        image.draft("RGB", (2 * size, 2 * size))
    image.load()
    deep = image.mode.startswith("I;16") or image.mode in ("I", "F")
    if deep:
        remarks.append("deep")
    has_alpha = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    plain = _on_white(image) if has_alpha else _eight_bits(image) if deep else image
    if has_alpha:
        remarks.append("alpha")
    if plain.mode not in ("RGB", "L"):
        plain = plain.convert("L" if plain.mode == "1" else "RGB")
    plain = plain.resize((size, size), Image.Resampling.BILINEAR)
    turn = _turn(image)
    if turn is not None:
        plain = plain.transpose(turn)
        remarks.append("turned")
    if kind != "JPEG" and getattr(image, "is_animated", False):  # last: it moves through the file
        remarks.append("animated")
    return np.asarray(plain if plain.mode == "RGB" else plain.convert("RGB")), tuple(remarks)


def _on_white(image: Image.Image) -> Image.Image:
    from PIL import Image

    with_alpha = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, with_alpha).convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """65535 → 255: scaled with rounding. Pillow's own conversion clips at 255."""
    from PIL import Image

    values = np.asarray(image)
    if image.mode == "F":
        if not (values.min() >= 0 and values.max() <= 1):  # NaN fails too
            raise Unreadable(f"holds real numbers {values.min():g} … {values.max():g}; only 0 … 1 is defined")
        return Image.fromarray((values * 255 + 0.5).astype(np.uint8))
    if values.min() < 0 or values.max() > 65535:
        raise Unreadable("holds 32-bit values outside 0 … 65,535, whose white is not defined")
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What EXIF's orientation asks for; an EXIF block that cannot be read asks for nothing."""
    from PIL.Image import Transpose

    if image.format == "TIFF" or not ("exif" in image.info or "Raw profile type exif" in image.info):
        return None  # Pillow turns TIFFs itself, all others not
    try:
        orientation = image.getexif().get(0x0112, 1)
    except DAMAGED:
        return None  # the pixels are whole
    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
