#!/usr/bin/env bash
# From carried performances to a checkpoint, on one GPU borrowed for half an hour.
#
#   bash experiments/gpu_session.sh 0 [WORK]   beforehand, where the speech tools are
#   bash experiments/gpu_session.sh 1 [WORK]   check vasa1, benchmark; render beside
#   bash experiments/gpu_session.sh 2 [WORK]   render the rest, train the encoders
#   bash experiments/gpu_session.sh 3 [WORK]   train the renderer
#   bash experiments/gpu_session.sh 4 [WORK]   encode, train the denoiser, export
#
# Steps 1 to 4 need neither FFmpeg, Grain, TFDS nor network. Each ends within its LIMIT
# of seconds, has saved by then, prints tables last, and goes on where it was when it is
# run again. What should come home is put into OUT: files under 16 MiB, at most eight.
#
# From the environment: SIZE (gpu, or tiny for a test on a CPU), CARRIED (what step 0
# fills and the others read), OUT, LIMIT, PYTHON, NUM_CLIPS, and the steps of the
# trainings ENCODER_STEPS, FACE_STEPS, MOTION_STEPS, which decide the decay of the
# learning rate: set them to what fits the time. VGG16 names an npz and IDENTITY an ONNX
# file of the frozen networks that experiments/face.py tells of; without one the renderer
# is trained without the loss that needs it.
set -euo pipefail
cd "$(dirname "$0")/.."

STEP=${1:?give a step, 0 to 4}
WORK=${2:-runs/gpu_session}
SIZE=${SIZE:-gpu}
CARRIED=${CARRIED:-data/carried}
OUT=${OUT:-$WORK/out}
PYTHON=${PYTHON:-python3}
CORES=$(nproc)
RESERVE=15
FAILED=0

case $SIZE in
  gpu)
    NUM_CLIPS=${NUM_CLIPS:-2000} CLIP_SECONDS=3 PIXELS=256
    CHECK=(--preset=vasa1 --batch_size=4) BENCHMARK=(--preset=vasa1)
    ENCODERS=(--preset=demo_encoders --set=train.batch_size=64
      --set="train.num_steps=${ENCODER_STEPS:-5000}"
      --set="optimizer.num_steps=${ENCODER_STEPS:-5000}")
    FACE=(--preset=demo_gpu --set="train.num_steps=${FACE_STEPS:-6000}"
      --set="optimizer.num_steps=${FACE_STEPS:-6000}"
      --set="discriminator_optimizer.num_steps=${FACE_STEPS:-6000}"
      --set="face_loss.adversarial_start=$((${FACE_STEPS:-6000} / 2))")
    MOTION=(--preset=demo_gpu --set="train.num_steps=${MOTION_STEPS:-10000}"
      --set="optimizer.num_steps=${MOTION_STEPS:-10000}")
    AUDIO_ENCODER=whisper_tiny WORKERS=$((CORES > 3 ? CORES - 2 : CORES))
    # Seconds of: step; rendering beside the checks; rendering; trainings.
    PATIENCE=1
    LIMITS=(0 330 390 450 390) RENDER_BESIDE=300 RENDER=100
    ENCODERS_TIME=240 FACE_TIME=390 MOTION_TIME=180
    ;;
  tiny)
    NUM_CLIPS=${NUM_CLIPS:-32} CLIP_SECONDS=0.8 PIXELS=32
    CHECK=(--preset=tiny --batch_size=2 --num_repeats=1 --stages=motion)
    BENCHMARK=(--preset=tiny --batches=1 --steps=2 --num_repeats=1)
    ENCODERS=(--preset=tiny_encoders --set="train.num_steps=${ENCODER_STEPS:-4}")
    FACE=(--preset=tiny --set="train.num_steps=${FACE_STEPS:-4}")
    MOTION=(--preset=tiny --set=model.num_audio_channels=322
      --set="train.num_steps=${MOTION_STEPS:-4}")
    AUDIO_ENCODER=mel WORKERS=1
    PATIENCE=20
    LIMITS=(0 3000 3000 3000 3000) RENDER_BESIDE=600 RENDER=600
    ENCODERS_TIME=2400 FACE_TIME=2400 MOTION_TIME=2400
    ;;
  *)
    echo "error: SIZE is '$SIZE'; give gpu or tiny." >&2
    exit 2
    ;;
esac
if [[ ! $STEP =~ ^[0-4]$ ]]; then
  echo "error: the step is '$STEP'; give 0 to 4." >&2
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
LIMIT=${LIMIT:-${LIMITS[STEP]}}
export JAX_COMPILATION_CACHE_DIR=${JAX_COMPILATION_CACHE_DIR:-$PWD/.cache/jax_session}

