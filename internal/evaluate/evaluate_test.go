package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"pimflow"

	"pimflow/internal/job"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// at is a point of a small network.
func at(set ...string) *space.Point {
	return &space.Point{Model: "toy", Machine: "newton", Set: set, Policy: "auto", Objective: "latency", Effort: "low"}
}

// evaluated is a point that must have a result.
func evaluated(t *testing.T, e *Evaluator, p *space.Point, starts ...string) (result.Row, string) {
	t.Helper()
	row, plan, err := e.Point(t.Context(), p, starts)
	if err != nil {
		t.Fatal(err)
	}
	return row, plan
}

// grid is points that share machines, devices and mappings in part.
func grid() (list []*space.Point) {
	for _, channels := range []int{2, 8, 16} {
		for _, key := range []string{"pim.buffers=4", "pim.buffers=2", "pim.timing.ccds_ck=4"} {
			for _, launch := range []string{"each", "joint"} {
				list = append(list, at(fmt.Sprintf("memory.pim_channels=%d", channels), key, "launch.pim="+launch))
			}
		}
	}
	return list
}

// TestOrder: rows and plans do not depend on what was evaluated before, or at the same time.
func TestOrder(t *testing.T) {
	points := grid()
	first := &Evaluator{}
	_, near := evaluated(t, first, points[0])
	_, far := evaluated(t, first, points[len(points)-1])
	starts := func(i int) []string {
		if i%5 == 0 {
			return nil
		}
		return []string{near, far}
	}
	type outcome struct {
		Row  result.Row
		Plan string
	}
	want := make([]outcome, len(points))
	for i, p := range points {
		want[i].Row, want[i].Plan = evaluated(t, first, p, starts(i)...)
	}
	if n := len(first.machines.made); n != len(points) || len(first.boards.made) != 1 || len(first.models.made) != 1 {
		t.Errorf("%d machines, %d boards, %d models", n, len(first.boards.made), len(first.models.made))
	}
	again := &Evaluator{}
	var g errgroup.Group
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(points)) {
		g.Go(func() error {
			row, plan, err := again.Point(t.Context(), points[i], starts(i))
			if d := cmp.Diff(want[i], outcome{row, plan}); d != "" {
				t.Errorf("%v: %v: %s", points[i].Set, err, d)
			}
			return nil
		})
	}
	g.Wait()
	searches := map[string]int{}
	for _, o := range want {
		searches[o.Row.Search]++
	}
	if searches[space.Full] != 4 || searches[space.Anchors] != len(points)-4 {
		t.Errorf("searches: %v", searches)
	}
}

// TestAnchor: the plan of a point, timed there as one of several, gives the row of its search; at another point the best plan wins, and
// a search is no worse than the plans of others where it finds one of them.
func TestAnchor(t *testing.T) {
	e := &Evaluator{}
	own, plan := evaluated(t, e, at("memory.pim_channels=8"))
	_, other := evaluated(t, e, at("memory.pim_channels=2", "launch.pim=joint"))
	row, again := evaluated(t, e, at("memory.pim_channels=8"), other, plan)
	if again != plan {
		t.Errorf("the plan is\n%s\n%s wanted", again, plan)
	}
	if row.Search != space.Anchors || own.Search != space.Full || row.Bound != 0 || own.Bound == 0 {
		t.Errorf("searches %s and %s, bounds %v and %v", row.Search, own.Search, row.Bound, own.Bound)
	}
	row.Search, row.Bound, row.BoundTwo = own.Search, own.Bound, own.BoundTwo
	if d := cmp.Diff(own, row); d != "" {
		t.Error(d)
	}
	one, _ := evaluated(t, e, at("memory.pim_channels=4"), other)
	two, _ := evaluated(t, e, at("memory.pim_channels=4"), plan)
	both, _ := evaluated(t, e, at("memory.pim_channels=4"), other, plan)
	if both.Total > min(one.Total, two.Total) {
		t.Errorf("%v of plans of %v and %v", both.Total, one.Total, two.Total)
	}
	none, _ := evaluated(t, e, at("memory.pim_channels=8"), strings.Replace(plan, "graph \"", "graph \"0", 1))
	if none.Search != space.Full || none.Total != own.Total {
		t.Errorf("%s, %v, where no plan fits: a search, %v, wanted", none.Search, none.Total, own.Total)
	}
}

