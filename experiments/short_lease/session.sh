#!/usr/bin/env bash
# From carried performances to a checkpoint, on one GPU borrowed for a quarter of an hour.
#
#   bash experiments/short_lease/session.sh 0 [WORK]   beforehand, where the speech tools are
#   bash experiments/short_lease/session.sh 1 [WORK]   begin the renderer's training, benchmark
#                                              vasa1; beside it, and after: render, check
#   bash experiments/short_lease/session.sh 2 [WORK]   only to train the motion encoders anew
#   bash experiments/short_lease/session.sh 3 [WORK]   train renderer and denoiser side by side
#
# Steps 1 to 3 need neither FFmpeg, Grain, TFDS nor network. Each ends within its LIMIT
# of seconds, has saved by then, prints tables last, and goes on where it was when it is
# run again. What should come home is put into OUT: files under 16 MiB, at most eight.
#
# From the environment: SIZE (gpu, or tiny for a test on a CPU), CARRIED (what step 0
# fills and the others read), OUT, LIMIT, PYTHON, INIT (the export to start from, whose
# encoders stay unless step 2 trains them; empty for none), NUM_CLIPS (of people) and NUM_VOICE_CLIPS
# (smaller pictures, more voices, for the denoiser alone); ENCODER_STEPS, MOTION_STEPS
# and FACE_STEPS decide the decay of the learning rate, which is compiled in: step 3 goes
# on with the run that step 1 began, since another length would compile for three minutes
# again. FACE_FLAGS and MOTION_FLAGS are added to the trainings'. VGG16 names an npz
# and IDENTITY an ONNX file of the frozen networks that experiments/configs/face.py tells of;
# without one the renderer is trained without the loss that needs it.
set -euo pipefail
cd "$(dirname "$0")/../.."

STEP=${1:?give a step, 0 to 3}
WORK=${2:-runs/short_lease}
SIZE=${SIZE:-gpu}
CARRIED=${CARRIED:-data/carried}
OUT=${OUT:-$WORK/out}
PYTHON=${PYTHON:-python3}
INIT=${INIT-vasa_jax/weights/demo}
CORES=$(nproc)
RESERVE=10
FAILED=0

case $SIZE in
  gpu)
    NUM_CLIPS=${NUM_CLIPS:-1000} NUM_VOICE_CLIPS=${NUM_VOICE_CLIPS:-800}
    CLIP_SECONDS=3 PIXELS=256 VOICE_PIXELS=128 VOICE_TAKES=16
    CHECK=(--preset=vasa1 --batch_size=2) CHECK_TIME=420
    BENCHMARK=(--preset=vasa1 --dtype=bfloat16 --batches=1,4)
    ENCODERS=(--preset=demo_encoders --set=train.batch_size=64)
    FACE=(--preset=demo_gpu) MOTION=(--preset=demo_gpu)
    AUDIO_ENCODER=whisper_tiny WORKERS=$((CORES > 5 ? CORES - 4 : CORES))
    # Seconds of: step; rendering, from its beginning; what follows a training.
    ENCODER_STEPS=${ENCODER_STEPS:-4000} FACE_STEPS=${FACE_STEPS:-3500}
    MOTION_STEPS=${MOTION_STEPS:-2500}
    LIMITS=(0 370 240 470) RENDER_TIME=400 EXPORT_TIME=60 FIRST_STEPS=40
    PATIENCE=1 FIRST_CLIPS=32
    ;;
  tiny)
    NUM_CLIPS=${NUM_CLIPS:-32} NUM_VOICE_CLIPS=${NUM_VOICE_CLIPS:-32}
    CLIP_SECONDS=0.8 PIXELS=32 VOICE_PIXELS=32 VOICE_TAKES=4
    CHECK=(--preset=tiny --batch_size=2 --num_repeats=1 --stages=motion) CHECK_TIME=2000
    BENCHMARK=(--preset=tiny --batches=1 --steps=2 --num_repeats=1)
    ENCODERS=(--preset=tiny_encoders)
    ENCODER_STEPS=${ENCODER_STEPS:-12} FACE_STEPS=${FACE_STEPS:-24}
    MOTION_STEPS=${MOTION_STEPS:-24}
    FACE=(--preset=tiny) MOTION=(--preset=tiny --set=model.num_audio_channels=322
      --set=train.evaluate_every_steps=none)
    AUDIO_ENCODER=mel WORKERS=1
    LIMITS=(0 3000 3000 3000) RENDER_TIME=2000 EXPORT_TIME=400 FIRST_STEPS=10
    PATIENCE=20 FIRST_CLIPS=4
    ;;
  *)
    echo "error: SIZE is '$SIZE'; give gpu or tiny." >&2
    exit 2
    ;;
