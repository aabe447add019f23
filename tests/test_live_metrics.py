"""What a server counts."""

import pytest

from vasa_jax.live import metrics


def test_counts_and_delays_read_as_prometheus_wants_them():
    one = metrics.Metrics()
    one.add("sessions")
    one.add("ticks_total", 3)
    for delay in (0.1, 0.2, 0.3):
        one.add_delay(delay)
    lines = one.text().splitlines()
    assert "vasa_sessions 1" in lines and "# TYPE vasa_sessions gauge" in lines
    assert "vasa_ticks_total 3" in lines and "# TYPE vasa_ticks_total counter" in lines
    assert 'vasa_voice_delay_seconds{quantile="0.5"} 0.2000' in lines


def test_a_name_that_is_not_known_is_a_mistake():
    with pytest.raises(KeyError):
        metrics.Metrics().add("sesions")


def test_without_delays_there_are_no_quantiles():
    assert metrics.Metrics().delays() == {}
