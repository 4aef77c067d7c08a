package queue

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"pimflow/internal/job"
	"pimflow/internal/result"
)

// BenchmarkJob is what a job takes besides its evaluation: a share of a block's message, a look for the result, its storing, and
// the coordinator's reading. The server is in this process; sweep, worker and server have all processors together.
func BenchmarkJob(b *testing.B) {
	for _, block := range []int{1, 16} {
		b.Run(fmt.Sprint("block=", block), func(b *testing.B) {
			_, s := serve(b, b.TempDir())
			b.ResetTimer()
			if _, c := run(b, s, Sweep{Block: block}, Worker{Evaluator: fake{}, Names: names}, points(b.N)); int(c.Evaluated) != b.N {
				b.Errorf("%+v", c)
			}
		})
	}
}

// BenchmarkPublished is BenchmarkJob with NATS's server as a process, over TCP, and with a result of the size of a real one.
func BenchmarkPublished(b *testing.B) {
	s := dialled(b)
	b.ResetTimer()
	if _, c := run(b, s, Sweep{}, Worker{Evaluator: large{}, Names: names, Parallel: 4}, points(b.N)); int(c.Evaluated) != b.N {
		b.Errorf("%+v", c)
	}
}

// BenchmarkStore is how many results a server takes from clients that all wait for its answers, and how many it gives.
func BenchmarkStore(b *testing.B) {
	for name, f := range map[string]func(ctx context.Context, s *Store, j *job.Job) error{
		"put": func(ctx context.Context, s *Store, j *job.Job) error {
			row, plan, _ := large{}.Evaluate(ctx, j, nil)
			return s.put(ctx, j, &entry{Row: row, Plan: plan})
		},
		"look": func(ctx context.Context, s *Store, j *job.Job) error {
			_, err := s.get(ctx, j.Key())
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			s := dialled(b)
			g, ctx := errgroup.WithContext(b.Context())
			g.SetLimit(64)
			b.ResetTimer()
			for i := range b.N {
				j := point(i)
				g.Go(func() error { return f(ctx, s, &j) })
			}
			if err := g.Wait(); err != nil {
				b.Error(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "results/s")
		})
	}
}

// BenchmarkKnown is what a sweep takes for a point whose result, of the size of a real one, is there. The server is in this process.
func BenchmarkKnown(b *testing.B) {
	_, s := serve(b, b.TempDir())
	store(b, s, b.N, large{})
	rows := 0
	b.ResetTimer()
	if err := s.Sweep(b.Context(), Sweep{}, points(b.N), func(*result.Row, bool) error { rows++; return nil }); err != nil || rows != b.N {
		b.Error(err, rows)
	}
}

// store stores the results of the first n points.
func store(t testing.TB, s *Store, n int, by Evaluator) {
	js, err := jetstream.New(s.nc, jetstream.WithPublishAsyncMaxPending(1000))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		j := point(i)
		e := &entry{Schema: entrySchema, Key: j.Key()}
		if e.Row, e.Plan, err = by.Evaluate(t.Context(), &j, nil); err != nil {
			t.Fatal(err)
		}
		publish(t, js, e)
	}
	<-js.PublishAsyncComplete()
}

// BenchmarkWorkers (with -benchtime 1x) is the same sweep of 20 ms jobs with one worker and with two. Two take at most 1/1.8 of the time.
func BenchmarkWorkers(b *testing.B) {
	took := map[int]time.Duration{}
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				_, s := serve(b, b.TempDir())
				ctx, cancel := context.WithCancel(b.Context())
				g := errgroup.Group{}
				for range n {
					g.Go(func() error {
						_, err := s.Work(ctx, Worker{Evaluator: fake{last: 20 * time.Millisecond}, Names: names})
						return err
					})
				}
				var out bytes.Buffer
				if err := s.Sweep(ctx, Sweep{Block: 4}, points(200), lines(&out)); err != nil {
					b.Error(err)
				}
				cancel()
				if err := g.Wait(); !errors.Is(err, context.Canceled) {
					b.Error(err)
				}
			}
			took[n] = b.Elapsed() / time.Duration(b.N)
			if n == 2 {
				b.ReportMetric(float64(took[1])/float64(took[2]), "times-faster")
			}
		})
	}
}

