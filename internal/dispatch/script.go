package dispatch

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"pimflow/internal/fault"
)

// Plan is a sweep on a cluster: the words of its command, and workers.
type Plan struct {
	Args    []string // of pimflow, the first is sweep
	Workers int
	CPUs    int      // of a worker
	Image   string   // of containers
	Server  string   // that both use; "": the coordinator has it
	Login   []string // flags that say who asks that server
}

// kinds are the schedulers, and who writes their scripts.
var kinds = map[string]func(w io.Writer, p *Plan) error{"slurm": slurm, "kubernetes": kubernetes}

// Script writes what a scheduler is given.
func Script(w io.Writer, kind string, p *Plan) error {
	write := kinds[kind]
	switch {
	case write == nil:
		return fault.Usagef("--emit %.80q: slurm or kubernetes wanted", kind)
	case p.Workers < 1 || p.Workers > 100_000:
		return fault.Usagef("--emit-workers %d: 1 to 100000 wanted", p.Workers)
	case p.CPUs < 1 || p.CPUs > 10_000:
		return fault.Usagef("--emit-cpus %d: 1 to 10000 wanted", p.CPUs)
	}
	return write(w, p)
}

// The script of Slurm, with its own server and with another. Words in capitals with @ are replaced. A template of Go's library would
// make the linker keep all methods of the program.
var (
	//go:embed slurm.sh
	slurmOwn string
	//go:embed slurm-server.sh
	slurmOther string
)

func slurm(w io.Writer, p *Plan) error {
	text, words, server := slurmOwn, make([]string, len(p.Args)), quote(p.Server)
	if p.Server != "" {
		text = slurmOther
	}
	for i, a := range p.Args {
		words[i] = quote(a)
	}
	for _, l := range p.Login {
		server += " " + quote(l)
	}
	_, err := strings.NewReplacer("@WORKERS", fmt.Sprint(p.Workers), "@CPUS", fmt.Sprint(p.CPUs), "@ARGS", strings.Join(words, " "),
		"@SERVER", server).WriteString(w, text)
	return err
}

// quote is a word as shells read it.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=,+@%", r))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// object is one of a Kubernetes manifest.
type object = map[string]any

// kubernetes writes a manifest as JSON, which kubectl takes as it takes YAML.
func kubernetes(w io.Writer, p *Plan) error {
	if p.Image == "" {
		return fault.Usagef("--emit kubernetes: --emit-image, the image that has pimflow, wanted")
	}
	const port = 4222
	server, sweep := p.Server, p.Args
	var service []any
	if server == "" {
		server = fmt.Sprintf("nats://pimflow:%d", port)
		sweep = append(append([]string{}, sweep...), "--listen", fmt.Sprintf("0.0.0.0:%d", port), "--store", "store")
		service = []any{object{
			"apiVersion": "v1", "kind": "Service", "metadata": object{"name": "pimflow"},
			"spec": object{"selector": object{"app": "pimflow-sweep"}, "ports": []any{object{"port": port}}},
		}}
	} else {
		sweep = append(append(append([]string{}, sweep...), "--nats", server), p.Login...)
	}
	job := func(name string, parallel int, cpus int, args []string, volumes bool) object {
		container := object{
			"name": name, "image": p.Image, "command": append([]string{"pimflow"}, args...),
			"resources": object{"requests": object{"cpu": fmt.Sprint(cpus)}},
			"env": []any{
				object{"name": "NATS_USER", "value": "pimflow"},
				object{"name": "NATS_PASSWORD", "valueFrom": object{"secretKeyRef": object{"name": "pimflow", "key": "password"}}},
			},
		}
		pod := object{"restartPolicy": "OnFailure", "containers": []any{container}}
		if volumes {
			container["workingDir"] = "/work"
			container["volumeMounts"] = []any{object{"name": "work", "mountPath": "/work"}}
			pod["volumes"] = []any{object{"name": "work", "persistentVolumeClaim": object{"claimName": "pimflow"}}}
		}
		return object{
			"apiVersion": "batch/v1", "kind": "Job", "metadata": object{"name": name},
			"spec": object{"parallelism": parallel, "completions": parallel, "backoffLimit": 1000, "template": object{
				"metadata": object{"labels": object{"app": name}}, "spec": pod}},
		}
	}
	worker := append([]string{"worker", "--nats", server, "--parallel", fmt.Sprint(p.CPUs), "--idle", "10m", "--patience", "10m"}, p.Login...)
	items := append(service, job("pimflow-sweep", 1, 1, sweep, true), job("pimflow-worker", p.Workers, p.CPUs, worker, false))
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(object{"apiVersion": "v1", "kind": "List", "items": items})
}
