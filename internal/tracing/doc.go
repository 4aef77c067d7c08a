// Package tracing writes timelines as traces for viewers: Chrome's Trace Event Format, and the protocol buffers of Perfetto.
//
// A timeline goes in; tracks of nested slices, arrows between them and counters over time come out. Times are whole picoseconds;
// Perfetto's format has whole nanoseconds. The package does not know how plans are found.
//
// In the literature: a Gantt chart of a schedule.
package tracing
