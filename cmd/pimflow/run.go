package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/budget"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/graph"
	"pimflow/internal/page"
	"pimflow/internal/report"
	"pimflow/internal/search"
)

// runFlags holds the flags of run.
type runFlags struct {
	launches bool
	request
	verbose bool
	short   bool // --quiet
	form
	columns        int
	check          string  // "": none, checkValues or checkExact
	maxError       float64 // 0: none
	pareto         bool
	labels, outDir string
	memory         string
	top            int
	planOut, trace string
	html           string

	labelled []string         // the names of labels
	given    []pimflow.Tensor // the values of inputs
	checked  *pimflow.Check   // nil: not yet
	npy      []string         // the file of each output in outDir
}

func runCommand() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:   "run MODEL",
		Short: "Plan a model, time the plan and, if asked, execute it",
		Long: `Plan a model, time the plan and, if asked, execute it.

MODEL is a network of the zoo, an .onnx file, or a .graph file as "pimflow graph --values" prints.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			f.model, f.short = args[0], quiet(c)
			if err := f.settle(c); err != nil {
				return err
			}
			for _, name := range []string{"objective", "exact", "effort", "time-limit"} {
				if f.plan != "" && c.Flags().Changed(name) {
					return fault.Usagef("--plan %s already is a plan: leave out --%s", f.plan, name)
				}
			}
			if f.how.Exact && f.how.Policy != pimflow.DefaultPolicy {
				return fault.Usagef("--exact --policy %s: only policy %s searches all plans", f.how.Policy, pimflow.DefaultPolicy)
			}
			if f.memory != "" {
				m, err := budget.Parse(f.memory)
				if err != nil {
					return fault.As(fault.Usage, fmt.Errorf("--%w", err))
				}
				f.opts.Memory = int64(m)
			}
			if c.Flags().Changed("top") && f.top < 1 {
				return fault.Usagef("--top %d: at least 1 wanted", f.top)
			}
			if f.labels != "" && f.top == 0 {
				return fault.Usagef("--labels %s names the values that --top prints: leave it out, or give --top", f.labels)
			}
			if f.plan != "" && f.channels != "" {
				return fault.Usagef("--plan %s says how many channels compute: leave out --pim-channels", f.plan)
			}
			switch {
			case c.Flags().Changed("max-error") && !(f.maxError > 0 && f.maxError < 1):
				return fault.Usagef("--max-error %g: a relative error above 0 and below 1 wanted", f.maxError)
			case f.maxError > 0 && f.check == checkExact:
				return fault.Usagef("--max-error %g is of the model's values, --check=%s of whole numbers: leave out one", f.maxError, checkExact)
			case f.check != "" && f.check != checkValues && f.check != checkExact:
				return fault.Usagef("--check=%s: --check or --check=%s wanted", f.check, checkExact)
			case f.check == checkExact && len(f.inputs) > 0:
				return fault.Usagef("--check=%s draws its own values: leave out --input", checkExact)
			}
			if f.maxError > 0 {
				f.check = checkValues
			}
			return runModel(c, f)
		},
	}
	fl := c.Flags()
	f.plannedFlags(c, "run")
	f.effortFlags(c)
	fl.StringVar(&f.how.Objective, "objective", "latency", "objective to minimise: latency, energy, or edp, the energy-delay product")
	fl.BoolVar(&f.how.Exact, "exact", false, "branch and bound: prove that no plan of at most two tiles a layer is better; for small graphs")
	fl.StringVar(&f.channels, "pim-channels", "", "number of PIM channels, or "+autoChannels+" to search the best (default: the machine's)")
	fl.BoolVar(&f.launches, "launches", true, "also search for each launch mode, at low effort, which takes about 2.5 times as long as a first search at low effort; not for graphs of more than 400 layers")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "times to the cycle, energy by part, and one row a layer with its placement for the fastest and for the slowest GPU within the bounds of its times")
	columnsFlag(c, &f.columns)
	fl.BoolVar(&f.pareto, "pareto", false, "also print the Pareto front of time and energy")
	f.form.flags(c, "layer")
	fl.StringVar(&f.check, "check", "", "replay the command streams, hold what each tile computes to the bound of its arithmetic, and say what the PIM's number format costs in the outputs; with =exact, hold it to equality on small whole numbers; exit code 1 if the plan is wrong")
	fl.Lookup("check").NoOptDefVal = checkValues
	fl.Float64Var(&f.maxError, "max-error", 0, "check, and search again with layers off the PIM until the largest error of each output is at most this part of its largest value; exit code 1 if it is not met")
	f.inputFlag(c)
	fl.StringVar(&f.outDir, "output", "", "execute the plan and write each output as .npy to this folder")
	fl.IntVar(&f.top, "top", 0, "execute the plan and print the N largest values of each image of each output, or of the whole output where its first dimension is no image, as of boxes")
	fl.StringVar(&f.memory, "memory", "", "memory that a model, its search and its values may take, as 8GB (default: three quarters of the machine's, 1 GB for a picture)")
	fl.StringVar(&f.labels, "labels", "", "names for --top, one a line")
	fl.StringVarP(&f.planOut, "out", "o", "", "write the plan to this file")
	fl.StringVar(&f.html, "html", "", "write a page with figures of the run to this file, for a browser; with it the plans of the other policies are searched, and compared")
	fl.StringVar(&f.trace, "trace", "", "write the timeline to this file: Perfetto's protocol buffers where the name ends in .pftrace, else JSON for chrome://tracing or Perfetto")
	return c
}

// The checks: on the values of the model, and on whole numbers.
const (
	checkValues = "values"
	checkExact  = "exact"
)

// launchLayers is up to how many layers a graph is searched again for each way to launch work.
const launchLayers = 400

func runModel(c *cobra.Command, f *runFlags) error {
	ctx, stdout := c.Context(), c.OutOrStdout()
	bar := newBar(c, f.parts()...)
	defer bar.stop()
	f.how.Partial = true
	s, p, err := f.walk(ctx, bar, func(s *pimflow.Session) error { return f.ready(c, s) })
	if err != nil {
		return err
	}
	defer s.Close()
	if f.maxError > 0 && f.plan == "" && !p.Internal().Stopped {
		type checked struct {
			p *pimflow.Plan
			c *pimflow.Check
		}
		x, err := within(ctx, func() (x checked, err error) {
			x.p, x.c, err = s.Within(ctx, p, f.maxError, f.given...)
			return x, err
		})
		if err == nil {
			p, f.checked = x.p, x.c
		} else if ctx.Err() == nil {
			return err
		}
	}
	rep, err := s.Time(p)
	if err != nil {
		return err
	}
	if rep.Limits, err = s.Limits(p); err != nil {
		return err
	}
	if f.chosen() || f.verbose || f.html != "" {
		if err = s.Utilize(context.WithoutCancel(ctx), p, rep); err != nil { // it is short
			return err
		}
	}
	var values []pimflow.Tensor
	stopped := errStopped
	if !p.Internal().Stopped {
		stopped = errAfter
		type further struct {
			rep    pimflow.Report
			values []pimflow.Tensor
		}
		more, err := within(ctx, func() (further, error) {
			x := further{rep: *rep}
			x.rep.Layers = slices.Clone(rep.Layers)
			var err error
			x.values, err = f.more(ctx, s, p, &x.rep)
			if err == nil && (f.json || f.html != "") {
				err = f.beside(ctx, c, s, p, &x.rep)
			}
			return x, err
		})
		if ctx.Err() == nil {
			if err != nil {
				return err
			}
			rep, values = &more.rep, more.values
		}
	}
	bar.stop()
	write := func(ctx context.Context) error { return files.Write(ctx, f.outputs(p, rep, values)...) }
	var unwritten error
	early := ctx.Err() != nil
	if !early {
		_, unwritten = within(ctx, func() (any, error) { return nil, write(ctx) })
	}
	if ctx.Err() != nil {
		despite(stdout) // the plan so far is printed, before its files may wait
		unwritten = nil
	}
	switch {
	case quiet(c) && !f.chosen():
		_, err = fmt.Fprintln(stdout, report.Headline(rep))
	default:
		err = f.print(stdout, rep, func(w io.Writer) error { return report.Run(w, rep, f.verbose, columnsOf(c, f.columns)) })
	}
	if err == nil {
		err = flush(stdout)
	}
	if early {
		unwritten = write(context.WithoutCancel(ctx))
	}
	if err = errors.Join(err, unwritten); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return stopped
	}
	if f.check == "" {
		warn(values, c.ErrOrStderr())
	}
	return failed(cmp.Or(f.model, rep.Model), rep, c.ErrOrStderr())
}

// parts are the phases of the work, weighted by what they take of mobilenet-v2 and resnet-50, roughly. Estimated.
func (f *runFlags) parts() []part {
	list := []part{{"search", 10}}
	if f.launches && !f.short && f.plan == "" {
		list = append(list, part{"launches", 8})
	}
	if f.pareto {
		list = append(list, slices.Repeat([]part{{"pareto", 5}}, len(search.Objectives()))...)
	}
	if f.verbose && f.plan == "" {
		list = append(list, part{"search for a fast", 4}, part{"search for a slow", 4})
	}
	switch {
	case f.check != "":
		list = append(list, part{"replay", 3}, part{"execute the plan", 10}, part{"execute the graph", 5})
	case f.outDir != "" || f.top > 0 || len(f.inputs) > 0:
		list = append(list, part{"execute", 5})
	}
	if f.html != "" {
		list = append(append(list, slices.Repeat([]part{{"search", 3}}, len(search.Policies()))...), part{"alternatives", 5})
	}
	return list
}

// ready reads what the flags name and tries what they ask to write, before the search.
func (f *runFlags) ready(c *cobra.Command, s *pimflow.Session) error {
	defer patience.Store(int64(grace)) // there will be a plan to print
	var err error
	if f.labelled, err = readLabels(f.labels); err != nil {
		return err
	}
	if f.given, err = f.values(s); err != nil {
		return err
	}
	g, _, _, _ := s.Internal()
	counts := slices.ContainsFunc(g.Nodes, func(nd graph.Node) bool { return nd.Op != nil && nd.Op.Count != nil })
	if len(f.inputs) > 0 && f.check == "" && f.outDir == "" && f.top == 0 && !counts {
		fmt.Fprintln(c.ErrOrStderr(), "pimflow: warning: --input: no more than its shape is used: --top, --output or --check show what its values give")
	}
	outputs := []files.Named{{By: "-o", Name: f.planOut}, {By: "--trace", Name: f.trace}, {By: "--html", Name: f.html}}
	if f.outDir != "" {
		if err := files.TryFolder(f.outDir); err != nil {
			return err
		}
		var names []string
		for _, o := range g.Outputs {
			names = append(names, o.Name)
		}
		f.npy = outputFiles(names)
		if _, err := os.Stat(f.outDir); err == nil { // else none of them is there
			for _, name := range f.npy {
				outputs = append(outputs, files.Named{By: "--output: the file", Name: filepath.Join(f.outDir, name)})
			}
		}
	}
	return tryOutputs(inputs(c, s.Files()), outputs...)
}

// outputs lists the files to write, with the values of the model's outputs where there are some.
func (f *runFlags) outputs(p *pimflow.Plan, rep *pimflow.Report, values []pimflow.Tensor) (list []files.File) {
	if f.html != "" {
		list = append(list, files.File{Name: f.html, Write: func(w io.Writer) error { return page.Write(w, rep) }})
	}
	if f.planOut != "" {
		list = append(list, files.File{Name: f.planOut, Write: p.Print})
	}
	if f.trace != "" {
		list = append(list, files.File{Name: f.trace, Write: func(w io.Writer) error { return report.Trace(w, f.trace, rep, p) }})
	}
	if f.outDir != "" {
		for i := range values {
			list = append(list, files.File{Name: filepath.Join(f.outDir, f.npy[i]), Folder: true, Write: values[i].WriteNPY})
		}
	}
	return list
}

// failed prints the reason of a failed check on the error output.
func failed(model string, rep *pimflow.Report, stderr io.Writer) error {
	if c := rep.Check; c == nil || c.OK {
		return nil
	}
	fmt.Fprintf(stderr, "pimflow: %s: %s\n", fault.Name(model), rep.Check.Reason)
	return errFailed
}

// more adds the further searches and the execution of the flags to the report, and returns the outputs' values.
func (f *runFlags) more(ctx context.Context, s *pimflow.Session, p *pimflow.Plan, rep *pimflow.Report) (values []pimflow.Tensor, err error) {
	if err := f.search(ctx, s, p, rep); err != nil {
		return nil, err
	}
	if f.check != "" || f.outDir != "" || f.top > 0 || len(f.inputs) > 0 {
		defer tight()()
		return f.execute(ctx, s, p, rep)
	}
	return nil, nil
}

// beside adds what the report rests on, and for a page the plans of other policies.
func (f *runFlags) beside(ctx context.Context, c *cobra.Command, s *pimflow.Session, p *pimflow.Plan, rep *pimflow.Report) (err error) {
	line := ""
	if f.html != "" {
		line = commandLine(c, f.model)
		if len(rep.Layers) <= launchLayers {
			if rep.Policies, err = s.Beside(ctx, p); err != nil {
				return err
			}
		}
		if err = s.Options(ctx, p, rep); err != nil {
			return err
		}
	}
	rep.Manifest, err = s.Manifest(ctx, p, report.Version(), line)
	return err
}

// search adds the further searches of the flags to the report.
func (f *runFlags) search(ctx context.Context, s *pimflow.Session, p *pimflow.Plan, rep *pimflow.Report) (err error) {
	g, _, _, _ := s.Internal()
	defer heap(len(g.Nodes))()
	if f.launches && !f.short && f.plan == "" && len(rep.Layers) <= launchLayers {
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
		return s.Doubt(ctx, p, rep)
	}
	return nil
}

// execute computes the plan's outputs, and checks or prints them as the flags ask.
func (f *runFlags) execute(ctx context.Context, s *pimflow.Session, p *pimflow.Plan, rep *pimflow.Report) (got []pimflow.Tensor, err error) {
	switch f.check {
	case checkValues:
		c := f.checked
		if c == nil {
			if c, err = s.Check(ctx, p, f.given...); err != nil {
				return nil, err
			}
			if f.maxError > 0 {
				c.Limit(f.maxError)
			}
		}
		rep.SetCheck(c)
		got = c.Values
	case checkExact:
		c, err := s.CheckExact(ctx, p)
		if err != nil {
			return nil, err
		}
		rep.SetCheck(c)
		if f.outDir == "" && f.top == 0 || !c.Replay.OK {
			return nil, nil
		}
	}
	if f.check != checkValues {
		if got, err = s.Run(ctx, p, f.given...); err != nil {
			return nil, err
		}
	}
	rep.Sizes = s.Sizes()
	for i := range got {
		if f.top > 0 {
			rep.Top = append(rep.Top, got[i].Top(f.top, f.labelled))
			if got[i].Images == 0 {
				rep.TopWhole = append(rep.TopWhole, i)
			}
		}
	}
	return got, nil
}

// warn says in a line how many values of the outputs are not finite.
func warn(outputs []pimflow.Tensor, stderr io.Writer) {
	n, all, first := 0, 0, ""
	for _, o := range outputs {
		all += len(o.Floats) + len(o.Ints)
		for _, v := range o.Floats {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				if n++; first == "" {
					first = o.Name
				}
			}
		}
	}
	if n > 0 {
		fmt.Fprintf(stderr, "pimflow: warning: %d of %d values of the outputs are not finite, the first in %.80q\n", n, all, first)
	}
}

// outputFiles names the file of each output; of two equal names the later gets its position.
func outputFiles(outputs []string) []string {
	var files []string
	for i, name := range outputs {
		file := fileName(name) + ".npy"
		for slices.Contains(files, file) {
			file = fmt.Sprintf("%s-%d.npy", strings.TrimSuffix(file, ".npy"), i)
		}
		files = append(files, file)
	}
	return files
}

// fileName makes a value's name safe as the name of a file, and short enough.
func fileName(name string) string {
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, strings.TrimLeft(name, "./"))
	for len(safe) > longestName {
		_, n := utf8.DecodeLastRuneInString(safe)
		safe = safe[:len(safe)-n]
	}
	return cmp.Or(safe, "output")
}

// longestName is how many bytes of a value's name are in the name of its file: file systems have 255, of which a position and
// .npy take some.
const longestName = 200

// maxLabels bounds a file of labels, in bytes. Estimated.
const maxLabels = 16 << 20

// readLabels reads a file of one name a line; "" is no file.
func readLabels(file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	data, err := files.Read(file, maxLabels)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimRight(string(data), "\r\n"), "\n"), nil
}

func fileExists(name string) bool {
	_, err := os.Stat(files.At(name))
	return err == nil
}
