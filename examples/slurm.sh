#!/bin/bash
# Train a recipe on the nodes of a Slurm job, one process for each of their GPUs:
#
#     sbatch examples/slurm.sh recipes/two-stage.yaml [OPTIONS OF taiyi train]
#
# The folder of the runs and the corpora must be the same on all nodes. A job that was stopped goes on where it was:
# submit it again, with as many nodes or others (--requeue does so after a failure of a node).
#SBATCH --job-name=taiyi
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --requeue
set -euo pipefail

# The first node is where the others meet; the port follows from the job, so that two jobs on a node do not collide.
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)
port=$((20000 + SLURM_JOB_ID % 10000))

# One task on each node: torchrun, which starts the processes there. If one of them fails, all of them end.
exec srun --kill-on-bad-exit=1 torchrun \
    --nnodes "$SLURM_NNODES" \
    --nproc-per-node "${SLURM_GPUS_ON_NODE:-1}" \
    --rdzv-id "$SLURM_JOB_ID" \
    --rdzv-backend c10d \
    --rdzv-endpoint "$first:$port" \
    -m taiyi train "$@"
