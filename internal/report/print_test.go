package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"pimflow"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/calibrate"
	"pimflow/internal/convolution"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/memory"
	"pimflow/internal/published"
	"pimflow/internal/sweep"
	"pimflow/internal/trace"
)

// printed is a result and the ways to print it.
type printed struct {
	name  string
	value any
	text  func(io.Writer) error
	csv   func(io.Writer) error // nil for none
	named bool                  // the text has the name of the model's layer
}

// strange is a name that no terminal shows as it is, and that is too long for a table.
const strange = "a\x1b[31m\n\u202e" + "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" + "end"

// strangeGraph is a model of one convolution, all of whose names are strange.
func strangeGraph() string {
	q := strconv.Quote(strange)
	return "graph " + q + "\n%0 \"x\" = input float32 1x16x8x8\n%1 \"w\" = const float32 32x16x1x1 [" +
		strings.Repeat("0.5 ", 32*16) + "]\n%2 " + q + " = Conv(%0, %1) {kernel_shape=[1 1] strides=[1 1] pads=[0 0 0 0] dilations=[1 1] group=1}\noutput \"y\" = %2\n"
}

// everything prints results of every kind of a model with strange names.
var everything = sync.OnceValues(func() (list []printed, err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("%v", x)
		}
	}()
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	file, err := writeTemp(strangeGraph())
	must(err)
	defer os.Remove(file)
	ctx := context.Background()
	s, err := pimflow.Open(ctx, file, pimflow.Options{Machine: "artifact"})
	must(err)
	p, err := s.Plan(ctx, pimflow.Search{})
	must(err)
	r, err := s.Time(p)
	must(err)
	r.Limits, err = s.Limits(p)
	must(err)
	must(s.Utilize(ctx, p, r))
	add := func(name string, value any, text, csv func(io.Writer) error, named bool) {
		list = append(list, printed{name, value, text, csv, named})
	}
	add("run", r, func(w io.Writer) error { return Run(w, r, true, 0) }, nil, true)

	x := NewExplain(r, p.Internal().Plan, false)
	x.Layers, err = s.Reasons(p)
	must(err)
	add("explain", x, func(w io.Writer) error { return x.Text(w, 3) }, nil, true)
	one := NewExplain(r, p.Internal().Plan, false)
	one.Layer, err = s.Explain(p, strange)
	must(err)
	add("explain a layer", one, func(w io.Writer) error { return one.Text(w, 0) }, nil, true)

	g, m, _, _ := s.Internal()
	pim, err := s.Plan(ctx, pimflow.Search{Policy: "by-operator"})
	must(err)
	laid, err := memory.New(pim.Internal().Timeline.Program)
	must(err)
	mem := NewMemory(g, m, pim.Internal(), laid)
	add("map", mem, func(w io.Writer) error { return mem.Text(w, true) }, nil, true)

	other, err := s.Time(pim)
	must(err)
	gpu, err := s.Plan(ctx, pimflow.Search{Policy: "gpu"})
	must(err)
	base, err := s.Time(gpu)
	must(err)
	d, err := NewDiff("a.plan", base, "b.plan", other)
	must(err)
	add("diff", d, d.Text, nil, true)

	model := &sweep.Model{Session: s, Policy: "newton++"}
	varied, err := sweep.Vary(ctx, model, []int{-10, 10}, func(path string) bool { return sweep.Within(path, "pim.timing") })
	must(err)
	sens := NewSensitivity(g, m, "newton++", []int{-10, 10}, varied)
	add("sensitivity", sens, sens.Text, nil, false)

	rows, err := sweep.Launches(ctx, model)
	must(err)
	launches := &Launches{Schema: LaunchesSchema, Policy: "newton++", Machine: m.Name, Clock: m.GPU.Clock.Picoseconds()}
	launches.Add(g.Name, nil, rows)
	add("launches", launches, func(w io.Writer) error { return launches.Text(w, m) }, nil, false)

	graphs := []*graph.Graph{g}
	paper, err := published.Paper(ctx, graphs, m, nil, nil)
	must(err)
	pp := NewPaper(m.Name, paper)
	add("paper", pp, pp.Text, pp.CSV, false)
	variants, err := published.Compare(ctx, g, m, nil, nil)
	must(err)
	bridge, err := published.Bridge(ctx, g, m, nil, nil)
	must(err)
	rep := &Reproduction{Schema: ReproduceSchema, Machine: m.Name, Clock: m.GPU.Clock.Picoseconds()}
	rep.Add(g.Name, variants, bridge)
	add("readings", rep, rep.Text, rep.CSV, false)
	ratios, err := published.Ratios(ctx, graphs, m, nil, nil)
	must(err)
	rr := NewRatios(m.Name, ratios)
	add("ratios", rr, rr.Text, rr.CSV, false)
	shares, err := published.Shares(ctx, graphs, m, nil, nil)
	must(err)
	ms := NewMechanisms(m.Name, m.GPU.Clock.Picoseconds(), shares)
	add("mechanisms", ms, ms.Text, ms.CSV, false)

	bench, err := convolution.NewBench(m, nil)
	must(err)
	cost, err := bench.Cost(&convolution.Question{
		Layer:    convolution.Layer{IC: 16, OC: 32, H: 8, W: 8, KH: 1, KW: 1, Stride: 1, Dilation: 1, Groups: 1},
		Channels: m.Memory.PIMChannels, Buffers: 4, Hiding: true,
	})
	must(err)
	add("layer", cost, func(w io.Writer) error { return Convolution(w, cost) }, nil, false)

	results := []PolicyResult{}
	for _, x := range []*pimflow.Report{base, other} {
		results = append(results, PolicyResult{
			Policy: x.Policy, Total: x.Total, Speedup: x.Speedup, SpeedupLow: x.Low, SpeedupHigh: x.High, Energy: x.Energy.Ratio,
			EnergyLow: x.Energy.RatioLow, EnergyHigh: x.Energy.RatioHigh, Period: x.Throughput.Period, Rate: x.Throughput.Rate,
			PIMChannels: x.PIMChannels,
		})
	}
	c := &Comparison{Schema: CompareSchema, Machines: []string{m.Name}, Policies: []string{"gpu", "by-operator"}, Models: []ModelResult{
		{Model: g.Name, Batch: 1, Baseline: base.Total, Bound: r.Bound, BoundTwo: r.BoundTwo, Results: results},
		{Model: g.Name, Batch: 4, Error: "no room"},
		{Model: "other", Batch: 1, Baseline: base.Total, Results: results},
	}}
	add("compare", c, c.Text, nil, true)

	simulator, err := trace.New(m, false)
	must(err)
	silent := func(string) func(done, total int) { return nil }
	traces, err := simulator.Files(ctx, []string{"-"}, strings.NewReader("READRES\nREADRES\n"), silent)
	must(err)
	add("sim", traces, func(w io.Writer) error { return Traces(w, traces) }, nil, false)
	aim, err := hw.Load("aim")
	must(err)
	host, err := trace.New(aim, false)
	must(err)
	hosts, err := host.HostFiles(ctx, []string{"-"}, strings.NewReader("AiM EOC\n"), silent)
	must(err)
	add("sim of a host", &hosts[0], func(w io.Writer) error { return Host(w, &hosts[0]) }, nil, false)

	measured := &calibrate.Measured{}
	must(measured.Read("t.csv", strings.NewReader("model,batch,ms,source\nresnet50,1,2.5,TensorRT\nnothing,1,1,TensorRT\n")))
	var boards []*hw.Board
	for _, name := range hw.BoardNames() {
		b, err := hw.LoadBoard(name)
		must(err)
		boards = append(boards, b)
	}
	valid, err := calibrate.Validate(ctx, measured, boards, nil)
	must(err)
	v := NewValidation(nil, boards, valid)
	cal := calibrate.New(boards[0], boards)
	kernels := &calibrate.Measured{}
	must(kernels.Read("k.csv", strings.NewReader("gpu,dtype,op,N,C,H,W,K,R,S,stride_h,stride_w,pad_h,pad_w,groups,gm,gn,gk,time_us\n"+
		boards[0].Name+",fp16,conv,1,64,56,56,64,3,3,1,1,1,1,1,,,,50\n"+boards[0].Name+",fp16,gemm,,,,,,,,,,,,,512,512,512,20\n")))
	scores, err := cal.Score(ctx, kernels, false)
	must(err)
	score := NewCalibration(cal)
	score.Eval = Scores(scores)
	add("calibrate", score, score.Text, nil, false)
	add("validate", v, v.Text, nil, false)
	return list, s.Close()
})

