package figure

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow"

	"pimflow/internal/report"
	"pimflow/internal/result"
	"pimflow/internal/usage"
)

var update = flag.Bool("update", false, "write the figures that the golden files hold")

// many are rows as few of thirteen networks.
func many() (rows []result.Row) {
	for i := range 13 {
		for _, r := range few()[:18] {
			r.Point, r.Model = len(rows), fmt.Sprintf("m%d", i)
			rows = append(rows, r)
		}
	}
	return rows
}

// few are rows of two networks, two policies, three numbers of channels and two ways to launch.
func few() (rows []result.Row) {
	for m, model := range []string{"mobilenet-v2", "vgg-16"} {
		for p, policy := range []string{"gpu", "pimflow", "auto"} {
			for c, channels := range []string{"8", "16", "24"} {
				for l, launch := range []string{"stream", "graph"} {
					v := 1 + float64(p)*(0.1+0.05*float64(m)+0.04*float64(c)+0.02*float64(l))
					base := 4e5 * float64(1+3*m)
					rows = append(rows, result.Row{
						Point: len(rows), Model: model, Batch: 1, Machine: "newton", Policy: policy, Objective: "latency", Effort: "normal", Search: "full",
						Set:      map[string]string{"memory.pim_channels": channels, "launch.gpu": launch},
						Baseline: base, Total: base / v, TotalLow: base / v * 0.8, TotalHigh: base / v * 1.3, Speedup: v, SpeedupLow: v * 0.8, SpeedupHigh: v * 1.2,
						BaselineEnergy: 2e10, Energy: 2e10 / v * 1.1, EnergyLow: 1.5e10 / v, EnergyHigh: 4e10 / v, Ratio: 1.1 / v, RatioLow: 0.8 / v, RatioHigh: 1.6 / v,
						Parts:    map[string]result.Energy{"gpu_standby": {Value: 1.1e10}, "gpu_mac": {Value: 3e9}, "pim_standby": {Value: 2e9}, "pim_mac": {Value: 1e9 * float64(p)}},
						MACUnits: 1024 * (c + 1), BufferBytes: 2048, Channels: 32,
					})
				}
			}
		}
	}
	return rows
}

