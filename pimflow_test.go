package pimflow

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pimflow/internal/fake"
	"pimflow/internal/search"
)

func open(t *testing.T, model string, o Options) *Session {
	t.Helper()
	s, err := Open(t.Context(), model, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func planned(t *testing.T, s *Session, how Search) (*Plan, *Report) {
	t.Helper()
	p, err := s.Plan(t.Context(), how)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Time(p)
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

// TestPlanIsText: a plan that is printed and read again takes as long, and does so on the
// machine it names; on another machine it takes what that machine takes.
func TestPlanIsText(t *testing.T) {
	s := open(t, "toy", Options{})
	p, r := planned(t, s, Search{Policy: "pimflow"})
	file := filepath.Join(t.TempDir(), "toy.plan")
	f, err := os.Create(file)
	if err == nil {
		err = errors.Join(p.Print(f), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	again, read, err := OpenPlan(t.Context(), file, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got, err := again.Time(read); err != nil || got.Total != r.Total || got.Machine != "newton" || got.Policy != "pimflow" {
		t.Errorf("read again: %+v, %v: %v ns wanted", got, err, r.Total)
	}
	slow, err := s.Machine().Set("link.pim_launch_ck=100000")
	if err != nil {
		t.Fatal(err)
	}
	on, err := s.On(slow)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := on.Time(p); err != nil || got.Total <= r.Total {
		t.Errorf("with slow launches: %+v, %v: more than %v ns wanted", got, err, r.Total)
	}
	if got, err := open(t, "mobilenet-v2", Options{}).Time(p); err == nil {
		t.Errorf("on another model: %v ns", got.Total)
	}
}

// TestChannels: a search for the number of channels tries several, and its plan is the best.
func TestChannels(t *testing.T) {
	s := open(t, "toy", Options{})
	p, r := planned(t, s, Search{Policy: "pimflow", Channels: true})
	if len(r.ChannelsTried) < 8 {
		t.Errorf("tried: %v", r.ChannelsTried)
	}
	for _, c := range r.ChannelsTried {
		if c.Total < r.Total || c.PIMChannels == r.PIMChannels && c.Total != r.Total {
			t.Errorf("%v with %d channels: %v with %d", c.Total, c.PIMChannels, r.Total, r.PIMChannels)
		}
	}
	if _, err := s.Explain(p, "fc"); err != nil {
		t.Error(err)
	}
}

// TestStops: a cancelled search is an error, or its best plan so far where that is asked for.
func TestStops(t *testing.T) {
	s := open(t, "mobilenet-v2", Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Plan(ctx, Search{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	p, err := s.Plan(ctx, Search{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Time(p); err != nil || !r.Stopped {
		t.Errorf("%+v, %v: a plan that was stopped wanted", r, err)
	}
}

// TestProgress: each phase begins with nothing done.
func TestProgress(t *testing.T) {
	var mu sync.Mutex
	var phases []string
	s := open(t, "toy", Options{Progress: func(phase string, done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(phases, phase) {
			if phases = append(phases, phase); done != 0 || total != 0 {
				t.Errorf("%s begins with %d of %d", phase, done, total)
			}
		}
	}})
	p, _ := planned(t, s, Search{Policy: "pimflow"})
	if _, err := s.Check(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if want := []string{"search", "replay the streams", "execute the plan", "execute the graph"}; !slices.Equal(phases, want) {
		t.Errorf("%q: %q wanted", phases, want)
	}
}

// TestErrors: errors name the place, the value and what is wanted.
func TestErrors(t *testing.T) {
	if DefaultPolicy != search.Default {
		t.Errorf("%s: %s wanted", DefaultPolicy, search.Default)
	}
	s := open(t, "toy", Options{})
	ctx := t.Context()
	p, _ := planned(t, s, Search{Policy: "gpu"})
	for want, f := range map[string]func() error{
		`model "toyy" is not known (did you mean "toy"?)`:                               func() error { _, err := Open(t.Context(), "toyy", Options{}); return err },
		`machine "newtan" is not known (did you mean "newton"?)`:                        func() error { _, err := Open(t.Context(), "toy", Options{Machine: "newtan"}); return err },
		`machine newton: pim.bank: unknown key (did you mean "pim.banks"?)`:             func() error { _, err := Open(t.Context(), "toy", Options{Set: []string{"pim.bank=4"}}); return err },
		`machine newton: "pim.banks": KEY=VALUE wanted`:                                 func() error { _, err := s.Machine().Set("pim.banks"); return err },
		`machine newton: memory.pim_channels: 33: at most memory.channels, 32, wanted`:  func() error { _, err := s.Machine().Set("memory.pim_channels=33"); return err },
		`wanted (did you mean "pimflow"?)`:                                              func() error { _, err := s.Plan(ctx, Search{Policy: "pimflo"}); return err },
		`policy auto and a fixed number of channels wanted`:                             func() error { _, err := s.Plan(ctx, Search{Exact: true, Channels: true}); return err },
		`toy: input "y": one of input wanted`:                                           func() error { _, err := s.Run(ctx, p, Tensor{Name: "y"}); return err },
		`input "input": shape 2 with 2 floats and 0 integers: shape 1x8x16x16 of float`: func() error { _, err := s.Run(ctx, p, Tensor{Shape: []int{2}, Floats: []float32{1, 2}}); return err },
		`layer "stem.con" is not in toy (did you mean "stem.conv"?)`:                    func() error { _, err := s.Explain(p, "stem.con"); return err },
		`groups: 3: a divisor of the 4 input and the 6 output channels wanted`: func() error {
			_, _, err := s.Machine().Cost(Convolution{Channels: 4, Height: 8, Width: 8, Out: 6, KernelH: 1, KernelW: 1, Groups: 3})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %q wanted", err, want)
		}
	}
}

// TestLayers: what a layer takes alone is what the report of a plan says of it.
func TestLayers(t *testing.T) {
	s := open(t, "toy", Options{})
	_, r := planned(t, s, Search{Policy: "newton++"})
	layers, err := s.Layers()
	if err != nil || len(layers) != len(r.Layers) {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	for i, l := range layers {
		if of := r.Layers[i]; l.Name != of.Name || l.MACs != of.MACs || (l.PIM == nil) != (of.PIM == nil) || l.PIM != nil && *l.PIM != *of.PIM || *l.GPU != *of.GPU {
			t.Errorf("%+v: %+v wanted", l, of)
		}
	}
}

// TestSearchable: a graph whose search wants more memory than the session's is refused, and a network is not.
func TestSearchable(t *testing.T) {
	s := openToy(t, "toy")
	s.memory = 1
	if err := s.searchable(); err != nil {
		t.Error(err)
	}
	s.graph = fake.Chain(2000, 4)
	s.memory = 140_000_000
	if err := s.searchable(); err == nil || err.Error() != "the candidates of 2000 operations of 1 kinds take 140.4 MB of memory: at most 140.0 MB wanted, or another --memory" {
		t.Error(err)
	}
	s.memory = 140_430_000
	if err := s.searchable(); err != nil {
		t.Error(err)
	}
}
