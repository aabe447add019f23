#!/bin/sh
# jax 0.10.2 with SciPy 1.17.1 (whose wheel holds OpenBLAS), on a CPU: one solve of a 32 x 32
# system inside a jitted function takes tens of milliseconds of processor time for each call.
# A good guess is that jitted code runs on XLA's own threads, and that so small a solve is
# free. But jax calls the LAPACK that SciPy brings; that wakes OpenBLAS's threads, which then
# wait busily, on the very cores where XLA's next operations run. On two cores a frame of our
# renderer took 80 ms of processor in place of 50, and 42 ms of time in place of 28; on one
# core nothing is seen. With OPENBLAS_NUM_THREADS=1, or elimination written in jax.numpy, it
# is gone.
# Seen on 30 November 2026, Python 3.11, Linux. Needs two cores with little else to do. Fails
# when this no longer holds.
set -eu
[ "$(nproc)" -ge 2 ] || { echo "run on two cores or more" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1 numpy==2.4.6
cat >"$folder/solve.py" <<'PYTHON'
import time

import jax
import jax.numpy as jnp
import numpy as np

generator = np.random.default_rng(0)
half = generator.normal(size=(32, 32))
square = jnp.asarray(half @ half.T + np.eye(32), jnp.float32)
right = jnp.asarray(generator.normal(size=(32, 54)), jnp.float32)
solve = jax.jit(jnp.linalg.solve)
solve(square, right).block_until_ready()
times = []
for _ in range(30):
    time.sleep(0.03)
    start = time.process_time()
    solve(square, right).block_until_ready()
    time.sleep(0.03)
    times.append(1e3 * (time.process_time() - start))
print(np.median(times))
PYTHON
threaded=$("$folder/venv/bin/python" "$folder/solve.py")
single=$(OPENBLAS_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/solve.py")
echo "processor time of a solve, ms: $threaded as it comes, $single with one OpenBLAS thread"
awk "BEGIN { exit !($threaded > 3 * $single && $threaded > 5) }"
