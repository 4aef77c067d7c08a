package published

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
)

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		claim   *Claim
		ours    float64
		verdict string
		differs bool
	}{
		{nil, 2, "no published value", false},
		{&Claim{Value: 1.4}, 1.4, "within 5 %", false},
		{&Claim{Value: 1.4}, 1.4 * 1.0499, "within 5 %", false},
		{&Claim{Value: 1.4}, 1.4 * 0.9501, "within 5 %", false},
		{&Claim{Value: 1.4}, 1.4 * 1.0501, "above", true},
		{&Claim{Value: 1.4}, 1.4 * 0.9499, "below", true},
		{&Claim{Value: 1.82, Maximum: true}, 1.8201, "beyond the published maximum", true},
		{&Claim{Value: 1.82, Maximum: true}, 1.82, "not beyond the published maximum", false},
		{&Claim{Value: 1.82, Maximum: true}, 1, "not beyond the published maximum", false},
	} {
		x := &Comparison{Claim: c.claim, Ours: c.ours}
		if got := x.Verdict(); got != c.verdict || x.differs() != c.differs {
			t.Errorf("%+v, ours %g: %q, differs %v: %q wanted", c.claim, c.ours, got, x.differs(), c.verdict)
		}
	}
}

// TestClaims: every claim is about a network and a policy that are compared, once.
func TestClaims(t *testing.T) {
	policies := append([]string{GPU, Predecessor}, Policies...)
	networks := append([]string{Each, Largest, Mean, Mobile, MobileM}, Networks...)
	for i, c := range Claims {
		if !slices.Contains(networks, c.Network) || !slices.Contains(policies, c.Policy) || c.Source >= len(Sources) {
			t.Errorf("%+v", c)
		}
		for _, o := range Claims[:i] {
			if o.Network == c.Network && o.Policy == c.Policy && o.Measure == c.Measure {
				t.Errorf("%+v is there twice", c)
			}
		}
	}
}

// TestPaper: all 75 values of five networks and policies are there, energy among them;
// efficientnet-b0's speed-up is flagged; every difference has a reason and nothing else
// has one; the first reading lies within the range of all.
func TestPaper(t *testing.T) {
	var graphs []*graph.Graph
	for _, n := range Networks {
		graphs = append(graphs, network(t, n))
	}
	list, err := Paper(context.Background(), graphs, artifact(t), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]float64{}
	verdicts := map[string]string{}
	for _, c := range list {
		key := c.Network + " " + c.Policy + " " + c.Measure
		if _, ok := ours[key]; ok {
			t.Errorf("%s is there twice", key)
		}
		ours[key], verdicts[key] = c.Ours, c.Verdict()
		if (c.Reason != "") != c.differs() {
			t.Errorf("%s: %s, reason %q", key, c.Verdict(), c.Reason)
		}
		if c.Low > c.Ours || c.High < c.Ours && c.High != 0 {
			t.Errorf("%s: %g outside of %g to %g", key, c.Ours, c.Low, c.High)
		}
		if !(c.Ours > 0) || math.IsInf(c.Ours, 0) {
			t.Errorf("%s: %g", key, c.Ours)
		}
		if key == "efficientnet-b0 pimflow end to end" && !strings.Contains(c.Reason, "squeeze-excite among them, are 73 % of the gain") {
			t.Errorf("%s: reason %q", key, c.Reason)
		}
		if c.Measure == EnergyRatio && c.Claim != nil && !strings.Contains(c.Reason, "energy constants") {
			t.Errorf("%s: reason %q", key, c.Reason)
		}
	}
	for _, n := range Networks {
		for _, p := range Policies {
			for _, m := range []string{Convolutions, EndToEnd, EnergyRatio} {
				if _, ok := ours[n+" "+p+" "+m]; !ok {
					t.Errorf("%s %s %s is missing", n, p, m)
				}
			}
		}
	}
	if len(list) != 75+1+4 {
		t.Errorf("%d comparisons", len(list))
	}
	for key, want := range map[string]string{
		"efficientnet-b0 pimflow end to end":                "beyond the published maximum",
		"mobilenet-v2 newton++ convolutions":                "within 5 %",
		"mobilenet-v2 pimflow end to end":                   "above",
		"vgg-16 pimflow end to end":                         "not beyond the published maximum",
		"vgg-16 pimflow energy":                             "no published value",
		"largest of five pimflow end to end":                "above",
		"mobilenet-v2 gpu GPU alone":                        "below",
		"mobilenet-v2 newton+ convolutions":                 "no published value",
		"resnet-50 pimflow end to end":                      "not beyond the published maximum",
		"mean of the mobile three conv1x1 1x1 convolutions": "above",
	} {
		if got := verdicts[key]; got == "" || got != want {
			t.Errorf("%s: %q: %q wanted", key, got, want)
		}
	}
	largest, sum := 0.0, 0.0
	for _, n := range Networks {
		largest = max(largest, ours[n+" pimflow end to end"])
		sum += ours[n+" pimflow energy"]
	}
	if got := ours["largest of five pimflow end to end"]; got != largest {
		t.Errorf("largest of five: %g: %g wanted", got, largest)
	}
	if got := ours["mean of five pimflow energy"]; math.Abs(got-sum/5) > 1e-12 {
		t.Errorf("mean of five: %g: %g wanted", got, sum/5)
	}
}

