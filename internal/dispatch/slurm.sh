#!/bin/bash
#SBATCH --job-name=pimflow
#SBATCH --array=0-{{.Workers}}
#SBATCH --cpus-per-task={{.CPUs}}
#SBATCH --output=pimflow-%A-%a.log
#SBATCH --requeue
# Task 0 coordinates the sweep{{if not .Server}} and has the server{{end}}; the others are workers. Any of them may end and start again.
# The folder of the job must be on a file system that all nodes have.
set -u
folder=${PIMFLOW_FOLDER:-$PWD/pimflow-$SLURM_ARRAY_JOB_ID}
mkdir -p "$folder"
{{- if not .Server}}
export NATS_USER=pimflow
{{- end}}
if [ "$SLURM_ARRAY_TASK_ID" = 0 ]; then
	rm -f "$folder/done"
{{- if .Server}}
	pimflow{{range .Args}} {{quote .}}{{end}} --nats {{quote .Server}}
{{- else}}
	(umask 077; [ -s "$folder/password" ] || head -c 24 /dev/urandom | base64 >"$folder/password")
	NATS_PASSWORD=$(cat "$folder/password")
	export NATS_PASSWORD
	pimflow{{range .Args}} {{quote .}}{{end}} --listen 0.0.0.0:0 --announce "$folder/server" --store "$folder/store"
{{- end}}
	code=$?
	touch "$folder/done"
	exit $code
fi
{{- if not .Server}}
until [ -s "$folder/server" ] || [ -e "$folder/done" ]; do sleep 2; done
NATS_PASSWORD=$(cat "$folder/password")
export NATS_PASSWORD
{{- end}}
until [ -e "$folder/done" ]; do
	pimflow worker --nats {{if .Server}}{{quote .Server}}{{else}}"$(cat "$folder/server")"{{end}} --parallel {{.CPUs}} --idle "${PIMFLOW_IDLE:-1m}" --patience 10s || sleep 1
done
