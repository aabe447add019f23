"""Blocks that both models are made of: convolutions, residual blocks, adaptive norms.

Follows: MegaPortraits, appendix: GroupNorm, ReLU, 3x3 convolution with weight
standardisation, twice; never BatchNorm, whose batch statistics mix identities.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

import einops
import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

MAX_NORM_GROUPS = 32
"""Groups of a GroupNorm. Follows: Wu and He, Group Normalization (32 groups)."""


_USES_STOCK = contextvars.ContextVar("uses_stock", default=False)


@contextlib.contextmanager
def stock_convolutions() -> Iterator[None]:
    """Trace with XLA's own convolutions and gradients, on every backend.

    Ours: the baseline of the training benchmark; what is compiled inside keeps them.
    """
    token = _USES_STOCK.set(True)
    try:
        yield
    finally:
        _USES_STOCK.reset(token)


def _does_taps() -> bool:
    """Tell whether convolutions go by taps: where they were measured to be faster."""
    return jax.default_backend() == "cpu" and not _USES_STOCK.get()


def num_groups(channels: int) -> int:
    """Return the largest divisor of `channels` up to 32 with 4 channels a group.

    Ours: 32 groups as published, fewer where channels are few.
    """
    most = max(1, min(MAX_NORM_GROUPS, channels // 4))
    return next(groups for groups in range(most, 0, -1) if channels % groups == 0)


def convolve(x: jax.Array, kernel: jax.Array, stride: int = 1) -> jax.Array:
    """Convolve `[B, H, W, C]` with `[k, k, C, F]`, 'SAME' padding of odd kernels."""
    pad = kernel.shape[0] // 2
    return lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        [(pad, pad), (pad, pad)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


@jax.custom_vjp
def convolve_by_taps(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve as `convolve` does at stride 1, with gradients that CPUs do well.

    Ours: XLA's own weight gradient runs at a fifth of the speed of its forward pass
    on a CPU; here it is one matrix product per tap, and the input gradient a
    convolution by the flipped kernel. Both agree with XLA's up to rounding.
    """
    return convolve(x, kernel)


def _taps_forward(x, kernel):
    return convolve(x, kernel), (x, kernel)


