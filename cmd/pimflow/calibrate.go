package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pimflow/internal/calibrate"
	"pimflow/internal/gpu"
	"pimflow/internal/hw"
)

func calibrateCommand() *cobra.Command {
	var data, eval []string
	var board, out string
	var asJSON bool
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Fit the GPU model to measured kernels, and score it",
		Long: `Fit the GPU model to measured kernels of GPUs of the same architecture, and say how far it and a fitted roofline
are from them. Without --data nothing is fitted: the numbers of the GPU's file are scored, and -o writes it with the errors found. The tables that come with the
program are named by NAME: ` + strings.Join(calibrate.Tables(), ", ") + `, all of them by "all".

A table of kernels has the columns dataset, gpu, dtype (fp16, int8), op (conv, dwconv, gemm), N, C, H, W, K, R, S, stride_h,
stride_w, pad_h, pad_w, groups of convolutions, gm, gn, gk of products, time_us and kernels (names). A table of networks of a T4 has
model, batch, ms, source.`,
		Args: wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			b, boards, err := loadBoards(board)
			if err != nil {
				return err
			}
			cal := calibrate.New(b, boards)
			r := calibrationReport{Schema: "pimflow.calibrate/1", GPU: b.Name}
			measured, source, err := readTables(data, "--data")
			if err != nil {
				return err
			}
			held, heldSource, err := readTables(eval, "--eval")
			if err != nil {
				return err
			}
			switch {
			case measured != nil:
				if err := cal.Fit(measured, source); err != nil {
					return fmt.Errorf("--data: %w", err)
				}
				r.Parameters = parametersOf(cal.Parameters)
				if r.Data, err = setsOf(cal, measured, true); err != nil {
					return err
				}
			case held == nil:
				return fmt.Errorf("calibrate: --data or --eval wanted: .csv files, or all for the tables that come with the program")
			default:
				cal.Bound(held, heldSource)
			}
			if held != nil {
				if r.Eval, err = setsOf(cal, held, false); err != nil {
					return err
				}
			}
			if out != "" {
				cal.Board.Name = strings.TrimSuffix(filepath.Base(out), ".json")
				if err := writeFile(out, cal.Board.Print); err != nil {
					return err
				}
			}
			if asJSON {
				return r.json(c.OutOrStdout())
			}
			return r.text(c.OutOrStdout())
		},
	}
	c.Flags().StringSliceVar(&data, "data", nil, "tables of measurements to fit to, .csv files or names")
	c.Flags().StringSliceVar(&eval, "eval", nil, "tables of measurements to score that are not fitted")
	c.Flags().StringVar(&board, "gpu", "t4", "GPU to calibrate by name or .json file")
	c.Flags().StringVarP(&out, "out", "o", "", "write the GPU with the fitted numbers to this .json file")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// loadBoards loads a GPU and checks it, and all that come with the program.
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

// checkBoard says what is wrong with a GPU: it is right when its device can be made.
func checkBoard(nameOrPath string, b *hw.Board) error {
	if _, err := gpu.New(b.Machine(2), b.Memory.Channels); err != nil {
		return fmt.Errorf("%s: %w", nameOrPath, err)
	}
	return nil
}

// readTables reads tables of measurements, nil where none is named, and says what
// they are.
func readTables(names []string, flag string) (*calibrate.Measured, string, error) {
	if len(names) == 0 {
		return nil, "", nil
	}
	if len(names) == 1 && names[0] == "all" {
		names = calibrate.Tables()
	}
	m := &calibrate.Measured{}
	var files []string
	for _, name := range names {
		var in io.ReadCloser
		var err error
		if in, err = calibrate.OpenTable(name); in == nil && err == nil {
			in, err = os.Open(name)
		}
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", flag, err)
		}
		err = m.Read(name, in)
		in.Close()
		if err != nil {
			return nil, "", err
		}
		files = append(files, filepath.Base(name))
	}
	if len(m.Rows)+len(m.Networks) == 0 {
		return nil, "", fmt.Errorf("%s: %s: no rows", flag, strings.Join(names, ", "))
	}
	return m, strings.Join(files, ", "), nil
}

// calibrationReport is what calibrate prints.
type calibrationReport struct {
	Schema     string          `json:"schema"`
	GPU        string          `json:"gpu"`
	Parameters []parameterJSON `json:"parameters,omitempty"`
	Data       []setJSON       `json:"data,omitempty"`
	Eval       []setJSON       `json:"eval,omitempty"`
}

