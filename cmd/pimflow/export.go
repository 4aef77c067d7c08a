package main

import (
	"fmt"
	"io"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/files"
)

func exportCommand() *cobra.Command {
	var r request
	var out string
	c := &cobra.Command{
		Use:   "export MODEL",
		Short: "Write a plan as an .onnx model, a node a tile",
		Long: `Write a plan as an .onnx model, a node a tile.

Slice and Concat around the nodes give each tile exactly what it needs, halos included, so that any runtime can execute
tiles side by side. The model computes what MODEL does. Metadata of a node name its layer, device, box, segment and order
in the plan; nodes without are slices and concatenations.`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			if out == "" {
				return fault.Usagef("-o FILE wanted: the .onnx file to write")
			}
			if err := r.settle(c); err != nil {
				return err
			}
			bar := newBar(c)
			defer bar.stop()
			s, p, err := r.walk(c.Context(), bar, func(s *pimflow.Session) error {
				return tryOutputs(inputs(c, s.Files()), files.Named{By: "-o", Name: out})
			})
			if err != nil {
				return err
			}
			defer s.Close()
			var whole []string
			err = files.Write(c.Context(), files.File{Name: out, Write: func(w io.Writer) (err error) {
				whole, err = s.Export(w, p)
				return err
			}})
			if err != nil {
				return err
			}
			bar.stop()
			if n := len(s.Sizes()); n > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "pimflow: warning: %d sizes depend on data: the written model has the largest, and pads what is less\n", n)
			}
			for _, name := range whole {
				fmt.Fprintf(c.ErrOrStderr(), "pimflow: warning: layer %s is written whole, though the plan cuts it: its operator cannot make a part by itself\n", fault.Name(name))
			}
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVarP(&out, "out", "o", "", "write the model to this file")
	r.plannedFlags(c, "write")
	return c
}
