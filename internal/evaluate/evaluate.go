// Package evaluate turns design points into rows of results: it opens the model, makes the machine, searches the plan or times plans of
// other points, and counts what the hardware costs.
//
// A point, or a job, and the plans of its starts go in; a row and a plan come out. Points that are evaluated one after the other, or at the
// same time, share what they have in common: the model, machines, devices with all that they have compiled, the GPU alone. A row does
// not depend on that, nor on the order of points.
package evaluate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"pimflow"

	"pimflow/internal/budget"
	"pimflow/internal/job"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// Evaluator evaluates points. The zero value is ready for points without jobs; it is safe for concurrent use.
type Evaluator struct {
	// Open returns the path of a reference's first file on this machine, or the name of what is built in.
	Open func(ctx context.Context, r job.Ref) (string, error)

	// Over, unless nil, is the model of every point, opened, on its machine before keys are changed. Its owner closes it.
	Over *pimflow.Session
	// TimeLimit, unless 0, ends the iterations of each search (pimflow.Search).
	TimeLimit time.Duration

	models   cache[modelKey, *model]
	boards   cache[boardKey, *pimflow.Machine]
	machines cache[string, *machine]
}

type modelKey struct {
	path  string
	batch int
}

// boardKey names a machine before its keys are changed.
type boardKey struct{ machine, gpu string }

// What is kept, at most. Estimated: a model has up to 500 MB, a machine 100 kB.
const (
	keptModels   = 4
	keptBoards   = 16
	keptMachines = 256
)

// Evaluate returns the row of a job and its plan as text. starts are those plans of the job's starts that there are: the best of them
// on the job's machine is the result. Without any, or if the machine can execute none of them, the plan is searched.
func (e *Evaluator) Evaluate(ctx context.Context, j *job.Job, starts []string) (row result.Row, plan string, err error) {
	defer func() {
		if x := recover(); x != nil {
			plan, err = "", panicked(x)
		}
	}()
	p := space.Point{Batch: j.Batch, Set: j.Set, Policy: j.Policy, Objective: j.Objective, Effort: j.Effort}
	for _, f := range []struct {
		to  *string
		ref *job.Ref
	}{{&p.Model, &j.Model}, {&p.Machine, &j.Machine}, {&p.GPU, j.GPU}} {
		switch {
		case f.ref == nil:
		case e.Open == nil:
			*f.to = f.ref.Name
		default:
			if *f.to, err = e.Open(ctx, *f.ref); err != nil {
				return row, "", err
			}
		}
	}
	row, plan, err = e.printed(ctx, &p, j.Way(), starts)
	if row.Model, row.Machine = j.Model.Name, j.Machine.Name; j.GPU != nil {
		row.GPU = j.GPU.Name
	}
	return row, plan, err
}

// Point is Evaluate of a point whose model, machine and GPU are built in, or files of this machine. With an error the row says which point
// it is, and has no numbers. A panic becomes an error.
func (e *Evaluator) Point(ctx context.Context, p *space.Point, starts []string) (row result.Row, plan string, err error) {
	return e.printed(ctx, p, space.Anchors, starts)
}

// printed is Find with the plan as text.
func (e *Evaluator) printed(ctx context.Context, p *space.Point, way string, starts []string) (result.Row, string, error) {
	o := e.outcome(ctx, p, way, starts)
	return o.Row, o.Text, o.Err
}

// Found is the plan of a point.
type Found struct {
	Row     result.Row
	Session *pimflow.Session // on the point's machine
	Plan    *pimflow.Plan
}

// Kept is the way of a point that takes the plan of its only start, whatever other plans there are: that is timed, or does not fit.
const Kept = "kept"

// ways are how the plan of a point is found where there are plans of other points.
var ways = map[string]func(*pimflow.Session, context.Context, []string, pimflow.Search) (*pimflow.Plan, error){
	space.Anchors: (*pimflow.Session).Best,
	space.All:     (*pimflow.Session).Least,
	Kept:          (*pimflow.Session).Keep,
}

// Find returns the plan of a point. Starts are plans of other points, as text, which the point makes use of in a way: space.Anchors,
// space.All or Kept. Without any, or if the machine can execute none of them, its plan is searched. With an error the row says which
// point it is, and has no numbers. A panic becomes an error.
func (e *Evaluator) Find(ctx context.Context, p *space.Point, way string, starts []string) (of Found, err error) {
	of.Row = describe(p)
	defer func() {
		if x := recover(); x != nil {
			of, err = Found{Row: describe(p)}, panicked(x)
		}
	}()
	full, err := e.find(ctx, p, way, starts)
	if err != nil {
		return of, err
	}
	return full, nil
}

