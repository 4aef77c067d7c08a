package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/report"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// sweepFlags holds the flags of sweep.
type sweepFlags struct {
	axes       map[string]*[]string // the values of words, by flag
	set        []string
	zip        []string
	where      []string
	sample     string
	seed       int
	population int
	effort     string
	search     string
	anchors    int
	out        string
	print      bool
	ask        bool
	form
	queueFlags
}

func sweepCommand() *cobra.Command {
	f := &sweepFlags{axes: map[string]*[]string{}}
	c := &cobra.Command{
		Use:   "sweep [SPEC.yaml]",
		Short: "Evaluate a design space: models, machines, policies and numbers of the machine, each with each",
		Long: `Evaluate a design space: models, machines, GPUs, policies, objectives, batches and numbers of the machine, each with each.
A point of the space is a plan, its time, its energy and the cost of its hardware: a row of a table.

The space is in a file (docs/sweep.md), in flags, or both: a flag takes the place of what the file has. Values are a list, as
8,16,24; a range, as 2..16, 2..16/2 with a step or 1..64x2 with a factor; or both. --zip makes axes advance together, --where
keeps the points for which a comparison holds, --sample takes some of the points. Every value is checked before the first
point is evaluated. A point that its machine refuses, or that has no plan, is a row with its error; the exit code is then 1.

A sample is drawn at once (random, latin), or chosen from the results of the points before (halving, nsga2; docs/guided.md).

Without -o the rows are listed, 40 at most. At the end are the Pareto front of time, energy and multipliers of the PIM, and the best
points of each model.`,
		Example: `  pimflow sweep space.yaml -o rows.csv
  pimflow sweep --model mobilenet-v2 --set memory.pim_channels=8..24/4 --set pim.buffers=1,2,4
  pimflow sweep space.yaml --sample nsga2:200 --seed 1 -o rows.csv
  pimflow sweep space.yaml --sample halving:81 --effort high -o rows.csv
  python3 climb.py pimflow sweep space.yaml    # which adds --ask-tell and chooses the points (docs/guided.md)`,
		Args: wantArgs(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	fl := c.Flags()
	usages := map[string]string{
		"model": "networks that pimflow zoo lists, or files", "batch": "images at once, for models that leave it open (default 1)",
		"machine": "machines by name or .json file (default newton)", "gpu": "GPUs that replace the machine's, " + space.Own + " for its own (default " + space.Own + ")",
		"policy": "policies, see pimflow policy (default auto)", "objective": "latency, energy or edp (default latency)",
	}
	_, words := space.Names()
	for _, w := range words {
		f.axes[w] = fl.StringArray(w, nil, usages[w])
	}
	fl.StringArrayVar(&f.set, "set", nil, "values of a key of the machine, KEY=VALUES as memory.pim_channels=8,16,24 or pim.timing.ccds_ck=2..4; may be given several times")
	fl.StringArrayVar(&f.zip, "zip", nil, "names of axes that advance together, as memory.channels,memory.pim_channels; may be given several times")
	fl.StringArrayVar(&f.where, "where", nil, "a comparison that holds for every point, as 'pim.banks * memory.pim_channels <= 512'; may be given several times")
	fl.StringVar(&f.sample, "sample", "", "take so many of the points: N at random; latin:N, a Latin hypercube; halving:N, the best of them with more effort; nsga2:N, generation after generation towards the Pareto front")
	fl.IntVar(&f.seed, "seed", 0, "of the sample")
	fl.IntVar(&f.population, "population", 0, "points of a generation of nsga2 (default: the square root of all, and 4 or more)")
	fl.StringVar(&f.effort, "effort", "", "of every search: low, normal, high, or a number of steps a layer (default normal)")
	fl.StringVar(&f.search, "search", "", "anchors: few points are searched, and the others go on from the best of their plans; full: every point is searched; all: every point is searched, and takes the best of all plans of its family (default anchors)")
	fl.IntVar(&f.anchors, "anchors", 0, "search so many points of a family, at most (default: 16, or one of 64 points)")
	fl.StringVarP(&f.out, "out", "o", "", "write the rows to this file: .csv, .jsonl or .parquet")
	fl.BoolVar(&f.print, "print-spec", false, "print the space as a file, and evaluate nothing")
	fl.BoolVar(&f.ask, "ask-tell", false, "evaluate the points that lines of JSON on standard input ask for, and tell their rows on standard output (docs/guided.md)")
	fl.BoolVar(&f.json, "json", false, "print the rows, one JSON object a line, and nothing else (docs/json.md)")
	fl.BoolVar(&f.csv, "csv", false, "print the rows as comma-separated values, and nothing else")
	f.queueFlags.add(fl)
	return c
}

// mostListed is how many rows are listed without a file.
const mostListed = 40

// run is the command.
func (f *sweepFlags) run(c *cobra.Command, args []string) error {
	spec, err := f.spec(c, args)
	if err != nil {
		return err
	}
	if f.print {
		return spec.Print(c.OutOrStdout())
	}
	if err := f.check(); err != nil {
		return err
	}
	if f.ask && (f.out != "" || f.emit != "" || spec.Sample != nil) {
		return fault.Usagef("--ask-tell with -o, --emit or a sample: none of them wanted; the asks choose the points, and the answers have the rows")
	}
	if f.chosen() && (f.out != "" || f.ask || f.emit != "") {
		return fault.Usagef("--json and --csv print the rows: leave out -o, --ask-tell and --emit")
	}
	for _, name := range []string{"emit-workers", "emit-cpus", "emit-image"} {
		if f.emit == "" && c.Flags().Changed(name) {
			return fault.Usagef("--%s is for --emit: leave it out, or --emit wanted", name)
		}
	}
	if f.emit != "" {
		return f.script(c, args)
	}
	if f.out != "" {
		if err := result.Format(f.out); err != nil {
			return err
		}
	}
	s, err := within(c.Context(), func() (*space.Space, error) { return space.New(spec) })
	if err != nil {
		return err
	}
	if err := tryOutputs(inputs(c, spec.Inputs()), files.Named{By: "-o", Name: f.out}); err != nil {
		return err
	}
	by, err := inQueue{&f.queueFlags, warner(c.ErrOrStderr())}.open(c.Context())
	if err != nil {
		return err
	}
	defer by.close()
	if f.ask {
		var where []string
		for _, w := range spec.Where {
			where = append(where, w.Text)
		}
		return converse(c.Context(), s, where, by, c.InOrStdin(), c.OutOrStdout())
	}
	return sweepSpace(c, s, by, f.out, f.form)
}

// spec is the space of the file and the flags.
func (f *sweepFlags) spec(c *cobra.Command, args []string) (spec *space.Spec, err error) {
	spec = &space.Spec{}
	if len(args) > 0 {
		if spec, err = space.Load(args[0]); err != nil {
			return nil, err
		}
	}
	names, words := space.Names()
	for i, w := range words {
		if texts := *f.axes[w]; len(texts) > 0 {
			if err := f.put(spec, "--"+w, names[i], texts); err != nil {
				return nil, err
			}
		}
	}
	keys := map[string][]string{}
	for _, text := range f.set {
		key, values, ok := strings.Cut(text, "=")
		if !ok || !strings.Contains(key, ".") {
			return nil, fault.Usagef("--set %.80q: KEY=VALUES wanted, as memory.pim_channels=8,16", text)
		}
		keys[key] = append(keys[key], values)
		if err := f.put(spec, "--set "+key, key, keys[key]); err != nil {
			return nil, err
		}
	}
	if c.Flags().Changed("zip") {
		spec.Zip = nil
		for _, text := range f.zip {
			spec.Zip = append(spec.Zip, space.Group{Axes: strings.Split(text, ",")})
		}
	}
	if c.Flags().Changed("where") {
		spec.Where = nil
		for _, text := range f.where {
			spec.Where = append(spec.Where, space.Text{Text: text})
		}
	}
	if f.effort != "" {
		spec.Effort = space.Text{Text: f.effort}
	}
	if f.search != "" {
		spec.Search = space.Text{Text: f.search}
	}
	if c.Flags().Changed("anchors") {
		if f.anchors < 1 {
			return nil, fault.Usagef("--anchors %d: 1 or more wanted", f.anchors)
		}
		spec.Anchors = space.Count{N: f.anchors}
	}
	return spec, f.sampled(c, spec)
}

// put gives an axis the values of a flag.
func (f *sweepFlags) put(spec *space.Spec, flag, name string, texts []string) error {
	a := space.Axis{Name: name}
	for _, text := range texts {
		values, err := space.ParseValues(text)
		if err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		a.Values = append(a.Values, values...)
	}
	spec.Put(a)
	return nil
}

// sampled puts --sample and --seed into a spec.
func (f *sweepFlags) sampled(c *cobra.Command, spec *space.Spec) error {
	if f.sample != "" {
		method, text, both := strings.Cut(f.sample, ":")
		if !both {
			method, text = space.Random, f.sample
		}
		n, err := strconv.Atoi(text)
		if err != nil || !slices.Contains(space.Methods, method) {
			return fault.Usagef("--sample %.80q: a number of points as 100, or a method with it, as latin:100, wanted: one of %s", f.sample, strings.Join(space.Methods, ", "))
		}
		spec.Sample = &space.Sample{Points: n, Method: method}
	}
	if c.Flags().Changed("population") {
		if spec.Sample == nil || f.population < 1 {
			return fault.Usagef("--population %d: 1 or more wanted, and --sample %s:100", f.population, space.NSGA2)
		}
		spec.Sample.Population = f.population
	}
	if c.Flags().Changed("seed") {
		if spec.Sample == nil {
			return fault.Usagef("--seed %d: of a sample, and there is none", f.seed)
		}
		if f.seed < 0 {
			return fault.Usagef("--seed %d: 0 or more wanted", f.seed)
		}
		spec.Sample.Seed = uint64(f.seed)
	}
	return nil
}

// sweepSpace evaluates a space, writes its rows and prints what is to be told of them, or in a form for other programs the rows alone.
func sweepSpace(c *cobra.Command, s *space.Space, by engine, out string, as form) error {
	ctx, stdout, stderr := c.Context(), c.OutOrStdout(), c.ErrOrStderr()
	names, number := s.Keys()
	all := &report.Space{Keys: names}
	var compared comparison
	if out == "" {
		all.List = mostListed
	}
	total, err := within(ctx, func() (int, error) { return evaluations(s), nil })
	if err != nil {
		return err
	}
	if total == 0 {
		return fault.As(fault.Infeasible, errors.New("the constraints hold for no point of the space: at least one wanted"))
	}
	tell := newTally(c, total)
	defer tell.stop()
	evaluate := func(write func(*result.Row) error) error {
		take := func(r *result.Row) error {
			patience.Store(int64(grace)) // there is something to print
			all.Add(r)
			compared.add(r)
			return write(r)
		}
		if s.Guided() {
			g := s.Guide()
			all.Guided = g.String()
			return guided(ctx, g, by, tell.add, take)
		}
		return by.run(ctx, s.Tasks(), func(r *result.Row, cached bool) error {
			tell.add(r, cached)
			return take(r)
		})
	}
	table := func(to io.Writer, name string) error {
		var keys []result.Key
		for i, n := range names {
			keys = append(keys, result.Key{Name: n, Number: number[i]})
		}
		w, err := result.NewWriter(to, name, keys)
		if err == nil {
			err = evaluate(w.Write)
		}
		if err == nil {
			err = w.Close()
		}
		return err
	}
	text := all.Text
	switch {
	case as.chosen():
		text = func(io.Writer) error { return nil }
		err = table(lines(stdout), map[bool]string{false: ".csv", true: ".jsonl"}[as.json])
	case out == "":
		err = evaluate(func(*result.Row) error { return nil })
	default:
		err = files.Write(ctx, files.File{Name: out, Write: func(to io.Writer) error { return table(to, out) }})
	}
	if err == nil && !as.chosen() {
		all.Loss, err = compared.compare(ctx, s, by)
	}
	tell.stop()
	if ctx.Err() != nil && tell.done > 0 {
		despite(stdout)
		if err := errors.Join(text(stdout), flush(stdout)); err != nil {
			return err
		}
		return errSweep
	}
	if err != nil {
		return err
	}
	if err := text(stdout); err != nil {
		return err
	}
	if n := all.Failed(); n > 0 {
		return failedPoints(n, stdout, stderr)
	}
	return nil
}

// failedPoints is the error of points without a result, which are told.
func failedPoints(n int, stdout, stderr io.Writer) error {
	if err := flush(stdout); err != nil {
		return err
	}
	text := "points have no result: their rows say why"
	if n == 1 {
		text = "point has no result: its row says why"
	}
	fmt.Fprintf(stderr, "pimflow: %d %s\n", n, text)
	return errFailed
}