// parameterJSON is a fitted number. Standard deviations are relative; they are left
// out where there is none.
type parameterJSON struct {
	Path  string   `json:"parameter"`
	Board string   `json:"gpu,omitempty"`
	Value float64  `json:"value"`
	Sigma *float64 `json:"sigma,omitempty"`
	Folds *float64 `json:"folds,omitempty"`
	Note  string   `json:"note,omitempty"`
}

// setJSON is the score of a set. Errors are relative, not in percent.
type setJSON struct {
	Set          string   `json:"set"`
	N            int      `json:"n"`
	Fitted       bool     `json:"fitted"`
	MAPE         *float64 `json:"mape,omitempty"`
	Bias         *float64 `json:"bias,omitempty"`
	Spearman     *float64 `json:"spearman,omitempty"`
	RoofMAPE     *float64 `json:"roofline_mape,omitempty"`
	RoofSpearman *float64 `json:"roofline_spearman,omitempty"`
	FoldsMAPE    *float64 `json:"cross_validated_mape,omitempty"`
	FoldsRank    *float64 `json:"cross_validated_spearman,omitempty"`
	Left         int      `json:"left_out,omitempty"`
	Why          string   `json:"why,omitempty"`
}

func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func parametersOf(list []calibrate.Parameter) (out []parameterJSON) {
	for _, p := range list {
		out = append(out, parameterJSON{p.Path, p.Board, p.Value, finite(p.Sigma), finite(p.Folds), p.Note})
	}
	return out
}

func setsOf(c *calibrate.Calibration, m *calibrate.Measured, fitted bool) ([]setJSON, error) {
	scores, err := c.Score(m, fitted)
	if err != nil {
		return nil, err
	}
	var out []setJSON
	for _, s := range scores {
		x := setJSON{Set: s.Set, N: s.Model.N, Fitted: s.Fitted, Left: s.Left, Why: s.Why}
		if s.Model.N > 0 {
			x.MAPE, x.Bias, x.Spearman = &s.Model.MAPE, &s.Model.Bias, &s.Model.Spearman
			x.RoofMAPE, x.RoofSpearman = &s.Roofline.MAPE, &s.Roofline.Spearman
		}
		if s.Folds != nil {
			x.FoldsMAPE, x.FoldsRank = &s.Folds.MAPE, &s.Folds.Spearman
		}
		out = append(out, x)
	}
	return out, nil
}

func (r *calibrationReport) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *calibrationReport) text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	percent := func(x *float64, format string) string {
		if x == nil {
			return "-"
		}
		return fmt.Sprintf(format, 100**x)
	}
	rank := func(x *float64) string {
		if x == nil {
			return "-"
		}
		return fmt.Sprintf("%.3f", *x)
	}
	if r.Parameters != nil {
		fmt.Fprintf(t, "GPU %s: fitted numbers, with one standard deviation and the spread over %d folds\n", r.GPU, calibrate.Folds)
		for _, p := range r.Parameters {
			fmt.Fprintf(t, "%s\t%s\t%.5g\t%s\t%s\t  %s\n", p.Path, p.Board, p.Value, percent(p.Sigma, "%.1f %%"), percent(p.Folds, "%.1f %%"), p.Note)
		}
	}
	for _, block := range []struct {
		title string
		sets  []setJSON
	}{{"measurements given with --data", r.Data}, {"measurements given with --eval, not fitted", r.Eval}} {
		if block.sets == nil {
			continue
		}
		if r.Parameters != nil || block.title[len(block.title)-1] == 'd' && r.Data != nil {
			fmt.Fprintln(t)
		}
		fmt.Fprintf(t, "%s: errors in %%\n", block.title)
		fmt.Fprintf(t, "set\tn\tMAPE\tbias\trank\tcross-validated\trank\troofline\trank\t\n")
		for _, s := range block.sets {
			note := ""
			if s.N > 0 && r.Parameters != nil && block.title[len(block.title)-1] == 'a' && !s.Fitted {
				note = "not fitted"
			}
			if s.Left > 0 {
				note = strings.TrimPrefix(fmt.Sprintf("%s; %d left out: %s", note, s.Left, s.Why), "; ")
			}
			fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", s.Set, s.N, percent(s.MAPE, "%.1f"), percent(s.Bias, "%+.1f"), rank(s.Spearman),
				percent(s.FoldsMAPE, "%.1f"), rank(s.FoldsRank), percent(s.RoofMAPE, "%.1f"), rank(s.RoofSpearman), note)
		}
	}
	return t.Flush()
}
