package main

import (
	"errors"
	"fmt"
	"io"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/plan"
	"pimflow/internal/tensor"
)

func codeCommand() *cobra.Command {
	var r request
	var box, dev string
	c := &cobra.Command{
		Use:   "code MODEL LAYER",
		Short: "Print the GPU kernels and the PIM command streams of a layer, or of a box of it",
		Args:  wantArgs(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			s, err := r.open(c.Context(), &bar{})
			if err != nil {
				return err
			}
			defer s.Close()
			g, m, target, _ := s.Internal()
			ds, err := target.Devices(m.Memory.PIMChannels, plan.Extended)
			if err != nil {
				return err
			}
			var names []string
			for i := range g.Nodes {
				nd := &g.Nodes[i]
				if nd.Op == nil {
					continue
				}
				if names = append(names, nd.Name); nd.Name != args[1] {
					continue
				}
				cut := g.Whole(nd.ID)
				if box != "" {
					if cut.Box, err = tensor.ParseBox(box); err != nil {
						return fault.Usagef("--box: %w", err)
					}
					if !cut.Box.In(nd.Shape) || cut.Box.Empty() {
						return fault.Usagef("--box %v: a part of %v wanted", cut.Box, tensor.Full(nd.Shape))
					}
				}
				return printCode(c.OutOrStdout(), g, cut, ds, dev)
			}
			return fault.Usagef("layer %.80q is not in %s%s", args[1], args[0], nearest.Hint(args[1], names))
		},
	}
	r.machineFlag(c, pimflow.DefaultMachine)
	c.Flags().StringVar(&box, "box", "", "the part of the layer's value, as [0:1 0:32 0:56 0:112] (default: all)")
	c.Flags().StringVar(&dev, "device", "", "gpu or pim (default: both)")
	profileFlag(c, &r.opts.Profile)
	r.modelFlags(c)
	return c
}

// printCode prints the cost and the code of a cut on each device, or on device dev alone.
func printCode(w io.Writer, g *graph.Graph, cut graph.Cut, ds []device.Device, dev string) error {
	var names []string
	found := false
	for _, d := range ds {
		if names = append(names, d.Name()); dev != "" && dev != d.Name() {
			continue
		}
		found = true
		code, err := d.Compile(g, cut)
		if err != nil {
			err = fmt.Errorf("%s: %w", d.Name(), err)
		}
		if errors.Is(err, device.ErrUnsupported) && dev == "" {
			fmt.Fprintln(w, err)
			continue
		}
		if errors.Is(err, device.ErrUnsupported) {
			return fault.As(fault.Infeasible, err)
		}
		if err != nil {
			return err
		}
		cost := code.Cost()
		fmt.Fprintf(w, "%s: %v, %d ck, %d bytes, bound by %s\n", d.Name(), cost.Time, cost.Ticks, cost.Bytes, cost.Bound)
		for _, n := range cost.Commands {
			if n.N > 0 {
				fmt.Fprintf(w, "  %d %s\n", n.N, n.Kind)
			}
		}
		if err := code.Print(w); err != nil {
			return err
		}
	}
	if !found {
		return fault.Usagef("device %.80q: one of %s wanted%s", dev, fault.Names(names), nearest.Hint(dev, names))
	}
	return nil
}
