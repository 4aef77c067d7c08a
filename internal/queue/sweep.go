package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"pimflow/internal/job"
	"pimflow/internal/result"
)

// Sweep says how a sweep is divided.
type Sweep struct {
	Block  int        // most points in a block; 0: few at first, then defaultBlock
	Window int        // most points that are read and not yet written; 0: defaultWindow
	Files  *job.Files // where the files of jobs are on this machine; nil: jobs have none
	Upload bool       // into the store, for workers elsewhere

	patience time.Duration // with blocks that bring no result, before they are looked for; 0: lost
}

// The default division, estimated: blocks of a few points while there may be fewer points than workers, and later of many. A
// window has the work of 1,000 workers, and blocks of it that wait.
const (
	defaultBlock  = 16
	ramp          = 64
	defaultWindow = 1 << 16
)

// lost is how long a block may bring no result before it is looked for in the queue, and giveUp how often one that is not
// there is sent again. Estimated.
const (
	lost   = 2 * time.Second
	giveUp = 3
)

// atHand bounds the rows that are kept from the look for a result until they are written. Estimated: 10 MB.
const atHand = 4096

// atOnce is how many points are read before blocks are sent. Estimated.
const atOnce = 256

// ahead is how many requests wait at the server at once.
const ahead = 64

// Sweep has workers evaluate jobs, and calls emit with the row of each, in their order, and whether it was known before. What
// is stored already is not evaluated again. It returns when all rows were emitted; an error of works, of emit or of the
// context ends it earlier. Blocks that were sent stay in the queue then.
func (s *Store) Sweep(ctx context.Context, o Sweep, works iter.Seq2[job.Work, error], emit func(r *result.Row, known bool) error) error {
	c := &coordinator{s: s, o: o, emit: emit, uploaded: map[string]bool{}}
	if c.o.Block == 0 {
		c.o.Block, c.blocker.ramp = defaultBlock, ramp
	}
	c.o.Block = min(c.o.Block, job.MaxJobs)
	if c.o.Window == 0 {
		c.o.Window = defaultWindow
	}
	c.o.Window = max(c.o.Window, 4*c.o.Block)
	c.blocker.most = c.o.Block
	if err := s.try(ctx, "queue", func(ctx context.Context) error {
		info, err := s.jobs.Info(ctx)
		if err == nil {
			c.others = info.State.Msgs > 0
		}
		return err
	}); err != nil {
		return err
	}
	next, stop := iter.Pull2(works)
	defer stop()
	wait := shortest
	for end := false; ; {
		read := 0
		for ; !end && len(c.points) < c.o.Window && read < atOnce; read++ {
			w, err, ok := next()
			if err != nil {
				return err
			}
			if end = !ok; end {
				c.blocks = append(c.blocks, c.blocker.flush()...)
				break
			}
			of, ready := c.blocker.add(&w)
			c.points, c.blocks = append(c.points, waiting{of, w.Index}), append(c.blocks, ready...)
		}
		sent, err := c.send(ctx)
		if err != nil {
			return err
		}
		written, err := c.write(ctx)
		if err != nil {
			return err
		}
		switch {
		case end && len(c.points) == 0:
			return nil
		case sent || written || read > 0:
			wait = shortest
		default:
			if err := c.pause(ctx, wait); err != nil {
				return err
			}
			wait = min(2*wait, longest)
		}
	}
}

// shortest and longest are the times between two looks for results. Estimated.
const (
	shortest = 2 * time.Millisecond
	longest  = 100 * time.Millisecond
)

// waiting is a point without a row, and its number.
type waiting struct {
	*spot
	index int
}

// coordinator is a sweep under way.
type coordinator struct {
	s        *Store
	o        Sweep
	emit     func(*result.Row, bool) error
	blocker  blocker
	uploaded map[string]bool
	others   bool         // the queue had blocks before the sweep: some may be its own
	blocks   []*block     // to send
	points   []waiting    // that are not written yet, in order
	rows     atomic.Int64 // that are kept
	since    time.Time    // when something was last sent or written, or looked for
	warned   bool
}

// send sends the blocks whose starts are stored.
func (c *coordinator) send(ctx context.Context) (sent bool, err error) {
	if err := c.look(ctx); err != nil {
		return false, err
	}
	rest := c.blocks[:0]
	for i, b := range c.blocks {
		if err == nil && !b.waiting() {
			err = c.sendBlock(ctx, b)
			sent = true
			continue
		}
		rest = append(rest, c.blocks[i])
	}
	clear(c.blocks[len(rest):])
	c.blocks = rest
	return sent, err
}

func (b *block) waiting() bool {
	for _, s := range b.waits {
		if !s.stored {
			return true
		}
	}
	return false
}

// look finds which starts of the first blocks are stored.
func (c *coordinator) look(ctx context.Context) error {
	var list []*spot
	in := map[*spot]bool{}
	for _, b := range c.blocks {
		for _, s := range b.waits {
			if !s.stored && !in[s] && s.of.subject != "" && len(list) < ahead {
				in[s], list = true, append(list, s)
			}
		}
	}
	return c.find(ctx, list)
}

// find marks the spots whose results are stored.
func (c *coordinator) find(ctx context.Context, list []*spot) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(ahead)
	for _, s := range list {
		if s.stored {
			continue
		}
		g.Go(func() error {
			e, err := c.s.get(ctx, s.key)
			s.stored, s.passing = e != nil, e != nil && e.Passing
			if s.stored && !s.passing && c.rows.Load() < atHand {
				c.rows.Add(1)
				s.row = &e.Row
			}
			return err
		})
	}
	return g.Wait()
}

