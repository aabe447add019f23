"""`--end_at`: begin no test after a time, and show what ran and what was left out."""

import collections
import time

import pytest

LEFT_OUT = "left out for time"


def pytest_addoption(parser):
    """Add the option."""
    parser.addoption(
        "--end_at",
        type=float,
        help="second of the clock (date +%%s) after which no test is begun",
    )


def pytest_runtest_setup(item):
    """Skip what would begin too late."""
    end = item.config.getoption("--end_at")
    if end is not None and time.time() > end:
        pytest.skip(LEFT_OUT)


def pytest_terminal_summary(terminalreporter, config):
    """Print a line for each file."""
    if config.getoption("--end_at") is None or config.getoption("--collect-only"):
        return
    lines = table(
        (outcome, report)
        for outcome in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(outcome, [])
        if hasattr(report, "nodeid")
    )
    terminalreporter.write_line("\n" + "\n".join(lines))


def table(outcomes):
    """Lay reports out as a Markdown table, the slowest file first.

    Args:
        outcomes: pairs of an outcome ("passed", "failed", "error", "skipped") and a
            report with `nodeid`, `longrepr` and, if it is a test's and not that of a
            file that was skipped or broke while it was read, `duration`.

    Returns:
        Its lines; the last is the sum.
    """
    columns = ("passed", "failed", "skipped", LEFT_OUT)
    counts = collections.defaultdict(collections.Counter)
    seconds = collections.Counter()
    for outcome, report in outcomes:
        file = report.nodeid.partition("::")[0]
        if outcome == "error":
            outcome = "failed"
        elif outcome == "skipped" and LEFT_OUT in str(report.longrepr):
            outcome = LEFT_OUT
        for name in (file, "all"):
            counts[name][outcome] += 1
            seconds[name] += getattr(report, "duration", 0)
    files = sorted(counts, key=lambda name: (name == "all", -seconds[name]))
    rows = [
        [
            name,
            *(str(counts[name][column]) for column in columns),
            f"{seconds[name]:.0f}",
        ]
        for name in files
    ]
    head = ["file", *columns, "s"]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
