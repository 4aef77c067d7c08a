package main

import (
	"fmt"
	"time"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/files"
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
	device, launch  string
	repeats         int
	wait            time.Duration // for an answer of the runner
	within          time.Duration // for all kernels
}

// spared is the part of the total time, in percent, that kernels which need not be measured decide together.
const spared = 5.0

func profileCommand() *cobra.Command {
	f := &surveyFlags{}
	c := &cobra.Command{
		Use:   "profile MODEL",
		Short: "List the GPU kernels to measure first for a plan, or measure them",
		Long: `List the GPU kernels to measure first for a plan, or measure them.

The list is CSV, one row a kernel, the largest effect first. Write the measured times into time_us, in
microseconds from the first launch to the last value, and the name of the GPU into measured_on. The option --gpu-profile
of run, compare, map, code and layer then uses these times instead of the model's.

effect_percent is the share of the total time that depends on the kernel's true time. With the bounds of its time it is
the sum of
  half of the difference between the plan's totals with the kernel at its upper and at its lower bound, over the total;
  the same for the GPU alone, with every memory channel;
  for each layer that could use the kernel instead: the plan's gain with the kernel at its lower bound, over the total.
Such layers are whole layers on the GPU and, if the PIM executes them too, the fastest split by rows and the first and the
last split that would gain. The plan's kernels and whole layers are listed whatever their effect. The bounds are the GPU's
errors, class by class: see pimflow gpu.

On standard error it says how many kernels, from the first on, decide the total to 5 %: the effects of the others add up to less.

With --gpu-profile the plan uses the measured times. The list then starts with the measured rows of that file and
continues with the other kernels, so that it grows with the plans.

--with measures the kernels one by one on this machine: the median of --repeats runs, and in spread_us the difference of
the quartiles. After --time-limit the kernels that are left keep an empty time_us; they are those with the least effect.
  torch        PyTorch (cuDNN): a program in this binary, which a Python with the modules torch and onnx executes.
               On a GPU kernels are launched as --launch says, and the lowest and highest clock are printed.
  onnxruntime  ONNX Runtime, by the program pimflow-onnxruntime (in ortcheck/).`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			f.model = args[0]
			if f.limit < 1 && c.Flags().Changed("limit") {
				return fault.Usagef("--limit %d: at least 1 wanted", f.limit)
			}
			if err := f.checkWith(c.Flags().Changed); err != nil {
				return err
			}
			return listKernels(c, f)
		},
	}
	fl := c.Flags()
	f.machineFlag(c, pimflow.DefaultMachine)
	f.policyFlag(c)
	f.modelFlags(c)
	profileFlag(c, &f.opts.Profile)
	fl.IntVar(&f.limit, "limit", 0, "number of kernels to list (default all)")
	fl.BoolVar(&f.anyChannels, "any-channels", false, "one row a kernel for every number of memory channels, for a GPU whose memory cannot be divided; --with implies it")
	fl.StringVarP(&f.out, "out", "o", "", "write the list to this file (default the standard output)")
	fl.StringVar(&f.with, "with", "", "measure the kernels: torch or onnxruntime")
	fl.StringVar(&f.runner, "runner", "", "with --with: the program that measures, by name or file; with torch a Python (default python3, or pimflow-onnxruntime)")
	fl.StringVar(&f.library, "library", "", "with --with onnxruntime: its shared library (default: the place where ortcheck/fetch.sh puts it)")
	fl.StringVar(&f.device, "device", "auto", "with --with: cpu, cuda, or auto: cuda if there is one")
	fl.StringVar(&f.launch, "launch", "", "with --with torch, on a GPU: graph, runs recorded in a CUDA graph, or stream, each launched by itself (default graph)")
	fl.DurationVar(&f.within, "time-limit", 8*time.Minute, "with --with: begin no kernel after so long")
	fl.DurationVar(&f.wait, "runner-timeout", 5*time.Minute, "with --with: the longest time to wait for one kernel")
	fl.IntVar(&f.repeats, "repeats", 30, "with --with: measured runs of each kernel, after 5 others")
	return c
}

// listKernels lists the kernels of one model.
func listKernels(c *cobra.Command, f *surveyFlags) error {
	ctx, stdout, stderr := c.Context(), c.OutOrStdout(), c.ErrOrStderr()
	parts := []part{{"search", 1}}
	if f.with != "" {
		parts = append(parts, part{"measure", 20}) // minutes
	}
	bar := newBar(c, parts...)
	defer bar.stop()
	opened, p, err := f.walk(ctx, bar, func(s *pimflow.Session) error {
		return tryOutputs(inputs(c, s.Files()), files.Named{By: "-o", Name: f.out})
	})
	if err != nil {
		return err
	}
	defer opened.Close()
	g, m, target, measured := opened.Internal()
	rows, left, err := survey.List(g, m, target, p.Internal(), f.anyChannels || f.with != "")
	if err != nil {
		return err
	}
	total := len(rows)
	enough := survey.Suffice(rows, spared)
	if f.limit > 0 {
		rows = rows[:min(f.limit, len(rows))]
	}
	if f.with != "" {
		if err := f.measure(ctx, rows, bar.phase("measure"), stderr); err != nil {
			return err
		}
	}
	bar.stop()
	if total > 0 && !quiet(c) {
		fmt.Fprintf(stderr, "pimflow: %d of %d kernels suffice, the first: the effects of all others add up to less than %v %%\n", enough, total, spared)
	}
	if left > 0 && !quiet(c) {
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
		return files.Write(ctx, files.File{Name: f.out, Write: list.Print})
	}
	return list.Print(stdout)
}
