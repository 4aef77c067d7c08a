package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/nearest"
	"pimflow/internal/published"
	"pimflow/internal/report"
)

// reproduction holds the inputs and the flags of a view of reproduce.
type reproduction struct {
	ctx     context.Context
	graphs  []*graph.Graph
	machine *hw.Machine
	change  func(*published.Accounting)
	bar     *bar
	kernels []*hw.Machine // of the view kernels
}

// printed is the result of a view.
type printed interface {
	Text(io.Writer) error
	JSON(io.Writer) error
	CSV(io.Writer) error
}

// reproduceView is a row of the table of views.
type reproduceView struct {
	name, about string
	show        func(*reproduction) (printed, error)
}

// reproduceViews lists the views. The first is the default without a model, the second with
// models.
var reproduceViews = append([]reproduceView{
	{"paper", "each policy beside the published values, with verdict and reason (default without MODEL)", (*reproduction).paper},
	{"readings", "each policy under seven readings of the published GPU, and the bridge from there to this project's accounting (default with MODEL)", (*reproduction).readings},
	{"ratios", "histogram of the GPU's share of each convolution's rows", (*reproduction).ratios},
	{"mechanisms", "layers and gain of placing, splitting and pipelining", (*reproduction).mechanisms},
	{kernelsView, "published speed-ups of kernels on other devices beside ours, each on its machine or on --machine; no MODEL", (*reproduction).claims},
}, sweepViews()...)

// kernelsView is the view of no network.
const kernelsView = "kernels"

func sweepViews() (list []reproduceView) {
	for i := range published.Sweeps {
		s := &published.Sweeps[i]
		list = append(list, reproduceView{s.Name, "speed-up by " + s.About, func(r *reproduction) (printed, error) {
			points, err := s.Run(r.ctx, r.graphs, r.machine, r.change, r.bar.phase(s.Name))
			return report.NewSweep(r.machine.Name, s, points), err
		}})
	}
	return list
}

func reproduceCommand() *cobra.Command {
	var r request
	var seInputs bool
	var f form
	var view string
	about := &strings.Builder{}
	for _, v := range reproduceViews {
		fmt.Fprintf(about, "  %-12s%s\n", v.name, v.about)
	}
	c := &cobra.Command{
		Use:   "reproduce [MODEL…]",
		Short: "Sum up models in the published accounting beside the published values, and bridge from there to this project's",
		Long: `Sum up models in the accounting of the published system (PIMFlow, CGO 2023) beside the values that were published, and
bridge from there to this project's accounting, one repair a step. Without MODEL: the five networks of the published
evaluation. Views:

` + about.String() + `
--csv prints a row for each value: network, policy, measure and the value under the head of the column. --json prints one
object; both have unrounded values, ratios as numbers, differences relative to the published value.`,
		RunE: func(c *cobra.Command, args []string) error {
			v, err := viewNamed(view, len(args))
			if err != nil {
				return err
			}
			bar := newBar(c)
			defer bar.stop()
			what := &reproduction{ctx: c.Context(), bar: bar}
			switch {
			case v.name == kernelsView:
				if len(args) > 0 || seInputs {
					return fault.Usagef("--view %s is of no network: leave out MODEL and --se-inputs", kernelsView)
				}
				if what.kernels, err = kernelMachines(c, &r); err != nil {
					return err
				}
			case len(args) == 0:
				args = published.Networks
			}
			if seInputs {
				what.change = func(a *published.Accounting) { a.System.Columns1 = false }
			}
			for _, model := range args { // errors of reading come before any search
				r.model = model
				opened, err := r.open(c.Context(), bar)
				if err != nil {
					return err
				}
				defer opened.Close()
				g, m, _, _ := opened.Internal()
				if s := m.PIM.Standard; s != "artifact" {
					return fault.Usagef("machine %s: pim.standard is %s: artifact wanted, whose rules the bridge changes", m.Name, s)
				}
				what.graphs, what.machine = append(what.graphs, g), m
			}
			out, err := v.show(what)
			if err != nil {
				return err
			}
			bar.stop()
			switch w := c.OutOrStdout(); {
			case f.json:
				return out.JSON(w)
			case f.csv:
				return out.CSV(w)
			default:
				return out.Text(w)
			}
		},
	}
	r.machineFlag(c, PublishedMachine)
	fl := c.Flags()
	fl.StringVar(&view, "view", "", "what to print: "+strings.Join(viewNames(), ", "))
	fl.BoolVar(&seInputs, "se-inputs", false, "give squeeze-excite layers on the PIM all their inputs; the artifact's back end gives them one by mistake")
	f.flags(c, "value")
	return c
}

