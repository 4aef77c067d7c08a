package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/calibrate"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/gpu"
	"pimflow/internal/hw"
	"pimflow/internal/report"
)

func calibrateCommand() *cobra.Command {
	var data, eval []string
	var board, out string
	var f form
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Fit the GPU model to measured kernels, and score it",
		Long: `Fit the GPU model to measured kernels of GPUs of the same architecture, and print its errors and those of a fitted
roofline. Without --data nothing is fitted: the numbers of the GPU's file are scored, and -o writes the file with the errors
found. The built-in tables are: ` + strings.Join(calibrate.Tables(), ", ") + `, all of them by "all".

A table of kernels has the columns dataset, gpu, dtype (fp16, int8), op (conv, dwconv, gemm), N, C, H, W, K, R, S, stride_h,
stride_w, pad_h, pad_w, groups of convolutions, gm, gn, gk of products, time_us and kernels (names). A table of networks of a T4 has
model, batch, ms, source.`,
		Args: wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			b, boards, err := loadBoards(board)
			if err != nil {
				return err
			}
			if err := tryOutputs(inputs(c, nil), files.Named{By: "-o", Name: out}); err != nil {
				return err
			}
			measured, err := readTables(data, "--data")
			if err != nil {
				return err
			}
			held, err := readTables(eval, "--eval")
			if err != nil {
				return err
			}
			if measured == nil && held == nil {
				return fault.Usagef("calibrate: --data or --eval wanted: .csv files, or all for the tables that come with the program")
			}
			cal := calibrate.New(b, boards)
			if measured != nil {
				if err := cal.Fit(c.Context(), measured); err != nil {
					return fmt.Errorf("--data: %w", err)
				}
			} else {
				cal.Bound(held)
			}
			r := report.NewCalibration(cal)
			for _, x := range []struct {
				m      *calibrate.Measured
				to     *[]report.SetScore
				fitted bool
			}{{measured, &r.Data, true}, {held, &r.Eval, false}} {
				if x.m != nil {
					scores, err := cal.Score(c.Context(), x.m, x.fitted)
					if err != nil {
						return err
					}
					*x.to = report.Scores(scores)
				}
			}
			var unwritten error
			if out != "" {
				unwritten = files.Write(c.Context(), files.File{Name: out, Write: cal.Board.Print})
			}
			if err = f.print(c.OutOrStdout(), r, r.Text); err == nil {
				err = flush(c.OutOrStdout())
			}
			return errors.Join(err, unwritten)
		},
	}
	c.Flags().StringSliceVar(&data, "data", nil, "tables of measurements to fit to, .csv files or names")
	c.Flags().StringSliceVar(&eval, "eval", nil, "tables of measurements to score that are not fitted")
	c.Flags().StringVar(&board, "gpu", "t4", "GPU to calibrate by name or .json file")
	c.Flags().StringVarP(&out, "out", "o", "", "write the GPU with the fitted numbers to this .json file")
	f.flags(c, "set of measurements")
	return c
}

// loadBoards loads and checks a GPU, and loads all built-in GPUs.
func loadBoards(nameOrPath string) (*hw.Board, []*hw.Board, error) {
	b, err := hw.LoadBoard(nameOrPath)
	if err != nil {
		return nil, nil, err
	}
	if err := checkBoard(nameOrPath, b); err != nil {
		return nil, nil, err
	}
	var boards []*hw.Board
	for _, name := range hw.BoardNames() {
		x, err := hw.LoadBoard(name)
		if err != nil {
			return nil, nil, err
		}
		boards = append(boards, x)
	}
	return b, boards, nil
}

// checkBoard returns the error of making the GPU's device.
func checkBoard(nameOrPath string, b *hw.Board) error {
	if _, err := gpu.New(b.Machine(2), b.Memory.Channels); err != nil {
		return fmt.Errorf("%s: %w", nameOrPath, err)
	}
	return nil
}

// maxTable bounds a table of measurements, in bytes. Estimated.
const maxTable = 1 << 30

// readTables reads tables of measurements, nil if none is named.
func readTables(names []string, flag string) (*calibrate.Measured, error) {
	if len(names) == 0 {
		return nil, nil
	}
	if len(names) == 1 && names[0] == "all" {
		names = calibrate.Tables()
	}
	m := &calibrate.Measured{}
	for _, name := range names {
		var in io.ReadCloser
		var err error
		if in, err = calibrate.OpenTable(name); in == nil && err == nil {
			in, err = files.OpenText(name, maxTable)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		err = m.Read(name, in)
		in.Close()
		if err != nil {
			return nil, err
		}
	}
	if len(m.Rows)+len(m.Networks) == 0 {
		return nil, fmt.Errorf("%s: %s: no rows", flag, strings.Join(names, ", "))
	}
	return m, nil
}
