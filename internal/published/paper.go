package published

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
)

// Networks are those of the published evaluation, in the order of its scripts
// (run.example.sh of the artifact).
var Networks = []string{"efficientnet-b0", "mobilenet-v2", "mnasnet-1.0", "resnet-50", "vgg-16"}

// mobile are the networks of mobile devices among them.
var mobile = Networks[:3]

// The measures of a comparison. All but GPUAlone are ratios.
const (
	Convolutions = "convolutions"     // speed-up of the convolutions alone
	Pointwise    = "1x1 convolutions" // speed-up of the dense 1x1 convolutions alone
	EndToEnd     = "end to end"       // speed-up
	EnergyRatio  = "energy"           // of the plan over that of the GPU alone, end to end
	GPUAlone     = "GPU alone"        // GPU cycles end to end
)

// The networks that a claim is about, beside single ones.
const (
	Each    = "each"            // each of Networks
	Largest = "largest of five" // of Networks
	Mean    = "mean of five"
	Mobile  = "largest of the mobile three"
	MobileM = "mean of the mobile three"
)

// Claim is a value that was published.
type Claim struct {
	Network string // or one of Each, Largest, Mean, Mobile, MobileM
	Policy  string
	Measure string
	Value   float64
	Maximum bool // no network has more
	Source  int  // index of Sources
}

// Sources are the sources of the claims.
var Sources = []string{
	"README of the artifact (github.com/yongwonshin/PIMFlow, branch 2023cgo-artifact)",
	"abstract of PIMFlow (CGO 2023, doi:10.1145/3579990.3580009): up to 82 % faster end to end, 26 % less energy on average; the networks are the five of the artifact's scripts",
	"abstract of PIMFlow's predecessor (IEEE CAL 21(2), 2022, doi:10.1109/LCA.2022.3182363): all 1x1 convolutions of mobile networks up to 35.2 % faster, 31.6 % on average; which networks is not known, here the mobile ones of the five",
}

// Claims are all values that are known to have been published for these networks.
var Claims = []Claim{
	{"mobilenet-v2", "newton++", Convolutions, 1.365, false, 0},
	{"mobilenet-v2", "pipeline", Convolutions, 1.413, false, 0},
	{"mobilenet-v2", "mddp", Convolutions, 1.436, false, 0},
	{"mobilenet-v2", "pimflow", Convolutions, 1.481, false, 0},
	{"mobilenet-v2", "pimflow", EndToEnd, 1.38, false, 0},
	{"mobilenet-v2", GPU, GPUAlone, 1445620, false, 0},
	{Each, "pimflow", EndToEnd, 1.82, true, 1},
	{Largest, "pimflow", EndToEnd, 1.82, false, 1},
	{Mean, "pimflow", EnergyRatio, 0.74, false, 1},
	{Mobile, Predecessor, Pointwise, 1.352, false, 2},
	{MobileM, Predecessor, Pointwise, 1.316, false, 2},
}

// Predecessor is the policy that offloads 1x1 convolutions only. Its sum over them is
// that of newton++, which decides on each layer by itself.
const Predecessor = "conv1x1"

// GPU is the policy of the measure GPUAlone.
const GPU = "gpu"

// claim returns what was published for a network, or nil: a value of its own before one
// of each.
func claim(network, policy, measure string) *Claim {
	for _, name := range []string{network, Each} {
		for i := range Claims {
			if c := &Claims[i]; c.Network == name && c.Policy == policy && c.Measure == measure {
				return c
			}
		}
	}
	return nil
}

// Within is the difference up to which two values are called equal.
const Within = 0.05

// Comparison is a value of the published accounting beside the published one.
type Comparison struct {
	Network string // of Networks, or Largest, Mean, Mobile, MobileM
	Policy  string
	Measure string
	Claim   *Claim  // nil: none is known
	Ours    float64 // under the first of Variants
	// Low and High are the least and the most under all of Variants; both 0 where they
	// were not taken.
	Low, High float64
	Reason    string // of the difference; empty within Within
}

