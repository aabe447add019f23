#!/usr/bin/env bash
# See whether the graph of `vasa1` learns: bash experiments/overfit.sh WORK VGG16 MOBILEFACENET
# At a quarter of its widths and 128 px both stages learn ten clips with eight voices by
# heart, in two hours of two CPU cores; what came of it says docs/training.md. VGG16 and
# MOBILEFACENET are the files of the frozen networks that losses compare by. Every step
# goes on where it was stopped, and tells the processor's time that it took. FACE_STEPS
# and MOTION_STEPS change how long, PRESET and SIZE (pixels) what.
set -euo pipefail

WORK=${1:?give a work folder}
VGG16=${2:?give the npz of experiments.tools.pack_lpips}
MOBILEFACENET=${3:?give the ONNX file of MobileFaceNet}
FACE_STEPS=${FACE_STEPS:-600}
MOTION_STEPS=${MOTION_STEPS:-2000}
PRESET=${PRESET:-vasa1_quarter}
SIZE=${SIZE:-128}
PYTHON=${PYTHON:-python}

run() { time "$PYTHON" -m "$@"; }
train() { # config, workdir, steps, more flags
  run experiments.train --config="experiments/configs/$1.py" --preset="$PRESET" \
    --workdir="$WORK/$2" --set=train.num_steps="$3" --set=evaluation_split=train "${@:4}"
}

mkdir -p "$WORK"
# Two people with five takes each, two of which both perform.
run datasets.synthetic_heads.build --output_dir="$WORK/heads" --splits=train \
  --num_clips=10 --num_takes=5 --seconds=5 --size="$SIZE"
train face face "$FACE_STEPS" --set=data_dir="$WORK/heads" \
  --set=perceptual_weights="$VGG16" --set=identity_weights="$MOBILEFACENET"
[[ -e $WORK/export ]] ||
  run experiments.export --workdir="$WORK/face" --output="$WORK/export"
run experiments.encode --checkpoint="$WORK/export" --data_dir="$WORK/heads" \
  --output_dir="$WORK/encoded" --splits=train
train motion motion "$MOTION_STEPS" --set=data_dir="$WORK/encoded" \
  --set=model.num_audio_channels=770
run experiments.tools.curves --workdir="$WORK/face" --workdir="$WORK/motion" \
  --output="$WORK/curves.png"
