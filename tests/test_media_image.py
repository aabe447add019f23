"""Images of every format are read as another library reads them."""

import io
import os
import pathlib
import struct
import sys
import zlib

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from vasa_jax import errors, media
from vasa_jax.media import image


@pytest.fixture(scope="module")
def photo():
    """A smooth picture that is not symmetric, of odd sizes."""
    coarse = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    picture = PIL.Image.fromarray(coarse)
    return picture.resize((41, 53), PIL.Image.Resampling.BICUBIC)


def _bytes(picture, format, **options):
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **options)
    return buffer.getvalue()


def _difference(one, other):
    return np.abs(one.astype(np.int32) - np.asarray(other, np.int32))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "LA"])
@pytest.mark.parametrize("format", ["png", "tiff"])
def test_every_colour_mode_is_read_without_loss(photo, mode, format):
    picture = photo.quantize(64) if mode == "P" else photo.convert(mode)
    decoded = media.decode_image(_bytes(picture, format))
    np.testing.assert_array_equal(decoded, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize(
    ("format", "options"),
    [("bmp", {}), ("webp", {"lossless": True}), ("gif", {})],
)
def test_other_formats_without_loss_are_read_exactly(photo, format, options):
    picture = photo.quantize(200) if format == "gif" else photo
    decoded = media.decode_image(_bytes(picture, format, **options))
    np.testing.assert_array_equal(decoded, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("is_progressive", [False, True])
def test_jpegs_are_read_close_to_the_original(photo, subsampling, is_progressive):
    even = photo.crop((0, 0, 40, 52))
    options = {"subsampling": subsampling, "progressive": is_progressive}
    data = _bytes(even, "jpeg", quality=97, **options)
    original = np.asarray(even)
    other = np.asarray(PIL.Image.open(io.BytesIO(data)))
    error = _difference(media.decode_image(data), original).mean()
    assert error < max(1.0, 1.2 * _difference(other, original).mean())


def test_jpegs_of_odd_sizes_keep_their_place(photo):
    data = _bytes(photo, "jpeg", quality=97, subsampling=2)
    decoded = media.decode_image(data)
    assert decoded.shape == (53, 41, 3)
    assert _difference(decoded, photo).mean() < 6


def test_grey_and_cmyk_jpegs_become_rgb(photo):
    for mode in ("L", "CMYK"):
        data = _bytes(photo.convert(mode), "jpeg", quality=97)
        other = PIL.Image.open(io.BytesIO(data)).convert("RGB")
        assert _difference(media.decode_image(data), other).max() <= 2


_TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}
"""By number of the EXIF orientation. Follows: the EXIF standard."""


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(photo, format, orientation):
    exif = PIL.Image.Exif()
    exif[274] = orientation
    options = {"jpeg": {"quality": 97, "subsampling": 0}, "webp": {"lossless": True}}
    data = _bytes(photo, format, exif=exif, **options.get(format, {}))
    if format == "avif":  # Pillow writes the orientation into AVIF's own boxes.
        assert (b"irot" in data or b"imir" in data) == (orientation > 1)
    upright = photo
    if orientation in _TURNS:
        upright = photo.transpose(_TURNS[orientation])
    decoded = media.decode_image(data)
    assert decoded.shape == np.asarray(upright).shape
    error = _difference(decoded, upright)
    assert error.mean() < 2 if format in ("avif", "jpeg") else not error.any()


@pytest.mark.parametrize("format", ["png", "webp", "avif"])
def test_transparency_shows_mid_grey(photo, format):
    picture = photo.copy()
    picture.putalpha(51)
    options = {
        "webp": {"lossless": True},
        "avif": {"quality": 100, "subsampling": "4:4:4"},
    }
    expected = np.asarray(photo) * 0.2 + image.ALPHA_BACKGROUND * 0.8
    decoded = media.decode_image(_bytes(picture, format, **options.get(format, {})))
    assert np.abs(decoded - expected).max() <= (3 if format == "avif" else 0.51)


@pytest.mark.parametrize("format", ["gif", "webp", "png", "avif"])
def test_of_an_animation_the_first_picture_is_read(photo, format):
    others = [photo.transpose(PIL.Image.Transpose.ROTATE_180)]
    options = {"lossless": True} if format == "webp" else {}
    picture = photo.quantize(64) if format == "gif" else photo
    data = _bytes(picture, format, save_all=True, append_images=others, **options)
    alone = _bytes(picture, format, **options)
    assert PIL.Image.open(io.BytesIO(data)).n_frames == 2
    error = _difference(media.decode_image(data), media.decode_image(alone))
    assert error.max() <= (60 if format == "avif" else 0)


def test_a_photo_of_several_pictures_shows_the_first(photo):
    even = photo.crop((0, 0, 40, 52))
    others = [even.transpose(PIL.Image.Transpose.ROTATE_180)]
    data = _bytes(even, "mpo", save_all=True, append_images=others, quality=97)
    assert _difference(media.decode_image(data), even).mean() < 6


def test_avif_is_read_close_to_the_original(photo):
    data = _bytes(photo, "avif", quality=100, subsampling="4:4:4")
    assert _difference(media.decode_image(data), photo).mean() < 2


def test_heic_is_read():
    pytest.importorskip("pi_heif")
    decoded = media.read_image(pathlib.Path(__file__).parent / "ramp.heic")
    rows, columns = np.linspace(0, 255, 40), np.linspace(255, 0, 52)
    ramp = np.full((40, 52, 3), 128.0)
    ramp[..., 0], ramp[..., 1] = rows[:, None], columns
    assert decoded.shape == ramp.shape and np.abs(decoded - ramp).mean() < 3


def test_the_package_that_reads_heic_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    monkeypatch.delitem(PIL.Image.OPEN, "HEIF", raising=False)
    image._formats_here.cache_clear()
    header = b"\0\0\0\x18ftypheic" + bytes(60)
    with pytest.raises(errors.UserError, match=r"is HEIC; .*vasa-jax\[heic\]"):
        media.decode_image(header)
    image._formats_here.cache_clear()


def _profile(red, green, blue):
    """Return an ICC profile of linear light with such primaries (xyY), D50 white."""

    def xyz(x, y):
        return np.array([x / y, 1, (1 - x - y) / y])

    white = np.array([0.9642, 1.0, 0.8249])
    primaries = np.stack([xyz(*red), xyz(*green), xyz(*blue)], axis=1)
    columns = (primaries * np.linalg.solve(primaries, white)).T

    def fixed(values):
        return np.round(np.asarray(values) * 65536).astype(">i4").tobytes()

    description = b"a test".ljust(7, b"\0")
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 7) + description + bytes(78),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(white),
    }
    for name, column in zip("rgb", columns, strict=True):
        tags[f"{name}XYZ".encode()] = b"XYZ \0\0\0\0" + fixed(column)
        tags[f"{name}TRC".encode()] = b"curv\0\0\0\0" + struct.pack(">I", 0)
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(">I4sI", offset + len(body), b"lcms", 0x02400000)
    header += b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + fixed(white)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


