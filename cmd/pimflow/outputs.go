package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pimflow/internal/calibrate"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/hw"
	"pimflow/internal/zoo"
)

// inputs lists the files that a command line may name to be read, and those that a model is read from.
func inputs(c *cobra.Command, model []string) (list []files.Named) {
	add := func(by, text string) {
		for _, name := range append([]string{text}, strings.FieldsFunc(text, func(r rune) bool { return r == '=' || r == '+' })...) {
			if slices.Contains(builtIn(), name) {
				continue
			}
			list = append(list, files.Named{By: by, Name: name})
			for _, base := range hw.Bases(name) {
				list = append(list, files.Named{By: by + " " + text + ", which is based on", Name: base})
			}
		}
	}
	for _, a := range c.Flags().Args() {
		add("the input", a)
	}
	for _, name := range model {
		list = append(list, files.Named{By: "the model's file", Name: name})
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if v, ok := f.Value.(pflag.SliceValue); ok {
			values = v.GetSlice()
		}
		for _, v := range values {
			if textFlags[f.Name] == reads {
				add("--"+f.Name, v)
			}
		}
	})
	return list
}

// tryOutputs refuses outputs that are inputs or each other, and those that cannot be written; names are "" for
// none. It is called when all inputs are known, and before work that takes long.
func tryOutputs(inputs []files.Named, outputs ...files.Named) error {
	var list []files.Named
	for _, o := range outputs {
		if o.Name != "" {
			list = append(list, o)
		}
	}
	if err := files.Distinct(inputs, list); err != nil {
		return fault.As(fault.Usage, err)
	}
	for _, o := range list {
		if err := files.Try(o.Name); err != nil {
			return err
		}
	}
	return nil
}

// builtIn lists the names that are no files.
func builtIn() []string {
	return slices.Concat(zoo.Names(), hw.Names(), hw.BoardNames(), calibrate.Tables())
}
