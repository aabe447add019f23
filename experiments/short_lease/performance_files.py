"""Performances as small files: made where voices are, rendered where they are not.

Ours: a borrowed machine has neither speech tools nor network. A file holds what a pair
of identities performs, its curves as float16 and its clean voices in four bits a
sample, about 20 kB for three seconds; room, noise and loudness are drawn again from the
seed.
"""

import io
import json
import os
import pathlib
from collections.abc import Mapping

import numpy as np

from datasets.synthetic_heads.performance import performance, prosody, sound
from datasets.synthetic_heads.records import plan
from datasets.synthetic_heads.rendering import scene
from experiments.short_lease import voice_codec
from vasa_jax import errors, media, types
from vasa_jax.speech import speech

_CURVES = ("arkit", "blink", "rotation", "translation", "gaze", "gaze_in_head")

_SETTINGS_FILE = "settings.json"


def pack(done: Mapping[str, performance.Performance]) -> bytes:
    """Pack performances of one length.

    Ours: channels lie one after another, which compresses better.

    Args:
        done: by name.

    Returns:
        Bytes of a compressed npz file.
    """
    arrays = {
        name: np.stack([getattr(one, name).T for one in done.values()]).astype("f2")
        for name in _CURVES
    }
    texts = [
        {
            "name": name,
            "seed": one.seed,
            "emotion": one.emotion,
            "emotion_strength": one.emotion_strength,
            "voice": one.voice,
            "text": one.text,
            "phonemes": [
                [round(p.start, 4), round(p.end, 4), p.symbol, p.stressed, p.accent]
                for p in one.phonemes
            ],
        }
        for name, one in done.items()
    ]
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        **arrays,
        viseme=np.stack([one.viseme for one in done.values()]).astype(np.uint8),
        main_gaze=np.stack([one.main_gaze for one in done.values()]).astype("f4"),
        camera=np.stack([one.camera.to_vector() for one in done.values()]),
        voices=np.stack([voice_codec.encode(one.waveform) for one in done.values()]),
        texts=np.frombuffer(json.dumps(texts, ensure_ascii=False).encode(), np.uint8),
    )
    return buffer.getvalue()


def unpack(packed: bytes) -> dict[str, performance.Performance]:
    """Unpack performances.

    Args:
        packed: as from `pack`.

    Returns:
        Performances by name, equal to those packed but for float16 and the voice's
        four bits.
    """
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        loaded = {name: arrays[name] for name in arrays.files}
    texts = json.loads(loaded["texts"].tobytes().decode())
    return {
        text["name"]: _performance(text, loaded, row) for row, text in enumerate(texts)
    }


def _performance(text, loaded, row) -> performance.Performance:
    curves = {
        name: np.ascontiguousarray(loaded[name][row].T.astype(np.float32))
        for name in _CURVES
    }
    num_samples = len(curves["blink"]) * types.SAMPLES_PER_FRAME
    waveform = voice_codec.decode(loaded["voices"][row], num_samples)
    # The stream that `performance.perform` gives to the sound.
    generator = np.random.default_rng([text["seed"], 1])
    return performance.Performance(
        seed=text["seed"],
        emotion=text["emotion"],
        emotion_strength=text["emotion_strength"],
        voice=text["voice"],
        text=text["text"],
        waveform=waveform,
        audio=sound.vary(waveform, generator),
        phonemes=tuple(speech.Phoneme(*values) for values in text["phonemes"]),
        viseme=loaded["viseme"][row].astype(np.int32),
        main_gaze=loaded["main_gaze"][row],
        camera=scene.Camera.from_vector(loaded["camera"][row]),
        energy=prosody.measure(waveform).energy,
        **curves,
    )


def perform_pair(settings: plan.Settings, pair: int) -> bytes:
    """Perform all that a pair of identities performs; see `pack`."""
    requests = {
        clip.performance: clip.request
        for identity in (2 * pair, 2 * pair + 1)
        for clip in plan.clips_of(settings, identity)
    }
    return pack(
        {name: performance.perform(request) for name, request in requests.items()}
    )


def pair_path(folder: pathlib.Path, pair: int) -> pathlib.Path:
    """Return the file of a pair of identities."""
    return folder / f"pair_{pair:06d}.npz"


def pairs(folder: pathlib.Path) -> list[int]:
    """Return the pairs that a folder holds, in order."""
    return sorted(int(path.stem.split("_")[1]) for path in folder.glob("pair_*.npz"))


def write_settings(folder: pathlib.Path, settings: plan.Settings) -> None:
    """Say which plan the performances follow; refuse a folder of another.

    Raises:
        UserError: the folder was begun with another plan.
    """
    path = folder / _SETTINGS_FILE
    # What a frame looks like is decided when it is rendered.
    wanted = {
        "seconds": settings.seconds,
        "seed": settings.seed,
        "num_takes": settings.num_takes,
        "speech_dir": settings.speech_dir and os.path.basename(settings.speech_dir),
        "recordings_share": settings.recordings_share,
        "natural_share": settings.natural_share,
        "bared_smiles_share": settings.bared_smiles_share,
    }
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != wanted:
            raise errors.UserError(
                f"{folder} was begun with other settings ({path.name} there tells "
                "them); use the same ones or another --output_dir."
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    with media.written_beside(path) as beside:
        beside.write_text(json.dumps(wanted, indent=1), encoding="utf-8")


def read_settings(
    folder: pathlib.Path, size: int, randomization_strength: float
) -> plan.Settings:
    """Read the plan that the performances follow.

    Args:
        folder: as `write_settings` left it.
        size: pixels of a side of the frames to render.
        randomization_strength: of their looks.

    Returns:
        Settings whose clips have the carried performances; their requests name
        synthetic voices only, where the performances may be of recordings.

    Raises:
        UserError: there are none.
    """
    path = folder / _SETTINGS_FILE
    if not path.exists():
        raise errors.UserError(
            f"There are no performances in {str(folder)!r}; make them with "
            "experiments.short_lease.perform."
        )
    read = json.loads(path.read_text(encoding="utf-8"))
    return plan.Settings(
        seconds=read["seconds"],
        seed=read["seed"],
        num_takes=read["num_takes"],
        size=size,
        randomization_strength=randomization_strength,
    )