esac
if [[ ! $STEP =~ ^[0-3]$ ]]; then
  echo "error: the step is '$STEP'; give 0 to 3." >&2
  exit 2
fi
if [[ -n ${VGG16:-} ]]; then
  FACE+=(--set=perceptual_weights="$VGG16")
else
  FACE+=(--set=face_loss.perceptual=0)
fi
if [[ -n ${IDENTITY:-} ]]; then
  FACE+=(--set=identity_weights="$IDENTITY")
else
  FACE+=(--set=face_loss.cross_identity=0)
fi
# Split into words on purpose.
FACE+=(${FACE_FLAGS:-}) MOTION+=(${MOTION_FLAGS:-})
LIMIT=${LIMIT:-${LIMITS[STEP]}}
export JAX_COMPILATION_CACHE_DIR=${JAX_COMPILATION_CACHE_DIR:-$PWD/.cache/jax_session}

mkdir -p "$WORK" "$OUT"
HEADS=$WORK/heads VOICES=$WORK/voices

say() {
  echo "[step $STEP, $SECONDS s] $*"
}

# Run a command for at most so many seconds, within the step's limit. A program that
# trains saves at SIGTERM. What fails is told, and the step goes on with the rest.
within() { # SECONDS COMMAND...
  local seconds=$1 left=$((LIMIT - SECONDS - RESERVE)) code=0
  shift
  seconds=$((seconds < left ? seconds : left))
  if ((seconds < 5)); then
    say "no time left for: $*"
    return
  fi
  say "at most $seconds s: $*"
  timeout --preserve-status --signal=TERM --kill-after=30 "$seconds" "$@" || code=$?
  if ((code == 143 || code == 137)); then
    say "out of time: $2 $3"
  elif ((code != 0)); then
    say "failed with code $code: $*"
    FAILED=1
  fi
}

# Start a command that outlives this step, once; NAME.log has its output.
beside() { # NAME SECONDS COMMAND...
  local name=$1 seconds=$2
  shift 2
  [[ -f $WORK/$name.log ]] && return
  say "beside, at most $seconds s: $*"
  setsid nice -n 19 timeout --kill-after=10 "$seconds" "$@" \
    >"$WORK/$name.log" 2>&1 </dev/null &
  echo $! >"$WORK/$name.pid"
}

# Wait until it has ended, or for so many seconds; print its last lines.
await() { # NAME SECONDS LINES
  local end=$((SECONDS + $2))
  [[ -f $WORK/$1.pid ]] || return 0
  while ((SECONDS < end)) && kill -0 "$(<"$WORK/$1.pid")" 2>/dev/null; do
    sleep 1
  done
  tr '\r' '\n' <"$WORK/$1.log" | tail -n "$3"
}

# A share of the GPU's memory, where several programs use it at once.
export_share() {
  export XLA_PYTHON_CLIENT_MEM_FRACTION=$1
}

