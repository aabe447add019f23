"""Counted operations against closed forms, and the peaks of known devices."""

import jax
import jax.numpy as jnp
import pytest

from vasa_jax.train import operations


def _count(function, *shapes):
    arrays = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return operations.count(jax.jit(function).trace(*arrays).jaxpr)


def test_a_product_takes_two_operations_for_each_pair():
    assert _count(lambda a, b: a @ b, (8, 16), (16, 32)) == 2 * 8 * 16 * 32
    batched = _count(
        lambda a, b: jnp.einsum("bik,bkj->bij", a, b), (3, 8, 16), (3, 16, 4)
    )
    assert batched == 3 * 2 * 8 * 16 * 4


def test_a_convolution_takes_two_for_each_tap_and_place():
    def convolve(image, kernel):
        return jax.lax.conv_general_dilated(
            image, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    found = _count(convolve, (2, 8, 8, 5), (3, 3, 5, 7))
    assert found == 2 * (2 * 4 * 4 * 7) * (3 * 3 * 5)


def test_a_scan_counts_as_often_as_it_runs_and_a_branch_once():
    def scanned(x):
        return jax.lax.scan(lambda c, _: (c @ c, None), x, length=5)[0]

    def branched(x):
        return jax.lax.cond(x[0, 0] > 0, lambda y: y @ y @ y, lambda y: y @ y, x)

    assert _count(scanned, (4, 4)) == 5 * 2 * 4**3
    assert _count(branched, (4, 4)) == 2 * 2 * 4**3


def test_what_is_computed_again_counts_again():
    def loss(x, use_remat):
        def layer(y):
            return jnp.sin(y @ x) @ x

        return (jax.checkpoint(layer) if use_remat else layer)(x).sum()

    kept = _count(lambda x: jax.grad(loss)(x, False), (4, 4))
    again = _count(lambda x: jax.grad(loss)(x, True), (4, 4))
    # Two products forward and two each for their gradients; then again the first.
    assert kept == pytest.approx(6 * 2 * 4**3)
    assert again >= kept + 2 * 4**3


@pytest.mark.parametrize(
    "kind, peak",
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("TPU v5 lite", 197e12),
        ("TPU v5", 459e12),
        ("cpu", None),
        ("NVIDIA L40", None),
    ],
)
def test_the_peak_of_a_device_is_that_of_the_longest_name_that_fits(kind, peak):
    assert operations.peak_operations(kind) == peak


def test_the_memory_of_a_cpu_is_that_of_the_process():
    assert operations.device_peak_memory() > 50 * 2**20
