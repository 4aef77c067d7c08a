package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// Space is what is told of the rows of a sweep, which are taken one by one and not kept.
type Space struct {
	Keys   []string // of the machine, that the rows have changed
	List   int      // most rows that are listed
	Loss   *Loss    // nil: no point was compared
	Guided string   // how points were chosen from the results of others; "": they were not

	total, failed int
	ways          map[string]int // points with a result, by how they were searched
	first         []*result.Row  // that are listed
	told          []string       // errors, without those that were told before
	models        []*modelRows
	differs       [len(sweepWords)]map[string]bool // values of the words, as many as two
}

// modelRows is what is known of a model at a batch.
type modelRows struct {
	model  string
	batch  int
	front  []*result.Row // rows that no row so far is better than, and some that were not compared yet
	packed int           // front's length when it was last compared
}

// sweepWords are columns of a row that are shown where they differ.
var sweepWords = [...]struct {
	head  string
	right bool
	of    func(r *result.Row) string
}{
	{"model", false, func(r *result.Row) string { return r.Model }},
	{"batch", true, func(r *result.Row) string { return strings.TrimPrefix(strconv.Itoa(r.Batch), "0") }},
	{"machine", false, func(r *result.Row) string { return r.Machine }},
	{"gpu", false, func(r *result.Row) string { return cmp.Or(r.GPU, "own") }},
	{"policy", false, func(r *result.Row) string { return r.Policy }},
	{"objective", false, func(r *result.Row) string { return r.Objective }},
}

// sweepNumbers are what the Pareto front is of: all are to be small.
var sweepNumbers = []struct {
	head string
	of   func(r *result.Row) float64
	text func(r *result.Row) string
}{
	{"us", func(r *result.Row) float64 { return r.Total }, func(r *result.Row) string { return fmt.Sprintf("%.1f", r.Total/1e3) }},
	{"mJ", func(r *result.Row) float64 { return r.Energy }, func(r *result.Row) string { return mj(r.Energy) }},
	{"multipliers", func(r *result.Row) float64 { return float64(r.MACUnits) }, func(r *result.Row) string { return strconv.Itoa(r.MACUnits) }},
}

// Add takes a row.
func (s *Space) Add(r *result.Row) {
	s.total++
	for i := range sweepWords {
		if s.differs[i] == nil {
			s.differs[i] = map[string]bool{}
		}
		if text := sweepWords[i].of(r); len(s.differs[i]) < 2 && text != "" {
			s.differs[i][text] = true
		}
	}
	if len(s.first) < s.List {
		s.first = append(s.first, r)
	}
	if r.Error != "" {
		s.failed++
		if len(s.told) < mostErrors && !slices.Contains(s.told, r.Error) {
			s.told = append(s.told, r.Error)
		}
		return
	}
	if s.ways == nil {
		s.ways = map[string]int{}
	}
	s.ways[r.Search]++
	i := slices.IndexFunc(s.models, func(m *modelRows) bool { return m.model == r.Model && m.batch == r.Batch })
	if i < 0 {
		i = len(s.models)
		s.models = append(s.models, &modelRows{model: r.Model, batch: r.Batch})
	}
	m := s.models[i]
	if m.front = append(m.front, r); len(m.front) > 2*m.packed+1000 {
		m.pack()
	}
}

// mostErrors is how many different errors are told; mostFront how many rows of a front.
const mostErrors, mostFront = 5, 20

// Failed is the number of rows with an error.
func (s *Space) Failed() int { return s.failed }

// pack leaves the rows of the Pareto front, the fastest first, and of equal ones the first.
func (m *modelRows) pack() {
	points := make([][]float64, len(m.front))
	for i, r := range m.front {
		points[i] = r.Objectives()
	}
	front := result.Front(points)
	slices.SortStableFunc(front, func(a, b int) int { return slices.Compare(points[a], points[b]) })
	front = slices.CompactFunc(front, func(a, b int) bool { return slices.Equal(points[a], points[b]) })
	var kept []*result.Row
	for _, i := range front {
		kept = append(kept, m.front[i])
	}
	m.front, m.packed = kept, len(kept)
}

