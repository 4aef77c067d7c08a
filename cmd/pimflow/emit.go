package main

import (
	"io"
	"strings"

	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/emit"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/report"
	"pimflow/internal/tensor"
)

func emitCommand() *cobra.Command {
	var r request
	var out string
	var o emit.Options
	var f form
	c := &cobra.Command{
		Use:   "emit MODEL",
		Short: "Write the command streams of a plan as files for other programs",
		Long: `Write the command streams of a plan as files for other programs.

The folder gets a file for each step on the PIM and each channel that is not idle, the machine, the plan, and a
manifest that lists them; docs/streams.md has their forms. It is new, and written as a whole or not at all.

  pimflow  the loop nest; with --timed a line for each command, after its cycle
  aim      the host instructions of the published AiM simulator, on a machine whose pim.standard is aim or lpddr5-aim
  csv      a line for each command: channel, banks, row, column, and with --timed its cycle`,
		Args: wantArgs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			if out == "" {
				return fault.Usagef("-o DIR wanted: the new folder to write")
			}
			if len(r.inputs) > 0 && !o.Images {
				return fault.Usagef("--input %s: streams have no values without --images", r.inputs[0])
			}
			if err := r.settle(c); err != nil {
				return err
			}
			if err := files.TryNewFolder(out); err != nil {
				return err
			}
			bar := newBar(c, part{"search", 2}, part{"emit", 1})
			defer bar.stop()
			var given []pimflow.Tensor
			s, p, err := r.walk(c.Context(), bar, func(s *pimflow.Session) (err error) {
				if given, err = r.values(s); err != nil {
					return err
				}
				if list := s.Sizes(); o.Images && len(list) > 0 {
					return fault.Usagef("--images: the size of %.80q depends on data, as %d in all: streams are those of the largest, and have no values; --until ends the network before it",
						list[0].Layer, len(list))
				}
				_, m, _, _ := s.Internal()
				return o.Check(m)
			})
			if err != nil {
				return err
			}
			defer s.Close()
			g, m, _, _ := s.Internal()
			var values []*tensor.Tensor
			if o.Images {
				if values, err = s.InternalValues(given...); err != nil {
					return err
				}
			}
			src := emit.Source{Values: values, Model: g.Name, Machine: m, Timeline: p.Internal().Timeline, Print: func(w io.Writer) error { return p.Print(w) }}
			man, err := emit.Folder(c.Context(), out, src, o, bar.phase("emit"))
			if err != nil {
				return err
			}
			bar.stop()
			return f.print(c.OutOrStdout(), man, func(w io.Writer) error { return report.Emitted(w, man) })
		},
	}
	fl := c.Flags()
	fl.StringVarP(&out, "out", "o", "", "write this folder, which must not exist")
	fl.StringVar(&o.Format, "format", emit.Formats()[0], "one of "+strings.Join(emit.Formats(), ", "))
	fl.StringVar(&o.Layer, "layer", "", "only the parts of this layer")
	fl.BoolVar(&o.Timed, "timed", false, "add the cycle at which each command issues, and the commands of refreshes and changes of mode")
	fl.BoolVar(&o.Gzip, "gzip", false, "compress the streams")
	fl.BoolVar(&o.Images, "images", false, "add what the banks hold, what buffer writes carry and what result reads return, for the inputs of --input")
	r.inputFlag(c)
	f.flags(c, "step")
	r.plannedFlags(c, "write")
	return c
}
