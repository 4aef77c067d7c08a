package search_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/op"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/search"
	"pimflow/internal/sweep"
	"pimflow/internal/tensor"
)

var long = flag.Bool("long", false, "hold thousands of machines against better ones")

// betterKeys says of each number of a machine that times depend on which way it is better: 1 more, -1 less, 0 neither. A plan takes
// no longer on a machine with a better number, or by no more than a share, slack. A key stands for all that begin with it.
var betterKeys = []struct {
	key   string
	sign  int
	slack float64
	why   string // of a slack, or of neither
}{
	{"memory.channels", 1, 0, ""},
	{"memory.pim_channels", 0, 0, "a channel more that computes is one that the GPU has less"},
	{"memory.channels_per_chip", 0, 0, "no time depends on it"},
	{"memory.pins_per_channel", 0, 0, "geometry: does not change alone"},
	{"memory.burst_length", 0, 0, "geometry: does not change alone"},
	{"memory.channel_gb_per_s", 1, 0, ""},
	{"memory.l2_per_channel_bytes", 1, 0, ""},
	{"memory.bytes_per_element", 0, 0, "geometry: does not change alone"},
	{"gpu.clock_ps", -1, 1e-3, "times of the machine are rounded up to whole clocks"},
	{"gpu.sm", 1, 0, ""},
	{"gpu.tensor_mac_per_ck_sm", 1, 0, ""},
	{"gpu.tensor_int8_mac_per_ck_sm", 1, 0, ""},
	{"gpu.fma_per_ck_sm", 1, 0, ""},
	{"gpu.smem_per_sm_bytes", 1, 0, ""},
	{"gpu.threads_per_sm", 1, 0, ""},
	{"gpu.cta_per_sm", 1, 0, ""},
	{"gpu.registers_per_sm", 1, 0, ""},
	{"gpu.l2_bytes_per_ck_sm", 1, 0, ""},
	{"gpu.launch_ck", -1, 0, ""},
	{"gpu.launches", -1, 0, ""},
	{"gpu.conv_split_k", 1, 0, ""},
	{"gpu.conv_offset_launches", -1, 0, ""},
	{"gpu.model.eta", 1, 0, ""},
	{"gpu.model.eta_fma", 1, 0, ""},
	{"gpu.model.eta_dram", 1, 0, ""},
	{"gpu.model.eta_stream", 1, 0, ""},
	{"gpu.model.eta_dw", 1, 0, ""},
	{"gpu.model.eta_dw_fma", 1, 0, ""},
	{"gpu.model.lam_ck", -1, 0, ""},
	{"gpu.model.lam_fma_ck", -1, 0, ""},
	{"gpu.model.winograd", 1, 0, ""},
	{"gpu.model.om", -1, 0, ""},
	{"gpu.model.stride_wait", -1, 0, ""},
	{"gpu.model.wide_wait", -1, 0, ""},
	{"gpu.model.wide_taps", 0, 0, "which kernels wait"},
	{"gpu.model.dw_fetch", -1, 0, ""},
	{"gpu.model.dw_start_ck", -1, 0, ""},
	{"gpu.model.epi", -1, 0, ""},
	{"gpu.model.pixel_fetch", -1, 0, ""},
	{"gpu.model.transposed_fetch", -1, 0, ""},
	{"gpu.model.dw_plane", 0, 0, "a size of CTAs: more CTAs, or larger ones"},
	{"gpu.model.stages", 0, 0, "a way to write kernels: more shared memory, or more waiting"},
	{"gpu.model.p", 1, 0, ""},
	{"gpu.model.ramp_ck", -1, 0, ""},
	{"gpu.model.splitk_us", -1, 0, ""},
	{"pim.clock_ps", -1, 1e-3, "times of the machine are rounded up to whole clocks"},
	{"pim.banks", 1, 0, ""},
	{"pim.mac_units", 0, 0, "geometry: does not change alone"},
	{"pim.bank_groups", 0, 0, "geometry: does not change alone"},
	{"pim.column_bytes", 0, 0, "geometry: does not change alone"},
	{"pim.row_bytes", 1, 0, ""},
	{"pim.rows_per_bank", 1, 0, ""},
	{"pim.buffer_bytes", 1, 2e-3, mappings},
	{"pim.buffers", 1, 2e-3, mappings},
	{"pim.accumulators", 1, 2e-3, mappings},
	{"pim.timing.bl_ck", 0, 0, "the clock follows from it, so that the pins keep their rate"},
	{"pim.timing.cwl_ck", 0, 0, subtracted},
	{"pim.timing.cwlgb_ck", 0, 0, subtracted},
	{"pim.timing.cwlreg_ck", 0, 0, subtracted},
	{"pim.timing.refi_ck", 1, 2e-3, mappings},
	{"pim.timing", -1, 2e-3, mappings},
	{"link.ps_per_byte", -1, 0, ""},
	{"link.latency_ck", -1, 0, ""},
	{"link.pim_launch_ck", -1, 0, ""},
	{"link.finish.ps_per_op", -1, 0, ""},
}