// TestTexts: a text has no rune that a terminal obeys, no verb that is missing its value, no space at a line's end, and a
// strange name once escaped and cut.
func TestTexts(t *testing.T) {
	list, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		var b strings.Builder
		if err := p.text(&b); err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		text := b.String()
		if !strings.HasSuffix(text, "\n") || strings.Contains(text, "%!") {
			t.Errorf("%s:\n%s", p.name, text)
		}
		if p.named && !strings.Contains(text, `a\x1b[31m\n\u202ebbbb`) {
			t.Errorf("%s: no name of the layer:\n%s", p.name, text)
		}
		for i, line := range strings.Split(text, "\n") {
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.HasSuffix(line, " ") || strings.Contains(line, "bend") {
				t.Errorf("%s: line %d: %q", p.name, i+1, line)
			}
		}
	}
}

// TestJSONRoundTrip: each JSON has all of its result: read again, it is printed as before.
func TestJSONRoundTrip(t *testing.T) {
	list, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		var b, again bytes.Buffer
		if err := JSON(&b, p.value); err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		back := reflect.New(reflect.TypeOf(p.value).Elem()).Interface()
		if err := json.Unmarshal(b.Bytes(), back); err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		if err := JSON(&again, back); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		if d := cmp.Diff(b.String(), again.String()); d != "" {
			t.Errorf("%s differs when it is read again (-printed +read):\n%s", p.name, d)
		}
		if !strings.Contains(b.String(), `"schema": "pimflow.`) {
			t.Errorf("%s: no schema:\n%.200s", p.name, &b)
		}
	}
}

