package pimflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pimflow/internal/budget"
	"pimflow/internal/fault"
	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
	"pimflow/internal/onnx"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/platform"
	"pimflow/internal/profile"
	"pimflow/internal/search"
	"pimflow/internal/simplify"
	"pimflow/internal/zoo"
)

// DefaultMachine and DefaultPolicy are those of a session and a search that name none.
const (
	DefaultMachine = "newton"
	DefaultPolicy  = "auto"
)

// ErrNoDevice is wrapped by Plan if a policy has no device for some layer.
var ErrNoDevice = search.ErrNoDevice

// ErrNoPlan is wrapped by Best if a machine can execute no plan that it is given.
var ErrNoPlan = errors.New("no plan fits")

// Options say what a model is opened with. The zero value is the machine newton, one image,
// and the GPU model's times.
type Options struct {
	Machine string   // a name that Machines lists, a .json file, or both with a GPU, as "newton+t4"
	GPU     string   // replaces the machine's: one that pimflow gpu lists, or a .json file; "": its own
	Set     []string // keys of the machine to change, as "memory.pim_channels=8"
	Batch   int      // images at once, for models that leave it open; 0: 1

	// What else an .onnx file leaves open: the shapes of inputs by name, "" of the only one; open dimensions by their names;
	// and [NAME=]FILE, tensors and pictures whose shapes bind the rest, as Session.Input reads them.
	Shapes map[string][]int
	Dims   map[string]int
	Inputs []string

	Until   []string // values that end the network, by name; none: the model's outputs
	Profile string   // a .csv file of measured GPU kernels, whose times replace the model's; "": none
	Memory  int64    // bytes that may be taken at once: by what is read of the model, by values where a plan is executed, by inputs; 0: three quarters of the machine's, 1 GB for a picture
	// Progress, unless nil, takes the progress of each phase of long work; a phase begins with 0
	// of 0. It is called concurrently.
	Progress func(phase string, done, total int)
	// Warn, unless nil, takes each of Session.Warnings, with the model's name before it, and what of Profile matches no layer.
	Warn func(text string)
}

// Session is a model on a machine. It is not safe for concurrent use.
type Session struct {
	name     string       // of the model, as Open was given it
	model    *graph.Graph // as read
	graph    *graph.Graph // simplified: what plans are made for
	file     *onnx.File   // that weights are read from when they are asked for; nil for none
	on       Machine
	machine  *hw.Machine // of on
	memory   budget.Memory
	profile  *profile.Profile // nil: the model's times
	pool     *platform.Pool   // of devices, which sessions of the model on other machines share
	shared   *shared
	target   search.Target
	progress func(phase string, done, total int)

	found   map[string]Size // what depends on data, of the last inputs: its sizes are in Largest
	planned map[string]int  // and what the plan's own values make of it
}

