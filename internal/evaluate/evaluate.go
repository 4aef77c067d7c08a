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
	row, plan, err = e.Point(ctx, &p, starts)
	if row.Model, row.Machine = j.Model.Name, j.Machine.Name; j.GPU != nil {
		row.GPU = j.GPU.Name
	}
	return row, plan, err
}

// Point is Evaluate of a point whose model, machine and GPU are built in, or files of this machine. With an error the row says which point
// it is, and has no numbers. A panic becomes an error.
func (e *Evaluator) Point(ctx context.Context, p *space.Point, starts []string) (row result.Row, plan string, err error) {
	row = describe(p)
	defer func() {
		if x := recover(); x != nil {
			plan, err = "", panicked(x)
		}
	}()
	full, plan, err := e.evaluate(ctx, p, starts)
	if err != nil {
		return row, "", err
	}
	return full, plan, nil
}

// panicked is the error of a panic, with its stack in further lines.
func panicked(x any) error { return fmt.Errorf("panic: %v\n%s", x, debug.Stack()) }

// describe is the row of a point without its numbers.
func describe(p *space.Point) result.Row {
	r := result.Row{
		Point: p.Index, Model: p.Model, Batch: p.Batch, Machine: p.Machine, GPU: p.GPU, Policy: p.Policy, Objective: p.Objective, Effort: p.Effort,
		Search: space.Full, Set: map[string]string{},
	}
	for _, text := range p.Set {
		key, value, _ := strings.Cut(text, "=")
		r.Set[key] = value
	}
	return r
}

func (e *Evaluator) evaluate(ctx context.Context, p *space.Point, starts []string) (row result.Row, text string, err error) {
	of, done, err := e.models.get(modelKey{p.Model, p.Batch}, keptModels, func() (*model, error) { return openModel(ctx, p) }, (*model).close)
	if err != nil {
		return row, "", err
	}
	defer done()
	m, used, err := e.machine(p)
	if err != nil {
		return row, "", err
	}
	defer used()
	s, err := of.session.On(m.Machine)
	if err != nil {
		return row, "", err
	}
	how := pimflow.Search{Policy: p.Policy, Objective: p.Objective, Effort: p.Effort}
	row = describe(p)
	plan, err := s.Best(ctx, starts, how)
	if row.Search = space.Anchors; errors.Is(err, pimflow.ErrNoPlan) {
		row.Search = space.Full
		plan, err = s.Plan(ctx, how)
	}
	if err != nil {
		return row, "", err
	}
	if err := numbers(&row, s, plan); err != nil {
		return row, "", err
	}
	row.ModelHash, row.MachineHash = of.hash, m.hash
	var b strings.Builder
	err = plan.Print(&b)
	return row, b.String(), err
}

// model is an opened model.
type model struct {
	session *pimflow.Session
	hash    string
}

func openModel(ctx context.Context, p *space.Point) (*model, error) {
	s, err := pimflow.Open(ctx, p.Model, pimflow.Options{Batch: p.Batch, Memory: budget.Of(ctx).Bytes()})
	if err != nil {
		return nil, err
	}
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
