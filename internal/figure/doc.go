// Package figure draws results as figures for a page of a paper: speed-ups, energies, sweeps, Pareto fronts, heat maps,
// timelines and bridges.
//
// Rows of results go in (internal/result), or what pimflow run, compare and reproduce print as JSON; a Figure comes out,
// which is numbers and words, and of it SVG, PDF or PNG. The bytes are the same in each run. All text is 8 pt, and none
// overlaps another or leaves the picture. Series differ in colour, and in hatch, dash or marker too, for print in grey.
//
// In the literature: the palette is that of Okabe and Ito, "Color Universal Design" (2008), whose colours are told apart
// with any common colour blindness.
package figure
