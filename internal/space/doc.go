// Package space describes design spaces: the models, machines, numbers of machines, policies and objectives whose
// combinations are evaluated, as a file or flags name them.
//
// A Spec goes in; points come out one by one, in a fixed order, however many there are.
//
// In the literature: design space exploration; full factorial and Latin hypercube designs.
package space
