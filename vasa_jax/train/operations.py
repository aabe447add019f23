"""Counts the arithmetic of a traced program, and knows what devices can do at best.

Ours: counted on the traced program rather than asked of XLA, which counts the body of
a loop once, and a fused or rewritten convolution as it likes.
"""

import math
from typing import Any

import jax

PEAK_OPERATIONS = {
    "TPU v4": 275e12,
    "TPU v5 lite": 197e12,
    "TPU v5e": 197e12,
    "TPU v5": 459e12,
    "TPU v5p": 459e12,
    "TPU v6 lite": 918e12,
    "TPU v6e": 918e12,
    "A100": 312e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "H200": 989e12,
    "L4": 121e12,
    "L40S": 362e12,
    "V100": 125e12,
}
"""Floating-point operations a second by device kind, dense, with bfloat16 operands
(float16 for V100). Follows: the vendors' data sheets."""


def peak_operations(device_kind: str) -> float | None:
    """Return the peak of a device, or None where it is not known, as for CPUs.

    Args:
        device_kind: as `jax.Device.device_kind` says, such as "NVIDIA H100 80GB HBM3".
    """
    fitting = [name for name in PEAK_OPERATIONS if _names(name, device_kind)]
    return PEAK_OPERATIONS[max(fitting, key=len)] if fitting else None


def _names(name: str, device_kind: str) -> bool:
    """Whether all words of the name are words of the device kind."""
    words = device_kind.replace("-", " ").split()
    return all(part in words for part in name.split())


def count(program: Any) -> float:
    """Count the operations of matrix products and convolutions, two a product.

    Ours: the rest of a network is bound by memory, and usual shares of peak leave it
    out too. A scan counts as often as it runs, a branch as its dearest side, a loop of
    unknown length once; what is computed again (`remat`) counts again.

    Args:
        program: a jaxpr, closed or not, such as `jax.jit(f).trace(x).jaxpr`.

    Returns:
        Floating-point operations of one run, over all devices.
    """
    jaxpr = getattr(program, "jaxpr", program)
    total = 0.0
    for equation in jaxpr.eqns:
        name, parameters = equation.primitive.name, equation.params
        if name == "dot_general":
            total += _product(equation)
        elif name == "conv_general_dilated":
            total += _convolution(equation)
        elif name == "cond":
            total += max(count(branch) for branch in parameters["branches"])
        else:
            inner = sum(count(part) for part in _programs(parameters))
            total += inner * (parameters["length"] if name == "scan" else 1)
    return total


def _programs(parameters: dict[str, Any]) -> list[Any]:
    """Return the programs among the parameters of an operation."""
    found = []
    for value in parameters.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            if hasattr(getattr(part, "jaxpr", part), "eqns"):
                found.append(part)
    return found


def _product(equation: Any) -> float:
    (contracted, _), _ = equation.params["dimension_numbers"]
    shape = equation.invars[0].aval.shape
    inner = math.prod(shape[axis] for axis in contracted)
    return 2.0 * math.prod(equation.outvars[0].aval.shape) * inner


def _convolution(equation: Any) -> float:
    kernel = equation.invars[1].aval.shape
    num_outputs = kernel[equation.params["dimension_numbers"].rhs_spec[0]]
    num_positions = math.prod(equation.outvars[0].aval.shape)
    # Zeros between the pixels of a dilated input are multiplied by nobody.
    num_positions /= math.prod(equation.params["lhs_dilation"])
    return 2.0 * num_positions * math.prod(kernel) / num_outputs


def device_peak_memory() -> float | None:
    """Return the most bytes that a device of this process has held; None if unknown.

    Ours: a CPU's memory is the process's.
    """
    devices = jax.local_devices()
    if devices[0].platform == "cpu":
        return process_peak_memory()
    peaks = [(d.memory_stats() or {}).get("peak_bytes_in_use") for d in devices]
    return float(max(peaks)) if all(peaks) else None


def process_peak_memory() -> float | None:
    """Return the most bytes that this process has held; None where nobody says."""
    try:
        import resource  # not on every system
    except ImportError:
        return None
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
