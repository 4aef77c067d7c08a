package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/convolution"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/gpu"
	"pimflow/internal/hw"
	"pimflow/internal/profile"
	"pimflow/internal/report"
	"pimflow/internal/tensor"
)

// layerFlags are the flags of layer.
type layerFlags struct {
	machine           machineFlags
	in, kernel, pad   string
	conv              convolution.Layer
	channels, buffers int
	noHiding, json    bool
	csv               string
	all               bool
	traceDir, name    string
	profile           string
}

func layerCommand() *cobra.Command {
	f := &layerFlags{}
	c := &cobra.Command{
		Use:   "layer --in CxHxW --out-channels N | --csv FILE",
		Short: "Cost one convolution, or a table of them: the published generator's commands, ours, the GPU",
		Long: `Cost one convolution, or a table of them: the published generator's commands, ours, the GPU.

The published generator is PIMFlow's pim_codegen, with its lost and repeated products. It ignores groups and dilation: its
cost is that of the dense, undilated layer. It is for channels of 16 banks of 16 multipliers. The timing is the machine's;
on machines with writes of single columns or with precharges its commands are changed accordingly. Its time is that of its
first channel, the only one that the published system simulates. Our commands compute every product once; their time is that
of the slowest channel. The GPU has the other channels, and launches the machine's kernels for a convolution without bias.

With --csv the convolutions are the rows of a file with the columns
` + strings.Join(convolution.Columns(), ",") + `
in any order; further columns are left out; "-" is the standard input. The output is CSV with commands_total and cycles of
the published generator's first channel and, with --all, our_cycles, gpu_ns, speed_up (cycles / our_cycles), floor_ck and
floor_ratio (our_cycles / floor_ck). The floor is a lower bound with all channels busy: every product of an input that is no
padding, or every input and every result moved once. Our columns are empty if the weights do not fit the banks, gpu_ns if
no channel is left. latency_hiding 1 is the machine as it is, 0 is --no-hiding.`,
		Args: wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(c.Flags().Changed); err != nil {
				return err
			}
			m, err := f.machine.load()
			if err != nil {
				return err
			}
			if _, err := gpu.New(m, m.Memory.Channels); err != nil && len(f.machine.set) > 0 {
				return fault.As(fault.Usage, err)
			}
			b, err := f.bench(m)
			if err != nil {
				return err
			}
			if f.csv != "" {
				return b.Table(c.Context(), f.csv, f.all, c.InOrStdin(), lines(c.OutOrStdout()))
			}
			q, err := f.question(m, c.Flags().Changed)
			if err != nil {
				return err
			}
			return layerCost(c.Context(), m, b, q, f, c.OutOrStdout())
		},
	}
	fl := c.Flags()
	f.machine.add(c, PublishedMachine, "machine by name or .json file")
	profileFlag(c, &f.profile)
	fl.StringVar(&f.in, "in", "", "input as channels x height x width, as 32x112x112")
	fl.IntVar(&f.conv.OC, "out-channels", 0, "output channels")
	fl.StringVar(&f.kernel, "kernel", "1x1", "kernel as height x width")
	fl.StringVar(&f.pad, "pad", "0x0", "padding at the top and bottom x left and right")
	fl.IntVar(&f.conv.Stride, "stride", 1, "stride")
	fl.IntVar(&f.conv.Groups, "groups", 1, "groups of channels; the published generator ignores it")
	fl.IntVar(&f.conv.Dilation, "dilation", 1, "dilation; the published generator ignores it")
	fl.IntVar(&f.channels, "n-channel", 0, "PIM channels (default the machine's)")
	fl.IntVar(&f.buffers, "gw", 4, "the published generator's largest number of groups of channels with inputs of their own")
	fl.BoolVar(&f.noHiding, "no-hiding", false, noHidingHelp)
	fl.BoolVar(&f.json, "json", false, "print one JSON object")
	fl.StringVar(&f.csv, "csv", "", "cost the rows of this file")
	fl.BoolVar(&f.all, "all", false, "with --csv: our cycles and the GPU's time too")
	fl.StringVar(&f.traceDir, "artifact-trace", "", "write the published generator's trace of each channel to this folder, as NAME-16.pim")
	fl.StringVar(&f.name, "name", "", "NAME of the traces (default from the layer)")
	return c
}