// TestCSVs: each CSV is a head and rows of as many cells, whose last column has numbers.
func TestCSVs(t *testing.T) {
	list, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.csv == nil {
			continue
		}
		var b bytes.Buffer
		if err := p.csv(&b); err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Errorf("%s: %d rows, %v", p.name, len(rows), err)
			continue
		}
		numbers := 0
		for _, row := range rows[1:] {
			for _, cell := range row {
				if _, err := strconv.ParseFloat(cell, 64); err == nil {
					numbers++
				}
			}
			if row[0] != strange {
				t.Errorf("%s: row of %q", p.name, row[0])
			}
		}
		if numbers < len(rows)-1 {
			t.Errorf("%s: %d numbers in %d rows", p.name, numbers, len(rows)-1)
		}
	}
}

// TestRunAddsUp: what a run prints is what its JSON has: the total, its parts, and a row for each tile.
func TestRunAddsUp(t *testing.T) {
	list, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	r := list[0].value.(*pimflow.Report)
	var b strings.Builder
	if err := list[0].text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("%.1f ns", r.Total), fmt.Sprintf("%.1f ns", r.Baseline), fmt.Sprintf("speed-up %.3f, between %.3f and %.3f", r.Speedup, r.Low, r.High),
		fmt.Sprintf("%d of %d memory channels compute;", r.PIMChannels, r.Channels),
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	if d := r.GPUBusy + r.PIMBusy - r.BothBusy + r.Idle - r.Total; d > 0.01 || d < -0.01 {
		t.Errorf("busy and idle times are %v ns off the total", d)
	}
	lines := regexp.MustCompile(`(?m)^(?:sum|all) .*$`).FindAllString(b.String(), -1)
	for i, want := range [][]string{
		{fmt.Sprintf("%.1f", r.Baseline/1e3), fmt.Sprintf("%.1f", r.Total/1e3), fmt.Sprintf("%.1f", (r.Baseline-r.Total)/1e3)},
		{fmt.Sprintf("%.1f", r.Baseline/1e3), fmt.Sprintf("%.1f", r.Total/1e3), fmt.Sprintf("%.1f", r.Total/1e3)},
	} {
		if i >= len(lines) || !strings.Contains(strings.Join(strings.Fields(lines[i]), " "), strings.Join(want, " ")) {
			t.Errorf("%q: no row with %v", lines, want)
		}
	}
	of := &r.Utilization.Plan
	if want := fmt.Sprintf(" %d %.1f %% ", of.Hits, 100*float64(of.Hits)/float64(of.Reads)); of.Hits == 0 || !strings.Contains(strings.Join(strings.Fields(b.String()), " "), want) {
		t.Errorf("no row hits%s", want)
	}
	tiles := 0
	for _, l := range r.Layers {
		for _, x := range l.Tiles {
			if tiles++; strings.Count(b.String(), x.Device+x.Box) < 1 {
				t.Errorf("no tile %s%s in\n%s", x.Device, x.Box, &b)
			}
		}
	}
	if tiles == 0 {
		t.Error("no tiles")
	}
}

// writeTemp writes a model of text to a file.
func writeTemp(text string) (string, error) {
	f, err := os.CreateTemp("", "*.graph")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	return f.Name(), errors.Join(err, f.Close())
}
