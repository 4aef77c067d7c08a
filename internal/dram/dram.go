// Package dram times command streams of a DRAM channel that can compute.
//
// A Standard is a rulebook: which commands there are and how long one must wait
// after another. A Stream goes in, the cycle of its end and what was issued come
// out. Where a controller makes the commands bank by bank, it asks Banks. The package
// has no clock of its own: every question carries the cycle. It does not know what a
// stream computes, nor any layer or network.
package dram

// Cycle is an instant or a duration in ticks of the command clock.
type Cycle int64

// Op indexes a standard's commands (Standard.Ops).
type Op uint8
