// Package bound computes lower bounds of the makespan: times that no plan of costed tiles can
// beat, whatever its partitions, devices and order. One bound holds for all plans, one for the
// plans that cut no node into more than two tiles.
//
// A store of costed tiles goes in (package candidate), two times come out (Of). The package
// does not know policies or how plans are found, and needs no plan.
//
// The bound is the largest of several. All add up what is certain of each node.
//
//	work           λ·GPU + (1-λ)·PIM of each node's cheapest partition    node.go
//	  between      ┃ barriers: all later tiles wait for all earlier ones  bound.go
//	split points   labels from gate to gate, by where nodes are cut       label.go, split.go,
//	                                                                      transition.go
//	  histories    two tiles: several a split, their order on a device    forward.go, variant.go
//	    zones      more: when parts of the node are made                  zone.go, pareto.go
//
// Work. Let a plan keep the devices busy for G and P. A device executes one tile at a time,
// so the makespan is at least max(G, P) ≥ λG + (1-λ)P for any λ from 0 to 1. The right side
// is a sum over nodes. Each node adds at least the shortest path through its cut graph:
// vertices are split points, edges are costed tiles, and the length of an edge is the tile's
// time, times λ on the GPU or 1-λ on the PIM. Every λ gives a bound. The best one is where the
// shortest paths keep both devices equally busy.
//
// Precedence. A node starts no sooner than the first tile of each node that all its tiles
// read some of, and no sooner than the end of a node that all its tiles read all of. It takes
// at least its own bound of work. It ends no sooner than all it reads plus its shortest tile.
//
// Barriers. If all later tiles wait for all earlier ones, the bounds of both parts add up.
// Between two barriers a device that works at all starts no sooner than the nodes that it
// executes, and after its last tile the shortest tiles of the nodes that read it are still to
// come. Both times add to G or P. Otherwise the other device does everything.
//
// Blocking. If a node reads all nodes before it in the end and all later ones read it, then it
// blocks both devices while it is whole: its time counts for both. That time and the waiting
// between barriers may be the same time, so the larger of the two bounds counts.
//
// Split points. Whether tiles wait for each other depends on where nodes are cut. A dynamic
// programme over the split points gives another bound (label.go). The larger counts.
//
// Histories. Two further bounds keep several histories of each split (forward.go): how many is an option. They know a plan and
// follow none that certainly takes longer. The sharper one is of plans that cut no node into more than two tiles; in that of all plans
// more tiles are one state, or a few by what they take of each device (pareto.go), of which is known when parts of the node are made
// (zone.go). How all these tiles are ordered is not known: nearly all of what it is below the other.
//
// Order. Bounds hold for nodes in any order, so they have their own (order.go).
//
// Serial. If one device works at a time, the makespan is the sum of all tiles' times: each
// tile occupies both devices.
//
// Contention for memory makes a plan only slower.
//
// In the literature: the first bound is a surrogate, or Lagrangian, dual bound (Held & Karp
// 1970; Glover 1975) over shortest paths; the second is label setting (Desrochers & Soumis
// 1988) on relaxed states.
package bound
