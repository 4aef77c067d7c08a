package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"pimflow/internal/calibrate"
)

// CalibrationSchema names the form of Calibration's JSON.
const CalibrationSchema = "pimflow.calibrate/1"

// Calibration is a fit of the GPU model with its errors against measurements.
type Calibration struct {
	Schema     string      `json:"schema"`
	GPU        string      `json:"gpu"`
	Parameters []Parameter `json:"parameters,omitempty"`
	Data       []SetScore  `json:"data,omitempty"` // of the tables that were fitted to
	Eval       []SetScore  `json:"eval,omitempty"` // of tables that were not
}

// Parameter is a fitted number in the unit of its path. Deviations are relative to it; those that
// do not exist are left out.
type Parameter struct {
	Path  string   `json:"parameter"`
	Board string   `json:"gpu,omitempty"` // "" for a number of all GPUs of the architecture
	Value float64  `json:"value"`
	Sigma *float64 `json:"sigma,omitempty"` // one standard deviation, from the Jacobian
	Folds *float64 `json:"folds,omitempty"` // spread of the fits without a fold each
	Note  string   `json:"note,omitempty"`
}

// SetScore holds the errors of a set, as shares, not per cent. Spearman is a rank correlation. The
// scores of an empty set are null, and rank correlations of less than three rows; cross-validated scores exist for fitted rows only.
type SetScore struct {
	Set          string   `json:"set"`
	N            int      `json:"n"`
	Fitted       bool     `json:"fitted"`
	MAPE         *float64 `json:"mape"`
	Bias         *float64 `json:"bias"`
	Spearman     *float64 `json:"spearman"`
	FoldsMAPE    *float64 `json:"cross_validated_mape,omitempty"`
	FoldsRank    *float64 `json:"cross_validated_spearman,omitempty"`
	RooflineMAPE *float64 `json:"roofline_mape"`
	RooflineRank *float64 `json:"roofline_spearman"`
	Left         int      `json:"left_out,omitempty"`
	Why          string   `json:"why,omitempty"`
}

// NewCalibration returns the fitted numbers of a calibration.
func NewCalibration(c *calibrate.Calibration) *Calibration {
	r := &Calibration{Schema: CalibrationSchema, GPU: c.Board.Name}
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	for _, p := range c.Parameters {
		r.Parameters = append(r.Parameters, Parameter{p.Path, p.Board, p.Value, finite(p.Sigma), finite(p.Folds), p.Note})
	}
	return r
}

// Scores returns a row of the report for each score.
func Scores(scores []calibrate.SetScore) []SetScore {
	rows := []SetScore{}
	for _, s := range scores {
		x := SetScore{Set: s.Set, N: s.Model.N, Fitted: s.Fitted, Left: s.Left, Why: s.Why}
		if s.Model.N > 0 {
			x.MAPE, x.Bias, x.Spearman = &s.Model.MAPE, &s.Model.Bias, rank(&s.Model)
			x.RooflineMAPE, x.RooflineRank = &s.Roofline.MAPE, rank(&s.Roofline)
		}
		if s.Folds != nil {
			x.FoldsMAPE, x.FoldsRank = &s.Folds.MAPE, rank(s.Folds)
		}
		rows = append(rows, x)
	}
	return rows
}

// Text writes the fitted numbers and a table of sets for each kind of measurements.
func (r *Calibration) Text(w io.Writer) error {
	var b strings.Builder
	if r.Parameters != nil {
		fmt.Fprintf(&b, "GPU %s: fitted numbers, one standard deviation, and the spread over %d fits that leave out a fifth of the shapes each\n", r.GPU, calibrate.Folds)
		t := table{{}, {}, {right: true}, {right: true}, {right: true}, {}}
		t.row("number", "GPU", "value", "sigma", "spread", "")
		for _, p := range r.Parameters {
			t.row(p.Path, p.Board, fmt.Sprintf("%.4g", p.Value), percent(p.Sigma, "%.1f %%"), percent(p.Folds, "%.1f %%"), p.Note)
		}
		t.write(&b)
	}
	for _, block := range []struct {
		title string
		sets  []SetScore
	}{{"measurements of --data", r.Data}, {"measurements of --eval, not fitted", r.Eval}} {
		if block.sets == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: mean absolute error and bias in %%, rank correlation; cv: each shape left out of the fit, as in the roofline's\n", block.title)
		t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {}}
		roof := "roofline"
		if r.Data == nil { // no roofline was fitted
			roof = "data sheet's roofline"
		}
		t.row("set", "n", "error", "bias", "rank", "cv", "cv rank", roof, "its rank", "")
		for _, s := range block.sets {
			var notes []string
			if r.Data != nil && s.N > 0 && !s.Fitted && block.title == "measurements of --data" {
				notes = append(notes, "not fitted")
			}
			if s.Left > 0 {
				notes = append(notes, fmt.Sprintf("%d left out: %s", s.Left, s.Why))
			}
			t.row(s.Set, fmt.Sprint(s.N), percent(s.MAPE, "%.1f"), percent(s.Bias, "%+.1f"), number(s.Spearman), percent(s.FoldsMAPE, "%.1f"),
				number(s.FoldsRank), percent(s.RooflineMAPE, "%.1f"), number(s.RooflineRank), strings.Join(notes, "; "))
		}
		t.write(&b)
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// rank is the rank correlation of a score; nil of less than three measurements, whose order says nothing.
func rank(s *calibrate.Score) *float64 {
	if s.N < 3 {
		return nil
	}
	return &s.Spearman
}

func percent(x *float64, format string) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf(format, 100**x)
}

func number(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *x)
}
