"""What is said where the package of an adapter is not installed."""

import importlib
import sys

import pytest

from vasa_jax.errors import UserError

ADAPTERS = {
    "livekit_video": ("livekit", "livekit"),
    "pipecat_service": ("pipecat", "pipecat"),
    "fastrtc_handler": ("fastrtc", "fastrtc"),
    "virtual_camera": ("pyvirtualcam", "camera"),
}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_without_its_package_an_adapter_says_which_extra_to_install(
    monkeypatch, adapter
):
    package, extra = ADAPTERS[adapter]
    name = f"vasa_jax.live.adapters.{adapter}"
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, name, raising=False)
    for known in [one for one in sys.modules if one.startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, known)
    with pytest.raises(UserError, match=rf'pip install "vasa_jax\[{extra}\]"'):
        importlib.import_module(name)
