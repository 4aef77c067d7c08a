package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pimflow/internal/explain"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/report"
	"pimflow/internal/search"
)

// shownOptions is how many alternatives of a layer are printed without --all.
const shownOptions = 6

func explainCommand() *cobra.Command {
	var r request
	var json, all bool
	c := &cobra.Command{
		Use:   "explain MODEL [NODE]",
		Short: "Say why each layer is where it is, or what else was tried for one",
		Long: `Say why each layer is where it is, or what else was tried for one.

One row a layer: what bounds it on each device, and the way to execute it on other
devices that is fastest alone. With NODE, the ways to execute this layer that the
search kept, what their times go to, and what the plan would take with each of them.`,
		Args: wantArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			r.model = args[0]
			if all && len(args) == 1 {
				return fmt.Errorf("--all is for the alternatives of one layer: name a layer of %s too", r.model)
			}
			p, err := walked(c, r)
			if err != nil {
				return err
			}
			defer p.Close()
			e, err := explain.New(p.Graph, p.Result, p.Target)
			if err != nil {
				return err
			}
			rep := report.NewExplain(p.Graph, p.Machine, p.Result, r.plan != "")
			if len(args) == 2 {
				l, err := layerNamed(p.Graph, p.Result.Layers, args[0], args[1])
				if err == nil {
					err = rep.SetLayer(p.Graph, e, l)
				}
				if err != nil {
					return err
				}
			} else {
				for i := range p.Result.Layers {
					if err := rep.Add(p.Graph, e, &p.Result.Layers[i]); err != nil {
						return err
					}
				}
			}
			if json {
				return rep.JSON(c.OutOrStdout())
			}
			most := shownOptions
			if all {
				most = 0
			}
			return rep.Text(c.OutOrStdout(), most)
		},
	}
	fl := c.Flags()
	fl.StringVar(&r.machine, "machine", "", "machine by name or .json file (default "+DefaultMachine+", or the plan's)")
	fl.StringVar(&r.policy, "policy", search.Default, "policy, see pimflow policy")
	fl.StringVar(&r.plan, "plan", "", "explain the plan in this file instead of searching one")
	profileFlag(c, &r.profile)
	fl.IntVar(&r.batch, "batch", 0, "images at once, for models that leave it open (default 1)")
	fl.BoolVar(&all, "all", false, fmt.Sprintf("print every alternative of the layer, not only the %d fastest alone", shownOptions))
	fl.BoolVar(&json, "json", false, "print one JSON object, with every alternative")
	return c
}

// layerNamed finds a layer of a result.
func layerNamed(g *graph.Graph, layers []search.Layer, model, name string) (*search.Layer, error) {
	var names []string
	for i := range layers {
		n := g.Nodes[layers[i].Node].Name
		if n == name {
			return &layers[i], nil
		}
		names = append(names, n)
	}
	for i := range g.Nodes {
		switch nd := &g.Nodes[i]; {
		case nd.Name != name:
		case nd.Op != nil:
			return nil, fmt.Errorf("layer %q of %s makes no elements: it is in no plan", name, model)
		default:
			return nil, fmt.Errorf("%q of %s is no layer but a value that is there from the start: no device executes it", name, model)
		}
	}
	return nil, fmt.Errorf("layer %q is not in %s%s", name, model, nearest.Hint(name, names))
}
