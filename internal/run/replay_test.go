package run_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pimflow/internal/device"
	"pimflow/internal/graph"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// streaming is a device whose code for node wrong has a wrong command.
type streaming struct {
	fixed
	wrong graph.ID
}

type streamingCode struct {
	device.Code
	err error
}

func (d *streaming) Compile(g *graph.Graph, c graph.Cut) (device.Code, error) {
	code, err := d.fixed.Compile(g, c)
	s := streamingCode{Code: code}
	if c.Node == d.wrong {
		s.err = errors.New("channel 4, command 7: boom")
	}
	return s, err
}

func (c streamingCode) Replay() (device.Replay, error) {
	return device.Replay{Streams: 2, Commands: 30, Timed: 20}, c.err
}

// TestReplay: the steps of one of two devices have streams.
func TestReplay(t *testing.T) {
	g := relus(t, 5)
	p := &plan.Plan{Graph: g.Fingerprint(), PIM: plan.Extended, Launch: plan.Each}
	for id := graph.ID(1); id <= 5; id++ {
		p.Segments = append(p.Segments, plan.Whole(g, id, []string{plan.GPU, plan.PIM}[id%2]))
	}
	for _, c := range []struct {
		wrong graph.ID
		want  device.Replay
		err   string
	}{
		{-1, device.Replay{Streams: 6, Commands: 90, Timed: 60}, ""},
		{3, device.Replay{}, `step 2, node %3 "Relu_2" on pim: channel 4, command 7: boom`},
	} {
		prog, err := program.Build(g, p, []device.Device{&fixed{name: plan.GPU}, &streaming{fixed{name: plan.PIM}, c.wrong}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := run.Replay(context.Background(), prog, nil)
		if c.err == "" && (err != nil || got != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%+v, %v; %+v, %q wanted", got, err, c.want, c.err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := run.Replay(ctx, prog, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}
