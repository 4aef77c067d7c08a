// Package nearest finds the known name that a mistyped one most likely meant,
// for error messages. A name and a list go in; a hint comes out.
package nearest

import (
	"fmt"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// longest bounds the runes of a name that a hint is sought for: nobody mistypes a longer one, and comparing takes the
// product of both lengths. Estimated.
const longest = 80

// Name returns the member of known with the smallest edit distance to name,
// the first of them on a tie; "" when known is empty, or name is long.
func Name(name string, known []string) string {
	n, _ := nearest(name, known)
	return n
}

func nearest(name string, known []string) (best string, dist int) {
	size := utf8.RuneCountInString(name)
	if size > longest {
		return "", 0
	}
	dist = -1
	for _, k := range known {
		n := utf8.RuneCountInString(k)
		if n > longest || dist >= 0 && max(n-size, size-n) >= dist { // the distance is no less than that
			continue
		}
		if d := levenshtein.ComputeDistance(name, k); dist < 0 || d < dist {
			best, dist = k, d
		}
	}
	return best, dist
}

// Hint returns ` (did you mean "x"?)`, or "" when nothing known is near: more
// than half of the longer name would have to change.
func Hint(name string, known []string) string {
	n, dist := nearest(name, known)
	if n == "" || dist > max(len(name), len(n))/2 {
		return ""
	}
	return fmt.Sprintf(" (did you mean %.80q?)", n)
}
