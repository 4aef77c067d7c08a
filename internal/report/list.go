package report

import (
	"fmt"
	"io"
)

// ListSchema names the form of List's JSON.
const ListSchema = "pimflow.list/1"

// List lists networks, machines, GPUs or policies.
type List struct {
	Schema  string  `json:"schema"`
	Entries []Entry `json:"entries"`
}

// Entry is something that is built in.
type Entry struct {
	Name  string `json:"name"`  // as other commands take it
	About string `json:"about"` // for people
}

// Text writes a line for each entry, whose name has so many characters.
func (l *List) Text(w io.Writer, width int) error {
	for _, x := range l.Entries {
		if _, err := fmt.Fprintf(w, "%-*s %s\n", width, x.Name, x.About); err != nil {
			return err
		}
	}
	return nil
}
