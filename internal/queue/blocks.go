package queue

import (
	"slices"

	"pimflow/internal/job"
	"pimflow/internal/result"
)

// spot is a job of a sweep on its way: that of a point, of several that are equal, or of a start.
type spot struct {
	key     job.Key
	of      *block
	stored  bool // its result is known to be there
	passing bool // it is a failure that the job alone does not decide
	before  bool // it was there before it was asked for
	failed  bool // a failure was stored as its result

	row *result.Row // of the result that was there before, as long as few are kept
}

// block is a message to be sent, and the starts that it waits for.
type block struct {
	jobs    []job.Job
	spots   []*spot
	waits   []*spot
	bytes   int
	subject string // "" before it is sent
	tries   int    // how often it was sent again because it was lost
}

// remembered bounds the jobs that are found again by their key: starts, and jobs without starts. Others that are equal are
// sent twice, and evaluated once. Estimated.
const remembered = 1 << 16

// blocker forms blocks: of at most most points that follow each other and have the same model and batch, those with
// starts apart from those without; each start that is not among them is alone, because many points wait for it. Which they
// are depends on the works alone, so that a sweep that begins again forms the same.
type blocker struct {
	ramp            int // unless 0: blocks begin with a point and grow by one for so many points, up to most
	taken           int // points
	most            int
	first           *job.Job // of the points that are collected
	n               int
	full, dependent *block // collected
	seen            map[job.Key]*spot
	order           []job.Key // of seen, a ring
	next            int
}

// add takes the next point and returns its spot, and the blocks that are complete before it.
func (b *blocker) add(w *job.Work) (of *spot, ready []*block) {
	if b.n >= b.size() || b.first != nil && !alike(b.first, &w.Job) {
		ready = b.flush()
	}
	if b.first == nil {
		b.first = &w.Job
	}
	b.n, b.taken = b.n+1, b.taken+1
	if len(w.Starts) == 0 {
		key := w.Job.Key()
		if of = b.seen[key]; of != nil {
			return of, ready
		}
		var more []*block
		b.full, of, more = b.put(b.full, &w.Job, key)
		b.remember(of)
		return of, append(ready, more...)
	}
	waits, more := b.begin(w.Starts)
	ready = append(ready, more...)
	b.dependent, of, more = b.put(b.dependent, &w.Job, w.Job.Key())
	for _, s := range waits {
		if !slices.Contains(of.of.waits, s) {
			of.of.waits = append(of.of.waits, s)
		}
	}
	return of, append(ready, more...)
}

// begin returns the spots of starts, and blocks of those that are in none yet.
func (b *blocker) begin(list []*job.Job) (spots []*spot, ready []*block) {
	for _, j := range list {
		key := j.Key()
		s := b.seen[key]
		if s == nil {
			var alone *block
			alone, s, _ = b.put(nil, j, key)
			ready = append(ready, alone)
			b.remember(s)
		}
		spots = append(spots, s)
	}
	return spots, ready
}

// size is how many points are in a block now.
func (b *blocker) size() int {
	if b.ramp == 0 {
		return b.most
	}
	return min(b.most, 1+b.taken/b.ramp)
}

// put adds a job to a block or, where that has no room, to another.
func (b *blocker) put(to *block, j *job.Job, key job.Key) (now *block, s *spot, ready []*block) {
	size := j.Size()
	if to != nil && (to.bytes+size > job.MaxBytes/2 || len(to.jobs) == job.MaxJobs) {
		ready, to = append(ready, to), nil
	}
	if to == nil {
		to = &block{}
	}
	s = &spot{key: key, of: to}
	to.jobs, to.spots, to.bytes = append(to.jobs, *j), append(to.spots, s), to.bytes+size
	return to, s, ready
}

// flush returns what is collected.
func (b *blocker) flush() (ready []*block) {
	for _, x := range []*block{b.full, b.dependent} {
		if x != nil {
			ready = append(ready, x)
		}
	}
	b.full, b.dependent, b.first, b.n = nil, nil, nil, 0
	return ready
}

func (b *blocker) remember(s *spot) {
	if b.seen == nil {
		b.seen = map[job.Key]*spot{}
	}
	if len(b.order) < remembered {
		b.order = append(b.order, s.key)
	} else {
		delete(b.seen, b.order[b.next])
		b.order[b.next] = s.key
		b.next = (b.next + 1) % remembered
	}
	b.seen[s.key] = s
}

// alike reports whether jobs may be in a block.
func alike(a, b *job.Job) bool {
	return a.Batch == b.Batch && a.Model.Name == b.Model.Name && slices.Equal(a.Model.Files, b.Model.Files)
}
