package calibrate

import "slices"

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
// Fit. Kernels with a tile in their name make a second set, in which the model chooses the
// tile.
func (c *Calibration) Score(m *Measured, fitted bool) ([]SetScore, error) {
	var list []SetScore
	for _, s := range makeSets(m, c.boards, c.Board.Architecture) {
		row := SetScore{Set: s.Name, Fitted: fitted && s.Fitted && s.N > 0, Left: s.Left, Why: s.Why}
		switch {
		case s.N == 0:
		case s.Op == "network":
			var err error
			if row.Model, row.Roofline, err = c.scoreNetworks(s); err != nil {
				return nil, err
			}
		default:
			c.scoreKernels(s, &row, fitted)
			if len(s.others) > 0 {
				list = append(list, row)
				every := *s
				every.kernels = slices.Concat(s.kernels, s.others)
				row = SetScore{Set: s.Name + ", other modes too"}
				c.scoreKernels(&every, &row, false)
			}
			if slices.ContainsFunc(s.kernels, func(k kernel) bool { return k.known.M > 0 }) {
				row.Set += ", tile known"
				list = append(list, row)
				row.Set, row.Left, row.Why = s.Name, 0, ""
				c.scoreChosen(s, &row, fitted)
			}
		}
		list = append(list, row)
	}
	return list, nil
}

func (c *Calibration) scoreKernels(s *Set, row *SetScore, fitted bool) {
	out, measured := make([]float64, len(s.kernels)), make([]float64, len(s.kernels))
	for i, k := range s.kernels {
		measured[i] = k.row.US
	}
	c.predict(s, c.boards[s.gpu], false, out)
	row.Model = score(out, measured)
	c.rooflineOf(s).predict(s, c.boards[s.gpu], out)
	row.Roofline = score(out, measured)
	for _, o := range c.outside {
		if o.set == s.Name && fitted && s.Fitted {
			f := score(o.predicted, o.measured)
			row.Folds = &f
		}
	}
}

// scoreChosen is the model's score on kernels with the model's own tiles.
func (c *Calibration) scoreChosen(s *Set, row *SetScore, fitted bool) {
	out, measured := make([]float64, len(s.kernels)), make([]float64, len(s.kernels))
	for i, k := range s.kernels {
		measured[i] = k.row.US
	}
	c.predict(s, c.boards[s.gpu], true, out)
	row.Model = score(out, measured)
	for _, o := range c.outside {
		if o.set == s.Name && fitted && s.Fitted {
			f := score(o.chosen, o.measured)
			row.Folds = &f
		}
	}
}

func (c *Calibration) scoreNetworks(s *Set) (model, roof Score, err error) {
	b := c.boards[s.gpu]
	var out, rooflines, measured []float64
	roofs := c.rooflineOf(s)
	start, ok := roofs.start[s.Name]
	if !ok {
		start = startOf(b, s.Name)
	}
	for _, n := range s.nets {
		t, err := c.graphs.network(b, roofs, n)
		if err != nil {
			return model, roof, err
		}
		out = append(out, t.us+startOf(b, s.Name)*float64(t.kernels))
		rooflines = append(rooflines, t.roofline+start*float64(t.kernels))
		measured = append(measured, n.US)
	}
	return score(out, measured), score(rooflines, measured), nil
}
