#!/usr/bin/env bash
# Train the shipped checkpoint from random weights: bash experiments/demo_checkpoint.sh WORK OUTPUT
# Every step goes on where it was stopped. Some 8 hours on two CPU cores (estimated).
# NUM_CLIPS, NUM_SMILES (clips of people whose happy takes bare their teeth),
# ENCODER_STEPS, FACE_STEPS, DRAWING_STEPS and MOTION_STEPS change how much is done; SPEECH names a
# folder of recordings for a quarter of the voices, VGG16 an npz whose features compare
# mouths and eyes (experiments.tools.pack_lpips writes one).
set -euo pipefail

WORK=${1:?give a work folder}
OUTPUT=${2:?give the folder of the checkpoint}
NUM_CLIPS=${NUM_CLIPS:-1024}
NUM_SMILES=${NUM_SMILES:-512}
ENCODER_STEPS=${ENCODER_STEPS:-3400}
FACE_STEPS=${FACE_STEPS:-5000}
DRAWING_STEPS=${DRAWING_STEPS:-2500}
MOTION_STEPS=${MOTION_STEPS:-5000}
SIZE=${SIZE:-256}
SIZES=${SIZES:-demo}
PYTHON=${PYTHON:-python}

speech=()
if [[ -n ${SPEECH:-} ]]; then
  speech=(--speech_dir="$SPEECH" --recordings_share=0.25)
fi

mouths=()
if [[ -n ${VGG16:-} ]]; then
  mouths=(--set=face_loss.perceptual=1 --set=face_loss.expensive_every=4
    --set=perceptual_weights="$VGG16")
fi

# A discriminator sharpens what the renderer has learnt in the first four fifths.
sharpness=(--set=face_loss.adversarial=0.1 --set=face_loss.feature_matching=3
  --set=face_loss.adversarial_start=$((FACE_STEPS * 4 / 5))
  --set=face_loss.num_random_crops=1
  --set=discriminator_learning_rate=4e-4)

run() { "$PYTHON" -m "experiments.$1" "${@:2}"; }
train() { # config, preset, workdir, steps, more flags
  run train --config="experiments/configs/$1.py" --preset="$2" --workdir="$WORK/$3" \
    --set=train.num_steps="$4" "${@:5}"
}
export_once() { # workdir
  [[ -e $WORK/$1/export ]] || run export --workdir="$WORK/$1" --output="$WORK/$1/export"
}

build() { # folder, clips, seed, share of bared smiles
  "$PYTHON" -m datasets.synthetic_heads.build --output_dir="$WORK/$1" --num_clips="$2" \
    --seconds=3 --size="$SIZE" --seed="$3" --bared_smiles_share="$4" "${speech[@]}"
}

mkdir -p "$WORK"
build heads "$NUM_CLIPS" 2 0
build smiles "$NUM_SMILES" 7 1
DATA="$WORK/heads,$WORK/smiles"
train face "${SIZES}_encoders" encoders "$ENCODER_STEPS" --set=data_dir="$DATA"
export_once encoders
run encode --checkpoint="$WORK/encoders/export" --data_dir="$DATA" \
  --output_dir="$WORK/encoded"
train motion "$SIZES" motion "$MOTION_STEPS" --set=data_dir="$WORK/encoded" \
  --set=face_export="$WORK/encoders/export" --set=model.num_audio_channels=770
train face "$SIZES" face "$FACE_STEPS" --set=data_dir="$DATA" \
  --init_from="$WORK/encoders/export" "${mouths[@]}" "${sharpness[@]}"
export_once face
train face "${SIZES}_drawing" drawing "$DRAWING_STEPS" --set=data_dir="$DATA" \
  --init_from="$WORK/face/export"
run export --workdir="$WORK/drawing" --workdir="$WORK/motion" --output="$OUTPUT" \
  --dtype=float16 --dynamics_gain=1.25
