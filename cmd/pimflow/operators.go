package main

import (
	"github.com/spf13/cobra"

	"pimflow/internal/report"
)

func operatorsCommand() *cobra.Command {
	var f form
	c := &cobra.Command{
		Use:   "operators",
		Short: "List the ONNX operators that models may have, and what of them is refused",
		Long: `List the ONNX operators that models may have, and what of them is refused.

The device of an operator executes at least a part of what the operator becomes: "pim" is products of matrices, "view" is
no work, "-" is gone when the model is read. An operator is cut into tiles (yes), executed whole, or becomes operators of
either kind (partly). An empty "becomes" is the operator itself.`,
		Args: wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := report.NewOperators()
			if err != nil {
				return err
			}
			return f.print(c.OutOrStdout(), list, list.Text)
		},
	}
	f.flags(c, "operator")
	return c
}
