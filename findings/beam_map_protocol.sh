#!/bin/sh
# Apache Beam 2.77.0 takes the annotations of what `beam.Map` is given for types of its own,
# and ends where a parameter is annotated by a protocol (`typing.Protocol`). A good guess is
# that annotations do nothing at run time, or that a protocol fits what has its members. When
# the pipeline is made, Beam asks whether the elements' class is a subclass of the protocol:
# TypeError, and `runtime_checkable` only changes its sentence where a member is no method.
# With `Any`, or without an annotation, the same function runs.
# Seen on 30 November 2026, Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apache-beam==2.77.0
cat >"$folder/plans.py" <<'PYTHON'
from typing import Any, Protocol, runtime_checkable

import apache_beam as beam
from apache_beam.options import pipeline_options


class Named(Protocol):
    name: str


@runtime_checkable
class NamedAtRunTime(Protocol):
    name: str


class Plan:
    name = "a"


def by_protocol(plan: Named) -> str:
    return plan.name


def by_protocol_at_run_time(plan: NamedAtRunTime) -> str:
    return plan.name


def by_anything(plan: Any) -> str:
    return plan.name


def run(function):
    options = pipeline_options.PipelineOptions([])
    try:
        with beam.Pipeline(runner="FnApiRunner", options=options) as pipeline:
            _ = pipeline | beam.Create([Plan()]) | beam.Map(function)
    except TypeError as error:
        return f"TypeError: {error}"
    return "runs"


found = {f.__name__: run(f) for f in (by_protocol, by_protocol_at_run_time, by_anything)}
for name, told in found.items():
    print(f"{name:24s} {told}")
assert found["by_protocol"].startswith("TypeError"), "a protocol is taken now"
assert found["by_protocol_at_run_time"].startswith("TypeError"), "this one is taken now"
assert found["by_anything"] == "runs"
PYTHON
"$folder/venv/bin/python" "$folder/plans.py"
echo "still so: Beam ends where a function's parameter is annotated by a protocol"
