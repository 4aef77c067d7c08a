package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
)

// inputFlag adds --input.
func (r *request) inputFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&r.inputs, "input", nil, "[NAME=]FILE: a .npy tensor or a picture (.png, .jpg, .gif) for an input; default: seeded noise")
}

// values reads the inputs that the flags give, in the model's order.
func (r *request) values(s *pimflow.Session) ([]pimflow.Tensor, error) {
	files, names := map[string]string{}, s.Inputs()
	for _, in := range r.inputs {
		name, file, named := strings.Cut(in, "=")
		if !named || !slices.Contains(names, name) && fileExists(in) {
			if len(names) != 1 {
				return nil, fault.Usagef("--input %s: the model has the inputs %s: NAME=FILE wanted", in, fault.Names(names))
			}
			name, file = names[0], in
		}
		if !slices.Contains(names, name) {
			return nil, fault.Usagef("--input %s: the model's inputs are %s%s", in, fault.Names(names), nearest.Hint(name, names))
		}
		if file == "" {
			return nil, fault.Usagef("--input %s: a file wanted after the =", in)
		}
		if files[name] != "" {
			return nil, fault.Usagef("--input %s: input %.80q is given twice", in, name)
		}
		files[name] = file
	}
	var list []pimflow.Tensor
	for _, name := range names {
		if files[name] == "" {
			continue
		}
		x, err := s.Input(name, files[name])
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}
