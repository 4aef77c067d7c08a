package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
	"pimflow/internal/onnx"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/profile"
	"pimflow/internal/report"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// path is the whole way from a model's name to a timed plan. Every subcommand is
// a part of it or a view of it.
type path struct {
	Model    *graph.Graph // as read
	Graph    *graph.Graph // simplified: what plans are made for
	Machine  *hw.Machine
	Target   search.Target
	Result   *search.Result
	Profile  *profile.Profile       // nil: all GPU times are the model's
	Channels []report.ChannelsTried // numbers of PIM channels that were tried, ascending; nil where that was not asked for
	makers   platform.Makers
	file     io.Closer // that the weights are read from when they are asked for
}

// request is what a user can ask of the path.
type request struct {
	model, machine, policy string
	plan                   string // a file; "" to search
	profile                string // a file of measured kernels; "": the model's times
	batch                  int    // 0: what the model says, or 1
	channels               string // that compute: a number, or autoChannels; "": what the machine says
	objective              string // "" for latency
	exact                  bool
	partial                bool // the best plan so far will do where the search is stopped
	progress               func(done, total int)
}

// settle checks that a command asks for a plan in one way only, and fills in the machine
// where neither it nor a plan names one.
func (r *request) settle(c *cobra.Command) error {
	if r.plan != "" && c.Flags().Changed("policy") {
		return fmt.Errorf("--plan %s already is a plan: leave out --policy", r.plan)
	}
	if !c.Flags().Changed("machine") && r.plan == "" {
		r.machine = DefaultMachine
	}
	return nil
}

// walked settles a request and walks it, with progress on the terminal. The caller closes
// the path.
func walked(c *cobra.Command, r request) (*path, error) {
	if err := r.settle(c); err != nil {
		return nil, err
	}
	bar := newBar(c.ErrOrStderr())
	defer bar.stop()
	r.progress = bar.phase("search")
	return walk(c.Context(), r)
}

// walk goes the whole way. The caller closes the path.
func walk(ctx context.Context, r request) (*path, error) {
	var given *plan.Plan
	if r.plan != "" {
		var err error
		if given, err = readPlan(r.plan, &r); err != nil {
			return nil, err
		}
	}
	p, err := open(r)
	if err != nil {
		return nil, err
	}
	p.Target.Progress = r.progress
	p.Target.Exact = r.exact
	if given != nil {
		if p.Result, err = search.Given(p.Graph, given, p.Target); err != nil {
			err = fmt.Errorf("%s: %w", r.plan, err)
		}
	} else if r.channels == autoChannels {
		err = p.searchChannels(ctx, r)
	} else {
		err = p.search(ctx, r.policy)
	}
	if err == nil && p.Result.Stopped && !r.partial {
		err = ctx.Err()
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// open goes as far as the graph, the machine and its devices.
func open(r request) (*path, error) {
	p := &path{}
	if err := p.read(r.model, r.batch); err != nil {
		return nil, err
	}
	var err error
	if p.Machine, err = hw.Load(r.machine); err != nil {
		p.Close()
		return nil, err
	}
	if r.channels != "" && r.channels != autoChannels {
		n, err := parseChannels(r.channels, p.Machine)
		if err != nil {
			p.Close()
			return nil, err
		}
		p.Machine = withChannels(p.Machine, n)
	}
	if r.profile != "" {
		if p.Profile, err = readProfile(r.profile, p.Machine); err != nil {
			p.Close()
			return nil, err
		}
		p.makers.GPU = p.Profile.Over(gpu.New)
	}
	if p.Target, err = platform.Target(p.Machine, p.makers); err == nil && r.objective != "" {
		p.Target.Objective, err = search.ParseObjective(r.objective)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// search finds the best plan under a policy.
func (p *path) search(ctx context.Context, policy string) error {
	row, err := search.Lookup(policy)
	if err != nil {
		return err
	}
	defer heap(len(p.Graph.Nodes))()
	if p.Result, err = search.Best(ctx, p.Graph, row, p.Target); err != nil {
		return fmt.Errorf("%s: %w", p.Graph.Name, err)
	}
	return nil
}

// Close gives back the model's file; weights cannot be asked for afterwards.
func (p *path) Close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// read loads and simplifies a model: a network of the zoo, an .onnx file, or a
// graph printed as text.
func (p *path) read(model string, batch int) (err error) {
	switch {
	case strings.HasSuffix(model, ".onnx"):
		f, err := onnx.Read(model, onnx.Options{Batch: batch})
		if err != nil {
			return err
		}
		p.Model, p.file = f.Graph, f
	case strings.HasSuffix(model, ".graph"):
		if batch > 0 {
			return fmt.Errorf("%s: a graph as text has its batch in it: --batch is for zoo networks and .onnx files", model)
		}
		f, err := os.Open(model)
		if err != nil {
			return err
		}
		defer f.Close()
		if p.Model, err = graph.Parse(f, model); err != nil {
			return err
		}
	case slices.Contains(zoo.Names(), model):
		if p.Model, err = zoo.Build(model, max(batch, 1)); err != nil {
			return err
		}
	default:
		return fmt.Errorf("model %q is not known%s: an .onnx file, a .graph file or one of %s wanted",
			model, nearest.Hint(model, zoo.Names()), strings.Join(zoo.Names(), ", "))
	}
	if p.Graph, err = simplify.Run(p.Model); err != nil {
		p.Close()
		return fmt.Errorf("%s: %w", model, err)
	}
	return nil
}

// heap lets the heap of a search grow to what it takes at its end before it is collected
// more often, and returns what undoes that. A search makes and drops plans beside few
// bytes that stay, some more a node (measured: a fourth less time than without; of large
// graphs, whose share of that is small, nothing is assumed). What is there before, as the
// weights of a graph that was read as text, counts besides: where that alone is beyond the
// limit, the heap is collected without end (measured: three times as long).
func heap(nodes int) (undo func()) {
	if nodes > 4000 {
		return func() {}
	}
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	percent := debug.SetGCPercent(400)
	limit := debug.SetMemoryLimit(int64(before.HeapAlloc) + 140<<20 + int64(nodes)*100_000)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// readPlan reads a plan file and fills in or checks the machine of the request.
func readPlan(file string, r *request) (*plan.Plan, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pl, err := plan.Parse(f, file)
	if err != nil {
		return nil, err
	}
	if r.machine == "" {
		r.machine = pl.Machine
	}
	m, err := hw.Load(r.machine)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if m.Name != pl.Machine {
		return nil, fmt.Errorf("%s: the plan is for machine %q, not %q", file, pl.Machine, m.Name)
	}
	return pl, nil
}
