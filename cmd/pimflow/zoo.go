package main

import (
	"io"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/onnx"
	"pimflow/internal/report"
	"pimflow/internal/zoo"
)

func zooCommand() *cobra.Command {
	var out string
	var batch int
	l := &listing{width: 16}
	c := &cobra.Command{
		Use:   "zoo [NAME]",
		Short: "List the built-in networks, or write one as .onnx",
		Args:  wantArgs(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := l.check(args); err != nil {
				return err
			}
			if len(args) == 0 {
				if out != "" {
					return fault.Usagef("-o %s: the name of a network wanted", out)
				}
				var list []report.Entry
				for _, e := range zoo.List() {
					list = append(list, report.Entry{Name: e.Name, About: e.About})
				}
				return l.list(c.OutOrStdout(), list)
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
	l.flags(c)
	c.Flags().IntVar(&batch, "batch", 1, "images at once")
	return c
}
