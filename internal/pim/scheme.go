package pim

import (
	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// scheme is how DRAM channels of one kind compute a matrix product: which rows hold which
// weights, what stays in place and what streams past it, and the commands for it. A dialect
// names its scheme. Everything else in the package asks the scheme and does not know which
// it is.
//
//	fills         a command fills a whole buffer      fills.go, fills_*.go
//	columns       a command writes one column         columns.go, columns_*.go
//	accumulators  commands set and name accumulators  accumulators.go, accumulators_*.go
//
// To add one: a file with these methods and a row of the table dialects.
//
// In the literature: the mapping (dataflow and tiling) of a layer to an accelerator; Chen et
// al., Eyeriss, ISCA 2016.
type scheme interface {
	// traits are what is known before there is a layer.
	traits() traits

	// plans lists the ways to execute a layer whose weights fit the banks, those of equal
	// estimates in order of preference. If none fits, need is the smallest number of rows
	// that one wanted. The plans are gone when the scratch is used again.
	candidates(l *layer, m *scratch) (plans []candidate, need int)

	// work counts the commands of a share, and the elements that they move.
	work(s share) work

	// rows is the range of rows whose weights a channel holds, in the numbering of its layout.
	rows(s share) tensor.Range

	// stream writes a share as commands.
	stream(w writer, s share) dram.Stream

	// shape appends all that the timing of a share's stream depends on.
	shape(key []byte, s share) []byte

	// spent says where the cycles of a stream go, and the word for what is left of them.
	breakdown(w work, r dram.Result) (list []cycleTerm, rest string)

	// layout appends what standing depends on, beside the layer.
	layout(key []byte, m *mapping, s share) []byte

	// standing finds the weights of a row, which is one of those that the share has.
	rowWeights(m *mapping, s share, row int) rowWeights

	// describe names what stays in place in a part, for the name of a mapping, and where
	// its weights are.
	describe(p *part) (flow, where string)
}

// traits are what a scheme says about all layers.
type traits struct {
	padding bool      // plans may leave out what is padding for some pixels
	fill    int       // elements that a write moves at most
	refresh refreshes // and what is known of them

	// simulated is how many plans are simulated, those of the best estimates; atMost is how
	// many where their estimates are better than the best of them turned out.
	simulated, atMost int
}

// cycleTerm is cycles of a stream, and the word for what takes them.
type cycleTerm struct {
	word   string
	cycles float64
}

// rowWeights is the weights that stand in a row: those of output groups of a part side by
// side.
type rowWeights struct {
	*part
	matrix, chunk int
	group, groups int // from one on, so many
	period        int // the first stands again after so many chunks of columns
	copies        int // how often each stands in the row
}
