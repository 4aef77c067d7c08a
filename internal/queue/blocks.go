package queue

import (
	"slices"

	"pimflow/internal/job"
)

// spot is a job of a sweep on its way: that of a point, of several that are equal, or of a start.
type spot struct {
	key    job.Key
	of     *block
	stored bool // its result is known to be there
	before bool // it was there before it was asked for
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

// starts is how many of the jobs that others wait for are in a block: few, since many workers wait. Estimated.
const starts = 4

// remembered bounds the jobs that are found again by their key: starts, and jobs without starts. Others that are equal are
// sent twice, and evaluated once. Estimated.
const remembered = 1 << 16

// blocker forms blocks: of at most most points that follow each other and have the same model and batch, those with
// starts apart from those without. Which they are depends on the works alone, so that a sweep that begins again forms the
// same.
type blocker struct {
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
	if b.n == b.most || b.first != nil && !alike(b.first, &w.Job) {
		ready = b.flush()
	}
	if b.first == nil {
		b.first = &w.Job
	}
	b.n++
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
	var open *block
	for _, j := range list {
		key := j.Key()
		s := b.seen[key]
		if s == nil {
			if open != nil && (len(open.jobs) == starts || !alike(&open.jobs[0], j)) {
				ready, open = append(ready, open), nil
			}
			var more []*block
			open, s, more = b.put(open, j, key)
			ready = append(ready, more...)
			b.remember(s)
		}
		spots = append(spots, s)
	}
	if open != nil {
		ready = append(ready, open)
	}
	return spots, ready
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
