"""Every kind of image has one defined conversion; every damaged one a reason."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from steepest.data.decode import MOST_PIXELS, Unreadable, decode, image_format, prepare

prepare()


def encoded(image, kind, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photo(seed=0, width=40, height=30):
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_formats_are_known_by_content_and_decode_to_their_pixels(kind):
    flat = Image.new("RGB", (20, 10), (200, 100, 50))
    data = encoded(flat, kind, lossless=True)
    assert image_format(data[:16]) == kind
    pixels, remarks = decode(data, 8)
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    assert remarks == ()
    assert np.abs(pixels.astype(int) - [200, 100, 50]).max() <= 2  # JPEG rounds


def test_pixels_are_pillows_with_draft_and_a_triangle_filter():
    data = encoded(photo(width=400, height=300), "JPEG")
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (64, 64))
    want = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(decode(data, 32)[0], want)
    whole = np.asarray(Image.open(io.BytesIO(data)).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.abs(want.astype(float) - whole).mean() < 1.5  # the draft costs little


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.tile(np.linspace(0, 65535, 8).astype(np.uint16), (8, 1))
    for kind in ("PNG", "TIFF"):
        pixels, remarks = decode(encoded(Image.fromarray(ramp), kind), 8)
        np.testing.assert_array_equal(pixels[0, :, 0], np.round(ramp[0] / 257).astype(np.uint8))
        assert remarks == ("deep",)


def test_real_numbers_need_a_white():
    data = encoded(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF")
    assert decode(data, 4)[0].tolist() == np.full((4, 4, 3), 128).tolist()
    with pytest.raises(Unreadable, match=r"real numbers 7 … 7"):
        decode(encoded(Image.fromarray(np.full((4, 4), 7.0, np.float32)), "TIFF"), 4)


def test_transparency_is_put_on_white():
    half = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    half.paste((0, 0, 255, 255), (0, 0, 8, 8 // 2))
    pixels, remarks = decode(encoded(half, "PNG"), 8)
    assert pixels[0, 0].tolist() == [0, 0, 255]
    assert pixels[7, 7].tolist() == [255, 255, 255]
    assert remarks == ("alpha",)


def test_palette_transparency_and_plain_palette():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30] + [0] * 750)
    assert decode(encoded(image, "PNG"), 8)[0][0, 0].tolist() == [10, 200, 30]
    pixels, remarks = decode(encoded(image, "PNG", transparency=1), 8)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert remarks == ("alpha",)


def test_cmyk_bilevel_and_grey_with_alpha():
    assert decode(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG"), 8)[0].min() >= 253
    assert decode(encoded(Image.new("1", (8, 8), 1), "PNG"), 8)[0].tolist() == np.full((8, 8, 3), 255).tolist()
    assert decode(encoded(Image.new("LA", (8, 8), (0, 0)), "PNG"), 8)[0].min() == 255


def test_animation_gives_its_first_frame_and_says_so():
    frames = [Image.new("RGB", (8, 8), c) for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        pixels, remarks = decode(data, 8)
        assert pixels[0, 0].tolist() == [255, 0, 0]
        assert remarks == ("animated",)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_is_applied(orientation, kind):
    from PIL import ImageOps

    corners = Image.new("RGB", (32, 32), (0, 0, 0))
    corners.paste((255, 255, 255), (0, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    data = encoded(corners, kind, exif=exif, **options)
    want = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")).astype(int)
    pixels, remarks = decode(data, 32)
    assert np.abs(pixels.astype(int) - want).max() <= 3
    assert remarks == (("turned",) if orientation > 1 and kind != "TIFF" else ())  # Pillow turns TIFFs
    if orientation > 1:
        assert np.abs(pixels.astype(int) - np.asarray(corners)).mean() > 10  # so the comparison can fail


def test_broken_exif_does_not_cost_the_photo():
    data = encoded(photo(), "JPEG", exif=b"Exif\0\0garbage that is no TIFF header")
    assert decode(data, 8)[0].shape == (8, 8, 3)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_truncated_files_are_refused(kind):
    data = encoded(photo(width=64, height=48), kind)
    for share in (0.2, 0.5, 0.8):
        with pytest.raises(Unreadable):
            decode(data[: int(share * len(data))], 8)


def test_truncated_jpeg_says_how_long_it_is():
    data = encoded(photo(width=640, height=480), "JPEG")[:4096]
    with pytest.raises(Unreadable, match=r"truncated after 4,096 bytes"):
        decode(data, 32)


def test_progressive_jpeg_truncated():
    data = encoded(photo(width=640, height=480), "JPEG", progressive=True)
    with pytest.raises(Unreadable):
        decode(data[: len(data) // 2], 32)


def test_no_image_at_all():
    for data, why in ((b"", "empty file"), (b"hello, I am text" * 9, "not a JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG")):
        with pytest.raises(Unreadable, match=why):
            decode(data, 8)
    with pytest.raises(Unreadable, match="not a JPEG"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n", 8)  # formats outside the list are never opened


def test_huge_declared_sizes_are_refused_before_decoding():
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    def png(width, height):
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for width, height in ((50_000, 50_000), (10_000, 9_500)):
            assert width * height > MOST_PIXELS
            with pytest.raises(Unreadable, match="declares"):
                decode(png(width, height), 8)


def test_fuzzed_files_never_escape_as_another_error():
    rng = np.random.default_rng(0)
    reasons = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in ("PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"):
            whole = encoded(photo(), kind)
            for _ in range(150):
                data = bytearray(whole)
                for at in rng.integers(0, min(len(data), 400), rng.integers(1, 6)):
                    data[at] = rng.integers(0, 256)
                try:
                    decode(bytes(data), 8)
                except Unreadable as refusal:
                    reasons.append(str(refusal))
    assert len(reasons) > 100
    assert all(reason and "BytesIO" not in reason for reason in reasons)
