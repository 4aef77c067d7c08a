// Package candidate has the parts that plans are made of, and their costs.
//
// The problem is to schedule tasks with precedence on two unrelated machines, R2 | prec | Cmax,
// where the tasks are chosen, too. The machines are the devices, the GPU and the PIM. The nodes
// of a network's graph, in a topological order, are the work. Each node is cut along one
// dimension into tiles (Partition), each tile is a task on one device, and a tile follows the
// tiles whose values it reads. The objective is the makespan, the energy, or their product,
// linearized (Linear). A setup time, the launch, depends on the order (Launch).
//
//	node        conv1      conv2               Order, Store
//	            ┌────┬───┐ ┌──────┬──┐
//	partition   │gpu │pim│ │ gpu  │pi│         Partition of Tiles
//	            └────┴───┘ └──────┴──┘
//	schedule    GPU ▐conv1▌▐ conv2  ▌          Scheduler → Window
//	            PIM ▐conv1▌   ▐conv2▌          → a segment of a plan
//
// A graph and devices go in (NewStore). Tiles come out with their costs, each compiled once;
// the partitions of a node that are worth trying (Store.Choices); and windows, which are
// consecutive nodes with a schedule (Scheduler, Store.NewWindow). The time of a window is the
// time of the program that is the window alone: there is no cost table beside the simulation.
//
// The package does not know policies or moves, how a device computes its costs, or whether
// memory has room for a plan.
package candidate
