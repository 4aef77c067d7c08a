package pim

import (
	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// scheme is a family of DRAM channels that compute: which rows hold which weights, what
// stays in place and what streams past it, and the commands for it. A dialect names its
// scheme. The rest of the package asks the scheme and does not know which one it has.
//
//	fills         a command fills a whole buffer      fills*.go
//	columns       a command writes one column         columns*.go
//	accumulators  commands set and name accumulators  accumulators*.go
//	registers     commands execute a program          registers*.go
//	vectors       the same, for element-wise layers   vectors*.go
//
// To add a scheme, write a file with these methods and a row of the table dialects.
//
// In the literature: the mapping space of an accelerator, its dataflow and tiling (Chen et
// al., Eyeriss, ISCA 2016).
type scheme interface {
	// traits are the properties that do not depend on a layer.
	traits() traits

	// candidates lists the mappings of a layer whose weights fit the banks; of equal
	// estimates the preferred first. If none fits, need is the least number of rows that
	// one wanted. The list is valid until the scratch memory is used again.
	candidates(l *layer, m *scratch) (list []candidate, need int)

	// work counts the commands of a share, and the elements that they move.
	work(s share) work

	// rows is the range of rows with a channel's weights, in the numbering of its layout.
	rows(s share) tensor.Range

	// stream writes the commands of a share.
	stream(w writer, s share) dram.Stream

	// shape appends everything that the timing of a share's stream depends on.
	shape(key []byte, s share) []byte

	// breakdown divides the cycles of a stream into terms. rest is the word for the
	// cycles left over.
	breakdown(w work, r dram.Result) (terms []cycleTerm, rest string)

	// layout appends everything that rowWeights depends on, apart from the layer.
	layout(key []byte, m *mapping, s share) []byte

	// rowWeights finds the weights of one of the share's rows.
	rowWeights(m *mapping, s share, row int) rowWeights

	// describe says what stays in place in a part, for the name of its mapping, and where
	// the part's weights are.
	describe(p *part) (flow, where string)
}

// traits are the properties of a scheme that do not depend on a layer.
type traits struct {
	padding bool // candidates may leave out padding
	counted bool // work counts the commands of a stream, and an estimate what they move
	fill    int  // the most elements that a write moves
	refresh refreshes

	// beyond is a part of the best simulated time: a candidate whose estimate is longer by as much is not simulated. +Inf: all are.
	beyond float64
}

// cycleTerm is cycles of a stream, and the word for what they are spent on.
type cycleTerm struct {
	word   string
	cycles float64
}

// rowWeights is the weights in a row: output groups of a part side by side.
type rowWeights struct {
	*part
	matrix, chunk int
	group, groups int // the first output group, and their number
	period        int // chunks of columns after which the first group stands in the row again
	copies        int // of each group in the row
}
