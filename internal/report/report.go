// Package report prints results: as text for people, as one JSON object, and as a trace for a
// timeline viewer.
//
// Results of package pimflow and of other packages go in, text comes out. No number is computed
// here but shares and sums for people.
package report
