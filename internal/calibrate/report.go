package calibrate

import (
	"context"
	"fmt"
	"slices"
)

// SetScore is the errors of the model and of the roofline on a set.
type SetScore struct {
	Set      string
	Fitted   bool // the parameters were fitted to these rows
	Left     int  // rows outside the model's scope
	Why      string
	Model    Score
	Roofline Score
	Folds    *Score // cross-validated; only for fitted rows
}

// Score scores the sets of measurements with the present numbers. fitted: they are the rows of
// Fit. A set of several batches is scored by batch too, 1 and larger; kernels with a tile in their
// name make a second set, in which the model chooses the tile.
func (c *Calibration) Score(ctx context.Context, m *Measured, fitted bool) ([]SetScore, error) {
	var list []SetScore
	for _, s := range makeSets(m, c.boards, c.Board.Architecture) {
		row := SetScore{Set: s.Name, Fitted: fitted && s.Fitted && s.N > 0, Left: s.Left, Why: s.Why}
		add := func(name string, kernels []kernel, chosen bool) {
			part := *s
			part.kernels = kernels
			list = append(list, c.scoreKernels(&part, SetScore{Set: s.Name + name, Fitted: row.Fitted}, chosen))
		}
		switch {
		case s.N == 0:
			list = append(list, row)
		case s.Op == "network":
			var err error
			if row.Model, row.Roofline, err = c.scoreNetworks(ctx, s); err != nil {
				return nil, err
			}
			list = append(list, row)
		default:
			known := slices.ContainsFunc(s.kernels, func(k kernel) bool { return k.known.M > 0 })
			if known {
				row.Set += ", tile known"
			}
			list = append(list, c.scoreKernels(s, row, false))
			one, larger, span := batches(s)
			if len(one) > 0 && len(larger) > 0 {
				add(", batch 1", one, false)
				add(", "+span, larger, false)
			}
			if len(s.others) > 0 {
				row.Fitted = false
				add(", other modes too", slices.Concat(s.kernels, s.others), false)
			}
			if known {
				add("", s.kernels, true)
			}
		}
	}
	return list, nil
}

// batches divides the convolutions of a set into those of one image and the others, whose batches
// span is.
func batches(s *Set) (one, larger []kernel, span string) {
	least, most := 0, 0
	for _, k := range s.kernels {
		switch n := k.row.N; {
		case k.row.elementwise() || n == 0: // a product
		case n == 1:
			one = append(one, k)
		default:
			larger = append(larger, k)
			if least == 0 || n < least {
				least = n
			}
			most = max(most, n)
		}
	}
	if span = fmt.Sprintf("batch %d to %d", least, most); least == most {
		span = fmt.Sprintf("batch %d", least)
	}
	return one, larger, span
}

// scoreKernels completes a row with the scores of kernels; chosen: with the model's own tiles. The
// cross-validated score is there if every kernel was left out of a fit.
func (c *Calibration) scoreKernels(s *Set, row SetScore, chosen bool) SetScore {
	out, measured := make([]float64, len(s.kernels)), make([]float64, len(s.kernels))
	for i, k := range s.kernels {
		measured[i] = k.row.US
	}
	c.predict(s, c.boards[s.gpu], chosen, out)
	row.Model = score(out, measured)
	c.rooflineOf(s).predict(s, c.boards[s.gpu], out)
	row.Roofline = score(out, measured)
	if !row.Fitted {
		return row
	}
	for i := range c.outside {
		o := &c.outside[i]
		if o.set != s.Name {
			continue
		}
		left := map[*Row]float64{}
		for j, r := range o.rows {
			left[r] = o.predicted[j]
			if chosen {
				left[r] = o.chosen[j]
			}
		}
		for j, k := range s.kernels {
			out[j] = left[k.row]
		}
		f := score(out, measured)
		row.Folds = &f
	}
	return row
}

func (c *Calibration) scoreNetworks(ctx context.Context, s *Set) (model, roof Score, err error) {
	b := c.boards[s.gpu]
	var out, rooflines, measured []float64
	roofs := c.rooflineOf(s)
	start, ok := roofs.start[s.Name]
	if !ok {
		start = startOf(b, s.Name)
	}
	for _, n := range s.nets {
		t, err := c.graphs.network(ctx, b, roofs, n)
		if err != nil {
			return model, roof, err
		}
		out = append(out, t.us+startOf(b, s.Name)*float64(t.kernels))
		rooflines = append(rooflines, t.roofline+start*float64(t.kernels))
		measured = append(measured, n.US)
	}
	return score(out, measured), score(rooflines, measured), nil
}
