package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"pimflow/internal/hw"
)

// build says what a program was built from.
var build = sync.OnceValues(func() (commit, compiler string) {
	commit, compiler = "unknown", "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return commit, compiler
	}
	compiler = info.GoVersion
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	return commit + changed, compiler
})

// Version is the program as one line: commit, Go version, and one hash of the files of all machines and
// GPUs. It is the key "version" of every JSON.
var Version = sync.OnceValue(func() string {
	commit, compiler := build()
	return fmt.Sprintf("%s %s machines %.12s", commit, compiler, hw.HashOf(hw.Hashes()))
})

// BuiltSchema names the form of Built's JSON.
const BuiltSchema = "pimflow.version/1"

// Built is what results depend on: the commit, "unknown" outside a clone, the Go version, and the hash of each built-in machine and GPU.
type Built struct {
	Schema string      `json:"schema"`
	Commit string      `json:"commit"` // "unknown" outside a clone
	Go     string      `json:"go"`     // version of the compiler
	Parts  []BuiltPart `json:"parts"`  // machines and GPUs
}

// BuiltPart is a built-in machine or GPU.
type BuiltPart struct {
	Kind   string `json:"kind"` // machine or gpu
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// NewBuilt describes this program.
func NewBuilt() *Built {
	b := &Built{Schema: BuiltSchema}
	b.Commit, b.Go = build()
	machines, gpus := hw.Hashes()
	for _, list := range []struct {
		kind   string
		hashes []hw.Hash
	}{{"machine", machines}, {"gpu", gpus}} {
		for _, h := range list.hashes {
			b.Parts = append(b.Parts, BuiltPart{list.kind, h.Name, h.SHA256})
		}
	}
	return b
}

// Text writes a line for each.
func (b *Built) Text(w io.Writer) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "commit   %s\ngo       %s\n", b.Commit, b.Go)
	for _, p := range b.Parts {
		fmt.Fprintf(&text, "%-8s %-10s sha256 %s\n", p.Kind, p.Name, p.SHA256)
	}
	_, err := w.Write(text.Bytes())
	return err
}

// JSON writes a result as one object, whose first key is the version.
func JSON(w io.Writer, result any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(result); err != nil {
		return err
	}
	text, ok := bytes.CutPrefix(b.Bytes(), []byte("{\n"))
	if !ok {
		panic(fmt.Sprintf("report: the JSON of %T is no object with keys", result))
	}
	if _, err := fmt.Fprintf(w, "{\n \"version\": %q,\n", Version()); err != nil {
		return err
	}
	_, err := w.Write(text)
	return err
}
