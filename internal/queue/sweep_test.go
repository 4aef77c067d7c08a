package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pimflow/internal/job"
	"pimflow/internal/result"
)

// TestSweep: rows in order; a second sweep evaluates nothing and has the same bytes, and another version is another sweep.
func TestSweep(t *testing.T) {
	folder := t.TempDir()
	srv, s := serve(t, folder)
	const n = 200
	first, c := run(t, s, Sweep{Block: 8, Window: 40}, Worker{Evaluator: fake{}, Names: names, Parallel: 3}, points(n))
	if c.Evaluated != n || c.Refused+c.Failed+c.Left != 0 || strings.Count(first, "\n") != n {
		t.Errorf("%+v, %d rows: %d evaluations and rows wanted", c, strings.Count(first, "\n"), n)
	}
	at := 0
	for l := range strings.Lines(first) {
		var r result.Row
		if err := json.Unmarshal([]byte(l), &r); err != nil || r.Point != at || r.Set["memory.channels"] != fmt.Sprint(at) {
			t.Errorf("row %d: %v %s", at, err, l)
		}
		at++
	}
	if second, c := run(t, s, Sweep{Block: 3}, Worker{Evaluator: fake{}, Names: names}, points(n)); second != first || c.Evaluated != 0 {
		t.Errorf("a second sweep: %+v, the same rows: %v", c, second == first)
	}
	s.nc.Close()
	srv.Close()
	_, s = serve(t, folder)
	if again, c := run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, points(n)); again != first || c.Evaluated != 0 {
		t.Errorf("a sweep after the server's restart: %+v, the same rows: %v", c, again == first)
	}
	s.version = "test 2"
	other := point(0)
	other.Version = s.version
	if _, c := run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, list(other)); c.Evaluated != 1 {
		t.Errorf("another version: %+v", c)
	}
}

// TestFolderOfOne: a second process is refused.
func TestFolderOfOne(t *testing.T) {
	folder := t.TempDir()
	serve(t, folder)
	if _, err := Serve(folder, nil); err == nil || !strings.Contains(err.Error(), "another process uses this folder") {
		t.Error(err)
	}
}

// TestStarts: jobs get the plans of their starts, which are evaluated once and before them; failed ones have none.
func TestStarts(t *testing.T) {
	_, s := serve(t, t.TempDir())
	anchors := []job.Job{point(100), point(101), point(102, "fail=1"), point(7)}
	var all []job.Work
	for i := range 20 {
		w := job.Work{Index: i, Job: point(i)}
		if i%10 != 7 {
			from := anchors
			if i > 10 {
				from = anchors[2:3]
			}
			for k := range from {
				w.Starts = append(w.Starts, &from[k])
				w.Job.Starts = append(w.Job.Starts, from[k].Key())
			}
		}
		all = append(all, w)
	}
	works := func(yield func(job.Work, error) bool) {
		for _, w := range all {
			if !yield(w, nil) {
				return
			}
		}
	}
	text, c := run(t, s, Sweep{Block: 4}, Worker{Evaluator: fake{}, Names: names, Parallel: 2}, works)
	if c.Evaluated != 20+3 || c.Failed != 1 { // points, and the starts that are no points
		t.Errorf("%+v", c)
	}
	i := 0
	for l := range strings.Lines(text) {
		var r result.Row
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatal(err)
		}
		want := 3
		if i%10 == 7 || i > 10 {
			want = 0 // of a search, or of starts that failed
		}
		if r.PIMLaunches != want || r.Error != "" {
			t.Errorf("point %d: %d plans, error %q: %d wanted", i, r.PIMLaunches, r.Error, want)
		}
		i++
	}
}

// TestBadJobs: an error, a panic and a time that is over are rows; the other jobs of the block are evaluated.
func TestBadJobs(t *testing.T) {
	_, s := serve(t, t.TempDir())
	jobs := []job.Job{point(0), point(1, "fail=1"), point(2, "panic=1"), point(3, "hang=1"), point(4)}
	text, c := run(t, s, Sweep{Block: 5}, Worker{Evaluator: fake{}, Names: names, Timeout: 50 * time.Millisecond}, list(jobs...))
	if c.Evaluated != 5 || c.Failed != 3 {
		t.Errorf("%+v", c)
	}
	want := []string{"", "no such machine", "panic: at the disco at ", "no result after 50ms", ""}
	i := 0
	for l := range strings.Lines(text) {
		var r result.Row
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.Error, want[i]) || (want[i] == "") != (r.Error == "") || r.Model != "toy" || r.Point != i {
			t.Errorf("point %d: %q: %q wanted", i, r.Error, want[i])
		}
		i++
	}
	if i != 5 {
		t.Error(i, "rows")
	}
}

