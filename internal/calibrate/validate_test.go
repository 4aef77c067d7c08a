package calibrate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/hw"
)

func allBoards(t testing.TB) (list []*hw.Board) {
	for _, name := range hw.BoardNames() {
		list = append(list, board(t, name))
	}
	return list
}

// TestValidate: on the tables that come with the program the modelled times of T4's fp16 networks
// are within 12 % of the measured ones on average, at least nine of ten are inside their interval,
// and no interval has zero width.
func TestValidate(t *testing.T) {
	list, err := Validate(t.Context(), all(t), allBoards(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if v := &list[i]; v.Why == "" && !(v.Low < v.Modelled && v.Modelled < v.High) {
			t.Errorf("%s: %.1f us between %.1f and %.1f", v.Place, v.Modelled, v.Low, v.High)
		}
	}
	found := 0
	for _, s := range ScoreNetworks(list) {
		t.Logf("%+v", s)
		if s.Group == "T4 fp16, batch 1" || s.Group == "T4 int8, batch 1" {
			found++
			most := 0.12
			if strings.Contains(s.Group, "int8") {
				most = 0.2
			}
			if s.N < 30 || s.MAPE > most || 10*s.Inside < 9*s.N || s.Spearman < 0.95 {
				t.Errorf("%+v", s)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d groups of T4", found)
	}
}

// TestValidateHeldOut: with the error of whole networks from all networks of T4 but one, under
// either stack, at least nine of ten of those left out are inside.
func TestValidateHeldOut(t *testing.T) {
	m := all(t)
	m.Networks = slices.DeleteFunc(m.Networks, func(n Network) bool { return n.GPU != "T4" })
	list, err := Validate(t.Context(), m, allBoards(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	type held struct{ name, dtype string }
	seen, inside, n := map[held]bool{}, 0, 0
	for _, v := range list {
		out := held{v.Name, v.Dtype}
		if seen[out] || v.Why != "" {
			continue
		}
		seen[out] = true
		var ratios []float64
		only := &Measured{}
		for _, w := range list {
			if w.Why == "" && w.Dtype == v.Dtype {
				if w.Name == v.Name {
					only.Networks = append(only.Networks, w.Network)
				} else {
					ratios = append(ratios, w.US/w.Modelled)
				}
			}
		}
		boards := allBoards(t)
		for _, b := range boards {
			if b.Name == "t4" {
				r := hw.Range{Value: 1, Low: min(1, math.Pow(slices.Min(ratios), unseen)), High: max(1, math.Pow(slices.Max(ratios), unseen))}
				b.GPU.Error.Network, b.GPU.Error.Int8Network = r, r
			}
		}
		left, err := Validate(t.Context(), only, boards, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range left {
			if n++; left[i].Inside() {
				inside++
			} else {
				t.Logf("%s %s %s: %.0f us, between %.0f and %.0f", left[i].Dtype, left[i].Source, left[i].Name, left[i].US, left[i].Low, left[i].High)
			}
		}
	}
	if t.Logf("%d of %d inside", inside, n); n < 60 || 10*inside < 9*n {
		t.Errorf("%d of %d inside", inside, n)
	}
}

// TestValidateStarts: a stack whose start the file has takes it, three rows of another are fitted,
// fewer are between the bounds of the launches; a machine launches as its file says; and what is
// not built says why.
func TestValidateStarts(t *testing.T) {
	read := func(text string) *Measured {
		m := &Measured{}
		if err := m.Read("n.csv", strings.NewReader("model,batch,ms,source,gpu,dtype\n"+text)); err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := read("resnet18,1,0.5,TRT8,,\nResNet18,1,0.5,other,t4,fp16\nresnet18,1,0.5,new,T4,fp16\nresnet34,1,0.9,new,T4,fp16\nresnet50,1,1.2,new,T4,fp16\n" +
		"resnet18,1,0.5,TRT8-graph,T4,fp16\nresnet17,1,1,x,,\nresnet18,1,1,x,T5,\nresnet18,1,1,x,T4,fp64\n")
	list, err := Validate(t.Context(), m, allBoards(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	from := []string{"the GPU's file", "the GPU's file, of any stack", "fitted to 3 rows", "fitted to 3 rows", "fitted to 3 rows", "the GPU's file, in a graph", "", "", ""}
	why := []string{"", "", "", "", "", "", "no network resnet17", "no GPU file of that name", "no kernels of fp64"}
	for i, v := range list {
		if v.From != from[i] || !strings.HasPrefix(v.Why, why[i]) || (v.Why == "") != (why[i] == "") {
			t.Errorf("%s: start from %q, %q: %q, %q wanted", v.Place, v.From, v.Why, from[i], why[i])
		}
	}
	wide := func(v Validated) float64 { return (v.High - v.Low) / v.Modelled }
	if wide(list[1]) <= wide(list[0]) {
		t.Errorf("width %.2f of any stack, %.2f of one that is known", wide(list[1]), wide(list[0]))
	}
	if list[5].Modelled >= list[0].Modelled {
		t.Errorf("%.1f us in a graph, %.1f in a stream", list[5].Modelled, list[0].Modelled)
	}
	if sum := list[2].Error() + list[3].Error() + list[4].Error(); math.Abs(sum) > 0.2 {
		t.Errorf("errors of a fitted start add up to %.2f", sum)
	}
	on, err := hw.Load("newton")
	if err != nil {
		t.Fatal(err)
	}
	list, err = Validate(t.Context(), m, allBoards(t), on)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(list, func(v Validated) bool { return v.From != "machine newton" && v.Why == "" }); i >= 0 || list[7].Why != "" {
		t.Errorf("on newton: %+v", list)
	}
}