// Text writes the list of rows, the Pareto front of each model, and its best rows.
func (s *Space) Text(w io.Writer) error {
	b := &strings.Builder{}
	if s.Guided != "" {
		b.WriteString(s.Guided + "\n")
	}
	fmt.Fprintf(b, "%s: %d searched, %s, %d without a result\n%s", Count(s.total, "point"), s.ways[space.Full]+s.ways[space.All], s.shared(), s.failed, s.Loss.text())
	if s.List > 0 {
		b.WriteString("\n")
		t, columns := s.columns("point", "us", "speed-up", "mJ", "multipliers")
		for _, r := range s.first {
			if r.Error != "" {
				t.open(append(s.cells(columns, r)[:1+len(columns)+len(s.Keys)], fault.Line(errors.New(r.Error)))...)
				continue
			}
			t.row(s.cells(columns, r)...)
		}
		t.write(b)
		if n := s.total - len(s.first); n > 0 {
			fmt.Fprintf(b, "and %d more: -o FILE has all\n", n)
		}
	}
	front, columns := s.columns("point", "us", "speed-up", "mJ", "multipliers")
	best, _ := s.columns("best", "us", "speed-up", "mJ", "multipliers")
	left := 0
	for k, m := range s.models {
		m.pack()
		if k > 0 {
			front.row(make([]string, len(front))...)
		}
		for i, r := range m.front {
			if i == mostFront {
				left += len(m.front) - mostFront
				break
			}
			front.row(s.cells(columns, r)...)
		}
		for i, name := range []string{"fastest", "least energy"} {
			r := slices.MinFunc(m.front, func(a, b *result.Row) int { return cmp.Compare(sweepNumbers[i].of(a), sweepNumbers[i].of(b)) })
			cells := s.cells(columns, r)
			cells[0] = name + ", point " + cells[0]
			best.row(cells...)
		}
	}
	if len(s.models) > 0 {
		b.WriteString("\nPareto front of time, energy and multipliers of the PIM, of each model and batch\n")
		front.write(b)
		if left > 0 {
			fmt.Fprintf(b, "and %d more: pimflow pareto FILE has all\n", left)
		}
		b.WriteString("\nbest of each model and batch\n")
		best.write(b)
	}
	for _, e := range s.told {
		fmt.Fprintf(b, "\nno result: %s", fault.Line(errors.New(e)))
	}
	if len(s.told) > 0 {
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, trimLines(b.String()))
	return err
}

// shared says how many points took plans of others.
func (s *Space) shared() string {
	if n := s.ways[space.All]; n > 0 {
		return fmt.Sprintf("%d with the best of all plans of their families", n)
	}
	return fmt.Sprintf("%d with the best of the plans of others", s.ways[space.Anchors])
}

// columns is a table with the words that differ and the keys between its first and its other columns, and the indexes of the words.
func (s *Space) columns(first string, rest ...string) (t table, shown []int) {
	head := []string{first}
	t = append(t, column{})
	for i, w := range sweepWords {
		if len(s.differs[i]) > 1 || i == 0 {
			shown, head, t = append(shown, i), append(head, w.head), append(t, column{right: w.right})
		}
	}
	for _, k := range append(slices.Clone(s.Keys), rest...) {
		head, t = append(head, k), append(t, column{right: true})
	}
	t.row(head...)
	return t, shown
}

// cells are those of a row, its number first.
func (s *Space) cells(shown []int, r *result.Row) []string {
	list := []string{strconv.Itoa(r.Point)}
	for _, i := range shown {
		list = append(list, fault.Name(sweepWords[i].of(r)))
	}
	for _, k := range s.Keys {
		list = append(list, r.Set[k])
	}
	return append(list, sweepNumbers[0].text(r), fmt.Sprintf("%.3f", r.Speedup), sweepNumbers[1].text(r), sweepNumbers[2].text(r))
}
