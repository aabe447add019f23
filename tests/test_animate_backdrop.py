"""A person stands before the portrait's own background, or another."""

import dataclasses

import numpy as np
import pytest

from vasa_jax import errors, media, types
from vasa_jax.animate import backdrop, canvas, talking_face
from vasa_jax.animate.backdrop import Background
from vasa_jax.portrait import crop


@pytest.fixture(scope="module")
def face(tiny_models):
    return talking_face.TalkingFace(tiny_models)


@pytest.fixture(scope="module")
def shown(face, rendered_photo):
    """Frames of a still portrait by the kind of its background."""
    colour = np.full((40, 60, 3), (10, 200, 90), np.uint8)
    kinds = {
        "kept": Background(),
        "picture": Background(kind="picture", picture=colour),
        "transparent": Background(kind="transparent"),
    }
    found = {}
    for name, background in kinds.items():
        portrait = face.locate(rendered_photo, background)
        motion = np.repeat(face.own_motion(portrait)[None], 2, axis=0)
        motion[1, 0] += 0.2
        found[name] = portrait, np.concatenate(list(face.render(portrait, [motion])))
    return found


def _far_from_person(portrait):
    """Return where neither a frame nor the portrait shows the person."""
    share = portrait.scene.person
    far = np.zeros(share.shape, bool)
    edge = len(share) // 10
    far[:edge, :edge] = far[:edge, -edge:] = True
    assert share[far].max() < 0.05
    return far


def test_the_portraits_own_background_keeps_still(shown):
    portrait, frames = shown["kept"]
    far = _far_from_person(portrait)
    for frame in frames:
        np.testing.assert_allclose(frame[far], portrait.image[far].astype(int), atol=2)


def test_a_picture_stands_behind_the_person_alone(shown):
    portrait, frames = shown["picture"]
    far = _far_from_person(portrait)
    for frame in frames:
        np.testing.assert_allclose(
            frame[far], np.broadcast_to((10, 200, 90), frame[far].shape), atol=2
        )


def test_a_person_is_cut_out_beyond_the_portrait(face, rendered_photo):
    portrait = face.locate(rendered_photo)
    size, cutout = face.image_size, portrait.scene.cutout
    margin = round(backdrop.REACH * size)
    assert cutout.shape == (size + 2 * margin,) * 2 + (4,)
    own = np.rint(255 * portrait.scene.person)
    middle = slice(margin + margin, margin + size - margin)
    inner = slice(margin, size - margin)
    np.testing.assert_array_equal(cutout[middle, middle, 3], own[inner, inner])
    # Shoulders go on below the portrait, and nobody is above it.
    assert cutout[-margin // 2, len(cutout) // 2, 3] > 200 > 50 > cutout[0, 0, 3]


def test_what_lies_around_a_portrait_is_the_pictures_own():
    picture = np.random.default_rng(1).integers(0, 255, (96, 96, 3)).astype(np.uint8)
    box = crop.CropBox(center_x=48.0, center_y=40.0, half_size=16.0)
    seen = backdrop.around(picture, box, 32)
    np.testing.assert_array_equal(seen, picture[20:60, 28:68])
    image = crop.extract(picture, box, 32)
    np.testing.assert_array_equal(image, seen[4:-4, 4:-4])


def test_a_blurred_background_keeps_its_light_and_loses_its_detail():
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3)).astype(np.uint8)
    noise[:, 64:] //= 4
    nobody = np.zeros((128, 128), np.float32)
    kept = backdrop.behind(noise, nobody, Background())
    np.testing.assert_array_equal(kept, noise)
    blurred = backdrop.behind(noise, nobody, Background(kind="blurred"))
    left, right = slice(0, 50), slice(78, None)
    for side in (left, right):
        assert abs(blurred[:, side].mean() - noise[:, side].mean()) < 3
        assert blurred[:, side].std() < 0.2 * noise[:, side].std()


def test_transparent_frames_laid_over_a_picture_are_those_before_it(shown):
    _, frames = shown["transparent"]
    assert frames.shape[-1] == 4
    alpha = frames[..., 3:] / 255
    laid = (1 - alpha) * np.array((10, 200, 90)) + alpha * frames[..., :3]
    np.testing.assert_allclose(laid, shown["picture"][1].astype(int), atol=3)


def test_where_no_person_is_found_the_background_is_left_to_the_model(monkeypatch):
    monkeypatch.setattr(
        backdrop.person_mask, "person_mask", lambda image: np.zeros(image.shape[:2])
    )
    image = np.zeros((64, 64, 3), np.uint8)
    assert backdrop.set_scene(image, Background()) is None
    with pytest.raises(errors.UserError, match="cannot be told.*clearer picture"):
        backdrop.set_scene(image, Background(kind="blurred"))


def test_a_model_that_paints_all_refuses_another_background():
    image = np.zeros((64, 64, 3), np.uint8)
    assert backdrop.set_scene(image, Background(), is_possible=False) is None
    with pytest.raises(errors.UserError, match="another checkpoint"):
        backdrop.set_scene(image, Background(kind="transparent"), is_possible=False)