// TestRow: a row has the numbers of the report on the same machine.
func TestRow(t *testing.T) {
	set := []string{"memory.pim_channels=8", "link.finish.where=gpu"}
	s, err := pimflow.Open(t.Context(), "toy", pimflow.Options{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Plan(t.Context(), pimflow.Search{Policy: "by-operator", Effort: "low"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Time(p)
	if err != nil {
		t.Fatal(err)
	}
	of := at(set...)
	of.Policy = "by-operator"
	row, _ := evaluated(t, &Evaluator{}, of)
	e := &r.Energy
	want := result.Row{
		Model: "toy", ModelHash: row.ModelHash, Batch: 1, Machine: "newton", MachineHash: row.MachineHash, Policy: "by-operator", Objective: "latency", Effort: "low", Search: space.Full,
		Set: map[string]string{"memory.pim_channels": "8", "link.finish.where": "gpu"}, PIMChannels: 8,
		Baseline: r.Baseline, BaselineLow: r.BaselineLow, BaselineHigh: r.BaselineHigh, Total: r.Total, TotalLow: r.TotalLow, TotalHigh: r.TotalHigh,
		Speedup: r.Speedup, SpeedupLow: r.Low, SpeedupHigh: r.High,
		GPUBusy: r.GPUBusy, PIMBusy: r.PIMBusy, BothBusy: r.BothBusy, Launch: r.Launch, PIMLaunch: r.PIMLaunch, Idle: r.Idle,
		BaselineRate: r.Throughput.BaselineRate, Rate: r.Throughput.Rate,
		BaselineEnergy: e.Baseline, Energy: e.Total, EnergyLow: e.Low, EnergyHigh: e.High, Ratio: e.Ratio, RatioLow: e.RatioLow, RatioHigh: e.RatioHigh,
		Parts:    map[string]result.Energy{},
		MACUnits: 8 * 16 * 16, BufferBytes: 8 * (4*1024 + 16*4), Channels: 32, Internal: 8 * 16 * 32 / (2 * 4 / 7.), // 16 banks of 16 lanes and a sum; 4 buffers of 1 kB; a column of 32 B each 2 clocks of 4/7 ns
	}
	for _, p := range e.Parts {
		want.Parts[p.Name] = result.Energy{Value: p.Total, Low: p.Low, High: p.High}
	}
	steps, err := s.Steps(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range steps {
		if st.Device == "pim" {
			want.PIMLaunches++
			want.Finishes++ // every layer has a bias or an epilogue
			continue
		}
		for _, n := range st.Commands {
			want.GPULaunches += int(n)
		}
	}
	if want.PIMLaunches == 0 || want.GPULaunches == 0 {
		t.Fatal("both devices wanted")
	}
	if d := cmp.Diff(want, row, cmp.Comparer(func(a, b float64) bool { return a == b || a > 0 && b/a-1 < 1e-12 && a/b-1 < 1e-12 })); d != "" {
		t.Error(d)
	}
	joint, text := evaluated(t, &Evaluator{}, at("launch.pim=joint", "memory.pim_channels=8"))
	if n := strings.Count(text, "\npim %"); joint.PIMLaunches >= n || joint.PIMLaunches == 0 || joint.Finishes != 0 {
		t.Errorf("%d launches of %d tiles, %d finished on the GPU", joint.PIMLaunches, n, joint.Finishes)
	}
}

// TestJob: the row of a job is that of its point; files are asked for; what a job cannot have is an error, and a panic is.
func TestJob(t *testing.T) {
	j := &job.Job{Model: job.Ref{Name: "toy"}, Machine: job.Ref{Name: "m.json", Files: []job.File{{Name: "m.json"}}}, GPU: &job.Ref{Name: "t4"}, Policy: "gpu", Objective: "latency", Effort: "low", Set: []string{"pim.buffers=2"}}
	e := &Evaluator{Open: func(_ context.Context, r job.Ref) (string, error) {
		return strings.Replace(r.Name, "m.json", "newton", 1), nil
	}}
	row, plan, err := e.Evaluate(t.Context(), j, nil)
	if err != nil || plan == "" || row.Machine != "m.json" || row.GPU != "t4" || row.Model != "toy" || row.Total == 0 || row.Set["pim.buffers"] != "2" {
		t.Errorf("%v: %+v", err, row)
	}
	for _, c := range []struct {
		name   string
		change func(*job.Job)
		want   string
	}{
		{"a key", func(j *job.Job) { j.Set = []string{"pim.bank=2"} }, "unknown key"},
		{"a number", func(j *job.Job) { j.Set = []string{"pim.buffers=77"} }, "pim.buffers"},
		{"a model", func(j *job.Job) { j.Model.Name = "tow" }, "\"tow\" is not known"},
		{"a policy", func(j *job.Job) { j.Policy = "best" }, "policy \"best\""},
	} {
		wrong := *j
		c.change(&wrong)
		row, plan, err := e.Evaluate(t.Context(), &wrong, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || plan != "" || row.Total != 0 || row.Policy != wrong.Policy {
			t.Errorf("%s: %v, %+v: %q wanted", c.name, err, row, c.want)
		}
	}
	e.Open = func(context.Context, job.Ref) (string, error) { return "", errors.New("not there") }
	if _, _, err := e.Evaluate(t.Context(), j, nil); err == nil || err.Error() != "not there" {
		t.Errorf("%v: that it is not there wanted", err)
	}
	over, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if row, _, err := e.Point(over, at(), nil); !errors.Is(err, context.DeadlineExceeded) || row.Total != 0 {
		t.Errorf("%v, %v after the deadline", err, row.Total)
	}
	e.Open = func(context.Context, job.Ref) (string, error) { panic("impossible") }
	if _, _, err := e.Evaluate(t.Context(), j, nil); err == nil || !strings.Contains(err.Error(), "panic: impossible") {
		t.Errorf("%v: a panic wanted", err)
	}
}

// TestCache: what was used longest ago goes, and is closed when nobody uses it; errors and panics are not kept.
func TestCache(t *testing.T) {
	c := &cache[int, int]{}
	made, closed := 0, []int{}
	get := func(key int) (int, func()) {
		v, done, err := c.get(key, 2, func() (int, error) { made++; return 10 * key, nil }, func(v int) { closed = append(closed, v) })
		if err != nil || v != 10*key {
			t.Fatalf("%d: %d, %v", key, v, err)
		}
		return v, done
	}
	_, first := get(1)
	_, done := get(2)
	done()
	_, done = get(1)
	done()
	_, done = get(3) // 2 goes
	done()
	_, done = get(4) // 1 goes, which is used
	done()
	if made != 4 || !cmp.Equal(closed, []int{20}) {
		t.Errorf("%d made, %v closed: 4 and that of 2 wanted", made, closed)
	}
	first()
	if !cmp.Equal(closed, []int{20, 10}) {
		t.Errorf("%v closed: those of 2 and 1 wanted", closed)
	}
	for _, f := range []func() (int, error){func() (int, error) { return 0, errors.New("wrong") }, func() (int, error) { panic("wrong") }} {
		if _, _, err := c.get(5, 2, f, nil); err == nil || !strings.Contains(err.Error(), "wrong") {
			t.Errorf("%v: the error wanted", err)
		}
	}
	get(5)
}

// TestAll: each point has the best of all plans, timed there as it is, and its own where none is better; one without a plan has none.
func TestAll(t *testing.T) {
	e := &Evaluator{}
	var points []space.Point
	for _, p := range []*space.Point{at("memory.pim_channels=8"), at("memory.pim_channels=99"), at("memory.pim_channels=2"), at("memory.pim_channels=16", "launch.pim=joint")} {
		points = append(points, *p)
	}
	poor := *at("memory.pim_channels=8")
	poor.Policy = "by-operator" // its plan is worse than that of the same point
	points = append(points, poor)
	n := 0
	var mu sync.Mutex
	own, best, err := e.All(t.Context(), points, func() { mu.Lock(); defer mu.Unlock(); n++ })
	if err != nil || n != 2*len(points) {
		t.Fatalf("%v, %d calls", err, n)
	}
	for i, o := range best {
		if i == 1 {
			if o.Err == nil || o.Plan != nil {
				t.Errorf("%+v of a machine that there is not", o)
			}
			continue
		}
		want := own[i].Row.Total
		for k := range own {
			if k != 1 {
				kept, err := e.Find(t.Context(), &points[i], space.All, []string{own[k].Text})
				if err != nil {
					t.Fatal(err)
				}
				want = min(want, kept.Row.Total)
			}
		}
		if o.Row.Total != want || o.Row.Search != space.All || own[i].Row.Search != space.Full || o.Plan == nil {
			t.Errorf("point %d: %v by search %s, %v by its own: %v wanted", i, o.Row.Total, o.Row.Search, own[i].Row.Total, want)
		}
	}
	if best[4].Row.Total != best[0].Row.Total || own[4].Row.Total <= best[0].Row.Total {
		t.Errorf("%v, by its own %v, with a plan that takes %v", best[4].Row.Total, own[4].Row.Total, best[0].Row.Total)
	}
	_, worse := evaluated(t, e, &poor)
	of, err := e.Find(t.Context(), &points[0], space.All, []string{worse, own[0].Text})
	if err != nil || of.Row.Total != own[0].Row.Total {
		t.Errorf("%v: %v of a worse and a better plan, %v wanted", err, of.Row.Total, own[0].Row.Total)
	}
	if of, err = e.Find(t.Context(), &points[0], Kept, []string{worse, own[0].Text}); err != nil || of.Row.Total <= own[0].Row.Total || of.Row.Search != Kept {
		t.Errorf("%v: %v by search %s with a worse plan that is kept", err, of.Row.Total, of.Row.Search)
	}
	foreign := strings.Replace(own[0].Text, "graph \"", "graph \"0", 1)
	if of, err = e.Find(t.Context(), &points[0], space.All, []string{foreign}); err != nil || of.Row.Search != space.Full {
		t.Errorf("%v, search %s where no plan fits", err, of.Row.Search)
	}
	if _, err = e.Find(t.Context(), &points[0], Kept, []string{foreign}); err == nil {
		t.Error("a plan that does not fit is kept")
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := e.All(stopped, points, func() {}); err != context.Canceled {
		t.Errorf("%v after the end", err)
	}
}

// TestOver: points of a model that is opened are those of its machine with their keys changed.
func TestOver(t *testing.T) {
	s, err := pimflow.Open(t.Context(), "toy", pimflow.Options{Machine: "newton", Set: []string{"launch.pim=joint"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, _ := evaluated(t, &Evaluator{Over: s}, at("memory.pim_channels=8"))
	want, _ := evaluated(t, &Evaluator{}, at("launch.pim=joint", "memory.pim_channels=8"))
	want.Set = got.Set
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