SRGB_AT_D50 = ((0.6485, 0.3309), (0.3212, 0.5979), (0.1559, 0.0660))
"""Primaries of sRGB, adapted to the white of profiles. Follows: ICC sRGB profile."""


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff", "avif"])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_a_colour_profile_is_brought_to_srgb(format, has_alpha):
    if format == "jpeg" and has_alpha:
        pytest.skip("JPEG knows no transparency")
    linear = np.full((16, 16, 3), (40, 90, 160), np.uint8)
    picture = PIL.Image.fromarray(linear)
    if has_alpha:
        picture.putalpha(255)
        picture.putpixel((0, 0), (0, 0, 0, 0))
    options = {
        "webp": {"lossless": True},
        "jpeg": {"quality": 100, "subsampling": 0},
        "avif": {"quality": 100, "subsampling": "4:4:4"},
    }
    data = _bytes(
        picture, format, icc_profile=_profile(*SRGB_AT_D50), **options.get(format, {})
    )
    light = linear[8, 8] / 255
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    decoded = media.decode_image(data)
    assert np.abs(decoded[8, 8] - expected).max() <= 3
    if has_alpha:
        assert (decoded[0, 0] == image.ALPHA_BACKGROUND).all()


P3_AT_D50 = ((0.6817, 0.3194), (0.2835, 0.6725), (0.1527, 0.0650))
"""Primaries of Display P3, adapted to the white of profiles. Follows: SMPTE EG 432."""