// Open reads a model, a network that Networks lists, an .onnx file or a .graph file, and puts
// it on a machine. The context ends reading and simplifying; the session does not keep it. The caller closes the session.
func Open(ctx context.Context, model string, o Options) (*Session, error) {
	s := &Session{name: model, progress: o.Progress, memory: budget.Memory(o.Memory)}
	ctx = budget.With(ctx, s.memory)
	var err error
	if s.model, s.file, err = read(ctx, model, o); err != nil {
		return nil, err
	}
	if s.graph, err = simplify.Run(ctx, s.model); err != nil {
		err = fmt.Errorf("%s: %w", model, err)
	} else if !works(s.graph) {
		err = fmt.Errorf("%s: no layer computes a value: a model with work wanted", model)
	} else {
		s.on.changes = o.Set
		s.on.hw, s.on.from, err = hw.LoadWith(cmp.Or(o.Machine, DefaultMachine), o.GPU, o.Set)
	}
	if err == nil && o.Profile != "" {
		var note string
		if s.profile, note, err = profile.Load(o.Profile, s.on.hw, s.graph); note != "" && o.Warn != nil {
			o.Warn(note)
		}
	}
	if err == nil {
		err = s.place(&s.on)
	}
	s.whole(&err)
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// works reports whether some operation of a graph makes a value of some numbers.
func works(g *graph.Graph) bool {
	return slices.ContainsFunc(g.Nodes, func(nd graph.Node) bool { return nd.Op != nil && nd.Shape.Size() > 0 })
}

// On returns a session of the same model on another machine. Both share what they cost, where the machines' numbers are equal, and the
// model's file: Close of either closes it.
func (s *Session) On(m *Machine) (*Session, error) {
	c := *s
	if err := c.place(m); err != nil {
		return nil, err
	}
	return &c, nil
}

// place makes a machine that of the session.
func (s *Session) place(m *Machine) (err error) {
	if s.pool == nil {
		var by profile.Maker
		if s.profile != nil {
			by = s.profile.Over(gpu.New)
		}
		s.pool, s.shared = platform.NewPool(by), &shared{}
	}
	s.on, s.machine = *m, m.hw
	if s.target, err = platform.Target(m.hw, s.pool.Makers()); err == nil && len(m.changes) > 0 && pim.Mapped(m.hw) {
		_, err = s.target.Devices(m.hw.Memory.PIMChannels, plan.Extended) // its numbers may make no device
	}
	return m.blame(err)
}

// Files lists the files that the model is read from; weights may be read from them until Close.
func (s *Session) Files() []string {
	if s.file == nil {
		return nil
	}
	return s.file.Names()
}

// whole sets the error of a model whose file was changed since it was opened: nothing that was made of its
// values counts.
func (s *Session) whole(err *error) {
	if s.file == nil {
		return
	}
	if changed := s.file.Whole(); changed != nil {
		*err = changed
	}
}

// Close closes the model's file; weights cannot be read afterwards.
func (s *Session) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Search selects a plan. The zero value is the fastest plan of policy auto.
type Search struct {
	Policy    string // a name that Policies lists; "": auto
	Objective string // to minimise: "latency", "energy" or "edp", their product; "": latency
	// Effort is how long auto's local search goes on from its first local optimum: "low" (not at
	// all), "normal", "high", or a number of steps a layer; "": normal.
	Effort string
	// TimeLimit, unless 0, ends the search's iterations earlier, so long after its begin. The Report's
	// Effort repeats it.
	TimeLimit time.Duration
	// Exact proves that no plan of at most two pieces a layer is better. It is an error for
	// graphs that are too large for the proof, for other policies than auto, and with
	// Channels.
	Exact bool
	// Channels also searches the best number of PIM channels.
	Channels bool
	// Pins keep layers on one device, whole or cut: "LAYERS=gpu" or "LAYERS=pim", where LAYERS is the name of a layer, or
	// a pattern in which * stands for any text. The last for a layer counts. A pattern pins those layers to the PIM that
	// it can execute; the name of one that it cannot is an error.
	Pins []string
	// Partial returns the best plan so far if the context ends during the search; its Report is
	// Stopped. Without Partial Plan then returns the context's error.
	Partial bool
}

// Plan searches the best plan of a policy.
func (s *Session) Plan(ctx context.Context, how Search) (*Plan, error) {
	t, err := s.aim(how)
	if err != nil {
		return nil, err
	}
	var p *Plan
	if how.Channels {
		p, err = s.tune(ctx, how)
	} else {
		p, err = s.best(ctx, how, t)
	}
	if err == nil && p.result.Stopped && !how.Partial {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// best searches on a target.
func (s *Session) best(ctx context.Context, how Search, t search.Target) (*Plan, error) {
	policy, err := search.Lookup(cmp.Or(how.Policy, DefaultPolicy))
	if err != nil {
		return nil, err
	}
	var r *search.Result
	if err = s.searchable(); err == nil {
		r, err = search.Best(ctx, s.graph, policy, t)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return &Plan{plan: r.Plan, home: s, how: how, target: t, result: r}, nil
}

// kindBytes is what a search keeps of an operation that no other is like, alikeBytes of one that is like another: measured once,
// 2026-11-30, 360 kB in a network of 667 operations that differ in their surroundings, and 30 kB to 65 kB in chains of 5,000 and
// 5,800 alike. Graphs of up to freeOperations are not asked.
const kindBytes, alikeBytes, freeOperations = 500_000, 70_000, 1000

// searchable refuses a graph whose search wants more memory than the session may take.
func (s *Session) searchable() error {
	n := int64(len(s.layers()))
	if n <= freeOperations {
		return nil
	}
	kinds := map[string]bool{}
	for i := range s.graph.Nodes {
		if s.graph.Nodes[i].Op != nil {
			kinds[s.graph.Form(graph.ID(i))] = true
		}
	}
	k := int64(len(kinds))
	return fault.As(fault.Input, s.memory.Holds(k*kindBytes+(n-k)*alikeBytes, fmt.Sprintf("the candidates of %d operations of %d kinds", n, k)))
}

// aim returns the session's target with the objective and the switches of a search.
func (s *Session) aim(how Search) (t search.Target, err error) {
	if how.Exact && (how.Channels || cmp.Or(how.Policy, DefaultPolicy) != DefaultPolicy) {
		return t, fault.Usagef("search: Exact with Policy %.80q, Channels %v: policy %s and a fixed number of channels wanted", how.Policy, how.Channels, DefaultPolicy)
	}
	t = s.target
	t.Objective, err = search.ParseObjective(cmp.Or(how.Objective, search.Latency.String()))
	phase := "search"
	if err == nil {
		t.Pins, err = s.pinned(how.Pins)
	}
	if n := len(t.Pins); n > 0 {
		phase += fmt.Sprintf(" with %d layers pinned", n)
	}
	if err == nil {
		t.Effort, err = search.ParseEffort(cmp.Or(how.Effort, search.Normal.String()))
	}
	t.Histories = t.Effort.Histories()
	if b, failed := s.baseline(); err == nil && failed == nil { // else the search says it
		t.Baseline = b.timeline
	}
	if how.TimeLimit < 0 {
		return t, fault.Usagef("--time-limit %v: 0 or more wanted", how.TimeLimit)
	}
	t.Exact, t.TimeLimit, t.Progress = how.Exact, how.TimeLimit, s.phase(phase)
	return t, err
}

// Summary is Time without what is said of layers, of weights and of the model.
func (s *Session) Summary(p *Plan) (*Report, error) {
	p, err := s.own(p)
	if err != nil {
		return nil, err
	}
	return newSummary(s, p)
}

// Time times a plan on the session's machine. The plan may come from another session of the same
// model; the error says why it does not fit this model or machine.
func (s *Session) Time(p *Plan) (*Report, error) {
	p, err := s.own(p)
	if err != nil {
		return nil, err
	}
	return newReport(s, p)
}

// own returns the plan with its result on the session's machine.
func (s *Session) own(p *Plan) (*Plan, error) {
	if p.home == s {
		return p, nil
	}
	r, err := search.Given(s.graph, p.plan, s.target)
	if err != nil {
		return nil, err
	}
	return &Plan{plan: p.plan, home: s, how: p.how, target: s.target, result: r, given: true}, nil
}

// phase begins a phase of long work and returns a function that takes its progress; nil if nobody
// listens.
func (s *Session) phase(name string) func(done, total int) {
	if s.progress == nil {
		return nil
	}
	s.progress(name, 0, 0)
	return func(done, total int) { s.progress(name, done, total) }
}

// Policies lists the names of the policies, from the baseline gpu to auto.
func Policies() []string {
	var names []string
	for _, p := range search.Policies() {
		names = append(names, p.Name)
	}
	return names
}

// Networks lists the names of the networks that are built in, in order.
func Networks() []string { return zoo.Names() }

// Internal serves the commands of this module: the simplified graph, the machine, the target of
// its searches, and the profile or nil. Other modules cannot name these types.
func (s *Session) Internal() (*graph.Graph, *hw.Machine, search.Target, *profile.Profile) {
	return s.graph, s.machine, s.target, s.profile
}