// bench returns the bench of a machine, with the profile of the flags.
func (f *layerFlags) bench(m *hw.Machine) (*convolution.Bench, error) {
	if f.profile == "" {
		return convolution.NewBench(m, nil)
	}
	p, _, err := profile.Load(f.profile, m, nil)
	if err != nil {
		return nil, err
	}
	return convolution.NewBench(m, p)
}

// check reports flags that exclude each other.
func (f *layerFlags) check(changed func(string) bool) error {
	if f.csv == "" && f.in == "" {
		return fault.Usagef("--in CxHxW or --csv FILE wanted")
	}
	for _, row := range []struct {
		with   bool
		flag   string
		others []string
	}{
		{f.csv != "", "--csv", []string{"in", "out-channels", "kernel", "pad", "stride", "groups", "dilation", "n-channel", "gw", "no-hiding", "json", "artifact-trace", "name"}},
		{f.csv == "", "--in", []string{"all"}},
		{f.csv != "" && !f.all, "--csv without --all", []string{"gpu-profile"}},
		{f.traceDir == "", "no --artifact-trace", []string{"name"}},
	} {
		for _, o := range row.others {
			if row.with && changed(o) {
				return fault.Usagef("--%s does not go with %s", o, row.flag)
			}
		}
	}
	return nil
}

// question returns the layer and the channels of the flags.
func (f *layerFlags) question(m *hw.Machine, changed func(string) bool) (*convolution.Question, error) {
	q := &convolution.Question{Layer: f.conv, Channels: f.channels, Buffers: f.buffers, Hiding: !f.noHiding}
	for _, row := range []struct {
		flag, text, wanted string
		to                 []*int
	}{
		{"in", f.in, "channels x height x width, as 32x112x112", []*int{&q.IC, &q.H, &q.W}},
		{"kernel", f.kernel, "height x width, as 3x3", []*int{&q.KH, &q.KW}},
		{"pad", f.pad, "height x width, as 1x1", []*int{&q.PH, &q.PW}},
	} {
		s, err := tensor.ParseShape(row.text)
		if err != nil || len(s) != len(row.to) {
			return nil, fault.Usagef("--%s %s: %s wanted", row.flag, row.text, row.wanted)
		}
		for i, d := range s {
			*row.to[i] = d
		}
	}
	if !changed("out-channels") {
		return nil, fault.Usagef("--out-channels N wanted")
	}
	if !changed("n-channel") {
		q.Channels = m.Memory.PIMChannels
	}
	err := q.Check(m)
	var r *convolution.RangeError
	if errors.As(err, &r) {
		err = fmt.Errorf("--%s: %d: %s", cmp.Or(flagOf[r.Argument], r.Argument), r.Value, r.Wanted)
	}
	return q, fault.As(fault.Usage, err)
}

// flagOf is the flag that sets an argument of a layer, where they differ in their names.
var flagOf = map[string]string{
	"ic": "in", "h": "in", "w": "in", "kh": "kernel", "kw": "kernel", "ph": "pad", "pw": "pad", "oc": "out-channels", "n_channel": "n-channel",
}

// layerCost costs one layer.
func layerCost(ctx context.Context, m *hw.Machine, b *convolution.Bench, q *convolution.Question, f *layerFlags, stdout io.Writer) error {
	cost, err := b.Cost(q)
	if err != nil {
		return err
	}
	if f.traceDir != "" {
		if err := writeTraces(ctx, m, q, f.traceDir, f.name); err != nil {
			return err
		}
	}
	if f.json {
		return report.JSON(stdout, cost)
	}
	return report.Convolution(stdout, cost)
}

// writeTraces writes the published generator's trace of each channel.
func writeTraces(ctx context.Context, m *hw.Machine, q *convolution.Question, dir, name string) error {
	if name == "" {
		name = q.String()
	}
	if name != fileName(name) {
		return fault.Usagef("--name %s: a file's name without a folder wanted", name)
	}
	code, err := q.Published()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	first := m.Memory.Channels - q.Channels // the last channels compute (pim/main.cc)
	for c := range q.Channels {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := filepath.Join(dir, fmt.Sprintf("%s-%d.pim", name, first+c))
		if err := files.Write(ctx, files.File{Name: file, Write: func(w io.Writer) error { return code.WriteTrace(w, c) }}); err != nil {
			return err
		}
	}
	return nil
}
