package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pimflow"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"pimflow/internal/nearest"
	"pimflow/internal/report"
)

// runFlags holds the flags of run.
type runFlags struct {
	launches bool
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
		Short: "Plan a model, time the plan and, if asked, execute it",
		Long: `Plan a model, time the plan and, if asked, execute it.

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
			if f.how.Exact && f.how.Policy != pimflow.DefaultPolicy {
				return fmt.Errorf("--exact --policy %s: only policy %s searches all plans", f.how.Policy, pimflow.DefaultPolicy)
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
	f.planFlag(c, "run")
	f.policyFlag(c)
	f.batchFlag(c)
	profileFlag(c, &f.opts.Profile)
	fl.StringVar(&f.how.Objective, "objective", "latency", "objective to minimise: latency, energy, or edp, the energy-delay product")
	fl.BoolVar(&f.how.Exact, "exact", false, "branch and bound: prove that no plan of at most two tiles a layer is better; for small graphs")
	fl.StringVar(&f.channels, "pim-channels", "", "number of PIM channels, or "+autoChannels+" to search the best (default: the machine's)")
	fl.BoolVar(&f.launches, "launches", true, "also search for each launch mode, which takes up to three times as long again; not for graphs of more than 400 layers")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "one row a layer, and its placement for the fastest and for the slowest GPU within the bounds of its times")
	fl.BoolVar(&f.pareto, "pareto", false, "also print the Pareto front of time and energy")
	fl.BoolVar(&f.json, "json", false, "print one JSON object")
	fl.BoolVar(&f.check, "check", false, "execute the graph and the plan, compare their outputs, and replay the command streams; exit code 1 on a difference")
	fl.StringArrayVar(&f.inputs, "input", nil, "[NAME=]FILE: a .npy tensor or a picture (.png, .jpg, .gif) for an input; default: seeded noise")
	fl.StringVar(&f.outDir, "output", "", "execute the plan and write each output as .npy to this folder")
	fl.IntVar(&f.top, "top", 0, "execute the plan and print the N largest values of each output")
	fl.StringVar(&f.labels, "labels", "", "names for --top, one a line")
	fl.StringVarP(&f.planOut, "out", "o", "", "write the plan to this file")
	fl.StringVar(&f.trace, "trace", "", "write the timeline to this file, for chrome://tracing or Perfetto")
	return c
}

// launchLayers is up to how many layers a graph is searched again for each way to launch work.
const launchLayers = 400

func runModel(ctx context.Context, f *runFlags, stdout, stderr io.Writer) error {
	bar := newBar(stderr)
	defer bar.stop()
	f.how.Partial = true
	s, p, err := f.walk(ctx, bar)
	if err != nil {
		return err
	}
	defer s.Close()
	rep, err := s.Time(p)
	if err != nil {
		return err
	}
	if rep.Stopped {
		if out, ok := stdout.(*output); ok {
			out.ctx = context.WithoutCancel(ctx) // the plan so far is still printed
		}
	} else if err := f.more(ctx, s, p, rep); err != nil {
		return err
	}
	bar.stop()
	if f.planOut != "" {
		if err := writeFile(f.planOut, p.Print); err != nil {
			return err
		}
	}
	if f.trace != "" {
		r := p.Internal()
		if err := writeFile(f.trace, func(w io.Writer) error { return report.Trace(w, r.Timeline, r.Plan.PIMChannels) }); err != nil {
			return err
		}
	}
	if f.json {
		err = report.JSON(stdout, rep)
	} else {
		err = report.Run(stdout, rep, f.verbose)
	}
	if err != nil {
		return err
	}
	if rep.Stopped {
		return errStopped
	}
	return failed(rep, stderr)
}

// failed prints the reason of a failed check on the error output.
func failed(rep *pimflow.Report, stderr io.Writer) error {
	switch c := rep.Check; {
	case c == nil || c.OK:
		return nil
	case !c.Replay.OK:
		fmt.Fprintf(stderr, "pimflow: %s: %s\n", rep.Model, c.Replay.Error)
	default:
		fmt.Fprintf(stderr, "pimflow: %s: the plan's outputs differ from the graph's by more than %.1e of the largest output\n", rep.Model, c.Tolerance)
	}
	return errFailed
}

// more adds the further searches and the execution of the flags to the report.
func (f *runFlags) more(ctx context.Context, s *pimflow.Session, p *pimflow.Plan, rep *pimflow.Report) error {
	var err error
	if f.launches && f.plan == "" && len(rep.Layers) <= launchLayers {
		if rep.Launches, err = s.Launches(ctx, p); err != nil {
			return err
		}
	}
	if f.pareto {
		if rep.Pareto, err = s.Pareto(ctx, p); err != nil {
			return err
		}
	}
	if f.verbose && f.plan == "" {
		if err := s.Doubt(ctx, p, rep); err != nil {
			return err
		}
	}
	if f.check || f.outDir != "" || f.top > 0 || len(f.inputs) > 0 {
		return f.execute(ctx, s, p, rep)
	}
	return nil
}

// execute computes the plan's outputs, and checks, prints or writes them as the flags ask.
func (f *runFlags) execute(ctx context.Context, s *pimflow.Session, p *pimflow.Plan, rep *pimflow.Report) error {
	inputs, err := f.values(s)
	if err != nil {
		return err
	}
	labels, err := readLabels(f.labels)
	if err != nil {
		return err
	}
	var got []pimflow.Tensor
	if f.check {
		c, err := s.Check(ctx, p, inputs...)
		if err != nil {
			return err
		}
		rep.SetCheck(c)
		got = c.Values
	} else if got, err = s.Run(ctx, p, inputs...); err != nil {
		return err
	}
	files := outputFiles(got)
	for i := range got {
		if f.top > 0 {
			rep.Top = append(rep.Top, got[i].Top(f.top, labels))
		}
		if f.outDir != "" {
			if err := os.MkdirAll(f.outDir, 0o777); err != nil {
				return err
			}
			if err := writeFile(filepath.Join(f.outDir, files[i]), got[i].WriteNPY); err != nil {
				return err
			}
		}
	}
	return nil
}

// outputFiles names the file of each output; of two equal names the later gets its position.
func outputFiles(outputs []pimflow.Tensor) []string {
	var files []string
	for i, o := range outputs {
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

// values reads the inputs that the flags give, in the model's order.
func (f *runFlags) values(s *pimflow.Session) ([]pimflow.Tensor, error) {
	files, names := map[string]string{}, s.Inputs()
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
	var list []pimflow.Tensor
	for _, name := range names {
		if files[name] == "" {
			continue
		}
		x, err := s.Input(name, files[name])
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

// readLabels reads a file of one name a line; "" is no file.
func readLabels(file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimRight(string(data), "\r\n"), "\n"), nil
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
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