// panicked is the error of a panic, with its stack in further lines.
func panicked(x any) error { return fmt.Errorf("panic: %v\n%s", x, debug.Stack()) }

// describe is the row of a point without its numbers.
func describe(p *space.Point) result.Row {
	j := job.Job{
		Model: job.Ref{Name: p.Model}, Batch: p.Batch, Machine: job.Ref{Name: p.Machine}, Set: p.Set,
		Policy: p.Policy, Objective: p.Objective, Effort: p.Effort,
	}
	if p.GPU != "" {
		j.GPU = &job.Ref{Name: p.GPU}
	}
	r := result.Of(&j)
	r.Point = p.Index
	return r
}

func (e *Evaluator) find(ctx context.Context, p *space.Point, way string, starts []string) (of Found, err error) {
	model, done, err := e.model(ctx, p)
	if err != nil {
		return of, err
	}
	defer done()
	m, used, err := e.machine(p)
	if err != nil {
		return of, err
	}
	defer used()
	s, err := model.session.On(m.Machine)
	if err != nil {
		return of, err
	}
	how := pimflow.Search{Policy: p.Policy, Objective: p.Objective, Effort: p.Effort, TimeLimit: e.TimeLimit}
	of = Found{Row: describe(p), Session: s}
	err = pimflow.ErrNoPlan
	if len(starts) > 0 {
		of.Row.Search = way
		of.Plan, err = ways[way](s, ctx, starts, how)
	}
	if errors.Is(err, pimflow.ErrNoPlan) {
		of.Row.Search = space.Full
		of.Plan, err = s.Plan(ctx, how)
	}
	if err == nil {
		err = numbers(&of.Row, s, of.Plan)
	}
	of.Row.ModelHash, of.Row.MachineHash = model.hash, m.hash
	return of, err
}

// model is an opened model.
type model struct {
	session *pimflow.Session
	hash    string
}

// model returns that of a point.
func (e *Evaluator) model(ctx context.Context, p *space.Point) (m *model, done func(), err error) {
	key, make, close := modelKey{p.Model, p.Batch}, func() (*model, error) { return openModel(ctx, p) }, (*model).close
	if e.Over != nil {
		make, close = func() (*model, error) { return opened(e.Over) }, nil
	}
	return e.models.get(key, keptModels, make, close)
}

func openModel(ctx context.Context, p *space.Point) (*model, error) {
	s, err := pimflow.Open(ctx, p.Model, pimflow.Options{Batch: p.Batch, Memory: budget.Of(ctx).Bytes()})
	if err != nil {
		return nil, err
	}
	return opened(s)
}

func opened(s *pimflow.Session) (*model, error) {
	g, _, _, _ := s.Internal()
	hash, err := hashOf(func(b *strings.Builder) error { return g.Print(b, false) })
	return &model{s, hash}, err
}

func (m *model) close() { m.session.Close() }

// machine is a machine with its keys changed.
type machine struct {
	*pimflow.Machine
	hash string
}

// machine returns the machine of a point.
func (e *Evaluator) machine(p *space.Point) (m *machine, done func(), err error) {
	board := boardKey{cmp.Or(p.Machine, pimflow.DefaultMachine), p.GPU}
	return e.machines.get(fmt.Sprintf("%q", append([]string{board.machine, board.gpu}, p.Set...)), keptMachines, func() (*machine, error) {
		base, done, err := e.boards.get(board, keptBoards, func() (*pimflow.Machine, error) {
			if e.Over != nil {
				return e.Over.Machine(), nil
			}
			m, err := pimflow.LoadMachine(board.machine)
			if err == nil && board.gpu != "" {
				m, err = m.WithGPU(board.gpu)
			}
			return m, err
		}, nil)
		if err != nil {
			return nil, err
		}
		defer done()
		m, err := base.Set(p.Set...)
		if err != nil {
			return nil, err
		}
		hash, err := hashOf(func(b *strings.Builder) error { return m.Print(b) })
		return &machine{m, hash}, err
	}, nil)
}
