// Package report shows results: as text for people, as one JSON object, and as a trace for a
// timeline viewer. Results go in, those of package pimflow and of other packages; nothing is
// computed here that a number could depend on.
package report

import (
	"encoding/json"
	"io"
)

// JSON writes a result as one object.
func JSON(w io.Writer, result any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(result)
}
