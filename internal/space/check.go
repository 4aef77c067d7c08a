package space

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/hw"
	"pimflow/internal/job"
	"pimflow/internal/nearest"
	"pimflow/internal/search"
	"pimflow/internal/zoo"
)

// names checks every word of the spec but machines and GPUs.
func (s *Space) names() error {
	checks := map[string]func(text string) error{
		models: model,
		policies: func(text string) error {
			_, err := search.Lookup(text)
			return err
		},
		objectives: func(text string) error {
			_, err := search.ParseObjective(text)
			return err
		},
		batches: func(text string) error {
			if n, err := strconv.Atoi(text); text != "0" && (err != nil || n < 1 || n > job.MaxBatch) {
				return fmt.Errorf("%.80q: a whole number of 1 to %d wanted", text, job.MaxBatch)
			}
			return nil
		},
	}
	for i := range s.axes {
		a := &s.axes[i]
		for k, v := range a.values {
			if check := checks[a.Name]; check != nil {
				if err := check(v); err != nil {
					return s.spec.errorf(a.lines[k], a.Name, "%s", fault.Line(err))
				}
			}
		}
	}
	if s.spec.find(batches) != nil && slices.Contains(s.axes[s.find(batches)].values, "0") {
		return s.spec.errorf(s.spec.find(batches).Line, batches, "%.80q: a whole number of 1 to %d wanted", "0", job.MaxBatch)
	}
	if t := s.spec.Effort; t.Text != "" {
		e, err := search.ParseEffort(t.Text)
		if err != nil {
			return s.spec.errorf(t.Line, "effort", "%s", fault.Line(err))
		}
		if e > job.MaxEffort {
			return s.spec.errorf(t.Line, "effort", "%d steps a layer: at most %d wanted", e, job.MaxEffort)
		}
	}
	if t := s.spec.Search; t.Text != "" && !slices.Contains(searches, t.Text) {
		return s.spec.errorf(t.Line, "search", "%.80q: one of %s wanted%s", t.Text, strings.Join(searches, ", "), nearest.Hint(t.Text, searches))
	}
	if a, t := s.spec.Anchors, s.spec.Search.Text; a.N != 0 && t != "" && t != Anchors {
		return s.spec.errorf(a.Line, "anchors", "%d: search %s has none: search %s wanted, or no anchors", a.N, t, Anchors)
	}
	if a := s.spec.Anchors; a.N < 0 || a.N > maxAnchors {
		return s.spec.errorf(a.Line, "anchors", "%d: 1 to %d wanted", a.N, maxAnchors)
	}
	return nil
}

// known refuses keys that no machine of the space has, before their values are written out. What else is wrong is for later.
func (s *Space) known() error {
	unknown := map[string]error{}
	for i := range s.axes {
		if a := &s.axes[i]; a.key() && !(strings.HasPrefix(a.Name, "gpu.") && s.spec.find(gpus) != nil) { // keys of a GPU are its own
			unknown[a.Name] = nil
		}
	}
	for _, v := range s.axes[s.find(machines)].Values {
		m, err := hw.Load(v.Text)
		if len(unknown) == 0 || err != nil {
			return nil
		}
		for name, first := range unknown {
			if err := m.Knows(name); err == nil {
				delete(unknown, name)
			} else if first == nil {
				unknown[name] = fmt.Errorf("machine %s: %w", m.Name, err)
			}
		}
	}
	for i := range s.axes {
		if err := unknown[s.axes[i].Name]; err != nil {
			return s.spec.errorf(s.axes[i].Line, s.axes[i].Name, "%s", fault.Line(err))
		}
	}
	return nil
}

// searches are the ways to search a space.
var searches = []string{Anchors, Full, All}

// fits refuses families of more points than each can take plans of.
func (s *Space) fits() error {
	if s.spec.Search.Text != All || s.familySize() <= job.MaxStarts {
		return nil
	}
	first, n := -1, 0
	for i := range s.Indexes() {
		if at := i - i%s.familySize(); at != first {
			first, n = at, 0
		}
		if n++; n > job.MaxStarts {
			return s.spec.errorf(s.spec.Search.Line, "search", "%s: a family has more than %d points: fewer values or a sample wanted", All, job.MaxStarts)
		}
	}
	return nil
}

// maxAnchors bounds the anchors of a family. Estimated: each point looks for the nearest among all.
const maxAnchors = 1024

