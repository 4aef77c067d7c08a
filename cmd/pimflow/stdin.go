package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pimflow/internal/fault"
	"pimflow/internal/files"
)

// streaming are the commands whose arguments, or the flag of that name, are read from the standard input as it comes, in constant memory.
var streaming = map[string]string{"sim": "csv", "audit": "", "layer": "csv"}

// argumentFiles are the commands of which the first arguments, so many, may name files to read; -1: all.
var argumentFiles = map[string]int{
	"run": 1, "compare": -1, "explain": 1, "report": 1, "diff": -1, "map": 1, "code": 1, "emit": 1, "graph": 1, "export": 1, "sweep": 1, "pareto": -1,
	"plot": -1, "sensitivity": 1, "launches": -1, "machine": 1, "gpu": 1, "profile": 1, "reproduce": -1, "sim": -1, "audit": -1,
}

// plainText is the ending of a standard input that does not say what it is, by the command or the flag that reads it; of commands that are
// not here .onnx.
var plainText = map[string]string{
	"sweep": ".yaml", "report": ".json", "diff": ".json", "machine": ".json", "gpu": ".json", "pareto": ".csv", "plot": ".csv", "--labels": ".txt", "--machine": ".json",
	"--gpu": ".json", "--plan": ".plan", "--gpu-profile": ".csv", "--data": ".csv", "--eval": ".csv", "--csv": ".csv", "--input": ".npy", "--model": ".onnx",
}

// keepInput puts the standard input in the place of "-" among the files that a command line names. It may be there once.
func keepInput(c *cobra.Command, args []string) error {
	var places []string
	native := false
	other := ".onnx"
	var put func(name string) error
	found := func(place, kind string, own bool, do func(name string) error) {
		places, native, put = append(places, place), own, do
		if e := plainText[kind]; e != "" {
			other = e
		}
	}
	flag, streams := streaming[c.Name()]
	n, ok := argumentFiles[c.Name()]
	if n < 0 {
		n = len(args)
	}
	for i := range min(n, len(args)) {
		if ok && args[i] == files.Stdin {
			found("an argument", c.Name(), streams && c.Name() != "layer", func(name string) error { args[i] = name; return nil })
		}
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if textFlags[f.Name] != reads || f.Name == "runner" || f.Name == "library" || strings.HasPrefix(f.Name, "nats") { // programs and secrets
			return
		}
		list, many := f.Value.(pflag.SliceValue)
		values := []string{f.Value.String()}
		if many {
			values = list.GetSlice()
		}
		for i, v := range values {
			if v != files.Stdin && !(f.Name == "input" && strings.HasSuffix(v, "="+files.Stdin)) {
				continue
			}
			found("--"+f.Name, "--"+f.Name, streams && f.Name == flag, func(name string) error {
				values = slices.Clone(values)
				values[i] = strings.TrimSuffix(v, files.Stdin) + name
				if many {
					return list.Replace(values)
				}
				return f.Value.Set(values[0])
			})
		}
	})
	switch {
	case len(places) > 1:
		return fault.Usagef("%s: - is given as %s: the standard input can be one of them", c.Name(), strings.Join(places, " and as "))
	case len(places) == 0 || native:
		return nil
	}
	name, err := within(c.Context(), func() (string, error) { return files.Keep(c.InOrStdin(), other) })
	if err != nil {
		return err
	}
	return put(name)
}
