#!/bin/bash
#SBATCH --job-name=pimflow
#SBATCH --array=0-@WORKERS
#SBATCH --cpus-per-task=@CPUS
#SBATCH --output=pimflow-%A-%a.log
#SBATCH --requeue
# Task 0 coordinates the sweep and has the server; the others are workers. Any of them may end and start again.
# The folder of the job must be on a file system that all nodes have.
set -u
folder=${PIMFLOW_FOLDER:-$PWD/pimflow-$SLURM_ARRAY_JOB_ID}
mkdir -p "$folder"
export NATS_USER=pimflow
if [ "$SLURM_ARRAY_TASK_ID" = 0 ]; then
	rm -f "$folder/done"
	(umask 077; [ -s "$folder/password" ] || head -c 24 /dev/urandom | base64 >"$folder/password")
	NATS_PASSWORD=$(cat "$folder/password")
	export NATS_PASSWORD
	pimflow @ARGS --listen 0.0.0.0:0 --announce "$folder/server" --store "$folder/store"
	code=$?
	touch "$folder/done"
	exit $code
fi
until [ -s "$folder/server" ] || [ -e "$folder/done" ]; do sleep 2; done
NATS_PASSWORD=$(cat "$folder/password")
export NATS_PASSWORD
until [ -e "$folder/done" ]; do
	pimflow worker --nats "$(cat "$folder/server")" --parallel @CPUS --idle "${PIMFLOW_IDLE:-1m}" --patience 10s || sleep 1
done
