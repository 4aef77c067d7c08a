package dispatch

import (
	"context"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"

	"pimflow/internal/hw"
	"pimflow/internal/job"
	"pimflow/internal/onnx"
	"pimflow/internal/search"
	"pimflow/internal/space"
	"pimflow/internal/zoo"
)

// Names are the things that jobs may name without files. Nobody changes them.
var Names = sync.OnceValue(func() *job.Names {
	n := &job.Names{Models: zoo.Names(), Machines: hw.Names(), GPUs: hw.BoardNames()}
	for _, p := range search.Policies() {
		n.Policies = append(n.Policies, p.Name)
	}
	for _, o := range search.Objectives() {
		n.Objectives = append(n.Objectives, o.String())
	}
	return n
})

// Jobs makes jobs of points. It reads each file once. It may be used concurrently.
type Jobs struct {
	Version string // of the program
	Files   job.Files
	mu      sync.Mutex
	refs    map[string]job.Ref // by the names of points
}

// Works are the jobs of tasks, in their order.
func (d *Jobs) Works(ctx context.Context, tasks iter.Seq[space.Task]) iter.Seq2[job.Work, error] {
	return func(yield func(job.Work, error) bool) {
		for t := range tasks {
			w, err := d.work(ctx, &t)
			if !yield(w, err) || err != nil {
				return
			}
		}
	}
}

func (d *Jobs) work(ctx context.Context, t *space.Task) (w job.Work, err error) {
	w.Index = t.Index
	if w.Job, err = d.job(ctx, &t.Point); err != nil {
		return w, err
	}
	for i := range t.Starts {
		from, err := d.job(ctx, &t.Starts[i])
		if err != nil {
			return w, err
		}
		w.Starts = append(w.Starts, &from)
		w.Job.Starts = append(w.Job.Starts, from.Key())
	}
	if t.Search == space.All && len(t.Starts) > 0 {
		w.Job.Search = t.Search
	}
	return w, w.Job.Check(Names())
}

// job is the job of a point without starts.
func (d *Jobs) job(ctx context.Context, p *space.Point) (job.Job, error) {
	j := job.Job{
		Schema: job.Schema, Version: d.Version, Batch: p.Batch, Set: p.Set, Policy: p.Policy, Objective: p.Objective, Effort: p.Effort,
	}
	machine, gpu := p.Machine, p.GPU
	if base, with, both := strings.Cut(machine, "+"); both && !there(machine) {
		if machine = base; gpu == "" {
			gpu = with
		}
	}
	var err error
	names := Names()
	if j.Model, err = d.ref(ctx, p.Model, names.Models, weights); err != nil {
		return j, err
	}
	if j.Machine, err = d.ref(ctx, machine, names.Machines, bases); err != nil {
		return j, err
	}
	if gpu != "" {
		g, err := d.ref(ctx, gpu, names.GPUs, bases)
		if err != nil {
			return j, err
		}
		j.GPU = &g
	}
	return j, nil
}

// ref is a name that is built in, or that of a file with the others that it is read with.
func (d *Jobs) ref(ctx context.Context, name string, builtIn []string, others func(ctx context.Context, file string) []string) (job.Ref, error) {
	if slices.Contains(builtIn, name) {
		return job.Ref{Name: name}, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r, ok := d.refs[name]; ok {
		return r, nil
	}
	r, err := d.Files.Ref(ctx, name, others(ctx, name)...)
	if err != nil {
		return r, err
	}
	if d.refs == nil {
		d.refs = map[string]job.Ref{}
	}
	d.refs[name] = r
	return r, nil
}

// weights are the files beside a model. One that cannot be read has none: its points say what is wrong with it.
func weights(ctx context.Context, file string) (list []string) {
	if !strings.HasSuffix(file, ".onnx") {
		return nil
	}
	f, err := onnx.Read(ctx, file, onnx.Options{Batch: 1})
	if err != nil {
		return nil
	}
	defer f.Close()
	for _, name := range f.Names() {
		if name != file {
			list = append(list, name)
		}
	}
	return list
}

func bases(_ context.Context, file string) []string { return hw.Bases(file) }

func there(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
