"""Small random wav2vec 2.0 models of both norms, under the published names."""

import numpy as np
import safetensors.numpy

from vasa_jax.audio import wav2vec2

SMALL = wav2vec2.Wav2Vec2Network(
    conv_channels=(4, 4, 4, 4, 4, 4, 6),
    width=8,
    num_layers=2,
    num_heads=2,
    mlp_width=12,
    position_kernel=6,
    position_groups=2,
)
LAYER_NORMS = SMALL.clone(conv_norm="layer", use_conv_bias=True, is_norm_first=True)
POSITION = "encoder.pos_conv_embed.conv"


def tensors(network, seed=0):
    """Return random tensors under the names of a `Wav2Vec2Model`."""
    shapes = {}
    inputs = 1
    sizes = zip(network.conv_channels, network.conv_kernels, strict=True)
    for layer, (channels, kernel) in enumerate(sizes):
        name = f"feature_extractor.conv_layers.{layer}"
        shapes[f"{name}.conv.weight"] = channels, inputs, kernel
        if network.use_conv_bias:
            shapes[f"{name}.conv.bias"] = (channels,)
        if layer == 0 or network.conv_norm == "layer":
            shapes |= _norm(f"{name}.layer_norm", channels)
        inputs = channels
    width, mlp = network.width, network.mlp_width
    shapes |= _norm("feature_projection.layer_norm", inputs)
    shapes |= _dense("feature_projection.projection", inputs, width)
    shapes |= _norm("encoder.layer_norm", width)
    kernel = network.position_kernel
    shapes[f"{POSITION}.bias"] = (width,)
    shapes[f"{POSITION}.weight_g"] = 1, 1, kernel
    shapes[f"{POSITION}.weight_v"] = width, width // network.position_groups, kernel
    for layer in range(network.num_layers):
        name = f"encoder.layers.{layer}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= _dense(f"{name}.attention.{part}", width, width)
        shapes |= _dense(f"{name}.feed_forward.intermediate_dense", width, mlp)
        shapes |= _dense(f"{name}.feed_forward.output_dense", mlp, width)
        shapes |= _norm(f"{name}.layer_norm", width)
        shapes |= _norm(f"{name}.final_layer_norm", width)
    generator = np.random.default_rng(seed)
    return {
        name: generator.normal(0.1, 0.5, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def _norm(name, channels):
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}


def _dense(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def save(path, arrays):
    """Write arrays as a file of weights, and return its path."""
    safetensors.numpy.save_file(arrays, path)
    return path
