"""Tell how far lips stay the same when a voice comes as microphones and calls have it.

    python -m experiments.tools.degraded_lips --checkpoint=vasa_jax/weights/demo \
        --voice=a.wav --voice=b.wav

For each change of `vasa_jax.audio.degradations` the table has the correlation of the
mouth's aperture that the checkpoint asks for from the clean voice and from the changed
one (mean and least over the voices), and its lag in frames. The first row is the clean
voice performed with another seed: what chance alone leaves.
"""

from absl import flags

from experiments.running import program
from experiments.tools import voice_changes
from vasa_jax import audio, compilation_cache
from vasa_jax.animate import trained
from vasa_jax.evaluation.benchmark import driven_videos

CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Folder; none is what ships.")
VOICE = flags.DEFINE_multi_string(
    "voice", None, "Sound of one clean voice; give one for each.", required=True
)
SEED = flags.DEFINE_integer("seed", 0, "Of the performances and the changes.")


def main(_) -> int:
    """Print the table of the voices that the flags name; return the exit code."""
    compilation_cache.enable()
    waveforms = [audio.load_waveform(path) for path in VOICE.value]
    performer = driven_videos.Performer(trained.load(CHECKPOINT.value))
    asked = [voice_changes.apertures(performer, one, SEED.value) for one in waveforms]
    print(voice_changes.table(asked))
    return 0


if __name__ == "__main__":
    program.run(main)
