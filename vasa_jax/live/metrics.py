"""What a server counts, as a page that people read and Prometheus scrapes."""

import collections

import numpy as np

MAX_DELAYS = 2500
"""Delays kept. Ours: those of the last 100 s of speech."""

_HELP = {
    "sessions": "faces that live now",
    "sessions_total": "faces since the start",
    "sessions_refused_total": "those for which there was no room",
    "sessions_failed_total": "those that a defect of the device or the program ended",
    "ticks_total": "twenty-fifths of a second played",
    "frames_new_total": "ticks with a frame of their own",
    "frames_repeated_total": "ticks that showed the last frame again",
    "ticks_held_total": "ticks at which time stood still for want of motion",
    "ticks_lost_total": "ticks that a reader did not fetch in time",
    "clock_stalls_total": "times that the loop was late and time was put later",
    "samples_left_out_total": "samples of live voices left out to catch up",
}


class Metrics:
    """Counters of one server.

    Attributes:
        counts: by name.
    """

    def __init__(self):
        """Begin at zero."""
        self.counts = dict.fromkeys(_HELP, 0)
        self._delays = collections.deque(maxlen=MAX_DELAYS)

    def add(self, name: str, count: int = 1) -> None:
        """Count something that `counts` has."""
        self.counts[name] += count

    def add_delay(self, seconds: float) -> None:
        """Note how long after it came a sound was played."""
        self._delays.append(seconds)

    def delays(self) -> dict[str, float]:
        """Return quantiles of the seconds from a sound's coming to its playing."""
        if not self._delays:
            return {}
        names = ("0.5", "0.95", "1.0")
        quantiles = np.quantile(self._delays, [float(name) for name in names])
        return dict(zip(names, map(float, quantiles), strict=True))

    def text(self) -> str:
        """Return all of it in Prometheus' format."""
        lines = []
        for name, count in self.counts.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [
                f"# HELP vasa_{name} {_HELP[name]}",
                f"# TYPE vasa_{name} {kind}",
                f"vasa_{name} {count}",
            ]
        lines += [
            "# HELP vasa_voice_delay_seconds from a sound's coming to its playing",
            "# TYPE vasa_voice_delay_seconds summary",
        ]
        for quantile, seconds in self.delays().items():
            lines.append(
                f'vasa_voice_delay_seconds{{quantile="{quantile}"}} {seconds:.4f}'
            )
        return "\n".join(lines) + "\n"
