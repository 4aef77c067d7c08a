// Package simplify rewrites a graph into one that means the same and is cheaper
// to plan: constants folded, batch norm and its like moved into weights,
// exporters' spellings of an operator replaced by the operator, element-wise
// tails fused onto the contraction before them, nodes in an order in which chains
// are contiguous.
//
// A graph goes in and another comes out; names of surviving nodes and of all
// inputs and outputs are kept, and no large constant is evaluated. The package
// knows neither devices nor costs.
package simplify

import (
	"context"
	"fmt"

	"pimflow/internal/graph"
)

// Pass is one rewriting of the whole graph. It must follow each pass in After.
type Pass struct {
	Name  string
	Why   string
	After []string
	Run   func(context.Context, *graph.Graph) (*graph.Graph, error) // returns a checked graph
}

// passes lists the passes in the order in which they run.
var passes = []Pass{
	{
		Name: "fold", Run: fold,
		Why: "what depends on constants alone is a constant",
	},
	{
		Name: "dead", Run: dead, After: []string{"fold"},
		Why: "identities hide the patterns of later passes and move data for nothing",
	},
	{
		Name: "integer", Run: integer, After: []string{"fold", "dead"},
		Why: "integers between dequantising and quantising are multiplied as integers; before constants are dequantised",
	},
	{
		Name: "widen", Run: widen, After: []string{"integer"},
		Why: "a constant that no operator on integers took is real numbers for all passes that follow",
	},
	{
		Name: "idiom", Run: idiom, After: []string{"fold", "dead", "widen"},
		Why: "exporters spell one operator as several: Swish as Mul and Sigmoid, padding as Pad",
	},
	{
		Name: "affine", Run: affine, After: []string{"fold", "dead", "idiom"},
		Why: "batch norm and channel-wise arithmetic cost nothing inside the weights; " +
			"after idiom, whose patterns contain such arithmetic",
	},
	{
		Name: "sweep", Run: dead, After: []string{"idiom", "affine"},
		Why: "an idiom may leave two reshapes in a row, or a value nobody reads",
	},
	{
		Name: "order", Run: order, After: []string{"sweep"},
		Why: "a residual sum is fused into the operand made last, which the order decides",
	},
	{
		Name: "epilogue", Run: epilogue, After: []string{"affine", "order"},
		Why: "an element-wise tail saves a trip to memory when its producer applies it",
	},
	{
		Name: "reorder", Run: order, After: []string{"epilogue"},
		Why: "a node that took on a residual sum now has another operand to follow",
	},
}

// Observer is shown the graph before and after each pass.
type Observer func(pass string, before, after *graph.Graph)

// Passes returns the passes in the order in which they run.
func Passes() []Pass { return append([]Pass{}, passes...) }

// Run applies all passes; the graph is checked after each. The context is looked at for each node of each pass.
func Run(ctx context.Context, g *graph.Graph, observers ...Observer) (*graph.Graph, error) {
	for _, p := range passes {
		next, err := p.Run(ctx, g)
		if err != nil {
			return nil, fmt.Errorf("graph %.80q: pass %s: %w", g.Name, p.Name, err)
		}
		for _, see := range observers {
			see(p.Name, g, next)
		}
		g = next
	}
	return g, nil
}