mkdir -p "$WORK" "$OUT"
HEADS=$WORK/heads

# Run a command for at most so many seconds, within the step's limit. A program that
# trains saves at SIGTERM. What fails is told, and the step goes on with the rest.
within() {
  local seconds=$1 left=$((LIMIT - SECONDS - RESERVE)) code=0
  shift
  seconds=$((seconds < left ? seconds : left))
  if ((seconds < 5)); then
    echo "[step $STEP, $SECONDS s] no time left for: $*"
    return
  fi
  echo "[step $STEP, $SECONDS s] at most $seconds s: $*"
  timeout --preserve-status --signal=TERM --kill-after=40 "$seconds" "$@" || code=$?
  if ((code == 143 || code == 137)); then
    echo "[step $STEP, $SECONDS s] out of time: $2 $3"
  elif ((code != 0)); then
    echo "[step $STEP, $SECONDS s] failed with code $code: $*"
    FAILED=1
  fi
}

render() { # SECONDS WORKERS
  "$PYTHON" -m datasets.synthetic_heads.render_carried --carried_dir="$CARRIED" \
    --output_dir="$HEADS" --size="$PIXELS" --max_seconds="$1" --num_workers="$2"
}

train() { # SECONDS FILE NAME FLAGS...
  local seconds=$1 file=$2 name=$3
  shift 3
  within "$seconds" "$PYTHON" -m experiments.train --config="experiments/$file.py" \
    --workdir="$WORK/$name" --set=data.use_grain=false \
    --set="data.num_workers=$WORKERS" "$@"
}

export_runs() { # FOLDER DTYPE NAMES...
  local folder=$1 dtype=$2
  shift 2
  within $((120 * PATIENCE)) "$PYTHON" -m experiments.export --output="$folder" --dtype="$dtype" \
    "${@/#/--workdir=$WORK/}"
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
    within $((60 * PATIENCE)) "$PYTHON" -m experiments.curves "${runs[@]}" \
      --output="$WORK/curves.png" >"$WORK/curves.md"
    cat "$WORK/curves.md"
  fi
  (
    cd "$WORK"
    shopt -s nullglob
    tar -czf - ./*.json ./*.md ./*.png ./*/metrics.jsonl ./*/config.json \
      ./*/reports/*.png
  ) >"$OUT/results.tar.gz"
}

case $STEP in
  0)
    "$PYTHON" -m datasets.synthetic_heads.perform --output_dir="$CARRIED" \
      --num_clips="$NUM_CLIPS" --seconds="$CLIP_SECONDS" \
      ${SPEECH_DIR:+--speech_dir="$SPEECH_DIR"}
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
    nice -n 10 bash -c "$(declare -f render); $(declare -p PYTHON CARRIED HEADS PIXELS)
      render $RENDER_BESIDE $WORKERS" >"$WORK/render.log" 2>&1 &
    renderer=$!
    within $((200 * PATIENCE)) "$PYTHON" -m experiments.check "${CHECK[@]}" --output="$WORK/check.json" \
      > >(tee "$WORK/check.md")
    for part in decode motion latency; do
      within $((60 * PATIENCE)) "$PYTHON" -m experiments.benchmark "${BENCHMARK[@]}" --parts="$part" \
        --output="$WORK/benchmark_$part.json" > >(tee "$WORK/benchmark_$part.md")
    done
    wait "$renderer" || FAILED=1
    tail -1 "$WORK/render.log"
    ;;
  2)
    render "$RENDER" "$CORES" || FAILED=1
    train "$ENCODERS_TIME" face encoders "${ENCODERS[@]}" --set="data_dir=$HEADS"
    export_runs "$WORK/encoders_export" float32 encoders
    ;;
  3)
    train "$FACE_TIME" face face "${FACE[@]}" --set="data_dir=$HEADS" \
      --init_from="$WORK/encoders_export"
    export_runs "$WORK/face_export" float32 face
    pack "$WORK/face_export"
    ;;
  4)
    within $((120 * PATIENCE)) "$PYTHON" -m experiments.encode --checkpoint="$WORK/face_export" \
      --data_dir="$HEADS" --output_dir="$WORK/encoded" --audio_encoder="$AUDIO_ENCODER"
    train "$MOTION_TIME" motion motion "${MOTION[@]}" --set="data_dir=$WORK/encoded" \
      --set="face_export=$WORK/face_export"
    export_runs "$WORK/checkpoint" float16 face motion
    rm -f "$OUT/face_export.tar.part_"*
    pack "$WORK/checkpoint"
    within $((60 * PATIENCE)) "$PYTHON" -m experiments.samples --checkpoint="$WORK/checkpoint" \
      --data_dir="$HEADS" --output="$WORK/samples.png"
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