// sendBlock sends a block unless all its results are there, or it is in the queue.
func (c *coordinator) sendBlock(ctx context.Context, b *block) error {
	keys := make([]job.Key, len(b.spots))
	for i, s := range b.spots {
		keys[i] = s.key
	}
	b.subject = c.s.subject(keys, whole)
	if err := c.find(ctx, b.spots); err != nil {
		return err
	}
	missing := false
	for _, s := range b.spots {
		if s.passing {
			if err := c.s.forget(ctx, s.key); err != nil {
				return err
			}
			s.stored, s.passing = false, false
		}
		s.before = s.stored
		missing = missing || !s.stored
	}
	if !missing {
		return nil
	}
	if c.o.Upload {
		for i := range b.jobs {
			j := &b.jobs[i]
			if err := c.s.upload(ctx, c.o.Files, c.uploaded, &j.Model, &j.Machine, j.GPU); err != nil {
				return err
			}
		}
	}
	if c.others {
		if in, err := c.s.queued(ctx, b.subject); in || err != nil {
			return err
		}
	}
	return c.s.publish(ctx, b.subject, &job.Block{Jobs: b.jobs})
}

// write emits the rows that are there, up to the first that is not.
func (c *coordinator) write(ctx context.Context) (written bool, err error) {
	for n := 1; len(c.points) > 0; n = ahead { // the first alone: it may be waited for
		rows := make([]*result.Row, min(n, len(c.points)))
		g, ctx := errgroup.WithContext(ctx)
		for i, s := range c.points[:len(rows)] {
			if s.of.subject == "" {
				continue // not sent yet
			}
			if rows[i] = s.row; rows[i] != nil {
				continue
			}
			g.Go(func() error {
				e, err := c.s.get(ctx, s.key)
				if e != nil {
					rows[i] = &e.Row
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return written, err
		}
		for _, r := range rows {
			if r == nil {
				return written, nil
			}
			p := c.points[0]
			row := *r // equal points share one
			row.Point = p.index
			if err := c.emit(&row, p.before); err != nil {
				return written, err
			}
			if p.row != nil {
				p.row = nil
				c.rows.Add(-1)
			}
			p.stored, written = true, true
			c.points[0] = waiting{}
			c.points = c.points[1:]
		}
	}
	return written, nil
}

// pause waits, and looks where the work is if nothing came for a while.
func (c *coordinator) pause(ctx context.Context, wait time.Duration) error {
	if wait == shortest || c.since.IsZero() {
		c.since = time.Now()
	}
	if time.Since(c.since) > cmp.Or(c.o.patience, lost) {
		c.since = time.Now()
		if err := c.search(ctx); err != nil {
			return err
		}
	}
	if !sleep(ctx, wait) {
		return ctx.Err()
	}
	return nil
}

// search looks for the blocks that the first points wait for, and sends those again that are not in the queue: their
// message was refused, or somebody removed it.
func (c *coordinator) search(ctx context.Context) error {
	seen := map[*block]bool{}
	for _, p := range c.points {
		for _, s := range append([]*spot{p.spot}, p.of.waits...) {
			if b := s.of; b.subject != "" && !seen[b] && len(seen) < ahead {
				seen[b] = true
				if err := c.again(ctx, b); err != nil {
					return err
				}
			}
		}
	}
	return c.idle(ctx)
}

// again sends a block again that is lost.
func (c *coordinator) again(ctx context.Context, b *block) error {
	if in, err := c.s.queued(ctx, b.subject); in || err != nil {
		return err
	}
	if err := c.find(ctx, b.spots); err != nil { // after the queue was looked into: results come before a block leaves it
		return err
	}
	for i, s := range b.spots {
		if s.stored {
			continue
		}
		if b.tries++; b.tries <= giveUp {
			return c.s.publish(ctx, b.subject, &job.Block{Jobs: b.jobs})
		}
		if s.failed && c.s.folder != "" { // else another sweep may have removed it
			return c.s.gone("result "+string(s.key), errors.New("it is stored, and not found again"))
		}
		s.failed = true
		row := failed(&b.jobs[i], fmt.Sprintf("no worker took it, %d times: the warnings of the workers say why", giveUp+1))
		if err := c.s.put(ctx, &b.jobs[i], &entry{Row: row, Passing: true}); err != nil {
			return err
		}
	}
	return nil
}

// idle warns, once, if no worker of this version is there.
func (c *coordinator) idle(ctx context.Context) error {
	if c.warned {
		return nil
	}
	return c.s.try(ctx, "queue", func(ctx context.Context) error {
		var info *jetstream.ConsumerInfo
		consumer, err := c.s.jobs.Consumer(ctx, c.s.workers())
		if err == nil {
			info, err = consumer.Info(ctx)
		}
		none := errors.Is(err, jetstream.ErrConsumerNotFound)
		if none {
			err = nil
		}
		if err == nil && (none || info.NumWaiting == 0 && info.NumAckPending == 0 && info.NumPending > 0) {
			c.warned = true
			c.s.warn(fmt.Sprintf("no worker of this version asks for work: one as pimflow worker of version %s wanted", c.s.version))
		}
		return err
	})
}