// TestResidual: in mobilenet-v2 ten additions follow convolutions that are not whole on
// the GPU. As kernels they take about 6.5 k cycles each, more than half of the difference
// to the published end-to-end time; convolutions alone and the plan stay the same.
func TestResidual(t *testing.T) {
	g, a := network(t, "mobilenet-v2"), New(artifact(t))
	before, err := a.Sum(context.Background(), g, "pimflow")
	if err != nil {
		t.Fatal(err)
	}
	a.Residual = true
	s, err := a.Sum(context.Background(), g, "pimflow")
	if err != nil {
		t.Fatal(err)
	}
	if s.ConvOnly != before.ConvOnly || s.EndToEnd.Baseline != before.EndToEnd.Baseline {
		t.Errorf("%v and %v before, %v and %v after", before.ConvOnly, before.EndToEnd, s.ConvOnly, s.EndToEnd)
	}
	if got := s.EndToEnd.Total - before.EndToEnd.Total; got != s.Residuals || before.Residuals != 0 {
		t.Errorf("additions of %v change the total by %v", s.Residuals, got)
	}
	cycles := float64(s.Residuals) / a.Machine.GPU.Clock.Picoseconds()
	if each := cycles / float64(s.Additions); s.Additions != 10 || each < 6000 || each > 7000 {
		t.Errorf("%d additions of %.0f cycles", s.Additions, each)
	}
	_, reported, _, _ := Reported("mobilenet-v2")
	if part := (before.EndToEnd.Speedup() - s.EndToEnd.Speedup()) / (before.EndToEnd.Speedup() - reported); part < 0.5 || part > 0.7 {
		t.Errorf("they explain %.2f of the difference", part)
	}
	if b, _, _ := before.Energy.Ratio(); b <= 0 {
		t.Errorf("energy %g", b)
	} else if r, _, _ := s.Energy.Ratio(); r <= b {
		t.Errorf("energy %g with additions, %g without", r, b)
	}
}

// TestEnergyParts: the published generator's work has every part of energy that the
// machine has constants for; the GPU alone has none of PIM work, and standby is time.
func TestEnergyParts(t *testing.T) {
	g, a := network(t, "mobilenet-v2"), New(artifact(t))
	s, err := a.Sum(context.Background(), g, "newton++")
	if err != nil {
		t.Fatal(err)
	}
	for p := range device.Parts {
		alone, plan := s.Energy.Baseline[p].Value, s.Energy.Total[p].Value
		switch p {
		case device.PIMActive, device.PIMActivate, device.PIMColumnRead, device.PIMMAC, device.PIMBuffer, device.PIMIO:
			if alone != 0 || plan <= 0 {
				t.Errorf("%v: %g pJ, %g alone", p, plan, alone)
			}
		case device.GPUStandby, device.PIMStandby, device.PIMRefresh:
			if got := alone / plan; math.Abs(got-s.EndToEnd.Speedup()) > 1e-9 {
				t.Errorf("%v: %g times as much alone, %g times the time", p, got, s.EndToEnd.Speedup())
			}
		}
	}
	if got := s.Energy.Total[device.GPUMAC].Value; got >= s.Energy.Baseline[device.GPUMAC].Value {
		t.Errorf("tensor cores take %g pJ, %g alone", got, s.Energy.Baseline[device.GPUMAC].Value)
	}
}