const (
	mappings   = "of several mappings of a layer the best is found by estimates, and refreshes come at other commands"
	subtracted = "a wait to the begin of data: a rule subtracts it"
)

// rowOf is the row of a key: that of the longest key that it begins with.
func rowOf(path string) (at int) {
	at = -1
	for i, r := range betterKeys {
		if sweep.Within(path, r.key) && (at < 0 || len(r.key) > len(betterKeys[at].key)) {
			at = i
		}
	}
	return at
}

// unlimited is a target whose memory has room for everything.
func unlimited(t testing.TB, m *hw.Machine) search.Target {
	to := targetOf(t, m)
	to.Unbounded, to.Holds, to.Fits = true, nil, nil
	return to
}

// TestKeptNoSlower: a plan takes no longer on a machine that has one number better, of all numbers of all machines.
func TestKeptNoSlower(t *testing.T) {
	nets, policies, percents, most := []string{"toy"}, []string{"pimflow", "by-operator"}, []int{-20, -50, 100}, 1
	if *long {
		nets, policies, percents, most = append(nets, "mobilenet-v2"), append(policies, "auto"), []int{-50, -20, -10, -5, 5, 10, 20, 50, 100, 300}, 10
	}
	used, compared := make([]bool, len(betterKeys)), 0
	for _, name := range pim.Machines() {
		m, err := hw.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, net := range nets {
			g := network(t, net)
			var plans []*plan.Plan
			for _, policy := range policies {
				plans = append(plans, best(t, g, policy, unlimited(t, m)).Plan)
			}
			base := retimed(t, g, plans, m)
			for _, c := range m.Constants() {
				if !sweep.Timed(m, c.Path) {
					continue
				}
				at := rowOf(c.Path)
				if at < 0 {
					t.Errorf("%s: which way is it better? A row of betterKeys is wanted", c.Path)
					continue
				}
				row := betterKeys[at]
				used[at] = true
				left := most
				for _, percent := range percents {
					text, value := c.Changed(percent)
					if row.sign == 0 || left == 0 || value == c.Value {
						continue
					}
					x, err := m.Set(c.Path + "=" + text)
					if err != nil { // a number that no machine has
						continue
					}
					left--
					for i, r := range retimed(t, g, plans, x) {
						if r == nil || base[i] == nil {
							continue
						}
						slow, fast := base[i].Value, r.Value
						if (value > c.Value) != (row.sign > 0) {
							slow, fast = fast, slow
						}
						if compared++; fast > slow*(1+row.slack) {
							t.Errorf("%s, %s, %s: %s = %s: %v, with %s %v: %.4f %% more where it is better", name, net, plans[i].Policy, c.Path, text, r.Value, c.Text, base[i].Value, 100*(fast/slow-1))
						}
					}
				}
			}
		}
	}
	for i, r := range betterKeys {
		if !used[i] {
			t.Errorf("no machine has %s", r.key)
		}
		if (r.sign == 0 || r.slack > 0) != (r.why != "") {
			t.Errorf("%s: a reason is wanted for what is excluded, and no other", r.key)
		}
	}
	if compared < 200 {
		t.Errorf("%d times were compared", compared)
	}
}

