// Package dispatch turns the points of a design space into jobs that any machine can evaluate, and writes the scripts that
// start a sweep on a cluster.
//
// Points name files of this machine; jobs have them by content.
package dispatch