// TestPassing: a failure that the job alone does not decide is no result for the next sweep; others are.
func TestPassing(t *testing.T) {
	_, s := serve(t, t.TempDir())
	jobs := list(point(0, "fail=1"), point(1, "hang=1"), point(2))
	w := Worker{Evaluator: fake{}, Names: names, Timeout: 20 * time.Millisecond}
	first, _ := run(t, s, Sweep{}, w, jobs)
	again, c := run(t, s, Sweep{}, w, jobs)
	if first != again || c.Evaluated != 1 || c.Failed != 1 {
		t.Errorf("%+v\n%s\n%s", c, first, again)
	}
}

// TestHostile: messages that are no blocks are refused, once, and counted; the sweep is not disturbed.
func TestHostile(t *testing.T) {
	_, s := serve(t, t.TempDir())
	other := point(0)
	other.Version = "another"
	bad := point(1)
	bad.Model.Name = "../../etc/passwd"
	sent := [][]byte{
		nil, []byte("{}"), []byte("hello"), bytes.Repeat([]byte("["), 1000),
		(&job.Block{Schema: job.BlockSchema, Jobs: []job.Job{other}}).Encode(),
		(&job.Block{Schema: job.BlockSchema, Jobs: []job.Job{bad}}).Encode(),
	}
	for i, data := range sent {
		if _, err := s.js.Publish(t.Context(), fmt.Sprintf("%s.%s.%d", jobSubject, tag(version), i), data); err != nil {
			t.Fatal(err)
		}
	}
	text, c := run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, points(20))
	if int(c.Refused) != len(sent) || c.Evaluated != 20 || strings.Count(text, "\n") != 20 {
		t.Errorf("%+v, %d rows", c, strings.Count(text, "\n"))
	}
	info, err := s.jobs.Info(t.Context())
	if err != nil || info.State.Msgs != 0 {
		t.Errorf("%v: %d messages are left", err, info.State.Msgs)
	}
}

// TestForeignResults: what is stored and no result is evaluated again.
func TestForeignResults(t *testing.T) {
	_, s := serve(t, t.TempDir())
	j, k := point(0), point(1)
	e := &entry{Schema: entrySchema, Key: k.Key()}
	other, err := e.pack()
	if err != nil {
		t.Fatal(err)
	}
	for key, data := range map[job.Key][]byte{j.Key(): other, k.Key(): []byte("none")} {
		if _, err := s.results.Put(t.Context(), string(key), data); err != nil {
			t.Fatal(err)
		}
	}
	if text, c := run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, list(j, k)); c.Evaluated != 2 || strings.Contains(text, "error\":\"n") {
		t.Errorf("%+v %s", c, text)
	}
}

// TestLost: a block that somebody takes out of the queue is sent again; if it is never evaluated, its rows say so.
func TestLost(t *testing.T) {
	_, s := serve(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, 10*time.Millisecond) {
			s.jobs.Purge(ctx)
		}
	}()
	var b bytes.Buffer
	err := s.Sweep(ctx, Sweep{patience: 20 * time.Millisecond}, points(2), lines(&b))
	cancel()
	<-done
	if err != nil || strings.Count(b.String(), "no worker took it, 4 times") != 2 {
		t.Error(err, b.String())
	}
}

// TestStop: a context ends sweep and worker; the block goes back into the queue.
func TestStop(t *testing.T) {
	_, s := serve(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	done := make(chan error)
	go func() {
		_, err := s.Work(ctx, Worker{Evaluator: fake{last: time.Minute}, Names: names})
		done <- err
	}()
	var b bytes.Buffer
	if err := s.Sweep(ctx, Sweep{}, points(3), lines(&b)); !errors.Is(err, context.DeadlineExceeded) || b.Len() > 0 {
		t.Error(err, b.String())
	}
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if text, c := run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, points(3)); c.Evaluated != 3 || strings.Count(text, "\n") != 3 {
		t.Errorf("%+v %s", c, text)
	}
}

// TestKnown: rows have the numbers of their points, equal points are evaluated once, and what was known before is told.
func TestKnown(t *testing.T) {
	_, s := serve(t, t.TempDir())
	run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, list(point(1), point(3)))
	works := func(yield func(job.Work, error) bool) {
		for i, n := range []int{1, 2, 3, 2, 4} {
			yield(job.Work{Index: 10 * i, Job: point(n)}, nil)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan Count)
	go func() { c, _ := s.Work(ctx, Worker{Evaluator: fake{}, Names: names}); done <- c }()
	got := ""
	err := s.Sweep(ctx, Sweep{}, works, func(r *result.Row, known bool) error {
		got += fmt.Sprint(r.Point, " ", r.Set["memory.channels"], " ", known, "; ")
		return nil
	})
	cancel()
	if c := <-done; err != nil || got != "0 1 true; 10 2 false; 20 3 true; 30 2 false; 40 4 false; " || c.Evaluated != 2 {
		t.Error(err, got, c)
	}
}

