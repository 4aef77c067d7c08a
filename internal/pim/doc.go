// Package pim maps convolutions and matrix products to DRAM channels that compute (hw.PIM;
// Newton, MICRO 2020).
//
// A cut of a graph and a machine go in. Out comes Code: a command stream (package dram) for
// each channel, which is timed, performed on values, replayed and printed.
//
//	graph cut
//	   │  lower                    layer.go, padding.go, turned.go, elementwise.go
//	 layer: a matrix product; of a transposed convolution one a phase (transposed.go)
//	   │  scheme.candidates        scheme.go, fills.go, columns.go, accumulators.go, registers.go, vectors.go
//	 parts: tiles of K             part.go, packing.go
//	   │  assign                   share.go
//	 shares, one a channel
//	   │  scheme.stream            *_stream.go, writer.go, dialect.go
//	 dram.Stream
//	   ├─ timed, chosen            choose.go, compare.go, cost.go, energy.go, link.go
//	   ├─ performed on values      perform*.go, eval.go
//	   ├─ replayed by address      replay*.go
//	   └─ printed                  print.go
//
// Every product is computed exactly once. Of the candidates with the best estimates the
// fastest in simulation is taken.
//
// To read the package: pim.go (New, Compile), scheme.go, dialect.go, layer.go, part.go and
// share.go, choose.go, compare.go; then one scheme, of which fills.go is the shortest; then cost.go and
// link.go. The rest is used after a mapping is chosen.
//
// The package knows no node of the graph but the one it maps, no other device but the kernel
// that finishes results where the GPU does (gpu.Pass), and not how the weights came to the banks: as in the published system they are there when a network
// starts. It numbers the rows of each cut from 0 (weight_layout.go); package memory gives those of a
// whole plan their places. The link's costs (link.go) are those of the machine: on artifact
// they are 0, as in the published system. The published generator
// (internal/published/generator), which mappings are compared with, is no part of it.
package pim