def test_a_portrait_is_shown_as_its_frames_will_be():
    image = np.full((8, 8, 3), 200, np.uint8)
    person = np.zeros((8, 8), np.float32)
    person[:, :4], person[:, 4] = 1, 0.5
    behind = np.full((8, 8, 3), 100, np.uint8)
    np.testing.assert_array_equal(backdrop.shown(image, None), image)
    before = backdrop.shown(image, backdrop.Scene(person=person, backdrop=behind))
    assert before[0, :, 0].tolist() == [200] * 4 + [150] + [100] * 3
    clear = backdrop.shown(image, backdrop.Scene(person=person, backdrop=None))
    assert clear[0, :, 3].tolist() == [255] * 4 + [128] + [0] * 3
    assert clear[..., :3].min() == 200


def test_what_keeps_still_of_a_person_stays_and_cut_edges_do_not():
    size, share = 100, np.zeros((100, 100), np.float32)
    share[20:, 10:90] = 1
    image = np.full((size, size, 3), 60, np.uint8)
    image[20:, 10:90] = 200
    behind = np.full((size, size, 3), 100, np.uint8)
    scene = backdrop.Scene(person=share, backdrop=behind)
    pixels = types.PortraitPixels(
        image=None,
        features=None,
        displacement=None,
        behind_head=None,
        background_logits=None,
        chroma=None,
    )
    latents = types.FaceLatents(
        appearance_volume=None,
        identity=None,
        head_pose=None,
        facial_dynamics=None,
        pixels=pixels,
    )
    # A shoulder, to the left below, and an edge as wide as a pixel, to the right.
    still = np.zeros((50, 50), np.float32)
    still[30:, :15] = still[:, 44:] = 1
    found = backdrop.keep_still(latents, image, scene, still).pixels.backdrop
    found = np.rint((np.asarray(found)[0, ..., 0] + 1) * 127.5)
    assert found[80, 15] == found[95, 25] == 200
    assert found[80, 5] == found[10, 50] == 100
    assert (found[:, 40:] == 100).all()
    assert (found[:50] == 100).all()
    # It goes on behind what moves, as far as that is the person.
    assert found[80, 32] == 200
    clear = dataclasses.replace(scene, backdrop=None)
    found = backdrop.keep_still(latents, image, clear, still).pixels.backdrop
    found = np.asarray(found)[0]
    assert (found[[80, 80, 80], [15, 32, 60], 3] == [1, 1, 0]).all()
    np.testing.assert_allclose(found[80, 15, :3], 200 / 127.5 - 1, atol=1e-6)


def test_backgrounds_are_named_or_are_pictures(tmp_path):
    assert backdrop.parse_background("blurred") == Background(kind="blurred")
    path = tmp_path / "beach.png"
    media.write_image(path, np.full((8, 16, 3), 77, np.uint8))
    parsed = backdrop.parse_background(str(path))
    assert parsed.kind == "picture"
    assert parsed.picture.shape == (8, 16, 3)
    with pytest.raises(errors.UserError, match="kept, blurred, transparent, or"):
        backdrop.parse_background("blured")


def test_a_picture_is_cut_to_the_frames_shape_about_its_centre():
    picture = np.zeros((40, 100, 3), np.uint8)
    picture[:, 30:70] = 200
    person = np.zeros((20, 20), np.float32)
    cut = backdrop.behind(
        picture[:20, :20], person, Background(kind="picture", picture=picture)
    )
    assert cut.shape == (20, 20, 3)
    assert cut.min() > 150


def test_the_whole_picture_stands_before_the_background_too(face, rendered_photo):
    colour = np.full((40, 60, 3), (10, 200, 90), np.uint8)
    background = Background(kind="picture", picture=colour)
    whole = canvas.prepare(face, rendered_photo, background, shows_whole_picture=True)
    size = face.image_size
    own = whole.portrait.image[None]
    shown = whole.show(own)
    assert shown.shape == (1, *rendered_photo.shape)
    np.testing.assert_array_equal(shown[0, 5, 5], (10, 200, 90))
    assert whole.portrait.scene.backdrop.shape == (size, size, 3)
    clear = canvas.prepare(
        face, rendered_photo, Background(kind="transparent"), shows_whole_picture=True
    )
    opaque = np.full((1, size, size, 1), 255, np.uint8)
    shown = clear.show(np.concatenate([own, opaque], axis=-1))
    assert shown.shape == (1, *rendered_photo.shape[:2], 4)
    assert shown[0, 5, 5, 3] == 0
    assert shown[0, 144, 192, 3] == 255


def test_what_the_canvas_shows_of_its_own_is_the_picture(face, rendered_photo):
    whole = canvas.prepare(face, rendered_photo, shows_whole_picture=True)
    crop = canvas.prepare(face, rendered_photo)
    assert (whole.height, whole.width) == rendered_photo.shape[:2]
    assert crop.height == crop.width == face.image_size
    np.testing.assert_array_equal(crop.show(crop.portrait.image), crop.portrait.image)
    assert dataclasses.replace(crop.portrait, scene=None).scene is None


def test_a_face_in_another_picture_is_a_composite():
    assert not canvas.is_composite(None, shows_whole_picture=False)
    assert not canvas.is_composite(Background(kind="blurred"), False)
    assert canvas.is_composite(None, shows_whole_picture=True)
    picture = Background(kind="picture", picture=np.zeros((2, 2, 3), np.uint8))
    assert canvas.is_composite(picture, shows_whole_picture=False)
