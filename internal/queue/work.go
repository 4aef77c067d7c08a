package queue

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"pimflow/internal/budget"
	"pimflow/internal/fault"
	"pimflow/internal/job"
	"pimflow/internal/result"
)

// Evaluator evaluates jobs. It is called concurrently.
type Evaluator interface {
	// Evaluate returns the row of a job and its plan as text. plans are those of the job's starts that have one: the best of
	// them is the result. None: the plan is searched. An error becomes a row that says it. The context carries how much
	// memory may be taken (package budget), and ends when the time of the job is over.
	Evaluate(ctx context.Context, j *job.Job, plans []string) (row result.Row, plan string, err error)
}

// Worker says how a worker works.
type Worker struct {
	Evaluator Evaluator
	Names     *job.Names    // what is built in: jobs that name anything else are refused
	Cache     *Cache        // where the files of jobs are put before they are evaluated; nil: jobs have none
	Parallel  int           // evaluations at once; 0: 1
	Memory    budget.Memory // of all of them together; 0: the default of package budget
	Timeout   time.Duration // of an evaluation; 0: none
	Retries   int           // how often a block, and then a job alone, is tried again when its worker ends; 0: defaultRetries
	Idle      time.Duration // the worker ends after so long without work; 0: never
	Wait      time.Duration // how long the queue waits for a sign of life before another worker gets the block; 0: defaultWait
}

// Estimated. A worker gives four signs of life in defaultWait.
const (
	defaultRetries = 3
	defaultWait    = 20 * time.Second
	grace          = 5 * time.Second // from the end of its context until an evaluation is left alone
)

// Count is what a worker did.
type Count struct {
	Evaluated int64 // jobs
	Refused   int64 // messages that are no blocks of this version
	Failed    int64 // rows that say an error
	Left      int64 // evaluations that did not end when their time was over
}

// worker is a Worker at work.
type worker struct {
	Worker
	*Store
	count struct{ evaluated, refused, failed, left atomic.Int64 }
	last  atomic.Int64 // when some block was last there, in Unix ns
	plans plans
}

// Work evaluates blocks until the context ends, whose error it then returns, or until there was no work for Idle.
func (s *Store) Work(ctx context.Context, o Worker) (Count, error) {
	o.Parallel = max(o.Parallel, 1)
	if o.Retries == 0 {
		o.Retries = defaultRetries
	}
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	w := &worker{Worker: o, Store: s}
	w.last.Store(time.Now().UnixNano())
	queue, err := s.makeConsumer(ctx, o.Wait)
	if err == nil {
		g, ctx := errgroup.WithContext(ctx)
		for range o.Parallel {
			g.Go(func() error { return w.loop(ctx, queue) })
		}
		err = g.Wait()
	}
	c := &w.count
	return Count{c.evaluated.Load(), c.refused.Load(), c.failed.Load(), c.left.Load()}, err
}

// poll is how long a request for work waits at the server. Estimated.
const poll = 2 * time.Second

// loop takes block after block.
func (w *worker) loop(ctx context.Context, queue jetstream.Consumer) error {
	for ctx.Err() == nil {
		m, err := w.fetch(ctx, queue)
		switch {
		case err != nil:
			return err
		case m != nil:
			if err := w.message(ctx, m); err != nil {
				return err
			}
			w.last.Store(time.Now().UnixNano())
		case w.Idle > 0 && time.Since(time.Unix(0, w.last.Load())) > w.Idle:
			return nil
		}
	}
	return ctx.Err()
}

// fetch asks for a message; nil if none came.
func (w *worker) fetch(ctx context.Context, queue jetstream.Consumer) (jetstream.Msg, error) {
	wait := poll
	if w.Idle > 0 {
		wait = max(min(wait, w.Idle/2), time.Millisecond)
	}
	once, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	batch, err := queue.Fetch(1, jetstream.FetchContext(once))
	if err == nil {
		for m := range batch.Messages() {
			return m, nil
		}
		err = batch.Error()
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return nil, nil
	case passing(err), errors.Is(err, jetstream.ErrNoHeartbeat), errors.Is(err, jetstream.ErrConsumerLeadershipChanged), errors.Is(err, jetstream.ErrServerShutdown):
		sleep(ctx, attempt)
		return nil, nil
	case errors.Is(err, jetstream.ErrConsumerDeleted), errors.Is(err, jetstream.ErrConsumerNotFound):
		_, err := w.makeConsumer(ctx, w.Wait)
		return nil, err
	}
	return nil, fmt.Errorf("queue: %w", err)
}

// message evaluates a block, and acknowledges it when all its results are stored.
func (w *worker) message(ctx context.Context, m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	b, err := job.ParseBlock(m.Data(), w.version, w.Names)
	if err != nil {
		w.count.refused.Add(1)
		w.warn(fmt.Sprintf("a message of the queue is refused: %v", err))
		return w.settle(ctx, "refused", func(ctx context.Context) error { return m.TermWithReason("not a block of this version") })
	}
	defer w.beat(ctx, m)()
	if tries := int(meta.NumDelivered); tries > w.Retries+1 {
		err = w.suspect(ctx, m.Subject(), b, tries-1)
	} else {
		err = w.block(ctx, b)
	}
	if ctx.Err() != nil {
		m.Nak() // another worker may have it at once
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return w.settle(ctx, "acknowledgement", m.DoubleAck)
}

// settle tells the server what became of a message. A message that it does not know any more needs nothing.
func (w *worker) settle(ctx context.Context, what string, f func(context.Context) error) error {
	once, cancel := context.WithTimeout(ctx, reply)
	defer cancel()
	if err := f(once); err != nil && !passing(err) && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return ctx.Err() // without it the block comes again, and its results are found
}

// beat gives signs of life for a message until the function that it returns is called.
func (w *worker) beat(ctx context.Context, m jetstream.Msg) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, w.Wait/4) {
			m.InProgress() // where the server is away: the next one
		}
	}()
	return func() { cancel(); <-done }
}

