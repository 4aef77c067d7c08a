// Package explore chooses the next designs of a space to evaluate, from the objectives of earlier designs. It evaluates nothing.
//
// A Method is asked for designs, which may be evaluated in any order or at the same time, and told the objectives of all of
// them; then it is asked for more. What it asks for follows from the space, the seed and what it was told.
//
//	Space, seed ─▶ Method ──Ask──▶ trials ─▶ evaluated elsewhere ─▶ objectives ──Tell──▶ Method
//
// In the literature: design space exploration; ask-and-tell optimisers (Collette et al. 2010); NSGA-II (Deb, Pratap, Agarwal and
// Meyarivan 2002); successive halving (Jamieson and Talwalkar 2016).
package explore