// Difference is that of ours from the published value, relative to it; 0 without one.
func (c *Comparison) Difference() float64 {
	if c.Claim == nil {
		return 0
	}
	return c.Ours/c.Claim.Value - 1
}

// Verdict says in words where ours lies.
func (c *Comparison) Verdict() string {
	d := c.Difference()
	switch {
	case c.Claim == nil:
		return "no published value"
	case c.Claim.Maximum && d > 0:
		return "beyond the published maximum"
	case c.Claim.Maximum:
		return "not beyond the published maximum"
	case math.Abs(d) <= Within:
		return fmt.Sprintf("within %.0f %%", 100*Within)
	case d > 0:
		return "above"
	}
	return "below"
}

// differs reports whether a comparison wants a reason.
func (c *Comparison) differs() bool {
	d := c.Difference()
	return c.Claim != nil && (d > 0 && c.Claim.Maximum || math.Abs(d) > Within && !c.Claim.Maximum)
}

// doubt is something about the published system that is not known for certain: a
// change of the accounting, whose effect on a difference is told.
type doubt struct {
	name    string
	reading bool // of what the GPU was
	apply   func(*Accounting)
}

// doubts are the readings of the GPU, of which the first changes nothing, and the
// mistake of squeeze-excite layers.
var doubts = func() (list []doubt) {
	for _, v := range Variants {
		name := v.Name
		if v.Residual {
			name = "residual additions as kernels of the GPU"
		}
		list = append(list, doubt{name, !v.Residual, func(a *Accounting) { a.read(v) }})
	}
	return append(list, doubt{"squeeze-excite layers with all their inputs", false, func(a *Accounting) { a.System.Columns1 = false }})
}()

// value is a measure of a sum; cycle is the GPU's.
func (s *Sum) value(measure string, cycle float64) float64 {
	switch measure {
	case Convolutions:
		return s.ConvOnly.Speedup()
	case Pointwise:
		return s.Pointwise.Speedup()
	case EnergyRatio:
		v, _, _ := s.Energy.Ratio()
		return v
	case GPUAlone:
		return float64(s.EndToEnd.Baseline) / cycle
	}
	return s.EndToEnd.Speedup()
}

// paper holds the sums that comparisons are made of.
type paper struct {
	cycle float64
	sums  []map[string]map[string]Sum // by doubt, network and policy
}

// Paper compares the networks under every published policy with what was published. Of
// all of Networks it also compares the largest and the mean. Change, unless nil, is made
// to the accounting before.
func Paper(ctx context.Context, graphs []*graph.Graph, m *hw.Machine, change func(*Accounting), progress func(done, total int)) ([]Comparison, error) {
	p := &paper{cycle: m.GPU.Clock.Picoseconds()}
	base := New(own(m))
	if change != nil {
		change(base)
	}
	for i, d := range doubts {
		a := base.fork()
		d.apply(a)
		sums := map[string]map[string]Sum{}
		for n, g := range graphs {
			sums[g.Name] = map[string]Sum{}
			for _, policy := range Policies {
				if i > 0 && policy != "pimflow" && !(policy == "newton++" && slices.Contains(mobile, g.Name)) {
					continue
				}
				s, err := a.Sum(ctx, g, policy)
				if err != nil {
					return nil, fmt.Errorf("%s: %s: policy %s: %w", d.name, g.Name, policy, err)
				}
				sums[g.Name][policy] = s
			}
			if progress != nil {
				progress(i*len(graphs)+n+1, len(doubts)*len(graphs))
			}
		}
		p.sums = append(p.sums, sums)
	}
	var list []Comparison
	all := true
	for _, g := range graphs {
		if claim(g.Name, GPU, GPUAlone) != nil {
			list = append(list, p.compare(g.Name, GPU, GPUAlone))
		}
		for _, policy := range Policies {
			for _, measure := range []string{Convolutions, EndToEnd, EnergyRatio} {
				list = append(list, p.compare(g.Name, policy, measure))
			}
		}
	}
	for _, n := range Networks {
		_, ok := p.sums[0][n]
		all = all && ok
	}
	if all {
		for _, c := range Claims {
			if len(members(c.Network)) > 1 {
				list = append(list, p.compare(c.Network, c.Policy, c.Measure))
			}
		}
	}
	return list, nil
}

