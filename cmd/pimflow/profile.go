package main

import (
	"context"
	"fmt"
	"io"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/profile"
	"pimflow/internal/survey"
)

// surveyFlags holds the flags of profile.
type surveyFlags struct {
	request
	limit           int
	anyChannels     bool
	out             string
	with            string // the program that measures; "": none
	runner, library string
	device          string
	repeats         int
}

func profileCommand() *cobra.Command {
	f := &surveyFlags{}
	c := &cobra.Command{
		Use:   "profile MODEL",
		Short: "List the GPU's kernels whose measurement would matter to a plan, or measure them",
		Long: `List the GPU's kernels whose measurement would matter to a plan, or measure them.

The list is CSV, one row a kernel, most valuable first. Write the times that a GPU takes into time_us, in
microseconds from the first launch to the last value, and what it was measured on into measured_on; --gpu-profile
of run, compare, map, code and layer then has these times instead of the model's.

effect_percent is how much of the total time depends on a kernel, by the bounds of its time, the sum of
  half of (the plan's total with the kernel as slow as may be - the total with it as fast), over the total;
  the same for the GPU alone, with every memory channel;
  for each layer that could use it instead: what the plan would gain were it as fast as may be, over the total.
These are all of a layer on the GPU, and of the layers that the PIM executes too the fastest division of the rows
and the first and the last division that would gain. The plan's kernels and whole
layers are listed whatever their effect.
The bounds are those of the GPU's errors, class by class: see pimflow gpu.

With --gpu-profile the plan is made with the measured times, and the list is that file's measured rows as they are,
then the kernels that are not among them: so that the list grows with the plans that it leads to.

--with onnxruntime measures the kernels one by one with ONNX Runtime on this machine, by the program
pimflow-onnxruntime (in ortcheck/): the median of --repeats runs, and in spread_us the difference of the quartiles.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			f.model = args[0]
			if f.limit < 1 && c.Flags().Changed("limit") {
				return fmt.Errorf("--limit %d: at least 1 wanted", f.limit)
			}
			if err := f.checkWith(c.Flags().Changed); err != nil {
				return err
			}
			return listKernels(c.Context(), f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fl := c.Flags()
	f.machineFlag(c, pimflow.DefaultMachine)
	f.policyFlag(c)
	f.batchFlag(c)
	profileFlag(c, &f.opts.Profile)
	fl.IntVar(&f.limit, "limit", 0, "list so many kernels (default all)")
	fl.BoolVar(&f.anyChannels, "any-channels", false, "one row a kernel for any number of memory channels, for a GPU whose memory cannot be divided; --with implies it")
	fl.StringVarP(&f.out, "out", "o", "", "write the list to this file (default the standard output)")
	fl.StringVar(&f.with, "with", "", "measure the kernels: onnxruntime")
	fl.StringVar(&f.runner, "runner", "pimflow-onnxruntime", "with --with: the program that measures, by name or file")
	fl.StringVar(&f.library, "library", "", "with --with: ONNX Runtime's shared library (default where ortcheck/fetch.sh puts it)")
	fl.StringVar(&f.device, "device", "auto", "with --with: cpu, cuda, or auto: cuda where there is one")
	fl.IntVar(&f.repeats, "repeats", 30, "with --with: measured runs of each kernel, after 5 others")
	return c
}

// listKernels lists the kernels of one model.
func listKernels(ctx context.Context, f *surveyFlags, stdout, stderr io.Writer) error {
	bar := newBar(stderr)
	defer bar.stop()
	opened, p, err := f.walk(ctx, bar)
	if err != nil {
		return err
	}
	defer opened.Close()
	g, m, target, measured := opened.Internal()
	rows, left, err := survey.List(g, m, target, p.Internal(), f.anyChannels || f.with != "")
	if err != nil {
		return err
	}
	if f.limit > 0 {
		rows = rows[:min(f.limit, len(rows))]
	}
	if f.with != "" {
		if err := f.measure(ctx, rows, bar.phase("measure")); err != nil {
			return err
		}
	}
	bar.stop()
	if left > 0 {
		fmt.Fprintf(stderr, "pimflow: %d parts of layers are left out, for which there is no layer that would be them alone\n", left)
	}
	list := &profile.Profile{}
	if measured != nil {
		for _, r := range measured.Rows {
			if r.Time > 0 {
				list.Rows = append(list.Rows, r)
			}
		}
	}
	list.Rows = append(list.Rows, rows...)
	if f.out != "" {
		return writeFile(f.out, list.Print)
	}
	return list.Print(stdout)
}
