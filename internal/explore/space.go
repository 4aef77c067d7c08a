package explore

// Space is designs: a value of each gene, as its index.
type Space struct {
	Genes []Gene
	// Allowed reports whether a design is in the space.
	Allowed func(design []int) bool
	// Drawn is the n-th design of a random order of all, allowed or not; false where there is none.
	Drawn func(n int) (design []int, ok bool)
}

// Gene is an axis of a space.
type Gene struct {
	Size    int
	Ordered bool // neighbouring values are alike
}

// Trial is a design to evaluate.
type Trial struct {
	Design []int
	Level  int // how thoroughly; 0: as cheap as may be
}

// Method is a way to explore a space.
type Method interface {
	// Ask returns the trials that come next; none: the search has ended.
	Ask() []Trial
	// Tell takes the objectives of the trials that Ask returned last, in their order. All are to be small. nil: the design has none.
	Tell(objectives [][]float64)
}

// outcome is a design and its objectives.
type outcome struct {
	design     []int
	objectives []float64
	rank       int
	crowding   float64
}

// draws bounds the designs of the random order that are looked at for one that is allowed. Estimated: a design with constraints is
// looked at in less than a microsecond.
const draws = 200_000_000

// order visits the designs of a space that are allowed, in its random order.
type order struct {
	space *Space
	next  int
}

// design is the next that is allowed and not known; false where there is none.
func (o *order) design(known func([]int) bool) ([]int, bool) {
	for o.next < draws {
		d, ok := o.space.Drawn(o.next)
		if !ok {
			break
		}
		o.next++
		if o.space.Allowed(d) && !known(d) {
			return d, true
		}
	}
	return nil, false
}
