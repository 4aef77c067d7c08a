package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"pimflow"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// engine evaluates points.
type engine interface {
	// run evaluates tasks, and emits a row for each in their order; cached says that it was known before. A point that has no
	// result is a row with its error. It ends with the first error of emit or of the context.
	run(ctx context.Context, tasks iter.Seq[space.Task], emit func(r *result.Row, cached bool) error) error
}

// local is the engine of a process by itself: it searches every point, and remembers nothing.
type local struct{}

// ahead is how many rows of a worker may wait for those before them.
const ahead = 8

func (local) run(ctx context.Context, tasks iter.Seq[space.Task], emit func(*result.Row, bool) error) error {
	type slot struct {
		task space.Task
		row  chan *result.Row
	}
	workers := runtime.GOMAXPROCS(0)
	work, order := make(chan slot), make(chan slot, ahead*workers)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(work)
		defer close(order)
		for t := range tasks {
			s := slot{t, make(chan *result.Row, 1)}
			for _, to := range []chan slot{order, work} {
				select {
				case to <- s:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range workers {
		g.Go(func() error {
			var w localWorker
			defer w.close()
			for s := range work {
				s.row <- w.evaluate(ctx, &s.task)
			}
			return ctx.Err()
		})
	}
	g.Go(func() error {
		for s := range order {
			select {
			case r := <-s.row:
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := emit(r, false); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

// localWorker evaluates points one by one. It keeps the last model.
type localWorker struct {
	model string
	batch int
	s     *pimflow.Session
}

func (w *localWorker) close() {
	if w.s != nil {
		w.s.Close()
	}
}

// describe is the row of a point without a result.
func describe(p *space.Point) *result.Row {
	r := &result.Row{
		Point: p.Index, Model: p.Model, Batch: p.Batch, Machine: p.Machine, GPU: p.GPU, Policy: p.Policy, Objective: p.Objective, Effort: p.Effort,
		Search: space.Full, Set: map[string]string{},
	}
	for _, text := range p.Set {
		key, value, _ := strings.Cut(text, "=")
		r.Set[key] = value
	}
	return r
}

func (w *localWorker) evaluate(ctx context.Context, t *space.Task) *result.Row {
	r := describe(&t.Point)
	if err := w.fill(ctx, &t.Point, r); err != nil {
		r.Error = fault.Line(err)
	}
	return r
}

// fill searches the plan of a point.
func (w *localWorker) fill(ctx context.Context, p *space.Point, r *result.Row) error {
	if w.s == nil || w.model != p.Model || w.batch != p.Batch {
		w.close()
		var err error
		if w.s, err = pimflow.Open(ctx, p.Model, pimflow.Options{Batch: p.Batch}); err != nil {
			w.s = nil
			return err
		}
		w.model, w.batch = p.Model, p.Batch
	}
	m, err := pimflow.LoadMachine(p.Machine)
	if err == nil && p.GPU != "" {
		m, err = m.WithGPU(p.GPU)
	}
	if err == nil {
		m, err = m.Set(p.Set...)
	}
	if err != nil {
		return err
	}
	on, err := w.s.On(m)
	if err != nil {
		return err
	}
	found, err := on.Plan(ctx, pimflow.Search{Policy: p.Policy, Objective: p.Objective, Effort: p.Effort})
	if err != nil {
		return err
	}
	rep, err := on.Time(found)
	if err != nil {
		return err
	}
	numbers(r, rep, on)
	launches(r, found, on)
	return nil
}

// launches counts those of a plan.
func launches(r *result.Row, p *pimflow.Plan, s *pimflow.Session) {
	_, m, _, _ := s.Internal()
	own := device.Time(m.GPU.Clock.PS(m.Link.Launch)) // of PIM work, without the kernel that finishes it
	program := p.Internal().Timeline.Program
	for i := range program.Steps {
		st := &program.Steps[i]
		c := st.Code.Cost()
		switch {
		case st.Device != plan.PIM:
			for _, k := range c.Commands {
				r.GPULaunches += int(k.N)
			}
		default:
			if !st.Fused {
				r.PIMLaunches++
			}
			if m.Link.Finish.Where == hw.OnGPU && c.Launch > own {
				r.Finishes++
			}
		}
	}
}

// numbers puts a report into a row.
func numbers(r *result.Row, rep *pimflow.Report, s *pimflow.Session) {
	g, m, _, _ := s.Internal()
	r.Batch, r.ModelHash, r.MachineHash = rep.Throughput.Images, hash(func(w *strings.Builder) { g.Print(w, false) }), hash(func(w *strings.Builder) { m.Print(w) })
	r.PIMChannels = rep.PIMChannels
	r.Baseline, r.BaselineLow, r.BaselineHigh = rep.Baseline, rep.BaselineLow, rep.BaselineHigh
	r.Total, r.TotalLow, r.TotalHigh = rep.Total, rep.TotalLow, rep.TotalHigh
	r.Speedup, r.SpeedupLow, r.SpeedupHigh = rep.Speedup, rep.Low, rep.High
	if rep.Bound != nil {
		r.Bound, r.BoundTwo = *rep.Bound, *rep.BoundTwo
	}
	r.GPUBusy, r.PIMBusy, r.BothBusy, r.Launch, r.PIMLaunch, r.Idle = rep.GPUBusy, rep.PIMBusy, rep.BothBusy, rep.Launch, rep.PIMLaunch, rep.Idle
	r.BaselineRate, r.Rate = rep.Throughput.BaselineRate, rep.Throughput.Rate
	e := &rep.Energy
	r.BaselineEnergy, r.Energy, r.EnergyLow, r.EnergyHigh, r.Ratio, r.RatioLow, r.RatioHigh = e.Baseline, e.Total, e.Low, e.High, e.Ratio, e.RatioLow, e.RatioHigh
	r.Parts = map[string]result.Energy{}
	for _, p := range e.Parts {
		r.Parts[p.Name] = result.Energy{Value: p.Total, Low: p.Low, High: p.High}
	}
	const sum = 4 // bytes of an accumulator
	r.MACUnits = r.PIMChannels * m.PIM.Banks * m.PIM.Lanes()
	r.BufferBytes = r.PIMChannels * (m.PIM.Buffers*m.PIM.Buffer + sum*m.PIM.Banks*m.PIM.Sums)
	r.Channels = m.Memory.Channels
	r.Internal = 1e3 * float64(r.PIMChannels*m.PIM.Banks*m.PIM.Column) / m.ColumnPS()
	r.Stopped = rep.Stopped
}

// hash is the SHA-256 of a text.
func hash(write func(w *strings.Builder)) string {
	var b strings.Builder
	write(&b)
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