// write writes rows as a table of the form that a name ends in.
func table(t *testing.T, name string, rows []result.Row) string {
	file := filepath.Join(t.TempDir(), name)
	b := &bytes.Buffer{}
	w, err := result.NewWriter(b, file, []result.Key{{Name: "memory.pim_channels", Number: true}, {Name: "launch.gpu"}})
	for i := range rows {
		if err == nil {
			err = w.Write(&rows[i])
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = os.WriteFile(file, b.Bytes(), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// printedFile writes the JSON of a command.
func printedFile(t *testing.T, name string, of any) string {
	file := filepath.Join(t.TempDir(), name)
	data, err := json.Marshal(of)
	if err == nil {
		err = os.WriteFile(file, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// someRun is a run of two layers.
func someRun() *pimflow.Report {
	r := &pimflow.Report{Schema: pimflow.ReportSchema, Model: "toy", Machine: "newton", Policy: "auto", Baseline: 3e4, Total: 2e4, Speedup: 1.5, Low: 1.2, High: 1.6}
	r.Throughput.Images = 1
	r.Energy = pimflow.Energies{Baseline: 2e9, Total: 1.5e9, Low: 1e9, High: 3e9, Ratio: 0.75, RatioLow: 0.6, RatioHigh: 1.1, Parts: []pimflow.EnergyPart{
		{Name: "gpu_standby", Baseline: 1.5e9, Total: 0.9e9}, {Name: "gpu_dram", Baseline: 0.5e9, Total: 0.2e9}, {Name: "pim_mac", Total: 0.4e9},
	}}
	r.Layers = []pimflow.Layer{
		{Name: "a", Kind: "split", Tiles: []pimflow.Tile{{Device: "gpu", NS: 8e3}, {Device: "pim", NS: 7e3}}},
		{Name: "b", Kind: "pim", Tiles: []pimflow.Tile{{Device: "pim", Start: 8e3, NS: 12e3}}},
	}
	piece := func(layer int, device string, ns float64, macs int64) *usage.Piece {
		return &usage.Piece{Layer: layer, Device: device, End: ns, MACs: macs, FLOPs: 2 * macs}
	}
	r.Layers[0].Use = &usage.Layer{FLOPs: 16e6, Bytes: 8e5, Intensity: 20}
	r.Layers[1].Use = &usage.Layer{FLOPs: 4e6, Bytes: 2e6, Intensity: 2}
	r.Layers[0].Tiles[0].Piece, r.Layers[0].Tiles[1].Piece = piece(0, "gpu", 8e3, 4e6), piece(0, "pim", 7e3, 4e6)
	r.Layers[1].Tiles[0].Piece = piece(1, "pim", 12e3, 2e6)
	r.Utilization = &usage.Network{
		Peaks:  usage.Peaks{Tensor: 4000, BaselineDRAM: 400, PIM: 1500},
		Pieces: []usage.Piece{*piece(0, "gpu", 15e3, 8e6), *piece(1, "gpu", 15e3, 2e6), *piece(1, "gpu", 0, 2e6), *piece(1, "gpu", 5, 0)},
	}
	return r
}

// badPiece is a run with a piece of a layer that it does not have.
func badPiece() *pimflow.Report {
	r := someRun()
	r.Utilization.Pieces[0].Layer = 7
	return r
}

// noByte is a run with a layer that multiplies and moves nothing.
func noByte() *pimflow.Report {
	r := someRun()
	r.Layers[0].Use.Intensity = 0
	return r
}

func someBridge() *report.Reproduction {
	m := report.ReproducedModel{Model: "toy"}
	for i, v := range []float64{1.6, 1.5, 1.9, 1.1} {
		m.Bridge = append(m.Bridge, report.BridgeResult{Step: []string{"published", "refresh", "launches", "GPU calibrated"}[i], EndToEnd: v})
	}
	return &report.Reproduction{Schema: report.ReproduceSchema, Models: []report.ReproducedModel{m}}
}

// golden are figures of small inputs. Their data and their SVG lie in testdata.
var golden = []struct {
	name, kind, file string
	options          Options
	inches           float64
}{
	{"speedup", "speedup", "rows.csv", Options{Where: []string{"memory.pim_channels=16", "launch.gpu=stream"}, Title: "Two networks"}, 3.3},
	{"energy", "energy", "rows.csv", Options{Where: []string{"memory.pim_channels=16", "launch.gpu=stream"}}, 3.3},
	{"energy-run", "energy", "run.json", Options{Y: "energy_pj"}, 3.3},
	{"channels", "channels", "rows.csv", Options{Where: []string{"launch.gpu=stream", "model=vgg-16"}}, 3.3},
	{"pareto", "pareto", "rows.csv", Options{}, 7},
	{"pareto-cost", "pareto", "rows.csv", Options{Group: []string{"policy"}, By: []Aim{{"mac_units", false}, {"speedup", true}}}, 3.3},
	{"heat", "heat", "rows.csv", Options{Where: []string{"model=vgg-16", "policy=auto"}}, 3.3},
	{"timeline", "timeline", "run.json", Options{}, 3.3},
	{"waterfall", "waterfall", "bridge.json", Options{}, 3.3},
	{"roofline", "roofline", "run.json", Options{}, 3.3},
	{"stalls", "stalls", "stalls.csv", Options{}, 7},
	{"stalls-unit", "stalls", "stalls.csv", Options{X: "unit", Y: "layer"}, 3.3},
	{"stalls-banks", "stalls", "stalls.csv", Options{X: "banks", Group: []string{"layer"}, Where: []string{"channel=10"}}, 3.3},
}

// someStallLines are two channels of two layers, 100 cycles each, with 14 causes.
func someStallLines(t *testing.T) string {
	text := stallHead
	for step, layer := range []string{"a", "b"} {
		for i, channel := range []string{"10", "9"} {
			line := func(part, of string, cycles int) {
				text += fmt.Sprintf("%d,%s,%s,f,%s,%s,%d,%.6f\n", step, layer, channel, part, of, cycles, float64(cycles)/100)
			}
			waits := 0
			for k := range 13 {
				line("wait", fmt.Sprintf("t%c", 'A'+k), k/2)
				waits += k / 2
			}
			line("command", "", 100-waits)
			line("data bus", "", 20+step+i)
			line("mac units", "", 50-step)
			line("row open", "banks 0-3", 60+10*i)
			line("row open", "banks 4-7", 40*step)
		}
	}
	return textFile(t, "stalls.csv", text)
}

// stallHead is the line of columns.
const stallHead = "step,layer,channel,file,part,of,cycles,share\n"

// manyFiles are 2000 streams.
func manyFiles() (lines []string) {
	for i := range 2000 {
		lines = append(lines, fmt.Sprintf("0,a,0,f%d,wait,x,1,1\n", i))
	}
	return lines
}

// textFile is a file of a text.
func textFile(t *testing.T, name, text string) string {
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// read reads one of the files of golden.
func read(t *testing.T, name string) *Data {
	file := map[string]func() string{
		"rows.csv":    func() string { return table(t, "rows.csv", few()) },
		"run.json":    func() string { return printedFile(t, "run.json", someRun()) },
		"bridge.json": func() string { return printedFile(t, "bridge.json", someBridge()) },
		"stalls.csv":  func() string { return someStallLines(t) },
	}[name]()
	d := &Data{}
	if err := d.Read(file); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestGolden: the figures of small inputs are as they were, number by number and byte by byte.
func TestGolden(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			f, err := read(t, g.file).Make(g.kind, &g.options)
			if err != nil {
				t.Fatal(err)
			}
			clear(t, f, g.inches)
			data, err := json.MarshalIndent(f, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			svg := &bytes.Buffer{}
			if err := f.Write(svg, "svg", g.inches); err != nil {
				t.Fatal(err)
			}
			for end, got := range map[string][]byte{".json": append(data, '\n'), ".svg": svg.Bytes()} {
				name := filepath.Join("testdata", g.name+end)
				if *update {
					if err := os.WriteFile(name, got, 0o666); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), string(got)); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
		})
	}
}

// TestForms: every form of a table gives the same figure.
func TestForms(t *testing.T) {
	var want string
	for _, name := range []string{"rows.csv", "rows.jsonl", "rows.parquet"} {
		d := &Data{}
		if err := d.Read(table(t, name, few())); err != nil {
			t.Fatal(err)
		}
		f, err := d.Make("heat", &Options{})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(data)
		} else if d := cmp.Diff(want, string(data)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestBytes: every format has the same bytes in each run, and a PDF has no date of today.
func TestBytes(t *testing.T) {
	f, err := read(t, "rows.csv").Make("channels", &Options{Where: []string{"launch.gpu=stream"}, Title: "é … \U0001F600 \x00"})
	if err != nil {
		t.Fatal(err)
	}
	for format := range formats {
		var first []byte
		for range 3 {
			b := &bytes.Buffer{}
			if err := f.Write(b, format, 3.3); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b.Bytes()
			} else if !bytes.Equal(first, b.Bytes()) {
				t.Errorf("%s: bytes differ", format)
			}
		}
		if format == "pdf" && bytes.Count(first, []byte("(D:20000101000000")) != 2 {
			t.Errorf("PDF without its dates")
		}
	}
}

// TestMeans: the bars of geometric means.
func TestMeans(t *testing.T) {
	f, err := read(t, "rows.csv").Make("speedup", &Options{Where: []string{"memory.pim_channels=16", "launch.gpu=stream", "policy=auto"}})
	if err != nil {
		t.Fatal(err)
	}
	boxes := f.Panels[0].Boxes
	if len(boxes) != 3 || f.Panels[0].X.Names[2] != meanName {
		t.Fatalf("%d bars", len(boxes))
	}
	if got, want := boxes[2].Y1*boxes[2].Y1, boxes[0].Y1*boxes[1].Y1; got < want*(1-1e-12) || got > want*(1+1e-12) {
		t.Errorf("mean squared %g, %g wanted", got, want)
	}
	if got, want := boxes[2].Span.Low*boxes[2].Span.Low, boxes[0].Span.Low*boxes[1].Span.Low; got < want*(1-1e-12) || got > want*(1+1e-12) {
		t.Errorf("mean lower end squared %g, %g wanted", got, want)
	}
}

// TestRefused: what cannot be drawn is refused in a line that names the file and what is wrong.
func TestRefused(t *testing.T) {
	bad := few()[:2]
	bad[1].SpeedupLow = 9
	none := few()[:1]
	none[0].Total = 0
	failed := few()[:1]
	failed[0] = result.Row{Model: "x", Error: "it does not fit", Set: failed[0].Set}
	for _, c := range []struct {
		file    string
		kind    string
		options Options
		want    []string
	}{
		{table(t, "a.csv", few()), "channels", Options{X: "memory.pim_chanels"}, []string{"a.csv: no column", `did you mean "memory.pim_channels"?`, "it has point, model", "launch.gpu"}},
		{table(t, "b.csv", few()), "speedup", Options{Y: "policy"}, []string{`b.csv: point 0: policy "gpu"`, "a number"}},
		{table(t, "c.csv", few()), "speedup", Options{Group: []string{"policy"}}, []string{"c.csv: point", "differ in launch.gpu", "--where"}},
		{table(t, "d.csv", bad), "speedup", Options{Where: []string{"launch.gpu=graph"}}, []string{"d.csv: point 1: speedup_low 9 above"}},
		{table(t, "e.csv", failed), "speedup", Options{}, []string{"e.csv: no row has numbers (1 have an error", "it does not fit"}},
		{table(t, "f.csv", nil), "pareto", Options{}, []string{"f.csv: no row has numbers: rows of results wanted"}},
		{table(t, "g.csv", few()), "speedup", Options{Where: []string{"policy=aut"}}, []string{`--where policy=aut: no row is so (did you mean "auto"?)`}},
		{table(t, "h.csv", few()), "timeline", Options{}, []string{"h.csv: no run"}},
		{table(t, "i.csv", few()), "waterfall", Options{}, []string{"i.csv: no bridge"}},
		{table(t, "p.csv", few()), "roofline", Options{}, []string{"p.csv: no run with pieces"}},
		{printedFile(t, "q.json", badPiece()), "roofline", Options{}, []string{"a piece of \"toy\" is of layer 7: one of 2"}},
		{printedFile(t, "r.json", noByte()), "roofline", Options{}, []string{"layer \"a\" of \"toy\": 0 FLOP a byte"}},
		{table(t, "j.csv", few()[:1]), "heat", Options{}, []string{"j.csv: fewer than two keys"}},
		{table(t, "s.csv", many()), "heat", Options{}, []string{"39 panels, one for each of model (13 values), policy (3 values): at most 24 wanted: fix some by --where"}},
		{table(t, "k.csv", few()), "piechart", Options{}, []string{`--figure "piechart" is not known`}},
		{printedFile(t, "l.json", someRun()), "pareto", Options{By: []Aim{{"mac_units", false}, {"total_ns", false}}}, []string{"l.json: no column \"mac_units\""}},
		{printedFile(t, "m.json", map[string]string{"schema": "x"}), "speedup", Options{}, []string{"m.json: schema \"x\"", "pimflow compare --json"}},
		{table(t, "o.csv", none), "pareto", Options{}, []string{"o.csv: point 0: total_ns 0: more than 0 wanted"}},
		{table(t, "s.csv", few()), "stalls", Options{}, []string{"s.csv: no line says where cycles go: what pimflow sim --stalls prints wanted"}},
		{someStallLines(t), "speedup", Options{}, []string{"stalls.csv: no row has numbers"}},
		{someStallLines(t), "stalls", Options{X: "couse"}, []string{`--x "couse": one of cause, unit, banks wanted (did you mean "cause"?)`}},
		{someStallLines(t), "stalls", Options{Y: "part"}, []string{`--y "part": one of channel, layer, step, file wanted`}},
		{someStallLines(t), "stalls", Options{Group: []string{"of"}}, []string{`--group "of": one of channel`}},
		{someStallLines(t), "stalls", Options{Where: []string{"layr=a"}}, []string{`--where layr=a: one of the columns channel, layer, step, file wanted (did you mean "layer"?)`}},
		{someStallLines(t), "stalls", Options{Where: []string{"layer=c"}}, []string{"--where layer=c: no line is so", "layer is a, b"}},
		{textFile(t, "t.csv", stallHead+"0,a,0,f,waits,x,1,1\n"), "stalls", Options{}, []string{`t.csv:2: part "waits": one of command, wait, `, `(did you mean "wait"?)`}},
		{textFile(t, "u.csv", stallHead+"0,a,0,f,wait,x,-1,1\n"), "stalls", Options{}, []string{`u.csv:2: cycles "-1": a number of 0 or more wanted`}},
		{textFile(t, "v.csv", stallHead+"0,a,0,f,wait\n"), "stalls", Options{}, []string{"v.csv:2: another number of cells"}},
		{textFile(t, "w.csv", stallHead+"0,a,0,f,wait,x,1,1\n0,a,0,f,mac units,,1,1\n"+strings.Join(manyFiles(), "")), "stalls", Options{Y: "file"}, []string{"--y file: 2001 rows in 1 panels: 2000 in all at most wanted"}},
		{printedFile(t, "n.json", 3), "speedup", Options{}, []string{"n.json: byte 1: an object wanted, not a number"}},
	} {
		d := &Data{}
		err := d.Read(c.file)
		if err == nil {
			_, err = d.Make(c.kind, &c.options)
		}
		if err == nil {
			t.Errorf("%s, %s: no error", filepath.Base(c.file), c.kind)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %q wanted in\n%s", filepath.Base(c.file), w, err)
			}
		}
	}
}

// TestLacking: a row of a file that does not have a column has no value of it, not 0.
func TestLacking(t *testing.T) {
	d := read(t, "run.json")
	for _, c := range []string{"mac_units", "bound_ns", "machine_hash", "energy_gpu_l2_pj"} {
		if v, ok := d.Rows[0].value(c); ok {
			t.Errorf("%s is %v", c, v)
		}
	}
	if v, err := d.Rows[0].number("energy_pim_mac_pj"); v != 0.4e9 || err != nil {
		t.Errorf("%v %v", v, err)
	}
}

// TestVarying: columns that follow from others are no series.
func TestVarying(t *testing.T) {
	rows := []Record{{Row: result.Row{Model: "a", Policy: "gpu", Effort: "low"}}, {Row: result.Row{Model: "a", Policy: "auto", Effort: "normal"}}, {Row: result.Row{Model: "b", Policy: "auto", Effort: "normal"}}}
	if got, want := varying(rows), []string{"model", "policy"}; !cmp.Equal(got, want) {
		t.Errorf("%v, %v wanted", got, want)
	}
	if got, want := varying(rows, "model"), []string{"policy"}; !cmp.Equal(got, want) {
		t.Errorf("beside the model %v, %v wanted", got, want)
	}
}

// TestIdentity: rows of a sparse sample are one series only if nothing but the column along it differs, and what follows from that.
func TestIdentity(t *testing.T) {
	var rows []Record
	add := func(channels, banks, ccds, search string) {
		rows = append(rows, Record{Row: result.Row{Model: "a", Search: search, Set: map[string]string{"memory.pim_channels": channels, "pim.banks": banks, "pim.ccds": ccds, "pim.twice": channels + channels}}})
	}
	add("1", "4", "2", "full")
	add("2", "8", "2", "anchors")
	add("3", "8", "3", "full")
	add("3", "4", "2", "full")
	if got, want := identity(rows, "memory.pim_channels"), []string{"pim.banks", "pim.ccds"}; !cmp.Equal(got, want) {
		t.Errorf("%v, %v wanted", got, want)
	}
	if got, want := identity(rows, "memory.pim_channels", "pim.ccds"), []string{"pim.banks"}; !cmp.Equal(got, want) {
		t.Errorf("beside two columns %v, %v wanted", got, want)
	}
	add("3", "8", "3", "anchors")
	if got, want := identity(rows, "memory.pim_channels"), []string{"pim.banks", "pim.ccds", "search"}; !cmp.Equal(got, want) {
		t.Errorf("searched twice: %v, %v wanted", got, want)
	}
}

// TestFrontOf: fronts are of one network each, and more is better where it is.
func TestFrontOf(t *testing.T) {
	aims, err := ParseAims([]string{"cost", "speedup", "min:batch"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []Aim{{"mac_units", false}, {"buffer_bytes", false}, {"channels", false}, {"speedup", true}, {"batch", false}}; !cmp.Equal(aims, want) {
		t.Errorf("aims %v", aims)
	}
	f, err := NewFronts(read(t, "rows.csv"), aims)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, n := range f.Networks {
		got += fmt.Sprintf("%s %d of %d:", n.Network, len(n.Rows), n.Points)
		for _, r := range n.Rows {
			got += fmt.Sprintf(" %s %v %.2f", r["memory.pim_channels"], r["mac_units"], r["speedup"])
		}
		got += "\n"
	}
	const want = "mobilenet-v2 3 of 18: 8 1024 1.24 16 2048 1.32 24 3072 1.40\nvgg-16 3 of 18: 8 1024 1.34 16 2048 1.42 24 3072 1.50\n"
	if got != want {
		t.Errorf("%s, wanted\n%s", got, want)
	}
	for _, bad := range [][]string{{"time", "total_ns"}, {"most:time"}} {
		if _, err := ParseAims(bad); err == nil {
			t.Errorf("--by %v is taken", bad)
		}
	}
}