// TestAway: a server that does not come back ends a sweep and a worker.
func TestAway(t *testing.T) {
	srv, s := serve(t, t.TempDir())
	s.away = 50 * time.Millisecond
	done := make(chan error)
	go func() {
		_, err := s.Work(t.Context(), Worker{Evaluator: fake{last: 100 * time.Millisecond}, Names: names, Idle: time.Second})
		done <- err
	}()
	var b bytes.Buffer
	err := s.Sweep(t.Context(), Sweep{}, points(3), func(*result.Row, bool) error { srv.s.Shutdown(); return nil })
	for _, err := range []error{err, <-done} {
		if err != nil && !strings.Contains(err.Error(), "no answer of the server in 50ms") {
			t.Error(err)
		}
	}
	if err == nil {
		t.Error("a sweep without a server ends well", b.String())
	}
}

// TestIdle: a worker without work ends.
func TestIdle(t *testing.T) {
	_, s := serve(t, t.TempDir())
	if c, err := s.Work(t.Context(), Worker{Evaluator: fake{}, Names: names, Idle: 100 * time.Millisecond}); err != nil || c != (Count{}) {
		t.Error(c, err)
	}
}

// TestBlocks: blocks follow from the points alone. They are of one model, within the bounds of a message, and starts come before
// what waits for them, once.
func TestBlocks(t *testing.T) {
	form := func(list []job.Work) (text string, spots []*spot) {
		b := blocker{most: 3}
		var all []*block
		for i := range list {
			s, ready := b.add(&list[i])
			spots, all = append(spots, s), append(all, ready...)
		}
		for _, x := range append(all, b.flush()...) {
			for _, j := range x.jobs {
				text += j.Model.Name[:1] + strings.TrimPrefix(j.Set[0], "memory.channels=") + " "
			}
			if len(x.waits) > 0 {
				text += fmt.Sprint("after ", len(x.waits), " ")
			}
			text += "| "
			if (&job.Block{Schema: job.BlockSchema, Jobs: x.jobs}).Encode(); x.bytes > job.MaxBytes/2 {
				t.Error(x.bytes, "bytes")
			}
		}
		return text, spots
	}
	plain := func(numbers ...int) (list []job.Work) {
		for _, n := range numbers {
			list = append(list, job.Work{Job: point(n)})
		}
		return list
	}
	anchors := plain(1, 2, 3, 4, 5, 6)
	after := func(n int, of ...int) job.Work {
		w := job.Work{Job: point(n)}
		for _, i := range of {
			w.Starts = append(w.Starts, &anchors[i-1].Job)
			w.Job.Starts = append(w.Job.Starts, anchors[i-1].Job.Key())
		}
		return w
	}
	net := plain(1)[0]
	net.Job.Model.Name = "net"
	wide := plain(7, 8, 9)
	for i := range wide {
		for len(wide[i].Job.Set) < 1000 {
			wide[i].Job.Set = append(wide[i].Job.Set, "memory.channels="+strings.Repeat("9", 100))
		}
	}
	for want, list := range map[string][]job.Work{
		"t1 t2 t3 | t4 | ": plain(1, 2, 3, 4),
		"t1 | n1 | t2 | ":  {plain(1)[0], net, plain(2)[0]},
		"t1 t2 | ":         plain(1, 2, 1),
		"t1 | t2 | t3 | t4 | t5 | t20 t21 after 5 | ":     {after(20, 1, 2, 3, 4, 5), after(21, 1)},
		"t2 | t1 | t20 after 2 | ":                        {plain(1)[0], after(20, 1, 2), plain(2)[0]},
		"t7 t8 | t9 | ":                                   wide,
		"t6 | t20 t22 after 1 | t5 | t4 | t21 after 2 | ": {after(20, 6), plain(6)[0], after(22, 6), after(21, 5, 6), plain(4)[0]},
	} {
		if got, _ := form(list); got != want {
			t.Errorf("%s\n%s wanted", got, want)
		}
	}
	ramp, sizes := blocker{most: 3, ramp: 2}, ""
	for _, w := range plain(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) {
		_, ready := ramp.add(&w)
		for _, x := range ready {
			sizes += fmt.Sprint(len(x.jobs), " ")
		}
	}
	if sizes != "1 2 3 3 " {
		t.Error("the first blocks have points: ", sizes)
	}
	if _, spots := form(plain(1, 2, 1)); spots[0] != spots[2] || spots[0] == spots[1] {
		t.Error("equal points are two jobs")
	}
}

// TestStored: a worker looks for the result of each job before it evaluates it.
func TestStored(t *testing.T) {
	_, s := serve(t, t.TempDir())
	run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, points(3))
	b := &job.Block{Jobs: []job.Job{point(0), point(1), point(2), point(3)}}
	if err := s.publish(t.Context(), s.subject([]job.Key{"x"}, whole), b); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Work(t.Context(), Worker{Evaluator: fake{}, Names: names, Idle: 100 * time.Millisecond}); err != nil || c.Evaluated != 1 {
		t.Error(c, err)
	}
}