func viewNames() (names []string) {
	for _, v := range reproduceViews {
		names = append(names, v.name)
	}
	return names
}

// viewNamed returns the view called name; "" is the default for so many models.
func viewNamed(name string, models int) (*reproduceView, error) {
	if name == "" {
		return &reproduceViews[min(models, 1)], nil
	}
	for i := range reproduceViews {
		if reproduceViews[i].name == name {
			return &reproduceViews[i], nil
		}
	}
	return nil, fault.Usagef("--view %s is not known: one of %s wanted%s", name, strings.Join(viewNames(), ", "), nearest.Hint(name, viewNames()))
}

func (r *reproduction) paper() (printed, error) {
	list, err := published.Paper(r.ctx, r.graphs, r.machine, r.change, r.bar.phase("paper"))
	return report.NewPaper(r.machine.Name, list), err
}

func (r *reproduction) readings() (printed, error) {
	out := &report.Reproduction{Schema: report.ReproduceSchema, Machine: r.machine.Name, Clock: r.machine.GPU.Clock.Picoseconds()}
	r.bar.expect(each(2 * len(r.graphs))...)
	for _, g := range r.graphs {
		variants, err := published.Compare(r.ctx, g, r.machine, r.change, r.bar.phase(g.Name+" variants"))
		if err != nil {
			return nil, err
		}
		bridge, err := published.Bridge(r.ctx, g, r.machine, r.change, r.bar.phase(g.Name+" bridge"))
		if err != nil {
			return nil, err
		}
		out.Add(g.Name, variants, bridge)
	}
	return out, nil
}

func (r *reproduction) ratios() (printed, error) {
	list, err := published.Ratios(r.ctx, r.graphs, r.machine, r.change, r.bar.phase("ratios"))
	return report.NewRatios(r.machine.Name, list), err
}

// kernelMachines are the machines of the view kernels: that of --machine, or all that something was published about.
func kernelMachines(c *cobra.Command, r *request) (list []*hw.Machine, err error) {
	var names []string
	for i := range published.KernelClaims {
		if name := published.KernelClaims[i].Machine; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	given := c.Flags().Changed("machine")
	if !given && (r.opts.GPU != "" || len(r.opts.Set) > 0) {
		return nil, fault.Usagef("--view %s is of several machines: --gpu and --set want a --machine", kernelsView)
	}
	all := names
	if given {
		names = []string{r.opts.Machine}
	}
	for _, name := range names {
		m, err := (&machineFlags{name: name, gpu: r.opts.GPU, set: r.opts.Set}).load()
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	if given && !published.Claimed(list[0]) {
		return nil, fault.Usagef("machine %s: no kernel of DRAM standard %s was published: the standard of one of %s wanted", list[0].Name, list[0].PIM.Standard, strings.Join(all, ", "))
	}
	return list, nil
}

func (r *reproduction) claims() (printed, error) {
	out := &report.Kernels{}
	for _, m := range r.kernels {
		list, err := published.CompareKernels(r.ctx, m)
		if err != nil {
			return nil, err
		}
		out.Add(m.Name, list)
	}
	return out, nil
}

func (r *reproduction) mechanisms() (printed, error) {
	list, err := published.Shares(r.ctx, r.graphs, r.machine, r.change, r.bar.phase("mechanisms"))
	return report.NewMechanisms(r.machine.Name, r.machine.GPU.Clock.Picoseconds(), list), err
}
