#!/bin/bash
#SBATCH --job-name=pimflow
#SBATCH --array=0-@WORKERS
#SBATCH --cpus-per-task=@CPUS
#SBATCH --output=pimflow-%A-%a.log
#SBATCH --requeue
# Task 0 coordinates the sweep; the others are workers. Any of them may end and start again.
# The folder of the job must be on a file system that all nodes have.
set -u
folder=${PIMFLOW_FOLDER:-$PWD/pimflow-$SLURM_ARRAY_JOB_ID}
mkdir -p "$folder"
if [ "$SLURM_ARRAY_TASK_ID" = 0 ]; then
	rm -f "$folder/done"
	pimflow @ARGS --nats @SERVER
	code=$?
	touch "$folder/done"
	exit $code
fi
until [ -e "$folder/done" ]; do
	pimflow worker --nats @SERVER --parallel @CPUS --idle "${PIMFLOW_IDLE:-1m}" --patience 10s || sleep 1
done