# Wait until a set has some clips to train on, or its rendering has ended.
await_clips() { # FOLDER SECONDS
  local end=$((SECONDS + $2)) clips=()
  shopt -s nullglob
  while ((SECONDS < end)); do
    clips=("$1"/train/*.npz)
    ((${#clips[@]} >= FIRST_CLIPS)) && break
    kill -0 "$(<"$WORK/render.pid")" 2>/dev/null || break
    sleep 1
  done
  clips=("$1"/train/*.npz)
  shopt -u nullglob
  if ((${#clips[@]} == 0)); then
    say "nothing is rendered in $1; see $WORK/render.log"
    FAILED=1
    return 1
  fi
}

# Both sets at once, so that each has some clips early; compilation wants cores too.
render() {
  local program=("$PYTHON" -m experiments.short_lease.render)
  "${program[@]}" --carried_dir="$CARRIED/voices" --output_dir="$VOICES" \
    --size="$VOICE_PIXELS" --num_workers=$((CORES / 4 + 1)) &
  "${program[@]}" --carried_dir="$CARRIED/heads" --output_dir="$HEADS" \
    --size="$PIXELS" --num_workers=$(((CORES + 1) / 2))
  wait
}

benchmark() { # PARTS SECONDS
  local name=benchmark_${1%,*}
  within $(($2 * PATIENCE)) "$PYTHON" -m experiments.benchmark "${BENCHMARK[@]}" \
    --parts="$1" --output="$WORK/$name.json" > >(tee "$WORK/$name.md")
}

train() { # SECONDS FILE NAME FLAGS...
  local seconds=$1 file=$2 name=$3
  shift 3
  within "$seconds" "$PYTHON" -m experiments.short_lease.without_grain \
    experiments.train --config="experiments/configs/$file.py" \
    --workdir="$WORK/$name" "$@"
}

# The last step is left out, since the evaluation after it would cost what there is too
# little of.
train_face() { # SECONDS START MAX_STEPS WORKERS
  train "$1" face face "${FACE[@]}" ${2:+--init_from="$2"} --set="data_dir=$HEADS" \
    --max_steps="$3" --set="data.num_workers=$4" \
    --set=train.num_steps="$FACE_STEPS"
}

export_runs() { # FOLDER FLAGS...
  local folder=$1
  shift
  JAX_PLATFORMS=cpu within $((90 * PATIENCE)) "$PYTHON" -m experiments.export \
    --output="$folder" --nocompare_rounding "$@"
}

# Put a folder into OUT in parts under 16 MiB; cat them together and untar at home.
pack() { # FOLDER
  rm -f "$OUT/$(basename "$1").tar.part_"*
  tar -C "$(dirname "$1")" -cf - "$(basename "$1")" |
    split --bytes=15M --numeric-suffixes - "$OUT/$(basename "$1").tar.part_"
}

# Tables, curves and pictures of all steps so far, in one file.
pack_results() {
  local runs=() name
  for name in encoders face motion; do
    [[ -f $WORK/$name/metrics.jsonl ]] && runs+=("--workdir=$WORK/$name")
  done
  if ((${#runs[@]})); then
    JAX_PLATFORMS=cpu within $((40 * PATIENCE)) "$PYTHON" -m experiments.tools.curves \
      "${runs[@]}" --output="$WORK/curves.png" >"$WORK/curves.md"
    cat "$WORK/curves.md"
  fi
  (
    cd "$WORK"
    shopt -s nullglob
    tar -czf - ./*.json ./*.md ./*.png ./*.log ./*/metrics.jsonl ./*/config.json
  ) >"$OUT/results.tar.gz"
}

# Encode what there is, and again what has been rendered since; then train on it.
train_motion() {
  export_share 0.1
  local number
  for number in 1 2; do
    ((number == 2)) && await render $((LIMIT - SECONDS - EXPORT_TIME - 100)) 1
    within $((120 * PATIENCE)) "$PYTHON" -m experiments.encode --checkpoint="$START" \
      --data_dir="$HEADS,$VOICES" --output_dir="$WORK/encoded" \
      --audio_encoder="$AUDIO_ENCODER"
  done
  train $((LIMIT - SECONDS - EXPORT_TIME)) motion motion "${MOTION[@]}" "${ENCODED[@]}" \
    --max_steps=$((MOTION_STEPS - 1)) --set=train.num_steps="$MOTION_STEPS"
  return $FAILED
}

case $STEP in
  0)
    SPEECH=(${SPEECH_DIR:+--speech_dir="$SPEECH_DIR" --recordings_share=0.25})
    "$PYTHON" -m experiments.short_lease.perform --output_dir="$CARRIED/heads" \
      --num_clips="$NUM_CLIPS" --seconds="$CLIP_SECONDS" --seed=41 "${SPEECH[@]}"
    "$PYTHON" -m experiments.short_lease.perform --output_dir="$CARRIED/voices" \
      --num_clips="$NUM_VOICE_CLIPS" --seconds="$CLIP_SECONDS" --seed=43 \
      --num_takes="$VOICE_TAKES" --bared_smiles_share=0.25 "${SPEECH[@]}"
    carried=$(du -sb "$CARRIED" | cut -f1)
    tree=$(git ls-files -z --cached --others --exclude-standard |
      du -cb --files0-from=- 2>/dev/null | tail -1 | cut -f1)
    echo
    echo "| what travels | MiB |"
    echo "|---|---|"
    awk -v a="$tree" -v b="$carried" -v m=1048576 'BEGIN {
      printf "| repository | %.1f |\n| performances | %.1f |\n", a / m, b / m }'
    exit 0
    ;;
  1)
    beside render "$RENDER_TIME" bash -c "$(declare -f render
      declare -p PYTHON CORES CARRIED HEADS VOICES PIXELS VOICE_PIXELS); render"
    if await_clips "$HEADS" $((60 * PATIENCE)); then
      train_face $((270 * PATIENCE)) "$INIT" "$FIRST_STEPS" $((WORKERS / 2 + 1))
      tail -n 1 "$WORK/face/metrics.jsonl" || FAILED=1
    fi
    benchmark decode 100
    benchmark motion,latency 60
    export_share 0.5
    beside check "$CHECK_TIME" "$PYTHON" -m experiments.short_lease.without_grain \
      experiments.tools.compare_arithmetic "${CHECK[@]}" --output="$WORK/check.json"
    ;;
  2)
    # What step 1 began has the encoders of before.
    [[ -d $WORK/encoders ]] || rm -rf "$WORK/face"
    train $((LIMIT - EXPORT_TIME)) face encoders "${ENCODERS[@]}" --set="data_dir=$HEADS" \
      --set="data.num_workers=$WORKERS" ${INIT:+--init_from="$INIT"} \
      --max_steps=$((ENCODER_STEPS - 1)) --set=train.num_steps="$ENCODER_STEPS"
    export_runs "$WORK/encoders_export" --workdir="$WORK/encoders" \
      ${INIT:+--rest_from="$INIT"}
    ;;
  3)
    START=$INIT
    [[ -d $WORK/encoders_export ]] && START=$WORK/encoders_export
    if [[ -z $START ]]; then
      echo "error: INIT is empty and no encoders were trained; run step 2." >&2
      exit 2
    fi
    ENCODED=(--set="data_dir=$WORK/encoded" --set="face_export=$START"
      --set="data.num_workers=$((WORKERS / 6 + 1))" ${INIT:+--init_from="$INIT"})
    train_motion >"$WORK/train_motion.log" 2>&1 &
    motion=$!
    export_share 0.3
    train_face $((LIMIT - SECONDS - EXPORT_TIME)) "$START" $((FACE_STEPS - 1)) "$WORKERS"
    wait "$motion" || FAILED=1
    tr '\r' '\n' <"$WORK/train_motion.log" | grep -v "%|" || true
    trained=()
    for name in face motion; do
      [[ -d $WORK/$name/checkpoints ]] && trained+=(--workdir="$WORK/$name")
    done
    ((${#trained[@]} == 1)) && trained+=(${INIT:+--rest_from="$INIT"})
    export_runs "$WORK/checkpoint" "${trained[@]}" --dtype=float16
    [[ -d $WORK/checkpoint ]] && pack "$WORK/checkpoint"
    await check 1 12
    ;;
esac
pack_results
echo
echo "| step $STEP, $SECONDS s | MiB |"
echo "|---|---|"
(cd "$OUT" && du -b -- * | awk '{printf "| %s | %.2f |\n", $2, $1 / 1048576}')
if ((FAILED)); then
  echo "error: a part of step $STEP failed; see above." >&2
  exit 1
fi
