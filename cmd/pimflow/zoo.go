package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/onnx"
	"pimflow/internal/zoo"
)

func zooCommand() *cobra.Command {
	var out string
	var batch int
	c := &cobra.Command{
		Use:   "zoo [NAME]",
		Short: "List the built-in networks, or write one as .onnx",
		Args:  wantArgs(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				if out != "" {
					return fault.Usagef("-o %s: the name of a network wanted", out)
				}
				for _, e := range zoo.List() {
					if _, err := fmt.Fprintf(c.OutOrStdout(), "%-16s %s\n", e.Name, e.About); err != nil {
						return err
					}
				}
				return nil
			}
			g, err := zoo.Build(args[0], batch)
			if err != nil {
				return err
			}
			if out == "" {
				return fault.Usagef("zoo %s: -o FILE.onnx wanted (pimflow graph %s prints it)", args[0], args[0])
			}
			return files.Write(c.Context(), files.File{Name: out, Write: func(w io.Writer) error { return onnx.Write(w, g) }})
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "write the network to this .onnx file")
	c.Flags().IntVar(&batch, "batch", 1, "images at once")
	return c
}
