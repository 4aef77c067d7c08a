package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pimflow"
	"pimflow/internal/calibrate"
	"pimflow/internal/emit"
	"pimflow/internal/figure"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/search"
	"pimflow/internal/zoo"
)

// suggest returns the words that may follow args where a flag or an argument is completed, each with what it is after a tab.
type suggest func(c *cobra.Command, args []string) []string

// words are always the same words.
func words(list ...string) suggest { return func(*cobra.Command, []string) []string { return list } }

func networks(*cobra.Command, []string) (list []string) {
	for _, e := range zoo.List() {
		list = append(list, e.Name+"\t"+e.About)
	}
	return list
}

func machines(*cobra.Command, []string) (list []string) {
	for _, name := range hw.Names() {
		if m, err := hw.Load(name); err == nil {
			list = append(list, name+"\t"+m.About)
		}
	}
	return list
}

func boards(*cobra.Command, []string) (list []string) {
	for _, name := range hw.BoardNames() {
		if b, err := hw.LoadBoard(name); err == nil {
			list = append(list, name+"\t"+b.About)
		}
	}
	return list
}

func policies(*cobra.Command, []string) (list []string) {
	for _, p := range search.Policies() {
		list = append(list, p.Name+"\t"+p.About)
	}
	return list
}

// opening bounds the time to read a model whose layers are completed. Estimated: nobody waits longer for a key.
const opening = 2 * time.Second

// layers are the layers of the model that the first argument names.
func layers(c *cobra.Command, args []string) (list []string) {
	if len(args) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), opening)
	defer cancel()
	s, err := pimflow.Open(ctx, args[0], pimflow.Options{})
	if err != nil {
		return nil
	}
	defer s.Close()
	g, _, _, _ := s.Internal()
	for i := range g.Nodes {
		if nd := &g.Nodes[i]; nd.Op != nil {
			list = append(list, nd.Name+"\t"+about(nd))
		}
	}
	return list
}

func about(nd *graph.Node) string { return nd.Operators() + " " + nd.Shape.String() }

// pins are layers, each on either device.
func pins(c *cobra.Command, args []string) (list []string) {
	for _, l := range layers(c, args) {
		name, what, _ := strings.Cut(l, "\t")
		list = append(list, name+"=pim\t"+what, name+"=gpu\t"+what)
	}
	return list
}

// constants are the numbers of the machine that --machine names.
func constants(c *cobra.Command, args []string) (list []string) {
	name := pimflow.DefaultMachine
	if f := c.Flags().Lookup("machine"); f != nil && f.Value.String() != "" {
		name = f.Value.String()
	}
	m, err := hw.Load(name)
	if err != nil {
		return nil
	}
	for _, x := range m.Constants() {
		list = append(list, x.Path)
	}
	return list
}

// flagWords completes the values of flags, whichever command has them. Flags whose values are not listed complete files.
var flagWords = map[string]suggest{
	"machine": machines, "gpu": boards, "policy": policies, "model": networks, "pin": pins, "layer": layers, "only": constants,
	"objective": words("latency", "energy", "edp"), "effort": words("low", "normal", "high"),
	"pim-channels": words(autoChannels), "with": words("torch", "onnxruntime"), "launch": words("graph", "stream"),
	"figure": words(figure.Names()...), "data": words(calibrate.Tables()...), "emit": words("slurm", "kubernetes"),
	"format": words(emit.Formats()...), "search": words("full", "anchors", "all"),
	"set": func(c *cobra.Command, args []string) (list []string) {
		for _, path := range constants(c, args) {
			list = append(list, path+"=")
		}
		return list
	},
	"device": func(c *cobra.Command, _ []string) []string {
		if c.Name() == "profile" {
			return []string{"auto", "cpu", "cuda"}
		}
		return []string{"gpu", "pim"}
	},
}

// argWords completes arguments: the last entry goes for all further ones.
var argWords = map[string][]suggest{
	"run": {networks, nil}, "compare": {networks}, "explain": {networks, layers, nil}, "map": {networks, nil}, "code": {networks, layers, nil},
	"graph": {networks, nil}, "export": {networks, nil}, "emit": {networks, nil}, "sensitivity": {networks, nil}, "launches": {networks}, "reproduce": {networks},
	"profile": {networks, nil}, "zoo": {networks, nil}, "machine": {machines, nil}, "gpu": {boards, nil},
	"policy": {nil}, "operators": {nil}, "version": {nil}, "calibrate": {nil}, "validate": {nil}, "layer": {nil}, "worker": {nil},
}

// complete adds completions to a command. Where its arguments are not listed they are files.
func complete(c *cobra.Command) {
	if list := argWords[c.Name()]; list != nil {
		c.ValidArgsFunction = func(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			s := list[min(len(args), len(list)-1)]
			if s == nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return starting(s(c, args), prefix)
		}
	}
	for name, s := range flagWords {
		f := c.Flags().Lookup(name)
		if f == nil {
			continue
		}
		list := strings.HasSuffix(f.Value.Type(), "Slice") || c.Name() == "sweep" // commas between values
		c.RegisterFlagCompletionFunc(name, func(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			at := ""
			if list {
				at = prefix[:strings.LastIndex(prefix, ",")+1]
			}
			all := s(c, args)
			if at != "" {
				all = slices.Clone(all)
				for i := range all {
					all[i] = at + all[i]
				}
			}
			return starting(all, prefix)
		}) // its error is a flag that is not there, or a second function
	}
}

// starting keeps the words that begin with a prefix. A word that ends in = is followed by more.
func starting(list []string, prefix string) (kept []string, how cobra.ShellCompDirective) {
	for _, w := range list {
		if strings.HasPrefix(w, prefix) {
			kept = append(kept, w)
		}
		if strings.HasSuffix(w, "=") {
			how |= cobra.ShellCompDirectiveNoSpace
		}
	}
	return kept, how
}
