package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/usage"
)

// reported is the report of a plan with all that a page shows but a check.
func reported(t *testing.T, model, policy string, others bool) *pimflow.Report {
	t.Helper()
	s, err := pimflow.Open(t.Context(), model, pimflow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Plan(t.Context(), pimflow.Search{Policy: policy, Effort: "low"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Time(p)
	if err == nil {
		err = s.Utilize(t.Context(), p, r)
	}
	if err == nil && others {
		if r.Policies, err = s.Beside(t.Context(), p); err == nil {
			err = s.Options(t.Context(), p, r)
		}
	}
	if err == nil {
		r.Manifest, err = s.Manifest(t.Context(), p, "test", "pimflow run "+model)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func written(t *testing.T, r *pimflow.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var tags = regexp.MustCompile(`<[^>]*>`)

// plain is the text of a piece of HTML.
func plain(s string) string {
	return strings.TrimSpace(html.UnescapeString(tags.ReplaceAllString(s, "")))
}

// value reads a number of the page.
func value(t *testing.T, s string) float64 {
	t.Helper()
	s = strings.NewReplacer("−", "-", thin, "", "+", "", "%", "", times, "").Replace(s)
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Errorf("%q is no number", s)
	}
	return x
}

// TestNumbers: the numbers of the page are those of the report as JSON, read again: headline, classes, layers, policies, and each piece that
// the script shows. A page of the JSON is the page.
func TestNumbers(t *testing.T) {
	r := reported(t, "toy", "auto", true)
	text := written(t, r)
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again pimflow.Report
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if Check(&again, "toy.json") != nil || written(t, &again) != text {
		t.Error("the page of the report that is read again is another")
	}
	near := func(what, got string, want, digit float64) {
		t.Helper()
		if x := value(t, got); math.Abs(x-want) > digit/2*(1+1e-9) {
			t.Errorf("%s: %s, want %v", what, got, want)
		}
	}
	if !strings.Contains(text, "\npim.energy.mac_pj: ") {
		t.Error("no source of the energy of a product")
	}
	head := regexp.MustCompile(`<h1>toy runs ([0-9.]+)× faster .*\(([0-9.]+) to ([0-9.]+)\)`).FindStringSubmatch(text)
	if head == nil {
		t.Fatalf("no headline")
	}
	near("speed-up", head[1], r.Speedup, 0.01)
	near("speed-up, low", head[2], r.Low, 0.01)
	near("speed-up, high", head[3], r.High, 0.01)
	rows := regexp.MustCompile(`data-k="alone">([^<]*)<.*data-k="plan">([^<]*)<.*data-k="saved">([^<]*)<.*gain" role="cell">([^<]*)<`).FindAllStringSubmatch(text, -1)
	if len(rows) != len(r.Utilization.Limits) {
		t.Fatalf("%d classes, want %d", len(rows), len(r.Utilization.Limits))
	}
	for i, l := range r.Utilization.Limits {
		near(l.Class+" alone", rows[i][1], l.BaselineNS/1e3, 0.1)
		near(l.Class+" plan", rows[i][2], l.Total/1e3, 0.1)
		near(l.Class+" saved", rows[i][3], l.Saved/1e3, 0.1)
		near(l.Class+" gain", rows[i][4], 100*l.Gain, 0.1)
	}
	for dev, sum := range map[string]float64{"gpu": 0, "pim": 0} {
		line := regexp.MustCompile(`<p class="grey causes"><b class="` + dev[:1] + `t">.*?</b> (.*?)</p>`).FindStringSubmatch(text)
		for _, cause := range strings.Split(line[1], " · ") {
			_, us, _ := strings.Cut(cause, space)
			sum += value(t, us)
		}
		if math.Abs(sum-r.Total/1e3) > 0.5 { // each is rounded
			t.Errorf("causes of %s add up to %v, want %v", dev, sum, r.Total/1e3)
		}
	}
	for i, l := range r.Layers {
		row := regexp.MustCompile(`(?s)<tr data-l="` + fmt.Sprint(i+1) + `".*?</tr>`).FindString(text)
		var cells []string
		for _, c := range regexp.MustCompile(`(?s)<t[dh][^>]*>(.*?)</t[dh]>`).FindAllStringSubmatch(row, -1) {
			cells = append(cells, plain(c[1]))
		}
		if len(cells) != 13 {
			t.Fatalf("layer %s has cells %q", l.Name, cells)
		}
		if cells[1] != l.Name {
			t.Errorf("layer %d is %q, want %q", i, cells[1], l.Name)
		}
		near(l.Name+" alone", cells[6], l.Use.Baseline/1e3, 0.1)
		near(l.Name+" plan", cells[7], spanOf(&l)/1e3, 0.1)
		for k, ns := range []*float64{l.Use.OnGPU, l.Use.OnPIM} {
			if c := cells[10+k]; c != "here" && c != "–" {
				near(l.Name+" moved", c, (*ns-r.Total)/1e3, 0.1)
			} else if c == "here" && *ns != r.Total || c == "–" && ns != nil {
				t.Errorf("%s moved: %s, and %v", l.Name, c, ns)
			}
		}
	}
	bars := regexp.MustCompile(`data-p="([^"]*)" title="([^"]*)">.*?<em>([^<]*)</em></div><span class="n">(.*?)</span>`).FindAllStringSubmatch(text, -1)
	if len(bars) != len(r.Policies) || len(bars) < 10 {
		t.Fatalf("%d policies, want %d", len(bars), len(r.Policies))
	}
	for i, p := range r.Policies {
		if bars[i][1] != p.Name {
			t.Errorf("policy %d is %s, want %s", i, bars[i][1], p.Name)
		}
		near(p.Name, bars[i][3], p.Total/1e3, 0.1)
		near(p.Name+" speed-up", plain(bars[i][4]), p.Speedup, 0.01)
		said := regexp.MustCompile(`^(\S+) µs, (\S+)× of .* \((\S+)× to (\S+)×\), (\S+) mJ \((\S+) to (\S+)\)$`).FindStringSubmatch(bars[i][2])
		if said == nil {
			t.Fatalf("%s says %q", p.Name, bars[i][2])
		}
		for k, want := range []float64{p.Total / 1e3, p.Speedup, p.SpeedupLow, p.SpeedupHigh, p.Energy / 1e9, p.EnergyLow / 1e9, p.EnergyHigh / 1e9} {
			near(fmt.Sprintf("%s, number %d of %q", p.Name, k, bars[i][2]), said[k+1], want, max(0.1, 0.01*want))
		}
	}
	dots := regexp.MustCompile(`<circle class="d([agp])" [^>]*data-l="(\d+)" data-q="([\d.]+).([GTM])FLOP/s, ([\d.]+).FLOP/B, ([\d.]+).% of its roof"`).FindAllStringSubmatch(text, -1)
	if n := strings.Count(text, `<circle class="d`); n != len(dots) || n == 0 {
		t.Fatalf("%d of %d dots say what they are", len(dots), n)
	}
	for _, d := range dots {
		of, peaks := int(value(t, d[2])), &r.Utilization.Peaks
		near("FLOP/B of "+r.Layers[of].Name, d[5], r.Layers[of].Use.Intensity, max(0.01, 0.06*r.Layers[of].Use.Intensity))
		flops := value(t, d[3]) * map[string]float64{"M": 1e-3, "G": 1, "T": 1e3}[d[4]] // GFLOP/s
		roofs := map[string][]float64{"p": {peaks.PIM}}[d[1]]
		if roofs == nil {
			fed := r.Layers[of].Use.Intensity * peaks.BaselineDRAM
			roofs = []float64{min(peaks.FMA, fed), min(peaks.Tensor, fed)}
		}
		if !slices.ContainsFunc(roofs, func(roof float64) bool {
			return math.Abs(100*flops/roof-value(t, d[6])) < 0.0501+6*flops/roof+map[bool]float64{true: 0.45}[flops/roof >= 0.1]
		}) {
			t.Errorf("%s: %s %% of its roof, and %v of %v GFLOP/s", r.Layers[of].Name, d[6], flops, roofs)
		}
	}
	script := regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindStringSubmatch(text)
	var d struct{ Plan, Alone [][]float64 }
	if err := json.Unmarshal([]byte(script[1]), &d); err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, l := range r.Layers {
		for _, x := range l.Tiles {
			got, p := d.Plan[n], x.Piece
			n++
			for k, want := range map[int]float64{0: float64(i), 2: p.Start, 3: p.End, 4: p.Launch, 5: p.Moving, 6: p.Computing, 7: p.Waited, 15: x.Energy} {
				if math.Abs(got[k]-want) > 0.5001 || k < 8 && math.Abs(got[k]-want) > 0.05001 {
					t.Errorf("%s: number %d is %v, want %v", l.Name, k, got[k], want)
				}
			}
		}
	}
	if n != len(d.Plan) || len(d.Alone) != len(r.Utilization.Pieces) {
		t.Errorf("%d pieces and %d alone, want %d and %d", len(d.Plan), len(d.Alone), n, len(r.Utilization.Pieces))
	}
}

// TestStructure: a page has one h1, an h2 a section, in the order of the questions, a language and a title; nothing is fetched.
func TestStructure(t *testing.T) {
	r := reported(t, "toy", "pimflow", true)
	text := written(t, r)
	var sections []string
	for _, m := range regexp.MustCompile(`<section id="([a-z]+)">`).FindAllStringSubmatch(text, -1) {
		sections = append(sections, m[1])
	}
	if want := []string{"answer", "timeline", "limits", "roofline", "energy", "layers", "policies", "basis"}; !slices.Equal(sections, want) {
		t.Errorf("sections %q, want %q", sections, want)
	}
	for what, n := range map[string]int{"<h1>": 1, "<h2>": 7, `<html lang="en"`: 1, "<title>": 1, "<script>": 1, `<tr data-l="`: len(r.Layers)} {
		if got := strings.Count(text, what); got != n {
			t.Errorf("%s stands there %d times, want %d", what, got, n)
		}
	}
	for _, m := range regexp.MustCompile(`(src|href)="([^"]*)"|url\(|@import`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[2], "#") {
			t.Errorf("%s is fetched", m[0])
		}
	}
	if strings.Contains(text, fmt.Sprint(r.Search)) {
		t.Error("the page has the time of the search, which is another each time")
	}
	r.Policies = nil
	if text = written(t, r); strings.Contains(text, `id="policies"`) {
		t.Error("a section of policies without any")
	}
}

// TestTitles: sentences follow the numbers: faster, slower and as fast; an interval that contains 1; energies that are about the same.
func TestTitles(t *testing.T) {
	r := reported(t, "toy", "auto", false)
	for _, c := range []struct {
		speed, low, high, energy, energyLow, energyHigh float64
		want, lead                                      string
	}{
		{1.68, 1.46, 1.86, 0.78, 0.65, 1, "runs 1.68× faster with PIM than on the GPU alone", "22\u202f% less energy"},
		{0.8, 0.7, 0.9, 1.2, 1.1, 1.3, "runs 1.25× slower with PIM", "20\u202f% more energy"},
		{1.004, 0.9, 1.2, 0.99, 0.75, 1.33, "runs as fast with PIM as on the GPU alone", "about the same energy"},
		{1.1, 0.9, 1.2, 1, 1, 1, "runs 1.10× faster", "the same energy"},
	} {
		r.Speedup, r.Low, r.High = c.speed, c.low, c.high
		r.Energy.Ratio, r.Energy.RatioLow, r.Energy.RatioHigh = c.energy, c.energyLow, c.energyHigh
		p := &pager{Report: r, u: r.Utilization}
		a := p.answer()
		if !strings.Contains(a.Head, c.want) || !strings.Contains(string(a.Lead), c.lead) {
			t.Errorf("%v: %q, %q", c, a.Head, a.Lead)
		}
		if got, want := strings.Contains(string(a.Lead), "faster or slower"), c.low < 1 && c.high > 1; got != want {
			t.Errorf("%v to %v: %q", c.low, c.high, a.Lead)
		}
	}
	if a := (&pager{Report: r, u: r.Utilization}).answer(); !strings.Contains(string(a.Lead), "not checked") {
		t.Errorf("%q", a.Lead)
	}
	r.Check = &pimflow.Check{Reason: "a <b>tile</b> is wrong"}
	if a := (&pager{Report: r, u: r.Utilization}).answer(); !strings.Contains(string(a.Lead), "a &lt;b&gt;tile") {
		t.Errorf("%q", a.Lead)
	}
	alone := reported(t, "toy", "gpu", false)
	p := &pager{Report: alone, u: alone.Utilization}
	if got := p.timeline(); got.Title != "The plan leaves all work to the GPU" || got.Channels != 0 {
		t.Errorf("%q, %d channels", got.Title, got.Channels)
	}
	if got := p.energyTitle(); got != "Standby takes as much energy as on the GPU alone" {
		t.Errorf("%q", got)
	}
	written(t, alone)
}

// contrast is the ratio of luminances of two colours, by WCAG 2.
func contrast(t *testing.T, a, b string) float64 {
	luminance := func(s string) float64 {
		n, err := strconv.ParseUint(s[1:], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		linear := func(v uint64) float64 {
			x := float64(v&255) / 255
			if x <= 0.04045 {
				return x / 12.92
			}
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
	}
	x, y := luminance(a)+0.05, luminance(b)+0.05
	return max(x, y) / min(x, y)
}

// TestContrast: all text has a contrast of 4.5 or more, on light and on dark paper, on the fills too.
func TestContrast(t *testing.T) {
	of := map[string]colour{}
	for _, c := range palette {
		of[c.name] = c
	}
	for _, pair := range texts {
		a, b := of[pair[0]], of[pair[1]]
		if x := contrast(t, a.light, b.light); x < 4.5 {
			t.Errorf("%s on %s, light: %.2f", pair[0], pair[1], x)
		}
		if x := contrast(t, a.dark, b.dark); x < 4.5 {
			t.Errorf("%s on %s, dark: %.2f", pair[0], pair[1], x)
		}
	}
}

// TestHostileNames: names that are HTML, JavaScript or endless change nothing but themselves.
func TestHostileNames(t *testing.T) {
	r := reported(t, "toy", "auto", false)
	names := []string{`</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "line\u2028sep\x00\x1b[31m", strings.Repeat("é/", 20000), `' onmouseover='alert(1)`, "<!--", "{{.Data}}", ""}
	for i, n := range names {
		r.Layers[i].Name = n
	}
	r.Model, r.Manifest.Command, r.Manifest.About = names[0], names[1], names[5]
	r.Layers[2].Pinned, r.Layers[3].GPU.Bound = names[1], names[0]
	text := written(t, r)
	if n := strings.Count(text, "<script"); n != 2 {
		t.Errorf("%d scripts, want 2", n)
	}
	script := regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindStringSubmatch(text)
	if !json.Valid([]byte(script[1])) || strings.ContainsAny(script[1], "<>\x00\x1b\u2028") {
		t.Error("the script's data is no JSON that HTML may have")
	}
	text = strings.Replace(text, script[1], "", 1)
	for _, bad := range []string{"<img", "<!--", "onmouseover='", "\x00", "\x1b"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// TestSpan: a layer takes from the first start to the last end of its pieces.
func TestSpan(t *testing.T) {
	l := &pimflow.Layer{Tiles: []pimflow.Tile{{Piece: &usage.Piece{Start: 20, End: 50}}, {Piece: &usage.Piece{Start: 10, End: 30}}}}
	if got := spanOf(l); got != 40 {
		t.Errorf("%v, want 40", got)
	}
}

// TestSizes: a page of a network of the zoo is below 300 kB, that of one of 3,000 layers below 2 MB. The table hides all but the longest.
func TestSizes(t *testing.T) {
	r := reported(t, "efficientnet-b0", "newton++", false)
	text := written(t, r)
	if n := len(text); n > 300_000 {
		t.Errorf("%d B, want at most 300,000", n)
	}
	if n := strings.Count(text, `class="short"`); n != len(r.Layers)-shown {
		t.Errorf("%d of %d rows are hidden", n, len(r.Layers))
	}
	one, pieces := slices.Clone(r.Layers), slices.Clone(r.Utilization.Pieces)
	for len(r.Layers) < 3000 {
		first := len(r.Layers)
		for i, l := range one {
			l.Tiles = slices.Clone(l.Tiles)
			for k := range l.Tiles {
				x := *l.Tiles[k].Piece
				x.Layer, x.For = first+i, nil
				l.Tiles[k].Piece = &x
			}
			r.Layers = append(r.Layers, l)
		}
		for _, x := range pieces {
			x.Layer += first
			r.Utilization.Pieces = append(r.Utilization.Pieces, x)
		}
	}
	if err := Check(r, "large"); err != nil {
		t.Fatal(err)
	}
	if n := len(written(t, r)); n > 2_000_000 {
		t.Errorf("%d layers: %d B, want at most 2,000,000", len(r.Layers), n)
	}
}

// TestIncomplete: what lacks what a page is drawn from is refused in a line with its place.
func TestIncomplete(t *testing.T) {
	whole := reported(t, "toy", "auto", false)
	for what, spoil := range map[string]func(r *pimflow.Report){
		`key "utilization" is missing`:                         func(r *pimflow.Report) { r.Utilization = nil },
		`layer "stem.conv": key "use" is missing`:              func(r *pimflow.Report) { r.Layers[0].Use = nil },
		`layer "stem.conv": tile 0: key "piece" is missing`:    func(r *pimflow.Report) { r.Layers[0].Tiles[0].Piece = nil },
		`tile 0: piece of layer 7: 0 wanted`:                   func(r *pimflow.Report) { r.Layers[0].Tiles[0].Piece.Layer = 7 },
		`baseline_pieces: piece 1: layer 99: 0 to 12 wanted`:   func(r *pimflow.Report) { r.Utilization.Pieces[1].Layer = 99 },
		`waited_for: layer -1: 0 to 12 wanted`:                 func(r *pimflow.Report) { r.Utilization.Pieces[1].For = &usage.WaitedFor{Layer: -1} },
		`layer "stem.conv": tile 0: start_ns 0, end_ns 1e+300`: func(r *pimflow.Report) { r.Layers[0].Tiles[0].Piece.End = 1e300 },
		`key model: empty, the name`:                           func(r *pimflow.Report) { r.Model = "" },
		`key speedup: 0, baseline_ns / total_ns, `:             func(r *pimflow.Report) { r.Speedup = 0 },
		`key speedup: 1e+308, baseline_ns`:                     func(r *pimflow.Report) { r.Speedup = 1e308 },
		`key speedup: 1.0001, baseline_ns / total_ns, 1.`:      func(r *pimflow.Report) { r.Speedup = 1.0001 },
		`key speedup_low: 0, more than 0, at most`:             func(r *pimflow.Report) { r.Low = 0 },
		`key speedup_low: 9, more than 0, at most`:             func(r *pimflow.Report) { r.Low = 9 },
		`key total_ns: -1, more than 0, at most a day, wanted`: func(r *pimflow.Report) { r.Total = -1 },
		`key total_ns: 1e+308, more than 0`:                    func(r *pimflow.Report) { r.Total = 1e308 },
		`key baseline_ns: 0, more than 0`:                      func(r *pimflow.Report) { r.Baseline = 0 },
		`key utilization.peaks.gpu_fma_gflops: 0, more than 0`: func(r *pimflow.Report) { r.Utilization.Peaks = usage.Peaks{} },
		`key utilization.peaks.pim_gflops: -1, 0 or more`:      func(r *pimflow.Report) { r.Utilization.Peaks.PIM = -1 },
		`key utilization.peaks.pim_gflops: 1e+308, a number`:   func(r *pimflow.Report) { r.Utilization.Peaks.PIM = 1e308 },
		`key layers[0].use.flops_per_byte: -1, 0 or more`:      func(r *pimflow.Report) { r.Layers[0].Use.Intensity = -1 },
		`key gpu_busy_ns: -2, 0 or more wanted`:                func(r *pimflow.Report) { r.GPUBusy = -2 },
		`piece 1: launch_ns -1, moving_ns`:                     func(r *pimflow.Report) { r.Utilization.Pieces[1].Launch = -1 },
	} {
		data, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		r := &pimflow.Report{}
		if err := json.Unmarshal(data, r); err != nil {
			t.Fatal(err)
		}
		spoil(r)
		if err := Check(r, "run.json"); err == nil || !strings.HasPrefix(err.Error(), "run.json: ") || !strings.Contains(err.Error(), what) || fault.Of(err) != fault.Input {
			t.Errorf("%v, want %s", err, what)
		}
	}
}

// TestHostileNumbers: whatever a number of a run's JSON is, the page is refused or written.
func TestHostileNumbers(t *testing.T) {
	data, err := json.Marshal(reported(t, "toy", "auto", true))
	if err != nil {
		t.Fatal(err)
	}
	numbers := regexp.MustCompile(`:(-?[0-9][0-9.e+-]*)`).FindAllSubmatchIndex(data, -1)
	rng := rand.New(rand.NewPCG(1, 2))
	written := 0
	for range 200 {
		at := numbers[rng.IntN(len(numbers))]
		x := []string{"0", "-1", "1e308", "5e-324", "-1e300", "9007199254740993", "1"}[rng.IntN(7)]
		r := &pimflow.Report{}
		if json.Unmarshal(slices.Concat(data[:at[2]], []byte(x), data[at[3]:]), r) != nil || Check(r, "run.json") != nil {
			continue // an integer, or out of its range
		}
		if err := Write(io.Discard, r); err != nil {
			t.Errorf("%s for %s: %v", x, data[max(0, at[0]-40):at[3]], err)
		}
		written++
	}
	if written < 50 {
		t.Errorf("%d of 200 are written", written)
	}
}

// TestNames: what all names begin with is left out, up to a separator; a block is a name up to its first number.
func TestNames(t *testing.T) {
	layer := func(names ...string) (list []pimflow.Layer) {
		for _, n := range names {
			list = append(list, pimflow.Layer{Name: n})
		}
		return list
	}
	for _, c := range []struct {
		names  []string
		common string
	}{{[]string{"features.0", "features.12.conv"}, "features."}, {[]string{"/model.0/conv/Conv", "/model.1/cv1/conv/Conv"}, "/model."}, {[]string{"conv", "pool"}, ""}, {[]string{"a.b"}, ""}, {[]string{"a.b", "a.b"}, "a."}} {
		if got := newNames(layer(c.names...)).common; got != c.common {
			t.Errorf("%q begin with %q, want %q", c.names, got, c.common)
		}
	}
	for name, want := range map[string][2]string{"12.conv.0": {"12", "12"}, "0/conv/Conv": {"0", "0"}, "layer1.0.conv1": {"layer1", "layer1"}, "block.se.fc1": {"block.se.fc1", "fc1"}, "stem.conv": {"stem", "stem"}, "classifier": {"classifier", "classif…"}} {
		if b := block(name); b != want[0] || tag(b) != want[1] {
			t.Errorf("%q: %q, %q, want %q", name, b, tag(b), want)
		}
	}
}

// TestWords: numbers as people read them.
func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{lost("slower alone by 3.0 ns: the gpu takes 9.0 ns, bound by l2; PIM work would be launched once more; the plan would take 3.0 ns more"), "the gpu takes 9.0 ns, bound by l2; PIM work would be launched once more"}, {lost("chosen"), "chosen"},
		{number(-0.04, 1), "0.0"}, {number(-3.25, 1), "−3.2"}, {number(1636.2, 1), "1636.2"}, {number(15470.3, 1), "15\u202f470.3"}, {number(math.NaN(), 1), "–"},
		{saying(1500), "+1.5"}, {saying(20), "0.0"}, {saying(-1500), "−1.5"}, {si(44.4e12), "44\u00a0T"}, {si(7.17e12), "7.2\u00a0T"}, {si(1000), "1\u00a0k"}, {si(1), "1"},
		{more(0.651), "35\u202f% less"}, {more(1.2), "20\u202f% more"}, {more(1.004), "no change"}, {plural(1, "launch"), "1\u00a0launch"}, {plural(3, "launch"), "3\u00a0launches"},
		{part(0), "–"}, {part(1e5), "<0.001"}, {part(2e8), "0.200"}, {headline(48475), "48.5"}, {headline(335100), "335"},
		{brief("greedy (CAIRO; IOTPIM); all times"), "greedy (CAIRO; IOTPIM)"}, {brief("each layer; channels (Newton+, CGO 2023)"), "each layer (Newton+, CGO 2023)"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for _, x := range []float64{0.7, 1, 3.3, 52.7, 409, 1636, 99999} {
		list := ticks(x)
		if n := len(list); n < 3 || n > 7 || list[0] != 0 || list[n-1] > x*(1+1e-9) {
			t.Errorf("ticks to %v: %v", x, list)
		}
	}
}
