package main

import "slices"

// table are the seeded faults.
func table() []fault {
	return slices.Concat(reads, values, streams, times, energies, bounds, plans, checks, spaces, queues, figures, utilizations, manners, programs, hbm)
}
