package main

import (
	"pimflow"

	"github.com/spf13/cobra"

	"pimflow/internal/hw"
	"pimflow/internal/report"
)

func machineCommand() *cobra.Command {
	var f machineFlags
	l := &listing{width: 10}
	c := &cobra.Command{
		Use:   "machine [NAME|FILE]",
		Short: "List the machines, or check one and print it with the source of each number",
		Long: `List the machines, or check one and print it with the source of each number. What it prints is a machine file, with
what is not modelled and, under "derived", rates, peaks, sizes and the numbers that follow from others, which are not read.

A file may name a "base" and have only what differs from it, each number with a source ("mine" is one):
{"base": "aim", "name": "mine", "memory": {"pim_channels": {"value": 8, "source": "mine"}}}.
In place of "value" a number may have a "formula" of keys and numbers with + - * / between them, as
"1000 / memory.channel_gb_per_s / memory.gpu_channels", and a number of cycles its duration in "ns".`,
		Args: wantArgs(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := l.check(args); err != nil {
				return err
			}
			if len(args) == 0 {
				var list []report.Entry
				for _, name := range hw.Names() {
					m, err := hw.Load(name)
					if err != nil {
						return err
					}
					list = append(list, report.Entry{Name: name, About: m.About})
				}
				return l.list(c.OutOrStdout(), list)
			}
			m, err := pimflow.LoadMachine(args[0])
			if err == nil && f.gpu != "" {
				m, err = m.WithGPU(f.gpu)
			}
			if err == nil {
				m, err = m.Set(f.set...)
			}
			if err != nil {
				return err
			}
			return m.Print(c.OutOrStdout())
		},
	}
	l.flags(c)
	changeFlags(c, &f.gpu, &f.set)
	return c
}
