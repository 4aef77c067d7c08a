// Package dram times command streams of a DRAM channel that can compute.
//
// A Standard goes in, a rulebook in one file (artifact.go, newton.go, aim.go, hbm.go): the commands
// and what they do to the banks, the operating modes, the waits between commands, the
// refresh, and whether rows and columns have command buses of their own (step.go). A Stream goes in, a loop nest of commands with affine addresses. The cycle of its
// end and the number of commands issued come out.
//
//	Standard ─New(Timing)─▶ Channel ─Time(Stream)─▶ Result   fast-forward       jump.go, nest.go
//	   │                       ├─────Run()────────▶ Result   a command a step   channel.go, run.go
//	   │                       └─────Banks()                 bank by bank       banks.go
//	   ├─Referee(Timing, Stream)──────────────────▶ Result   a cycle a step     referee.go
//	   └─NewAudit(Timing)─▶ Audit.Issue(Op, Cycle)▶ Violations  what was issued audit.go
//
// The engines are five, and agree on every cycle (tests):
//   - Channel.Time is exact and visits no command twice in the same state. All mappings are
//     compared by it.
//   - Run issues one command after the other, and is told to an observer.
//   - Banks knows single banks. A controller (package aimhost) asks it what comes next.
//   - Referee is slow and naive. It shares only the tables with the others.
//   - Audit issues nothing. It holds a log of commands and cycles against the rules, bank by
//     bank. Check (check.go) is an Audit that ends at the first violation.
//
// A stream has four readers, and is never written out command by command: it is timed
// (here), performed on data and printed (package pim; WriteTrace for the published
// simulator), and replayed against Check (pim). No rule of timing looks at an address.
//
// Reading order: standard.go, newton.go, stream.go, mode.go, channel.go, run.go, referee.go,
// audit.go, banks.go, jump.go, nest.go. A new standard is one file like newton.go and its row
// in the table of standard.go.
//
// The package has no clock of its own: every question carries the cycle. It does not know
// what a stream computes, nor any layer or network.
package dram
