"""Frames come out as players show them: shape, turn, colour and whole rows."""

import fractions
import functools

import av
import numpy as np
import odd_media
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc

from vasa_jax import errors, media


def _scene(height=64, width=96):
    """Return a smooth picture without any symmetry."""
    y, x = np.mgrid[:height, :width]
    planes = [40 + 2 * x, 230 - 2.5 * y, 60 + x + y]
    return np.round(np.stack(planes, -1)).clip(0, 255).astype(np.uint8)


def _assert_close(one, other, levels=6):
    assert one.shape == other.shape
    assert np.abs(one.astype(int) - other).max() <= levels


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "mpeg4"), ("a.ts", "libx264")],
)
@pytest.mark.parametrize(("shape", "width"), [("3/2", 144), ("8/9", 85)])
def test_pixels_are_made_square(tmp_path, name, codec, shape, width):
    def prepare(stream):
        stream.codec_context.sample_aspect_ratio = fractions.Fraction(shape)
        stream.codec_context.bit_rate = 4_000_000

    path = tmp_path / name
    odd_media.write(path, [_scene()] * 8, video_codec=codec, prepare=prepare)
    frame = next(media.iterate_video(path))
    info = media.probe_video(path)
    assert frame.shape == (64, width, 3) == (info.height, info.width, 3)
    corners = frame[[5, 5, -6, -6], [5, -6, 5, -6]].astype(int)
    stored = _scene()[[5, 5, -6, -6], [4, -5, 4, -5]]
    assert np.abs(corners - stored).max() < 16