@pytest.mark.parametrize("format", ["png", "webp", "avif"])
def test_colours_of_wide_screens_grow_stronger_in_srgb(format):
    linear = np.full((16, 16, 3), (140, 90, 70), np.uint8)
    options = {"webp": {"lossless": True}, "avif": {"quality": 100}}
    data = _bytes(
        PIL.Image.fromarray(linear),
        format,
        icc_profile=_profile(*P3_AT_D50),
        **options.get(format, {}),
    )
    to_srgb = [[1.2249, -0.2249, 0], [-0.0420, 1.0420, 0], [-0.0197, -0.0786, 1.0983]]
    light = np.array(to_srgb) @ (linear[0, 0] / 255)
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(media.decode_image(data)[8, 8] - expected).max() <= 4


def test_a_broken_colour_profile_or_orientation_says_nothing(photo):
    for options in ({"icc_profile": b"no profile"}, {"exif": b"Exif\0\0II*\0\xff"}):
        decoded = media.decode_image(_bytes(photo, "png", **options))
        np.testing.assert_array_equal(decoded, np.asarray(photo))


def test_sixteen_bit_pngs_are_brought_to_eight(photo):
    grey = np.asarray(photo.convert("L"), np.uint16)
    decoded = media.decode_image(_bytes(PIL.Image.fromarray(grey * 257), "png"))
    assert _difference(decoded, grey[..., None]).max() <= 1


def _png_that_claims(width, height):
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = [header, data, b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in chunks
    )


def test_an_image_over_64_megapixels_is_refused_by_its_header(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_that_claims(8001, 8000))
    with pytest.raises(errors.UserError, match="8001 x 8000 .* 64 megapixels"):
        media.read_image(path)


def test_a_file_far_larger_than_any_image_is_refused_unread(tmp_path, photo):
    path = tmp_path / "huge.png"
    path.write_bytes(_bytes(photo, "png"))
    os.truncate(path, 40 * 10**9)
    with pytest.raises(errors.UserError, match="40,000,000,000 bytes; at most 600 MB"):
        media.read_image(path)


def test_a_pipe_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(errors.UserError, match="a pipe or a device; give a file"):
        media.read_image(tmp_path / "pipe.png")


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "bmp", "tiff", "gif"])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.3, 0.9])
def test_a_cut_off_image_is_refused(photo, format, part):
    data = _bytes(photo, format)
    with pytest.raises(errors.UserError, match="image"):
        media.decode_image(data[: int(part * len(data))])


def test_missing_files_folders_and_texts_are_refused(tmp_path):
    text = tmp_path / "photo.png"
    text.write_text("not a picture")
    for path in (tmp_path / "nothing.png", tmp_path, text):
        with pytest.raises(errors.UserError, match="image"):
            media.read_image(path)


def test_what_is_written_is_read_again(photo, tmp_path):
    pixels = np.asarray(photo)
    media.write_image(tmp_path / "a.png", pixels)
    np.testing.assert_array_equal(media.read_image(tmp_path / "a.png"), pixels)
    media.write_image(tmp_path / "a.jpg", pixels)
    assert _difference(media.read_image(tmp_path / "a.jpg"), pixels).mean() < 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.png"]


def test_other_suffixes_and_places_are_refused(tmp_path):
    pixels = np.zeros((2, 2, 3), np.uint8)
    for name in ("a.xyz", "a", "missing/a.png"):
        with pytest.raises(errors.UserError, match="Cannot write"):
            media.write_image(tmp_path / name, pixels)
    with pytest.raises(ValueError, match="uint8"):
        media.write_image(tmp_path / "a.png", pixels.astype(np.float32))


def test_a_failed_write_leaves_the_older_file_alone(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), media.written_beside(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]
    with media.written_beside(path) as partial:
        partial.write_text("new")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["new"]