def _taps_backward(residuals, gradient):
    x, kernel = residuals
    size = kernel.shape[0]
    pad = size // 2
    flipped = einops.rearrange(kernel[::-1, ::-1], "i j c f -> i j f c")
    x_gradient = convolve(gradient, flipped)
    padded = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    # Transposed once, so that no window need be.
    flat_gradient = einops.rearrange(gradient, "b h w f -> f (b h w)")

    def tap(number):
        start = (0, number // size, number % size, 0)
        window = lax.dynamic_slice(padded, start, x.shape)
        return flat_gradient @ einops.rearrange(window, "b h w c -> (b h w) c")

    # A loop, because unrolled taps of many convolutions take minutes to compile.
    kernel_gradient = lax.map(tap, jnp.arange(size**2))
    kernel_gradient = einops.rearrange(
        kernel_gradient, "(i j) f c -> i j c f", i=size
    ).astype(kernel.dtype)
    return x_gradient, kernel_gradient


convolve_by_taps.defvjp(_taps_forward, _taps_backward)


def convolve_volume(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve `[B, D, H, W, C]` with `[k, k, k, C, F]`, 'SAME' padding, stride 1.

    Ours: on a CPU a sum over depth taps of 2-D convolutions runs several times faster
    than XLA's 3-D convolution, which other backends use.
    """
    if not _does_taps():
        return lax.conv_general_dilated(
            x,
            kernel,
            (1, 1, 1),
            "SAME",
            dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
        )
    return convolve_volume_by_taps(x, kernel)


def convolve_volume_by_taps(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve as `convolve_volume` does, by 2-D convolutions over depth taps."""
    batch, depth = x.shape[:2]
    pad = kernel.shape[0] // 2
    padded = jnp.pad(x, ((0, 0), (pad, pad), (0, 0), (0, 0), (0, 0)))
    slices = [
        convolve_by_taps(
            einops.rearrange(padded[:, tap : tap + depth], "b d h w c -> (b d) h w c"),
            kernel[tap],
        )
        for tap in range(kernel.shape[0])
    ]
    return einops.rearrange(sum(slices), "(b d) h w f -> b d h w f", b=batch)


def standardise(kernel: jax.Array) -> jax.Array:
    """Give each filter of `[..., C, F]` zero mean and a gain that keeps variance.

    Follows: Qiao et al., Weight Standardization; the gain 1/sqrt(fan in) follows
    Brock et al. (NFNets), so that activations keep their scale.
    """
    axes = tuple(range(kernel.ndim - 1))
    fan_in = kernel[..., 0].size
    mean = kernel.mean(axes, keepdims=True)
    variance = kernel.var(axes, keepdims=True)
    return (kernel - mean) * lax.rsqrt(variance * fan_in + 1e-4)


class Convolution(nn.Module):
    """Convolve images (`num_axes` 2) or volumes (3) of any batch.

    Follows: MegaPortraits (weight standardisation on every convolution but the first
    and the last of a network).

    Attributes:
        features: channels out.
        size: odd kernel size.
        num_axes: 2 or 3 spatial axes.
        stride: step of the kernel; 2-D only.
        is_standardised: whether kernels are standardised.
        kernel_init: how kernels start.
        dtype: of the computation; parameters stay float32.
    """

    features: int
    size: int = 3
    num_axes: int = 2
    stride: int = 1
    is_standardised: bool = False
    kernel_init: Callable = nn.initializers.lecun_normal()
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Convolve `[B, (D,) H, W, C]` to `[B, (D,) H, W, features]`."""
        shape = (self.size,) * self.num_axes + (x.shape[-1], self.features)
        kernel = self.param("kernel", self.kernel_init, shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        if self.is_standardised:
            kernel = standardise(kernel)
        kernel, x = kernel.astype(self.dtype), x.astype(self.dtype)
        if self.num_axes == 3:
            y = convolve_volume(x, kernel)
        elif self.size == 1 and self.stride == 1:
            y = x @ kernel[0, 0]
        elif self.stride == 1 and _does_taps():
            y = convolve_by_taps(x, kernel)
        else:
            y = convolve(x, kernel, self.stride)
        return y + bias.astype(self.dtype).reshape((1,) * (y.ndim - 1) + (-1,))


class AdaptiveNorm(nn.Module):
    """GroupNorm whose scale and shift come from a code, if one is given.

    Follows: MegaPortraits (adaptive GroupNorm in the starred blocks).

    Attributes:
        dtype: of the computation.
    """

    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, code: jax.Array | None = None) -> jax.Array:
        """Normalise `[B, ..., C]`, by a code `[B, K]` or without one."""
        channels = x.shape[-1]
        x = nn.GroupNorm(num_groups=num_groups(channels), dtype=self.dtype)(x)
        if code is None:
            return x
        affine = nn.Dense(
            2 * channels,
            kernel_init=nn.initializers.zeros,
            dtype=self.dtype,
            name="affine",
        )(code)
        affine = affine.reshape(code.shape[:1] + (1,) * (x.ndim - 2) + (-1,))
        scale, shift = jnp.split(affine, 2, axis=-1)
        return x * (1 + scale) + shift


class ResidualBlock(nn.Module):
    """GroupNorm, ReLU, convolution, twice, beside a shortcut.

    Follows: MegaPortraits, appendix; with a code it is the starred block.

    Attributes:
        features: channels out.
        num_axes: 2 for images, 3 for volumes.
        dtype: of the computation.
        use_remat: whether the backward pass computes the block again, to save memory.
    """

    features: int
    num_axes: int = 2
    dtype: jnp.dtype = jnp.float32
    use_remat: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, code: jax.Array | None = None) -> jax.Array:
        """Return `[B, ..., features]` of `[B, ..., C]`, by a code `[B, K]` or none."""
        compute = ResidualBlock._compute
        return (nn.remat(compute) if self.use_remat else compute)(self, x, code)

    def _compute(self, x: jax.Array, code: jax.Array | None) -> jax.Array:
        y = x
        for _ in range(2):
            y = nn.relu(AdaptiveNorm(dtype=self.dtype)(y, code))
            y = Convolution(
                self.features,
                num_axes=self.num_axes,
                is_standardised=True,
                dtype=self.dtype,
            )(y)
        if x.shape[-1] != self.features:
            x = nn.Dense(self.features, dtype=self.dtype, name="shortcut")(x)
        return x + y


class BottleneckBlock(nn.Module):
    """Narrow, convolve, widen by four, beside a shortcut.

    Follows: He et al., ResNet-50, in the norm-first order of `ResidualBlock`, whose
    attributes it has.
    """

    features: int
    dtype: jnp.dtype = jnp.float32
    use_remat: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Return `[B, H, W, 4 features]` of `[B, H, W, C]`."""
        compute = BottleneckBlock._compute
        return (nn.remat(compute) if self.use_remat else compute)(self, x)

    def _compute(self, x: jax.Array) -> jax.Array:
        y = x
        for features, size in (
            (self.features, 1),
            (self.features, 3),
            (4 * self.features, 1),
        ):
            y = nn.relu(AdaptiveNorm(dtype=self.dtype)(y))
            y = Convolution(
                features, size=size, is_standardised=True, dtype=self.dtype
            )(y)
        if x.shape[-1] != y.shape[-1]:
            x = nn.Dense(y.shape[-1], dtype=self.dtype, name="shortcut")(x)
        return x + y


def halve(x: jax.Array) -> jax.Array:
    """Average 2x2 cells of `[B, H, W, C]`."""
    return einops.reduce(x, "b (h i) (w j) c -> b h w c", "mean", i=2, j=2)


def double(x: jax.Array) -> jax.Array:
    """Repeat each cell of `[B, H, W, C]` twice along height and width."""
    return einops.repeat(x, "b h w c -> b (h i) (w j) c", i=2, j=2)
