// Package nearest finds the known name that a mistyped one most likely meant,
// for error messages. A name and a list go in; a hint comes out.
package nearest

import (
	"fmt"

	"github.com/agnivade/levenshtein"
)

// Name returns the member of known with the smallest edit distance to name,
// the first of them on a tie; "" when known is empty.
func Name(name string, known []string) string {
	best, dist := "", -1
	for _, k := range known {
		if d := levenshtein.ComputeDistance(name, k); dist < 0 || d < dist {
			best, dist = k, d
		}
	}
	return best
}

// Hint returns ` (did you mean "x"?)`, or "" when nothing known is near: more
// than half of the longer name would have to change.
func Hint(name string, known []string) string {
	n := Name(name, known)
	if n == "" || levenshtein.ComputeDistance(name, n) > max(len(name), len(n))/2 {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", n)
}