// TestSweeps: the setting that the policies have gives the sum of the policies.
func TestSweeps(t *testing.T) {
	g, m := network(t, "mobilenet-v2"), artifact(t)
	own := map[string]string{"stages": "2", "buffers": "4 hidden", "channels": "16"}
	for i := range Sweeps {
		s := &Sweeps[i]
		steps := 0
		points, err := s.Run(context.Background(), []*graph.Graph{g}, m, nil, func(done, total int) {
			if steps++; done != steps || total != len(s.Policies)*len(s.Settings) {
				t.Errorf("%s: progress %d of %d", s.Name, done, total)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		same := 0
		by := map[string]map[string]Sum{}
		for _, p := range points {
			if by[p.Policy] == nil {
				by[p.Policy] = map[string]Sum{}
			}
			by[p.Policy][p.Setting] = p.Sum
			if p.Setting != own[s.Name] {
				continue
			}
			want, err := New(m).Sum(context.Background(), g, p.Policy)
			if err != nil {
				t.Fatal(err)
			}
			if same++; p.Sum != want {
				t.Errorf("%s %s: %v, the policy has %v", s.Name, p.Policy, p.ConvOnly, want.ConvOnly)
			}
		}
		if same != len(s.Policies) {
			t.Errorf("%s: %d policies have the setting %s", s.Name, same, own[s.Name])
		}
		switch n := by["newton++"]; s.Name {
		case "buffers": // fewer choices, or exposed writes, are no faster; one group, exposed, is newton+
			plus, err := New(m).Sum(context.Background(), g, "newton+")
			if err != nil {
				t.Fatal(err)
			}
			if n["1 exposed"].ConvOnly != plus.ConvOnly {
				t.Errorf("one group, exposed: %v, newton+ %v", n["1 exposed"].ConvOnly, plus.ConvOnly)
			}
			for _, k := range []string{"1", "2", "4"} {
				if n[k+" exposed"].ConvOnly.Total < n[k+" hidden"].ConvOnly.Total {
					t.Errorf("%s groups: faster with exposed writes", k)
				}
			}
		case "channels":
			if a, b := n["4"].ConvOnly, n["28"].ConvOnly; a.Baseline != b.Baseline {
				t.Errorf("the GPU alone takes %v and %v", a.Baseline, b.Baseline)
			}
		}
	}
}

// TestShares: the gains of all ways add up to the gain of the policy, and a histogram
// counts each dense geometry once.
func TestShares(t *testing.T) {
	g, m := network(t, "mobilenet-v2"), artifact(t)
	list, err := Shares(context.Background(), []*graph.Graph{g}, m, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(m).Sum(context.Background(), g, "pimflow")
	if err != nil {
		t.Fatal(err)
	}
	x := &list[0]
	if x.Baseline != s.ConvOnly.Baseline || x.Gain() != s.ConvOnly.Baseline-s.ConvOnly.Total || x.Layers() != 52 {
		t.Errorf("%d layers, %v less %v: the policy has %v", x.Layers(), x.Baseline, x.Gain(), s.ConvOnly)
	}
	for k, w := range x.Ways {
		if k < 2 && w.Beyond != 0 || k >= 2 && w.Layers > 0 && w.Beyond <= 0 {
			t.Errorf("%s: %+v", Ways[k], w)
		}
	}
	h, err := Ratios(context.Background(), []*graph.Graph{g}, m, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	distinct := map[string]bool{}
	for i := range g.Nodes {
		if nd := &g.Nodes[i]; Convolution(g, nd) && nd.Attrs.Int("group") == 1 {
			distinct[geometry(g, nd)] = true
		}
	}
	if h[0].Total() != len(distinct) || h[0].Layers[0] == 0 {
		t.Errorf("%v: %d geometries", h[0].Layers, len(distinct))
	}
}
