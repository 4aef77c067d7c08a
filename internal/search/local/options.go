package local

import "slices"

// Options are the choice tables and the limits of the local search. Default returns those that
// plans are made with; tests and benchmarks take rows out and vary limits.
type Options struct {
	moves    []move
	starts   [][]pass
	final    []pass
	lengths  []int
	shares   [][]float64
	patterns []pattern
	offsets  []int
	kicks    []kick
	sizes    []int // of groups, by round of iterations
	// patiences are how many schedules follow a kick at most, in the two lists of iterations.
	patiences [2]int

	// Kick is how many consecutive nodes an iteration changes at most, Kicks how often it does for each node.
	Kick, Kicks int
	// Alone is how many tiles iterations place or look at, for each node, before a second list goes on.
	Alone int64
	// Heat is the mean share by which a window may become longer in an iteration.
	Heat float64
	// Budget is how many tiles the moves of a window may place, for each of its nodes.
	Budget int
	// Steps is how many tiles are placed or looked at for each of the first Many nodes of a graph, FewerSteps for each
	// further one.
	Steps, Many, FewerSteps int
	// Patience is how many schedules a perturbation may try.
	Patience int
	// Worth is how much longer a chain in bands may take alone than the chain takes now, as
	// a factor: others are not scheduled.
	Worth float64
	// AllPatterns is up to how many tiles of a chain all assignments to devices are tried.
	AllPatterns int
}

// Brief returns the options of plans that begin with those of other machines: few moves, which cost few tiles, and little work. The budget
// is estimated: more of it gains little.
func Brief() *Options {
	o := Default()
	o.moves = slices.DeleteFunc(slices.Clone(moves), func(m move) bool { return !slices.Contains(brief, m.name) })
	o.starts, o.final = [][]pass{{{16, (*climber).climb}}}, nil
	o.Budget, o.Steps, o.FewerSteps = 300, 300, 300
	return o
}

// brief are the moves that change where nodes are cut, and on which device they are.
var brief = []string{"alone", "divide", "flip", "shift"}

// Default returns the options of all plans. The limits are measured: BenchmarkLimits of package
// search prints the tables that they are chosen from.
//
//   - Budget: with twice as much, plans of five networks on three machines are the same. For
//     DenseNet-121 it saves a seventh of the time on a GPU with nearly no channels.
//   - Steps: networks of up to 250 layers need 20,000 to 100,000 a node, chains of 500 convolutions 45,000; a step takes some
//     0.1 us with all that belongs to it. 10,000 nodes then take less than a minute, whatever they are.
//   - Patience: with 300, plans of five networks on two machines take from 0.7 % less to 1.1 %
//     more.
//   - Worth: of the changes that gained, on four plans of networks, 2 % took longer. Such
//     changes are two thirds of all.
//   - Kick, Kicks, Heat, and sizes of groups: of 3 to 12 nodes, 0.5 to 5 kicks, 0 to 0.3 %, and 12 to 80 nodes, these found
//     the best plans of ResNet-50 and VGG-16 on two machines with 200,000 steps a node.
//   - patiences: with 30 or 60 schedules, plans of these two are up to 1 % longer than with 120. With 240, 480 or 1500 they are
//     up to 1.3 % shorter on aim, and longer on newton; of two lists of which one takes the better parts of the other, none is longer.
//   - AllPatterns: with 8, plans of four networks on two machines take from 0.2 % less to 1.7 %
//     more, and the search half as much time again.
func Default() *Options {
	return &Options{
		moves: moves, starts: starts, final: final, lengths: lengths, shares: shares, patterns: patterns, offsets: offsets, kicks: kicks, sizes: sizes, patiences: [2]int{120, 480},
		Kick: 8, Kicks: 5, Alone: 200_000, Heat: 0.001,
		Budget: 25_000, Steps: 400_000, Many: 500, FewerSteps: 20_000, Patience: 120, Worth: 1.25, AllPatterns: 6,
	}
}