# a, b, c, d of the matrix that takes (x, y) to (a x + c y, b x + d y), y downwards.
_ORIENTATIONS = {
    (1, 0, 0, 1): lambda image: image,
    (-1, 0, 0, 1): np.fliplr,
    (1, 0, 0, -1): np.flipud,
    (-1, 0, 0, -1): functools.partial(np.rot90, k=2),
    (0, 1, -1, 0): functools.partial(np.rot90, k=-1),
    (0, -1, 1, 0): np.rot90,
    (0, 1, 1, 0): functools.partial(np.swapaxes, axis1=0, axis2=1),
    (0, -1, -1, 0): lambda image: np.rot90(np.swapaxes(image, 0, 1), 2),
}


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
@pytest.mark.parametrize("matrix", _ORIENTATIONS)
def test_each_orientation_is_shown_as_its_matrix_says(tmp_path, name, matrix):
    path = tmp_path / name
    a, b, c, d = matrix
    odd_media.write(
        path,
        [_scene()],
        prepare=lambda stream: stream.set_display_matrix(
            [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
        ),
    )
    plain = tmp_path / "plain.mp4"
    odd_media.write(plain, [_scene()])
    frame = next(media.iterate_video(path))
    expected = _ORIENTATIONS[matrix](next(media.iterate_video(plain)))
    np.testing.assert_array_equal(frame, expected)
    info = media.probe_video(path)
    assert (info.height, info.width) == expected.shape[:2]


def _pq(nits):
    """Follow SMPTE ST 2084."""
    power = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def _hlg(nits):
    """Follow ITU-R BT.2100 for a screen of 1000 nits."""
    scene = (nits / 1000) ** (1 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    high = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def _grey_frame(signal):
    """Return a 10-bit frame of columns whose luma is `signal` of the full range."""
    frame = av.VideoFrame(16 * len(signal), 64, "yuv420p10le")
    luma = np.repeat(np.round(64 + 876 * signal), 16)
    for plane, row in zip(frame.planes, (luma, 512, 512), strict=True):
        rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        rows[:, : plane.width] = row
        plane.update(rows.tobytes())
    return frame


@pytest.mark.parametrize(
    ("curve", "name", "codec"),
    [
        ("pq", "a.mp4", "libx264"),
        ("hlg", "a.webm", "libsvtav1"),
        ("sdr", "a.mkv", "ffv1"),
    ],
)
def test_grey_of_wide_ranges_is_the_grey_of_screens(tmp_path, curve, name, codec):
    grey = np.linspace(0, 1, 17)
    signal, tag = {
        "pq": (_pq(203 * grey**2.4), ColorTrc.SMPTE2084),
        "hlg": (_hlg(203 * grey**2.4), ColorTrc.ARIB_STD_B67),
        "sdr": (grey, ColorTrc.BT2020_10),
    }[curve]

    def prepare(stream):
        stream.codec_context.color_trc = tag
        stream.codec_context.color_primaries = ColorPrimaries.BT2020
        stream.codec_context.colorspace = 9
        stream.codec_context.color_range = 1
        stream.options = {"crf": "5"}

    path = tmp_path / name
    frames = [_grey_frame(signal) for _ in range(2)]
    odd_media.write(path, frames, video_codec=codec, prepare=prepare)
    read = next(media.iterate_video(path))[32, 8::16].astype(int)
    assert np.abs(read - np.round(255 * grey)[:, None]).max() <= 5


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mpg", "mpeg2video"), ("a.ts", "mpeg2video")],
)
def test_interlaced_frames_become_whole(tmp_path, name, codec):
    def at(half_frame):
        picture = np.full((64, 96, 3), 60, np.uint8)
        picture[:, 10 + 4 * half_frame : 30 + 4 * half_frame] = 220
        return picture

    frames = []
    for index in range(8):
        frame = at(2 * index)
        frame[1::2] = at(2 * index + 1)[1::2]
        frames.append(frame)

    def prepare(stream):
        stream.codec_context.bit_rate = 8_000_000
        stream.options = {"flags": "+ildct+ilme", "x264-params": "tff=1"}

    path = tmp_path / name
    odd_media.write(path, frames, video_codec=codec, prepare=prepare)
    read = list(media.iterate_video(path))
    assert len(read) == len(frames)
    for index in (2, 5):
        rows = read[index][16:-16, :, 0].astype(int)
        assert np.abs(np.diff(rows, axis=0)).mean() < 1  # 7 as it is stored
        # The bar of one of the frame's two moments, which are 4 pixels apart.
        edge = np.flatnonzero(rows[0] > 140)[0] - (10 + 8 * index)
        assert -2 <= edge <= 6


def test_frames_of_a_size_that_changes_keep_coming(tmp_path):
    first, second = tmp_path / "first.ts", tmp_path / "second.ts"
    for path, height in ((first, 64), (second, 96)):
        scene = _scene(height)
        odd_media.write(path, [scene] * 5, video_codec="mpeg2video")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    heights = [frame.shape[0] for frame in media.iterate_video(joined)]
    assert set(heights) == {64, 96}


def test_the_cover_of_a_song_is_no_video(tmp_path):
    path = tmp_path / "song.mp4"

    def prepare(stream):
        stream.disposition = av.stream.Disposition.attached_pic

    sound = odd_media.tone(0.5)
    odd_media.write(path, [_scene()], sound, video_codec="png", prepare=prepare)
    with pytest.raises(errors.UserError, match="holds no picture"):
        media.probe_video(path)


@pytest.mark.parametrize("tag", ["dvh1", "hvc1"])
@pytest.mark.parametrize("curve", [ColorTrc.UNSPECIFIED, ColorTrc.SMPTE2084])
def test_colours_for_dolbys_decoders_alone_are_refused_by_name(tmp_path, tag, curve):
    def prepare(stream):
        stream.options = {"x265-params": "log-level=none"}
        stream.codec_context.codec_tag = tag
        stream.codec_context.color_trc = curve
        stream.pix_fmt = "yuv420p10le"

    path = tmp_path / "a.mp4"
    odd_media.write(path, [_scene()] * 3, video_codec="libx265", prepare=prepare)
    if tag == "hvc1" or curve != ColorTrc.UNSPECIFIED:
        assert len(list(media.iterate_video(path))) == 3
        return
    with pytest.raises(errors.UserError, match="a.mp4 is Dolby Vision of profile 5"):
        media.probe_video(path)
    with pytest.raises(errors.UserError, match="convert it to SDR or HDR10"):
        next(media.iterate_video(path))
