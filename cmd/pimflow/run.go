package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/npy"
	"pimflow/internal/pim"
	"pimflow/internal/report"
	"pimflow/internal/run"
	"pimflow/internal/search"
	"pimflow/internal/tensor"
)

// DefaultMachine is the machine of a run that names none, and PublishedMachine that of
// the commands that hold this project against the published system.
const (
	DefaultMachine   = "newton"
	PublishedMachine = "artifact"
)

// runFlags are the flags of run.
type runFlags struct {
	request
	verbose, json, check bool
	pareto               bool
	inputs               []string
	labels, outDir       string
	top                  int
	planOut, trace       string
}

func runCommand() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:   "run MODEL",
		Short: "Plan a model, time the plan and, where asked, execute it",
		Long: `Plan a model, time the plan and, where asked, execute it.

MODEL is a network of the zoo, an .onnx file, or a .graph file as "pimflow graph" prints.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			f.model = args[0]
			if err := f.settle(c); err != nil {
				return err
			}
			for _, name := range []string{"objective", "exact"} {
				if f.plan != "" && c.Flags().Changed(name) {
					return fmt.Errorf("--plan %s already is a plan: leave out --%s", f.plan, name)
				}
			}
			if f.exact && f.policy != search.Default {
				return fmt.Errorf("--exact --policy %s: only policy %s searches all plans", f.policy, search.Default)
			}
			if c.Flags().Changed("top") && f.top < 1 {
				return fmt.Errorf("--top %d: at least 1 wanted", f.top)
			}
			if f.labels != "" && f.top == 0 {
				return fmt.Errorf("--labels %s names the values that --top prints: leave it out, or give --top", f.labels)
			}
			if f.plan != "" && f.channels != "" {
				return fmt.Errorf("--plan %s says how many channels compute: leave out --pim-channels", f.plan)
			}
			if f.planOut != "" && f.planOut == f.trace {
				return fmt.Errorf("-o and --trace both write %s: two files wanted", f.trace)
			}
			return runModel(c.Context(), f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.machine, "machine", "", "machine by name or .json file (default "+DefaultMachine+", or the plan's)")
	fl.StringVar(&f.policy, "policy", search.Default, "policy, see pimflow policy")
	fl.StringVar(&f.objective, "objective", search.Latency.String(), "what the plan makes small: latency, energy, or edp, their product")
	fl.BoolVar(&f.exact, "exact", false, "prove that no plan of at most two pieces a layer is better; for small graphs")
	fl.StringVar(&f.plan, "plan", "", "run the plan in this file instead of searching one")
	fl.StringVar(&f.channels, "pim-channels", "", "how many memory channels compute: a number, or "+autoChannels+" to find the best (default: what the machine says)")
	profileFlag(c, &f.profile)
	fl.IntVar(&f.batch, "batch", 0, "images at once, for models that leave it open (default 1)")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "one row a layer, and how it would be placed if the GPU were as fast or as slow as the bounds of its times")
	fl.BoolVar(&f.pareto, "pareto", false, "also print the plans of which no other takes both less time and less energy")
	fl.BoolVar(&f.json, "json", false, "print one JSON object")
	fl.BoolVar(&f.check, "check", false, "execute the graph and the plan, compare their outputs, and replay the command streams; exit code 1 if any is wrong")
	fl.StringArrayVar(&f.inputs, "input", nil, "[NAME=]FILE: a .npy tensor or a picture (.png, .jpg, .gif) for an input; default: seeded noise")
	fl.StringVar(&f.outDir, "output", "", "execute the plan and write each output as .npy to this folder")
	fl.IntVar(&f.top, "top", 0, "execute the plan and print the N largest values of each output")
	fl.StringVar(&f.labels, "labels", "", "names for --top, one a line")
	fl.StringVarP(&f.planOut, "out", "o", "", "write the plan to this file")
	fl.StringVar(&f.trace, "trace", "", "write the timeline to this file, for chrome://tracing or Perfetto")
	return c
}

func runModel(ctx context.Context, f *runFlags, stdout, stderr io.Writer) error {
	bar := newBar(stderr)
	defer bar.stop()
	f.progress = bar.phase("search")
	f.partial = true
	p, err := walk(ctx, f.request)
	if err != nil {
		return err
	}
	defer p.Close()
	rep := report.New(p.Graph, p.Machine, p.Result)
	rep.ChannelsTried = p.Channels
	if p.Profile != nil {
		rep.GPUProfile = report.NewGPUProfile(p.Profile, p.Result)
	}
	stopped := p.Result.Stopped
	if stopped {
		if out, ok := stdout.(*output); ok {
			out.ctx = context.WithoutCancel(ctx) // what was found is still shown
		}
	} else if err := f.more(ctx, p, rep, bar); err != nil {
		return err
	} else if f.check || f.outDir != "" || f.top > 0 || len(f.inputs) > 0 {
		if err := execute(ctx, f, p, rep, bar); err != nil {
			return err
		}
	}
	bar.stop()
	if f.planOut != "" {
		if err := writeFile(f.planOut, func(w io.Writer) error { return p.Result.Plan.Print(w, p.Graph) }); err != nil {
			return err
		}
	}
	if f.trace != "" {
		tl := p.Result.Timeline
		if err := writeFile(f.trace, func(w io.Writer) error { return report.Trace(w, tl, p.Result.Plan.PIMChannels) }); err != nil {
			return err
		}
	}
	if f.json {
		err = rep.JSON(stdout)
	} else {
		err = rep.Text(stdout, f.verbose)
	}
	if err == nil && stopped {
		return errStopped
	}
	if err == nil && rep.Check != nil && !rep.Check.Replay.OK {
		fmt.Fprintf(stderr, "pimflow: %s: %s\n", p.Graph.Name, rep.Check.Replay.Error)
		return errFailed
	}
	if err == nil && rep.Check != nil && !rep.Check.OK {
		fmt.Fprintf(stderr, "pimflow: %s: the plan's outputs differ from the graph's by more than %.1e of the largest output\n",
			p.Graph.Name, p.tolerance())
		return errFailed
	}
	return err
}

// more adds to the report what further searches find.
func (f *runFlags) more(ctx context.Context, p *path, rep *report.Run, bar *bar) error {
	var err error
	if f.pareto {
		if rep.Pareto, err = p.pareto(ctx, f.policy, bar); err != nil {
			return err
		}
	}
	if f.verbose && f.plan == "" {
		fast, slow, err := p.bounds(ctx, f.policy, bar)
		if err != nil {
			return err
		}
		rep.SetFlips(fast, slow)
	}
	return nil
}

// tolerance is what a check accepts, by the formats of the model and of the PIM.
func (p *path) tolerance() float64 {
	format, err := pim.Format(p.Machine)
	if err != nil { // the GPU alone does without
		format = tensor.Float32
	}
	return run.Tolerance(p.Model, format)
}

// execute computes the plan's outputs and does with them what the flags ask.
func execute(ctx context.Context, f *runFlags, p *path, rep *report.Run, bar *bar) error {
	if err := run.Fits(p.Model); err != nil {
		return err
	}
	inputs, err := f.values(p.Graph)
	if err != nil {
		return err
	}
	labels, err := readLabels(f.labels)
	if err != nil {
		return err
	}
	var replayed device.Replay
	if f.check { // first: executing a stream that is wrong may end in a panic
		if replayed, err = run.Replay(ctx, p.Result.Timeline.Program, bar.phase("replay the streams")); err != nil {
			rep.SetWrong(err)
			return ctx.Err()
		}
	}
	var got []*tensor.Tensor
	if f.check {
		var errs []run.LayerError
		got, errs, err = run.EvalLayers(ctx, p.Result.Timeline.Program, inputs, bar.phase("execute the plan"))
		rep.SetErrors(errs)
	} else {
		got, err = run.Eval(ctx, p.Result.Timeline.Program, inputs, bar.phase("execute the plan"))
	}
	if err != nil {
		return err
	}
	if f.check {
		want, err := run.Reference(ctx, p.Model, inputs, bar.phase("execute the graph"))
		if err != nil {
			return err
		}
		rep.SetCheck(run.Compare(p.Model, want, got, p.tolerance()), replayed)
	}
	files := outputFiles(p.Graph)
	for i := range p.Graph.Outputs {
		if f.top > 0 {
			rep.Top = append(rep.Top, report.Top(got[i], f.top, labels))
		}
		if f.outDir != "" {
			if err := os.MkdirAll(f.outDir, 0o777); err != nil {
				return err
			}
			file := filepath.Join(f.outDir, files[i])
			if err := writeFile(file, func(w io.Writer) error { return npy.Write(w, got[i]) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// outputFiles names the file of each output; where two names come out alike, the
// later has its position too.
func outputFiles(g *graph.Graph) []string {
	var files []string
	for i, o := range g.Outputs {
		file := fileName(o.Name) + ".npy"
		for slices.Contains(files, file) {
			file = fmt.Sprintf("%s-%d.npy", strings.TrimSuffix(file, ".npy"), i)
		}
		files = append(files, file)
	}
	return files
}

// fileName makes a value's name safe as the name of a file.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, strings.TrimLeft(name, "./"))
}

// values returns a tensor for each input of the graph: from the files given, and
// seeded noise for the others.
func (f *runFlags) values(g *graph.Graph) ([]*tensor.Tensor, error) {
	files := map[string]string{}
	var names []string
	for _, id := range g.Inputs {
		names = append(names, g.Nodes[id].Name)
	}
	for _, in := range f.inputs {
		name, file, named := strings.Cut(in, "=")
		if !named || !slices.Contains(names, name) && fileExists(in) {
			if len(names) != 1 {
				return nil, fmt.Errorf("--input %s: the model has the inputs %q: NAME=FILE wanted", in, names)
			}
			name, file = names[0], in
		}
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("--input %s: the model's inputs are %q%s", in, names, nearest.Hint(name, names))
		}
		if file == "" {
			return nil, fmt.Errorf("--input %s: a file wanted after the =", in)
		}
		if files[name] != "" {
			return nil, fmt.Errorf("--input %s: input %q is given twice", in, name)
		}
		files[name] = file
	}
	var list []*tensor.Tensor
	for i, id := range g.Inputs {
		nd := &g.Nodes[id]
		x, err := noise(nd, uint64(i)), error(nil)
		if file := files[nd.Name]; file != "" {
			x, err = readInput(file, nd)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

// noise is the default value of an input: standard normal, or 0 and 1 for
// integers; the same on every machine.
func noise(nd *graph.Node, seed uint64) *tensor.Tensor {
	rng := rand.New(rand.NewPCG(2023, seed))
	x := tensor.New(nd.Type, nd.Shape)
	if nd.Type.Float() {
		for i := range x.Floats() {
			x.Floats()[i] = tensor.Round(nd.Type, float32(rng.NormFloat64()))
		}
		return x
	}
	for i := range x.Ints() {
		x.Ints()[i] = rng.Int64N(2)
	}
	return x
}

// writeFile writes a file as a whole or not at all; "-" is not special.
func writeFile(name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0) // a pipe or a device cannot be replaced
		if err != nil {
			return err
		}
		defer f.Close()
		return write(f)
	}
	f, err := renameio.NewPendingFile(name, renameio.WithPermissions(0o666))
	var at *fs.PathError
	if errors.As(err, &at) {
		at.Path = name // not that of the file to be renamed
	}
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if err := write(f); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
