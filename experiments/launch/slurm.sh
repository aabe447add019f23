#!/bin/bash
# Trains one experiment on nodes of a Slurm cluster, one process for each GPU (which is
# what jax takes for granted under Slurm).
#
#   sbatch --nodes=4 experiments/launch/slurm.sh --config=experiments/configs/face.py \
#       --preset=vasa1 --workdir=/shared/runs/face --set=data_dir=/shared/data/heads512 \
#       --set=train.batch_size=32 --set=data.num_workers=10 \
#       --set=perceptual_weights=VGG16.npz --set=identity_weights=MobileFaceNet.onnx
#
# For nodes with another number of GPUs: sbatch --ntasks-per-node=4 --gpus-per-node=4.
# Everything after the file's name goes to experiments.train. Submit from the
# repository's root, on a file system that all nodes see, with the package installed in
# .venv (or name another interpreter in PYTHON). jax.distributed starts from Slurm's own
# variables. Ten minutes before the time limit Slurm sends SIGTERM: the run saves and
# ends, and is queued again; it goes on from its newest checkpoint, as it does after a
# node has failed.
#SBATCH --job-name=vasa_jax
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=12
#SBATCH --gpus-per-node=8
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@600
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=vasa_jax-%j.log

set -u
PYTHON="${PYTHON:-.venv/bin/python}"

srun --kill-on-bad-exit=1 "$PYTHON" -m experiments.train "$@" 2>&1 |
    tee "vasa_jax-${SLURM_JOB_ID:-0}.last"
code="${PIPESTATUS[0]}"

# The run ends with 0 both when it is done and when it was asked to stop.
if [[ "$code" == 0 ]] &&
    grep -q "saved and stopped early" "vasa_jax-${SLURM_JOB_ID:-0}.last"; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
