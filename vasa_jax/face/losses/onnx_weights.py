"""Reads the convolutions of a network out of an ONNX file."""

import os
import pathlib

import numpy as np

from vasa_jax import errors


def read_convolutions(
    path: str | os.PathLike[str], cure: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read kernel and bias of each convolution, in the order of the file's nodes.

    Args:
        path: of the file.
        cure: what a user should do about a file that does not fit, a clause.

    Returns:
        Kernels `[k, k, C / groups, F]` and biases `[F]`.

    Raises:
        UserError: the file is missing, is no ONNX file, or has a convolution without a
            bias; or the package `onnx` is missing.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise errors.UserError(f"There is no file '{path}': {cure}.")
    try:
        # Few need it, and it takes a second to import.
        import onnx
        from google.protobuf import message
    except ImportError as error:
        raise errors.UserError(
            f"The package onnx, which reads '{path}', is missing: "
            "pip install 'vasa_jax[train]'."
        ) from error
    try:
        graph = onnx.load_model(path, load_external_data=False).graph
        tensors = {
            tensor.name: onnx.numpy_helper.to_array(tensor)
            for tensor in graph.initializer
        }
        nodes = [node.input for node in graph.node if node.op_type == "Conv"]
        return [
            (tensors[kernel].transpose(2, 3, 1, 0), tensors[bias])
            for _, kernel, bias in nodes
        ]
    except (message.DecodeError, ValueError, KeyError) as error:
        raise errors.UserError(
            f"'{path}' cannot be read as an ONNX file of convolutions with biases: "
            f"{cure}."
        ) from error