// members are the networks that a comparison is about.
func members(network string) []string {
	switch network {
	case Largest, Mean:
		return Networks
	case Mobile, MobileM:
		return mobile
	case Each:
		return nil
	}
	return []string{network}
}

// under is a measure under a doubt; ok is false where it was not taken.
func (p *paper) under(d int, network, policy, measure string) (v float64, ok bool) {
	switch policy {
	case Predecessor:
		policy = "newton++"
	case GPU:
		policy = "pimflow"
	}
	var values []float64
	for _, n := range members(network) {
		s, ok := p.sums[d][n][policy]
		if !ok {
			return 0, false
		}
		values = append(values, s.value(measure, p.cycle))
	}
	if network == Mean || network == MobileM {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		return sum / float64(len(values)), true
	}
	return slices.Max(values), true
}

// compare makes one comparison, with the reason of its difference.
func (p *paper) compare(network, policy, measure string) Comparison {
	c := Comparison{Network: network, Policy: policy, Measure: measure, Claim: claim(network, policy, measure)}
	c.Ours, _ = p.under(0, network, policy, measure)
	var nearest string
	var parts []string
	gap, best := 0.0, 0.0
	if c.Claim != nil {
		gap = c.Ours - c.Claim.Value
		best = math.Abs(gap)
	}
	low, high := c.Ours, c.Ours
	for i := 1; i < len(doubts); i++ {
		v, ok := p.under(i, network, policy, measure)
		if !ok {
			return c
		}
		low, high = min(low, v), max(high, v)
		if c.Claim == nil {
			continue
		}
		left := math.Abs(v - c.Claim.Value)
		switch said := fmt.Sprintf("%s: %s", doubts[i].name, Number(v)); {
		case doubts[i].reading && left < best:
			nearest, best = said, left
		case !doubts[i].reading && left < math.Abs(gap)*0.98:
			parts = append(parts, fmt.Sprintf("%s, %.0f %% of the difference", said, 100*(1-left/math.Abs(gap))))
		}
	}
	c.Low, c.High = low, high
	if c.differs() {
		if measure == EnergyRatio {
			parts = append(parts, p.constants(network, policy))
		}
		if share := p.fully(network, policy); measure == EndToEnd && share > 0.1 {
			parts = append([]string{fmt.Sprintf("fully connected layers, squeeze-excite among them, are %.0f %% of the gain", 100*share)}, parts...)
		}
		if nearest != "" {
			parts = append(parts, "of the GPU's readings nearest "+nearest)
		}
		has := "do not reach it"
		if low <= c.Claim.Value && c.Claim.Value <= high {
			has = "hold it"
		}
		c.Reason = strings.Join(append(parts, fmt.Sprintf("%s to %s under all readings %s", Number(low), Number(high), has)), "; ")
	}
	return c
}

// fully is the part of a gain end to end that fully connected layers have, for the network
// with the largest speed-up.
func (p *paper) fully(network, policy string) (share float64) {
	best := 0.0
	for _, n := range members(network) {
		if s := p.sums[0][n][policy]; s.EndToEnd.Speedup() > best {
			best = s.EndToEnd.Speedup()
			share = float64(s.Fully.Baseline-s.Fully.Total) / float64(s.EndToEnd.Baseline-s.EndToEnd.Total)
		}
	}
	return share
}

// constants says what the bounds of the energy constants make of a ratio of energies.
func (p *paper) constants(network, policy string) string {
	var low, high float64
	of := members(network)
	for _, n := range of {
		s := p.sums[0][n][policy]
		_, l, h := s.Energy.Ratio()
		low, high = low+l/float64(len(of)), high+h/float64(len(of))
	}
	return fmt.Sprintf("%s to %s with the energy constants between their bounds", Number(low), Number(high))
}

// Number prints a value of a comparison: a ratio, or cycles.
func Number(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
