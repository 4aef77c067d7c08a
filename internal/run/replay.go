package run

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"pimflow/internal/device"
	"pimflow/internal/program"
)

// Replay checks the command streams of a program's steps and returns the extent of the
// check. The error names the first step with a wrong command.
func Replay(ctx context.Context, p *program.Program, progress Progress) (device.Replay, error) {
	done := make([]device.Replay, len(p.Steps))
	errs := make([]error, len(p.Steps))
	var next, finished atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(p.Steps)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= len(p.Steps) || ctx.Err() != nil {
					return
				}
				if r, ok := p.Steps[i].Code.(device.Replayer); ok {
					done[i], errs[i] = r.Replay()
				}
				if n := finished.Add(1); progress != nil {
					progress(int(n), len(p.Steps))
				}
			}
		})
	}
	wg.Wait()
	var sum device.Replay
	if err := ctx.Err(); err != nil {
		return sum, err
	}
	for i, s := range p.Steps {
		if errs[i] != nil {
			return sum, fmt.Errorf("step %d, node %%%d %.80q on %s: %w", i, s.Node, p.Graph.Nodes[s.Node].Name, s.Device, errs[i])
		}
		sum.Streams += done[i].Streams
		sum.Commands += done[i].Commands
		sum.Timed += done[i].Timed
		sum.Accesses += done[i].Accesses
	}
	return sum, nil
}