// model checks that a model is built in, or that its file is there.
func model(name string) error {
	if strings.HasSuffix(name, ".onnx") || strings.HasSuffix(name, ".graph") {
		if info, err := os.Stat(name); err != nil {
			return err
		} else if info.IsDir() {
			return fmt.Errorf("%s: a file wanted, not a folder", name)
		}
		return nil
	}
	if known := zoo.Names(); !slices.Contains(known, name) {
		return fmt.Errorf("model %.80q is not known%s: an .onnx file, a .graph file or one of %s wanted", name, nearest.Hint(name, known), strings.Join(known, ", "))
	}
	return nil
}

// load loads each machine with each GPU that a point has it with.
func (s *Space) load() error {
	m, g := s.find(machines), s.find(gpus)
	for i, name := range s.axes[m].values {
		for j, gpu := range s.axes[g].values {
			if s.axes[m].dim == s.axes[g].dim && i != j {
				continue
			}
			if gpu == Own {
				gpu = ""
			}
			loaded, _, err := hw.LoadWith(name, gpu, nil)
			if err != nil {
				at, line := machines, s.axes[m].lines[i]
				if gpu != "" {
					if _, alone := hw.Load(name); alone == nil {
						at, line = gpus, s.axes[g].lines[j]
					}
				}
				return s.spec.errorf(line, at, "%s", fault.Line(err))
			}
			s.pairs = append(s.pairs, pair{i, j, loaded})
		}
	}
	return nil
}

// pair is the machine of a point, without its keys.
func (s *Space) pair(at []int) *pair {
	m, g := at[s.find(machines)], at[s.find(gpus)]
	i := slices.IndexFunc(s.pairs, func(p pair) bool { return p.machine == m && p.gpu == g })
	return &s.pairs[i]
}

// check sets each value of each key alone, or with those of its zip, on each machine. A machine that refuses a value for what
// it is, or by a rule in which no other key of the space is, has no point with it: the error is the spec's, where there is such a point.
func (s *Space) check() error {
	for p := range s.pairs {
		fixed := map[int]int{s.axes[s.find(machines)].dim: s.pairs[p].machine, s.axes[s.find(gpus)].dim: s.pairs[p].gpu}
		var base []string // of keys in a zip with the machine or its GPU
		for d, digit := range fixed {
			base = append(base, s.changes(d, digit)...)
		}
		for d := range s.dims {
			if _, is := fixed[d]; is && len(base) == 0 || len(s.changes(d, 0)) == 0 {
				continue
			}
			for digit := range s.occurring(d) {
				if fix, is := fixed[d]; is && fix != digit {
					continue
				}
				_, err := s.pairs[p].hw.Set(append(slices.Clone(base), s.changes(d, digit)...)...)
				if err == nil || s.later(err, d) || !s.any(fixed, d, digit) {
					continue
				}
				a := &s.axes[slices.MaxFunc(s.dims[d].axes, func(x, y int) int { return x - y })]
				return s.spec.errorf(a.lines[digit], a.Name, "%s", fault.Line(err))
			}
		}
	}
	return nil
}

// occurring visits the indexes of a dimension that a point has: of a sample those that were drawn, else all.
func (s *Space) occurring(d int) iter.Seq[int] {
	if s.drawn == nil {
		return func(yield func(int) bool) {
			for digit := range s.dims[d].size {
				if !yield(digit) {
					return
				}
			}
		}
	}
	at, drawn := make([]int, len(s.axes)), map[int]bool{}
	for _, i := range s.drawn {
		s.digits(i, at)
		drawn[at[s.dims[d].axes[0]]] = true
	}
	return slices.Values(slices.Sorted(maps.Keys(drawn)))
}

// changes are the keys of a dimension with their values at an index.
func (s *Space) changes(d, digit int) (list []string) {
	for _, a := range s.dims[d].axes {
		if s.axes[a].key() {
			list = append(list, s.axes[a].Name+"="+s.axes[a].values[digit])
		}
	}
	return list
}

// later reports whether an error can be another one, or none, with the values of other dimensions.
func (s *Space) later(err error, d int) bool {
	var rule *hw.RuleError
	if !errors.As(err, &rule) {
		return false
	}
	for _, a := range s.axes {
		if a.dim != d && slices.Contains(rule.Keys, a.Name) {
			return true
		}
	}
	return false
}

// any reports whether the space has a point with an index of a dimension and fixed ones of others, or too many points to tell.
func (s *Space) any(fixed map[int]int, d, digit int) bool {
	at := make([]int, len(s.axes))
	looked := 0
points:
	for i := range s.Indexes() {
		if looked++; looked > maxDraws {
			return true
		}
		s.digits(i, at)
		if at[s.dims[d].axes[0]] != digit {
			continue
		}
		for other, want := range fixed {
			if at[s.dims[other].axes[0]] != want {
				continue points
			}
		}
		return true
	}
	return false
}