// retimed are plans as they are on a machine.
func retimed(t testing.TB, g *graph.Graph, plans []*plan.Plan, m *hw.Machine) []*search.Retimed {
	list, err := search.Retime(t.Context(), g, plans, unlimited(t, m))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// drawNet draws a chain of convolutions with residuals, of sizes that networks have.
func drawNet(t testing.TB, random *rand.Rand) *graph.Graph {
	b := graph.NewBuilder("drawn")
	channels, rows := 8<<random.IntN(5), 7<<random.IntN(4)
	x := b.Input("x", tensor.Float32, tensor.Shape{1, channels, rows, rows})
	before := x
	for range 3 + random.IntN(6) {
		in := b.Peek().Nodes[x].Shape[1]
		k, group, out, stride := []int{1, 1, 3}[random.IntN(3)], 1, 8<<random.IntN(6), 1
		if random.IntN(4) == 0 {
			k, group, out = 3, in, in
		}
		if random.IntN(5) == 0 && b.Peek().Nodes[x].Shape[2] > 7 {
			stride = 2
		}
		p := int64(k / 2)
		w := b.Const("", tensor.Lazy(tensor.Float32, tensor.Shape{out, in / group, k, k}, func() ([]float32, []int64) {
			return make([]float32, out*in/group*k*k), nil
		}))
		y, err := b.Op("", "Conv", op.Attrs{"kernel_shape": []int64{int64(k), int64(k)}, "strides": []int64{int64(stride), int64(stride)}, "dilations": []int64{1, 1},
			"pads": []int64{p, p, p, p}, "group": int64(group)}, x, w)
		if err != nil {
			t.Fatal(err)
		}
		if b.Peek().Nodes[y].Shape.Equal(b.Peek().Nodes[before].Shape) && random.IntN(2) == 0 {
			if y, err = b.Op("", "Add", nil, y, before); err != nil {
				t.Fatal(err)
			}
		}
		before, x = x, y
	}
	b.Output("y", x)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// drawPair draws a machine and one that is worse in one to four numbers and in none better.
func drawPair(t testing.TB, random *rand.Rand, of string) (good, worse *hw.Machine, keys string) {
	m, err := hw.Load(of)
	if err != nil {
		t.Fatal(err)
	}
	var list []hw.Constant
	for _, c := range m.Constants() {
		if at := rowOf(c.Path); sweep.Timed(m, c.Path) && betterKeys[at].sign != 0 {
			list = append(list, c)
		}
	}
	good, worse = m, m
	for left := 1 + random.IntN(4); left > 0; {
		c := list[random.IntN(len(list))]
		percent, sign := 5+random.IntN(60), betterKeys[rowOf(c.Path)].sign
		text, _ := c.Changed(-sign * percent)
		x, err := worse.Set(c.Path + "=" + text)
		if err != nil {
			continue
		}
		worse, keys = x, strings.TrimSpace(fmt.Sprintf("%s %s=%s", keys, c.Path, text))
		left--
	}
	return good, worse, keys
}

// TestDominated: where one machine is at least as good in every number as another, the plan that a search finds on it takes hardly
// longer than the other's plan takes there. With -long and -v it prints how much longer: the noise of searches.
func TestDominated(t *testing.T) {
	names, draws := []string{"drawn"}, map[string]uint64{"drawn": 12}
	if *long {
		draws["drawn"] = 500
		for _, name := range []string{"mobilenet-v2", "mnasnet-1.0", "efficientnet-b0", "resnet-50", "vgg-16"} {
			names, draws[name] = append(names, name), 16
		}
	}
	for _, name := range names {
		worst, sum, above := 0.0, 0.0, 0
		for seed := range draws[name] {
			random := rand.New(rand.NewPCG(seed, 77))
			g := drawNet(t, random)
			if name != "drawn" {
				g = network(t, name)
			}
			good, worse, keys := drawPair(t, random, []string{"newton", "aim"}[seed%2])
			own, other := best(t, g, "auto", unlimited(t, good)), best(t, g, "auto", unlimited(t, worse))
			kept := retimed(t, g, []*plan.Plan{other.Plan}, good)[0]
			if kept == nil { // the better machine has no room in fewer, larger parts
				continue
			}
			excess := max(0, own.Value/kept.Value-1)
			if sum += excess; excess > 0 {
				above++
				t.Logf("%s, seed %d, %d nodes: %.3f %%: %s", name, seed, len(own.Plan.Segments), 100*excess, keys)
			}
			if worst = max(worst, excess); excess > 0.03 {
				t.Errorf("%s, seed %d: %v, the plan of a worse machine (%s) takes %v: %.2f %%", name, seed, own.Timeline.Total, keys, kept.Timeline.Total, 100*excess)
			}
		}
		t.Logf("%s: %d pairs of machines, %d with an excess: worst %.2f %%, mean %.3f %%", name, draws[name], above, 100*worst, 100*sum/float64(draws[name]))
	}
}
