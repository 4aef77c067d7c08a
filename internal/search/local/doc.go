// Package local improves plans by local search: a large neighbourhood search over windows of
// the graph's order, whose inner search is hill climbing over a table of moves.
//
// Windows go in with the costed tiles of a store (package candidate) and a linear objective;
// windows that are no worse come out (Options.Improve).
//
//	starts      hill climbing in groups of 16 nodes ┐
//	            hill climbing in groups of  8 nodes ┴ crossover
//	final       perturbation in groups of 24 nodes, hill climbing in groups of 40
//
// The choices are tables: moves (moves.go), the chains, shares and patterns of bands (band.go,
// bands.go), starts and final passes (improve.go).
//
// The package does not know policies, memory's room or bounds.
//
// In the literature: iterated local search (Lourenço, Martin, Stützle 2003) with large
// neighbourhoods (Shaw 1998); in compilers, an auto-tuner over loop tilings.
package local
