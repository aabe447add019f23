"""The settings of `vasa serve`."""

import pytest

pytest.importorskip("aiohttp", reason="the extra `live` is not installed")
pytest.importorskip("aiortc", reason="the extra `live` is not installed")

from vasa_jax.errors import UserError  # noqa: E402
from vasa_jax.live import serving  # noqa: E402


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"host": "0.0.0.0"}, "give a --token"),
        ({"host": "::"}, "give a --token"),
        ({"host": "example.org"}, "give a --token"),
        ({"host": "0.0.0.0", "token": ""}, "give a --token"),
        ({"prefix": "face"}, "give a path such as /face"),
        ({"prefix": "/face/"}, "give a path such as /face"),
        ({"tls_cert": "a.pem"}, "--tls_key"),
        ({"max_sessions": 0}, "give 1 or more"),
        ({"idle_minutes": float("nan")}, "more than 0"),
        ({"stun": "example.org"}, "stun:example.org:3478"),
        ({"turn": "http://example.org"}, "turn:example.org:3478"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_a_sentence(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        serving.ServeSettings(**settings)


def test_steps_that_the_checkpoint_cannot_take_are_refused(tiny_checkpoint):
    said = []
    asked = serving.ServeSettings(checkpoint=str(tiny_checkpoint), num_steps=0)
    with pytest.raises(UserError, match="num_steps is 0"):
        serving.serve(asked, said.append)


def test_a_voice_that_was_asked_for_and_cannot_be_had_is_refused():
    for settings in ({"voice": "nobody"}, {"language": "xx"}):
        with pytest.raises(UserError, match="voice|Natural voices"):
            serving.ServeSettings(**settings).voices()


def test_the_loopback_address_wants_no_token():
    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2"):
        serving.ServeSettings(host=host)


def test_no_server_is_asked_for_addresses_unless_it_is_named():
    assert serving.ServeSettings().ice_servers() == []
    named = serving.ServeSettings(
        turn="turn:a.test:3478", turn_user="u", turn_password="p"
    ).ice_servers()
    assert [server.urls for server in named] == ["turn:a.test:3478"]
    assert named[0].username == "u"


def test_the_address_can_be_opened():
    assert serving.ServeSettings().address() == "http://127.0.0.1:8080/"
    asked = serving.ServeSettings(
        host="::1", token="s", prefix="/face", tls_cert="a", tls_key="b", port=9
    )
    assert asked.address() == "https://[::1]:9/face/?token=s"


def test_files_that_are_no_certificate_are_refused(tmp_path):
    file = tmp_path / "a.pem"
    file.write_text("no certificate")
    asked = serving.ServeSettings(tls_cert=str(file), tls_key=str(file))
    with pytest.raises(UserError, match="give both in PEM"):
        asked.ssl_context()
