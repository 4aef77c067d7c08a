package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/calibrate"
	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/report"
)

func validateCommand() *cobra.Command {
	var data []string
	var machine, board string
	var f form
	c := &cobra.Command{
		Use:   "validate",
		Short: "Compare the GPU model's times of whole networks with measured ones",
		Long: `Compare the GPU model's times of whole networks with measured ones: modelled time of the GPU alone, measured time, error, and
whether the measurement is inside the modelled interval; then mean absolute error, bias and rank correlation, and whether these are as wanted.

Without --data it takes the tables of networks that come with the program. Each network is modelled on the GPU that it was measured on, with the start of a
kernel that the GPU's file has for the software that ran it; networks of GPUs without a file and networks that are not built in are listed. --gpu keeps the
networks of one GPU, which may be a file. --machine models all of them on the GPU of a machine, launched as the machine says, whose memory may be
another than the measured GPU's.

A table has the columns model, batch, ms, source, and may have gpu (T4 where it has not) and dtype (fp16).`,
		Args: wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if machine != "" && board != "" {
				return fault.Usagef("--machine %s --gpu %s: one of them wanted", machine, board)
			}
			if len(data) == 0 {
				data = []string{"t4_networks", "networks"}
			}
			measured, err := readTables(data, "--data")
			if err != nil {
				return err
			}
			if len(measured.Networks) == 0 {
				return fmt.Errorf("--data %s: no row of a network: the columns model,batch,ms,source wanted", strings.Join(data, ","))
			}
			var on *hw.Machine
			if machine != "" {
				if on, err = hw.Load(machine); err != nil {
					return err
				}
			}
			named := board
			if named == "" {
				named = hw.BoardNames()[0]
			}
			b, boards, err := loadBoards(named)
			if err != nil {
				return err
			}
			if board != "" {
				boards = slices.DeleteFunc(boards, func(x *hw.Board) bool { return x.Name == b.Name })
				boards = append(boards, b)
				measured.Networks = slices.DeleteFunc(measured.Networks, func(n calibrate.Network) bool { return !calibrate.Same(n.GPU, b.Name) })
				if len(measured.Networks) == 0 {
					return fault.Usagef("--gpu %s: no network of --data was measured on %s", board, b.Name)
				}
			}
			list, err := calibrate.Validate(c.Context(), measured, boards, on)
			if err != nil {
				return err
			}
			r := report.NewValidation(on, boards, list)
			return f.print(c.OutOrStdout(), r, r.Text)
		},
	}
	c.Flags().StringVar(&machine, "machine", "", "model every network on the GPU of this machine, by name or .json file")
	c.Flags().StringVar(&board, "gpu", "", "keep the networks of this GPU, by name or .json file")
	c.Flags().StringSliceVar(&data, "data", nil, "tables of measured networks, .csv files or names (default: those that come with the program)")
	f.flags(c, "network")
	return c
}
