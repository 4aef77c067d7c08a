package dispatch

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/job"
	"pimflow/internal/space"
)

// TestWorks: points become jobs by content, with the files that theirs are read with.
func TestWorks(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"a.graph": "x", "m.json": `{"base": "sub/base.json"}`, "sub/base.json": `{"base": "newton"}`, "broken.onnx": "not a model",
	} {
		os.MkdirAll(filepath.Dir(name), 0o777)
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p := space.Point{Index: 5, Model: "toy", Batch: 2, Machine: "newton+a100", Set: []string{"memory.pim_channels=8"}, Policy: "auto", Objective: "edp", Effort: "100"}
	files := p
	files.Model, files.Machine, files.GPU = "broken.onnx", "m.json", "t4"
	start := p
	start.Set = nil
	tasks := []space.Task{{Point: p, Starts: []space.Point{start, files}}, {Point: files}, {Point: p, Starts: []space.Point{p, start}, Search: space.All}, {Point: files, Search: space.All}}
	d := &Jobs{Version: "v"}
	var list []job.Work
	for w, err := range d.Works(t.Context(), slices.Values(tasks)) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, w)
	}
	w := list[0]
	if w.Index != 5 || w.Job.Machine.Name != "newton" || w.Job.GPU.Name != "a100" || w.Job.Batch != 2 || len(w.Starts) != 2 ||
		w.Job.Starts[0] != w.Starts[0].Key() || w.Job.Starts[1] != list[1].Job.Key() {
		t.Errorf("%+v", w)
	}
	j := list[1].Job
	if j.Model.Files[0].Name != "broken.onnx" || len(j.Machine.Files) != 2 || j.Machine.Files[1].Name != "sub/base.json" || j.GPU.Name != "t4" || j.GPU.Files != nil {
		t.Errorf("%+v", j)
	}
	if ways := []string{w.Job.Way(), j.Way(), list[2].Job.Way(), list[3].Job.Way()}; !slices.Equal(ways, []string{space.Anchors, space.Full, space.All, space.Full}) {
		t.Errorf("ways %v", ways)
	}
	b := &job.Block{Schema: job.BlockSchema, Jobs: []job.Job{w.Job, *w.Starts[0]}}
	if _, err := job.ParseBlock(b.Encode(), "v", Names()); err != nil {
		t.Error("a worker would refuse it: ", err)
	}
	bad := p
	bad.Model = "none.onnx"
	for _, err := range d.Works(t.Context(), slices.Values([]space.Task{{Point: bad}})) {
		if !os.IsNotExist(err) {
			t.Error(err)
		}
	}
}

// TestSlurm: the script is one of a shell's, and words reach pimflow as they were given.
func TestSlurm(t *testing.T) {
	for _, server := range []string{"", "nats://it's:4222"} {
		var b bytes.Buffer
		args := []string{"sweep", "--where=a <= 'b' $HOME", "--set=x=1,2", "", "ü\"`"}
		if err := Script(&b, "slurm", &Plan{Args: args, Workers: 3, CPUs: 2, Server: server, Login: []string{"--nats-creds=my file"}}); err != nil {
			t.Fatal(err)
		}
		bash := exec.Command("bash", "-c", `SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID=0; pimflow() { printf '%s|' "$@"; }; `+b.String())
		bash.Dir = t.TempDir()
		out, err := bash.Output()
		if want := strings.Join(args, "|") + "|"; err != nil || !strings.HasPrefix(string(out), want) || !strings.Contains(string(out), server) {
			t.Errorf("%v\n%s\n%s wanted", err, out, want)
		}
		if got := strings.Count(b.String(), ` '--nats-creds=my file'`); server != "" && got != 2 { // of the sweep and of the workers
			t.Error(b.String())
		}
		if !strings.Contains(b.String(), "#SBATCH --array=0-3\n#SBATCH --cpus-per-task=2\n") {
			t.Error(b.String())
		}
	}
}

// TestKubernetes: the manifest is JSON with a job for the sweep and one for the workers, which know where the server is.
func TestKubernetes(t *testing.T) {
	for _, server := range []string{"", "nats://hub:4222"} {
		var b bytes.Buffer
		if err := Script(&b, "kubernetes", &Plan{Args: []string{"sweep", "--model=toy"}, Workers: 7, CPUs: 2, Image: "pim:1", Server: server}); err != nil {
			t.Fatal(err)
		}
		var list struct {
			Items []struct {
				Kind string
				Spec struct {
					Parallelism int
					Template    struct {
						Spec struct {
							Containers []struct {
								Image   string
								Command []string
							}
						}
					}
				}
			}
		}
		if err := json.Unmarshal(b.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		kinds := ""
		for _, i := range list.Items {
			kinds += i.Kind + " "
			if i.Kind != "Job" {
				continue
			}
			c := i.Spec.Template.Spec.Containers[0]
			got, n := strings.Join(c.Command, " "), 1
			want := "pimflow sweep --model=toy --listen 0.0.0.0:4222 --store store"
			if server != "" {
				want = "pimflow sweep --model=toy --nats " + server
			}
			if strings.Contains(got, "worker") {
				want, n = "pimflow worker --nats nats://pimflow:4222 --parallel 2 --idle 10m --patience 10m", 7
				if server != "" {
					want = strings.Replace(want, "nats://pimflow:4222", server, 1)
				}
			}
			if got != want || c.Image != "pim:1" || i.Spec.Parallelism != n {
				t.Errorf("%d of %s: %s\n%s wanted", i.Spec.Parallelism, c.Image, got, want)
			}
		}
		if want := map[bool]string{true: "Service Job Job ", false: "Job Job "}[server == ""]; kinds != want {
			t.Errorf("%s: %s wanted", kinds, want)
		}
	}
}

func TestBadPlans(t *testing.T) {
	for want, c := range map[string]struct {
		kind string
		plan Plan
	}{
		"slurm or kubernetes wanted": {"pbs", Plan{Workers: 1, CPUs: 1}},
		"--emit-workers 0":           {"slurm", Plan{CPUs: 1}},
		"--emit-cpus 0":              {"slurm", Plan{Workers: 1}},
		"the image that has pimflow": {"kubernetes", Plan{Workers: 1, CPUs: 1}},
	} {
		if err := Script(&bytes.Buffer{}, c.kind, &c.plan); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %s wanted", err, want)
		}
	}
}
