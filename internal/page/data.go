package page

import (
	"math"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/usage"
)

// data is what the script shows under the pointer and in opened rows. Times are in ns.
type data struct {
	End      float64     `json:"end"`
	Layers   [][]any     `json:"layers"` // name, operator, shape, MACs, GPU ns and bound, PIM ns and bound, lost kind and ns, GPU low and high, options
	Plan     [][]float64 `json:"plan"`   // pieces: see piece
	Alone    [][]float64 `json:"alone"`
	Bounds   []string    `json:"bounds"`
	Axes     []string    `json:"axes"`
	Whys     []string    `json:"whys"`
	Channels [][]float64 `json:"channels"` // by piece of the plan on the PIM: runs of channels and ns
}

// lost is why a way lost without what its times say.
func lost(why string) string {
	why, _, _ = strings.Cut(why, "; the plan would")
	if by, text, ok := strings.Cut(why, ": "); ok && strings.HasPrefix(by, "slower alone by") {
		why = text
	}
	return cut(why, 160)
}

// mostPieces is how many pieces the script knows; of more it shows nothing of the later ones.
const mostPieces = 6000

func round(ns float64) float64 { return math.Round(10*ns) / 10 }

func (p *pager) data() *data {
	d := &data{End: max(p.Baseline, p.Total), Whys: []string{"", "what it reads, made by", "its turn after", "its device, busy with"}}
	index := func(list *[]string, s string) float64 {
		for i, x := range *list {
			if x == s {
				return float64(i)
			}
		}
		*list = append(*list, s)
		return float64(len(*list) - 1)
	}
	for i := range p.Report.Layers {
		l := &p.Report.Layers[i]
		row := []any{fault.Name(l.Name), l.Op, shape(l.Shape), l.MACs, nil, nil, nil, nil, nil, nil}
		if l.GPU != nil {
			row[4], row[5] = round(l.GPU.NS), l.GPU.Bound
		}
		if l.PIM != nil {
			row[6], row[7] = round(l.PIM.NS), l.PIM.Bound
		}
		if l.Lost != nil {
			row[8], row[9] = l.Lost.Kind, round(l.Lost.NS)
		}
		if l.Use.GPUHigh > 0 {
			row = append(row, round(l.Use.GPULow), round(l.Use.GPUHigh))
		} else {
			row = append(row, nil, nil)
		}
		options := [][]any{}
		for _, o := range l.Use.Options {
			options = append(options, []any{o.Parts, round(o.NS), round(o.Total), lost(o.Why)})
		}
		row = append(row, options)
		d.Layers = append(d.Layers, row)
	}
	piece := func(x *usage.Piece, bound string, pj float64) []float64 {
		dev, why, of, ofDev := 0.0, 0.0, -1.0, 0.0
		if x.Device == "pim" {
			dev = 1
		}
		if x.For != nil {
			why = map[string]float64{"input": 1, "exclusive": 2, "device": 3}[x.For.Why]
			if of = float64(x.For.Layer); x.For.Device == "pim" {
				ofDev = 1
			}
		}
		return []float64{
			float64(x.Layer), dev, round(x.Start), round(x.End), round(x.Launch), round(x.Moving), round(x.Computing), round(x.Waited), why, of, ofDev,
			index(&d.Axes, x.Axis), float64(x.From), float64(x.To), float64(x.Of), math.Round(pj), index(&d.Bounds, bound), float64(x.DRAM), float64(x.Link), float64(x.Inner),
		}
	}
	for i := range p.Report.Layers {
		for k := range p.Report.Layers[i].Tiles {
			if len(d.Plan) == mostPieces {
				break
			}
			t := &p.Report.Layers[i].Tiles[k]
			d.Plan = append(d.Plan, piece(t.Piece, t.Bound, t.Energy))
			runs := []float64{}
			for _, l := range t.Piece.Channels {
				runs = append(runs, float64(l.N), round(l.NS))
			}
			d.Channels = append(d.Channels, runs)
		}
	}
	for i := range p.u.Pieces {
		if x := &p.u.Pieces[i]; len(d.Alone) < mostPieces {
			bound := ""
			most := 0.0
			for _, t := range x.Terms {
				if t.NS > most {
					bound, most = t.Name, t.NS
				}
			}
			d.Alone = append(d.Alone, piece(x, bound, 0)[:17])
		}
	}
	return d
}