// suspect deals with a block that came again and again, because its workers ended. Each of its jobs is tried alone; a job that
// is alone already fails.
func (w *worker) suspect(ctx context.Context, subject string, b *job.Block, ended int) error {
	for i := range b.Jobs {
		j := &b.Jobs[i]
		key := j.Key()
		there, err := w.get(ctx, key)
		if err != nil {
			return err
		}
		if there != nil {
			continue
		}
		if all, ok := strings.CutSuffix(subject, "."+whole); ok && len(b.Jobs) > 1 {
			err = w.publish(ctx, all+"."+string(key), &job.Block{Jobs: b.Jobs[i : i+1]})
		} else {
			w.count.failed.Add(1)
			err = w.put(ctx, j, &entry{Row: failed(j, fmt.Sprintf("evaluation ended %d workers", ended)), Passing: true})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// block evaluates the jobs of a block that have no result.
func (w *worker) block(ctx context.Context, b *job.Block) error {
	for i := range b.Jobs {
		j := &b.Jobs[i]
		if there, err := w.get(ctx, j.Key()); err != nil {
			return err
		} else if there != nil {
			continue
		}
		folders, e, err := w.prepare(ctx, j)
		if e == nil && err == nil {
			e, err = w.evaluate(ctx, j)
		}
		if err != nil {
			return err
		}
		for _, f := range folders { // an error is the same wherever the files are
			e.Row.Error = strings.ReplaceAll(e.Row.Error, f, "")
		}
		if err := w.put(ctx, j, e); err != nil {
			return err
		}
		w.count.evaluated.Add(1)
		if e.Row.Error != "" {
			w.count.failed.Add(1)
		}
	}
	return nil
}

// prepare brings the files of a job to this machine, and lists the folders that they are in; what failed becomes an entry. It
// takes none of the time of the job.
func (w *worker) prepare(ctx context.Context, j *job.Job) (folders []string, failure *entry, err error) {
	if w.Cache == nil {
		return nil, nil, nil
	}
	for _, r := range []*job.Ref{&j.Model, &j.Machine, j.GPU} {
		if r == nil || len(r.Files) == 0 {
			continue
		}
		path, err := w.Cache.Open(ctx, w.Store, *r)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			return nil, &entry{Row: failed(j, fmt.Sprintf("%.80q: %v", r.Name, err)), Passing: true}, nil
		}
		folders = append(folders, filepath.Dir(path)+string(filepath.Separator))
	}
	return folders, nil, nil
}

// evaluate returns the entry of a job, which says what failed. Its error is that of the context or of the store.
func (w *worker) evaluate(ctx context.Context, j *job.Job) (*entry, error) {
	plans, err := w.plans.of(ctx, w.Store, j.Starts)
	if errors.Is(err, errNoStart) {
		return &entry{Row: failed(j, err.Error())}, nil
	}
	if err != nil {
		return nil, err
	}
	at := budget.With(ctx, budget.Memory(w.Memory.Bytes()/int64(w.Parallel)))
	cancel := context.CancelFunc(func() {})
	if w.Timeout > 0 {
		at, cancel = context.WithTimeout(at, w.Timeout)
	}
	defer cancel()
	done := make(chan *entry, 1)
	go func() { done <- call(at, w.Evaluator, j, plans) }()
	select {
	case e := <-done:
		if ctx.Err() != nil { // the entry may be of an evaluation that was stopped
			return nil, ctx.Err()
		}
		if at.Err() == nil {
			return e, nil
		}
	case <-at.Done():
		if !ends(done) {
			if left := w.count.left.Add(1); int(left) > w.Parallel {
				return nil, fmt.Errorf("%d evaluations do not end %v after their time is over", left, grace)
			}
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return &entry{Row: failed(j, fmt.Sprintf("no result after %v", w.Timeout)), Passing: true}, nil
}

// ends waits for the end of an evaluation whose context has ended.
func ends(done <-chan *entry) bool {
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// call evaluates a job. Errors and panics become rows.
func call(ctx context.Context, by Evaluator, j *job.Job, plans []string) (e *entry) {
	defer func() {
		if p := recover(); p != nil {
			e = &entry{Row: failed(j, fmt.Sprintf("panic: %v at %s", p, at(debug.Stack())))}
		}
	}()
	row, plan, err := by.Evaluate(ctx, j, plans)
	if err != nil {
		text := fault.Line(err)
		if strings.HasPrefix(text, "panic: ") { // a stack follows, which differs from time to time
			text, _, _ = strings.Cut(err.Error(), "\n")
		}
		return &entry{Row: failed(j, text)}
	}
	return &entry{Row: row, Plan: plan}
}

// at is the place of a panic in a stack.
func at(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "panic(") && i+3 < len(lines) {
			place, _, _ := strings.Cut(strings.TrimSpace(lines[i+3]), " ")
			return place
		}
	}
	return "an unknown place"
}
