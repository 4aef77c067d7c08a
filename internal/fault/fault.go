// Package fault says whose an error is, from which a command derives its exit code, and makes the
// text of an error one line.
//
// An error and its kind go in; the kind comes out, however often the error was wrapped. The
// package does not know what the errors are about.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Kind is whose an error is.
type Kind int

// The kinds. An error that nobody marked is of Input.
const (
	Input      Kind = iota // of a file: what is in it, or that it cannot be read or written
	Usage                  // of the command line, or of an argument of the library
	Infeasible             // of the question: nothing answers it
)

type fault struct {
	kind Kind
	error
}

func (f *fault) Unwrap() error { return f.error }

// As marks an error; nil stays nil. The outermost mark counts: what is usage to a function is
// input to the reader of a file that calls it.
func As(k Kind, err error) error {
	if err == nil {
		return nil
	}
	return &fault{k, err}
}

// Usagef is fmt.Errorf, marked as Usage.
func Usagef(format string, a ...any) error { return As(Usage, fmt.Errorf(format, a...)) }

// Of returns the kind of an error.
func Of(err error) Kind {
	var f *fault
	if errors.As(err, &f) {
		return f.kind
	}
	return Input
}

// MaxLine bounds the runes of Line. Estimated: a terminal's screen.
const MaxLine = 2000

// Line returns the text of an error as one line that a terminal obeys nothing in: line ends are
// semicolons, other runes that are not printed are escaped as in Go, and the rest beyond MaxLine is
// left out.
func Line(err error) string {
	text := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > MaxLine {
			b.WriteString("…")
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			q := fmt.Sprintf("%q", r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// MaxName bounds the runes of a name that came from a file, wherever people read it; in an error
// it is written %.80q.
const MaxName = 80

// Name returns a name as people read it: escaped as in Go where it has runes that are not printed,
// and cut to MaxName.
func Name(s string) string {
	cut := ""
	if at := nth(s, MaxName); at < len(s) {
		s, cut = s[:at], "…"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		q := fmt.Sprintf("%q", s)
		s = q[1 : len(q)-1]
	}
	return s + cut
}

// Names lists names as people read them, with commas between them.
func Names(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Name(s))
	}
	return b.String()
}

// nth is the place of the n-th rune of a text, or its length.
func nth(s string, n int) int {
	for i := range s {
		if n--; n < 0 {
			return i
		}
	}
	return len(s)
}
