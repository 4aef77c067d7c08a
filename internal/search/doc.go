// Package search finds the best plan of a graph under a policy.
//
// The problem: two unrelated machines, the GPU and the PIM; work, the nodes of a network in
// topological order, each cut into tiles, the tasks; precedence between tiles that read each
// other; a setup time, the launch, that depends on the order. Which partition, which device and
// which order have the least makespan (or energy, or product of both)?
//
//	policy ──▶ segments of each node ──▶ dynamic programme over the order ──▶ plan
//	           (solve.go, segment.go)    (dynamic.go)                          │
//	                                                                          ▼ policy auto only
//	           the best of all policies' plans ◀── small graphs exactly ◀── local search
//	           (auto.go)                           (exact.go)               (search/local)
//	             ▲ serial runs where they are better (serial.go)
//	             ╵ and a lower bound of every plan's makespan (package bound)
//
// A graph, a policy and a target go in; a plan with its timeline comes out (Best). A target has
// a maker of devices. The cost of a segment is the time of the program that is the segment
// alone: there is no cost table beside the simulation.
//
// The package does not know how a device computes its costs or how memory is laid out.
//
// In the literature: scheduling on unrelated machines with precedence, R2 | prec | Cmax in the
// notation of Graham et al. (1979), with a choice of partitions; solved by dynamic programming,
// iterated local search and branch and bound. In compilers: a mapper.
package search
