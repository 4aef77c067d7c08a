package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
)

// wanted says what the value of a flag has to be, by the name of the flag's type.
var wanted = map[string]string{
	"bool": "true or false", "int": "a whole number", "intSlice": "whole numbers with commas between them", "float64": "a number",
	"duration": "a time with its unit, as 90s or 5m,", "stringSlice": "names with commas between them",
}

// ofFlag names --set in the error of a machine that it changed.
func ofFlag(c *cobra.Command, err error) error {
	f := c.Flags().Lookup("set")
	if err == nil || f == nil || !f.Changed || fault.Of(err) != fault.Usage {
		return err
	}
	if text := err.Error(); strings.HasPrefix(text, "machine ") || strings.Contains(text, "machine \"") && !strings.HasPrefix(text, "--") && !strings.Contains(text, "--machine") {
		return fmt.Errorf("--set: %w", err)
	}
	return err
}

// flagError says in words what is wrong with a flag: its name, its value and what was wanted.
func flagError(c *cobra.Command, err error) error {
	var (
		value   *pflag.InvalidValueError
		missing *pflag.ValueRequiredError
		unknown *pflag.NotExistError
	)
	switch {
	case errors.As(err, &value) && wanted[value.GetFlag().Value.Type()] != "":
		f, size := value.GetFlag(), ""
		if errors.Is(err, strconv.ErrRange) && f.Value.Type() != "float64" {
			size = " of at most 63 bits"
		}
		return fault.Usagef("--%s %.80q: %s%s wanted", f.Name, value.GetValue(), wanted[f.Value.Type()], size)
	case errors.As(err, &missing):
		return fault.Usagef("--%s has no value: %s", missing.GetFlag().Name, missing.GetFlag().Usage)
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Shorthand != "" {
				known = append(known, "-"+f.Shorthand)
			}
		})
		return fault.Usagef("%s: flag -%.20s is not known: one of %s, or a flag that begins with -- wanted", c.Name(), unknown.GetSpecifiedName(), strings.Join(known, ", "))
	case errors.As(err, &unknown):
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		return fault.Usagef("%s: flag --%.80s is not known%s", c.Name(), unknown.GetSpecifiedName(), strings.Replace(nearest.Hint(unknown.GetSpecifiedName(), known), `"`, `"--`, 1))
	}
	return fault.As(fault.Usage, err)
}
