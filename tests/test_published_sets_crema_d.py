"""CREMA-D's files: wav for the sound, no pointers, no twins, labels that are seen."""

import pytest

from datasets.published_sets import clips, crema_d, video_files
from vasa_jax import errors

NAMES = [
    "1001_DFA_ANG_XX",
    "1002_IEO_HAP_LO",
    "1003_IEO_SAD_HI",
    "1004_DFA_NEU_XX",
    "1013_WSI_SAD_XX",
    "1013_WSI_DIS_XX",
    "1076_MTI_SAD_XX",
    "1005_DFA_FEA_XX",
]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
TABLE = (
    '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote"\n'
    '"1","1001_DFA_ANG_XX","A","70","A","60","A"\n'
    '"2","1002_IEO_HAP_LO","N","70","H","60","A:H"\n'
    '"3","1003_IEO_SAD_HI","N","70","N","60","N"\n'
)


@pytest.fixture
def files(tmp_path):
    for index, name in enumerate(NAMES):
        for room, kind in (("VideoFlash", "flv"), ("AudioWAV", "wav")):
            path = tmp_path / room / f"{name}.{kind}"
            path.parent.mkdir(exist_ok=True)
            twin = kind == "wav" and name.startswith("1013")
            path.write_bytes(b"same" if twin else b"%d" % index)
    return tmp_path


def _read(folder, annotations=None):
    reading = crema_d.read(annotations, video_files.find(folder))
    assert reading.num_rows == len(list(folder.rglob("*.flv")))
    kept = {clip.name: clip for clip in reading.clips}
    return kept, {row[0]: row[1] for row in reading.left_out}


def test_labels_are_those_that_were_acted_and_sound_is_the_wav(files):
    kept, _ = _read(files)
    assert set(kept) == {*NAMES[:4], NAMES[7]}
    clip = kept["1002_IEO_HAP_LO"]
    assert clip.video == "VideoFlash/1002_IEO_HAP_LO.flv" and clip.person == "1002"
    assert clip.sound == "AudioWAV/1002_IEO_HAP_LO.wav"
    assert clip.emotions == (clips.Emotion("happiness", 1 / 3),)
    assert kept["1004_DFA_NEU_XX"].emotions == (clips.Emotion("neutral"),)


def test_by_the_votes_a_label_needs_a_majority_that_sees_it(files, tmp_path):
    (tmp_path / crema_d.TABLE).write_text(TABLE)
    kept, _ = _read(files, tmp_path)
    assert kept["1001_DFA_ANG_XX"].emotions == (clips.Emotion("anger", 2 / 3),)
    for name in ("1002_IEO_HAP_LO", "1003_IEO_SAD_HI", "1004_DFA_NEU_XX"):
        assert kept[name].emotions == ()  # A tie, another one, and no vote.


def test_equal_sounds_under_two_labels_are_left_out_both(files):
    _, left_out = _read(files)
    assert left_out == {
        "1013_WSI_SAD_XX": "with the sound of another clip",
        "1013_WSI_DIS_XX": "with the sound of another clip",
        "1076_MTI_SAD_XX": "that are known to be broken",
    }


@pytest.mark.parametrize("path", ["VideoFlash/{}.flv", "AudioWAV/{}.wav"])
def test_pointers_and_missing_sounds_are_left_out(files, path):
    (files / path.format("1001_DFA_ANG_XX")).write_bytes(POINTER)
    (files / "AudioWAV" / "1002_IEO_HAP_LO.wav").unlink()
    _, left_out = _read(files)
    assert left_out["1001_DFA_ANG_XX"] == "that are only pointers"
    assert left_out["1002_IEO_HAP_LO"] == "without a sound of its own"


def test_a_folder_of_another_form_is_refused(tmp_path):
    (tmp_path / "a.flv").write_bytes(b"\0")
    with pytest.raises(errors.UserError, match="such as 1001_DFA_ANG_XX.flv"):
        crema_d.read(None, video_files.find(tmp_path))
