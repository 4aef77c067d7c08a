package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/plan"
	"pimflow/internal/report"
	"pimflow/internal/zoo"
)

func diffCommand() *cobra.Command {
	var model, machine string
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Print what changes from one plan or run to another, layer by layer",
		Long: `Print what changes from one plan or run to another, layer by layer, in ns and pJ.

A and B are plans (.plan, as "pimflow run -o" writes) or runs (.json, as "pimflow run --json" prints).
A plan names its network; one of another model wants --model. Layers are matched by name.`,
		Args: wantArgs(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			var runs []*report.Run
			for _, file := range args {
				r, err := loadRun(c.Context(), file, model, machine)
				if err != nil {
					return err
				}
				runs = append(runs, r)
			}
			d, err := report.NewDiff(args[0], runs[0], args[1], runs[1])
			if err != nil {
				return err
			}
			if asJSON {
				return d.JSON(c.OutOrStdout())
			}
			return d.Text(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&model, "model", "", "the model of the plans, where it is no network of the zoo")
	c.Flags().StringVar(&machine, "machine", "", "machine of the plans, where it is a .json file")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// loadRun reads a run, or times a plan.
func loadRun(ctx context.Context, file, model, machine string) (*report.Run, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !strings.HasSuffix(file, ".plan") {
		return report.ReadRun(f, file)
	}
	pl, err := plan.Parse(io.Reader(f), file)
	if err != nil {
		return nil, err
	}
	if model == "" {
		if model = pl.Model; !slices.Contains(zoo.Names(), model) {
			return nil, fmt.Errorf("%s: a plan of model %q, which is no network of the zoo: its file wanted as --model", file, model)
		}
	}
	p, err := walk(ctx, request{model: model, machine: machine, plan: file})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return report.New(p.Graph, p.Machine, p.Result), nil
}