// large has rows and plans of the size of real ones: 2 kB and 6 kB.
type large struct{ fake }

func (l large) Evaluate(ctx context.Context, j *job.Job, plans []string) (result.Row, string, error) {
	row, _, err := l.fake.Evaluate(ctx, j, plans)
	row.ModelHash, row.MachineHash = string(j.Key()), string(j.Key())
	row.Baseline, row.BaselineLow, row.BaselineHigh = row.Total*1.2, row.Total*0.9, row.Total*1.7
	row.Speedup, row.Energy, row.EnergyLow, row.EnergyHigh = 1.2, row.Total*40, row.Total*17, row.Total*130
	row.Parts = map[string]result.Energy{}
	for i := range 12 {
		v := row.Total * float64(i) / 7
		row.Parts[fmt.Sprint("part of the energy ", i)] = result.Energy{Value: v, Low: v / 2, High: v * 3}
	}
	var plan strings.Builder
	for i := range 55 {
		fmt.Fprintf(&plan, "tile gpu features.%d.conv.1 0:%d 0:%d 0:56 0:56\ntile pim features.%d.conv.1 0:1 %d:96 0:56 0:56\n", i, i%3, 7*i%96, i, 5*i%96)
	}
	return row, plan.String(), err
}

// dialled is a store at NATS's server.
func dialled(b *testing.B) *Store {
	port := free(b)
	cmd := published(natsServer(b))(port, b.TempDir())
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	nc, err := Dial(b.Context(), Login{URL: fmt.Sprintf("nats://127.0.0.1:%d", port), User: "u", Password: "p"}, 10*time.Second, func(string) {})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	s, err := OpenStore(b.Context(), nc, version, time.Hour, time.Hour, func(text string) { b.Log(text) })
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// many is how many results TestManyResults has: a million take ten times as long.
var many = flag.Int("many", 100_000, "with -long: results that are stored, and found again")

// TestManyResults: many results take a server so much memory as this says, 0.4 kB each, and a sweep that finds them all takes a bounded amount
// more.
func TestManyResults(t *testing.T) {
	if !*long {
		t.Skip("only with -long: it takes a minute")
	}
	n := *many
	folder := t.TempDir()
	srv, s := serve(t, folder)
	held := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / 1e6
	}
	js, err := jetstream.New(s.nc, jetstream.WithPublishAsyncMaxPending(1000))
	if err != nil {
		t.Fatal(err)
	}
	before := held()
	for i := range n {
		j := point(i)
		e := &entry{Schema: entrySchema, Key: j.Key(), Row: failed(&j, "")}
		publish(t, js, e)
	}
	<-js.PublishAsyncComplete()
	stored := held()
	s.nc.Close()
	srv.Close()
	begin := time.Now()
	_, s = serve(t, folder)
	took := time.Since(begin)
	found := held()
	rows, peak := 0, 0.0
	begin = time.Now()
	err = s.Sweep(t.Context(), Sweep{}, points(n), func(_ *result.Row, known bool) error {
		if rows++; rows%20_000 == 0 {
			peak = max(peak, held())
		}
		if !known {
			return errors.New("a row was not known")
		}
		return nil
	})
	info, e := s.js.Stream(t.Context(), "KV_"+results)
	if e != nil {
		t.Fatal(e)
	}
	t.Logf("heap: %.0f MB before, %.0f with %d results, %.0f after a restart of %v; %d MB of files; a sweep that knows all: %v, %.0f MB at most",
		before, stored, n, found, took.Round(100*time.Millisecond), info.CachedInfo().State.Bytes/1e6, time.Since(begin).Round(time.Second), peak)
	if err != nil || rows != n || peak > 150+0.0005*float64(n) {
		t.Error(err, rows, peak)
	}
}

// publish stores an entry; its acknowledgement is not waited for.
func publish(t testing.TB, js jetstream.JetStream, e *entry) {
	data, err := e.pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.PublishAsync("$KV."+results+"."+string(e.Key), data, jetstream.WithStallWait(time.Minute)); err != nil {
		t.Fatal(err)
	}
}
