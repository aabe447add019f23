#!/bin/sh
# jaxlib 0.10.2 on a CPU: a program of a hundred small fusions takes twice the processor time to
# compile that it takes by XLA's emitters of before.
# A good guess is that `--xla_backend_optimization_level=0` leaves nothing to gain where arrays
# are tiny. But each fusion goes through an MLIR pipeline of its own, whose setup costs
# milliseconds however small the fusion is. `--xla_backend_extra_options=
# xla_cpu_disable_new_fusion_emitters` takes the emitters of before. The program of our tiny
# renderer, 430 fusions, then took 3 s in place of 10, and a suite of 3,000 tests 673 s in place of
# 883 (together with fewer operations). Frames took a quarter longer (on a busy core), so it is
# for tests. jaxlib 0.12.0.1 has the new ones alone and does not mind the option.
# Seen on 1 December 2026, Python 3.11, Linux. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat >"$folder/compile.py" <<'PYTHON'
import time

import jax
import jax.numpy as jnp


def chain(x):
    for number in range(100):
        x = jnp.roll(jnp.tanh(x[::-1] + number), 1, axis=0) * x.T
    return x


times = []
for _ in range(3):
    lowered = jax.jit(lambda x: chain(x)).lower(jnp.ones((8, 8)))
    start = time.process_time()
    lowered.compile()
    times.append(time.process_time() - start)
print(f"{min(times):.2f}")
PYTHON
time_of() {
  XLA_FLAGS="--xla_backend_optimization_level=0 $1" JAX_PLATFORMS=cpu \
    "$folder/venv/bin/python" "$folder/compile.py"
}
new=$(time_of "")
old=$(time_of "--xla_backend_extra_options=xla_cpu_disable_new_fusion_emitters")
echo "processor time of compiling, s: $new as it comes, $old by the emitters of before"
awk "BEGIN { exit !($new > 1.5 * $old) }"
