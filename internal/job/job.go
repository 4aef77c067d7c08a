// Package job is the wire format of a design point: all that decides its result, by content instead of by place, and the
// key under which the result is kept.
//
// In the literature: content-addressed storage.
package job

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Schema names the form of a Job's JSON.
const Schema = "pimflow.job/1"

// Key is the SHA-256 of all that decides a result, in hexadecimal.
type Key string

// Job is a design point that any worker of the same version can evaluate. It names no path.
type Job struct {
	Schema    string   `json:"schema"`
	Version   string   `json:"version"` // of the program: results of another are other results
	Model     Ref      `json:"model"`
	Batch     int      `json:"batch,omitempty"`
	Machine   Ref      `json:"machine"`
	GPU       *Ref     `json:"gpu,omitempty"` // replaces the machine's
	Set       []string `json:"set,omitempty"` // keys of the machine to change, as "memory.pim_channels=8"
	Policy    string   `json:"policy"`
	Objective string   `json:"objective"`
	Effort    string   `json:"effort"`
	// Starts are jobs whose plans are timed instead of a search: the best of them, from which a short search goes on, is the result.
	// Their own Starts are empty. None: the plan is searched.
	Starts []Key `json:"starts,omitempty"`
	// Search is All if no search goes on from the best of them, else empty.
	Search string `json:"search,omitempty"`
}

// The ways to find the plan of a design point.
const (
	Full    = "full"    // it is searched
	Anchors = "anchors" // from the best of the plans of a few other points a short search goes on
	All     = "all"     // it is the best of the plans of all points that were searched with it, itself among them
)

// MaxStarts bounds the starts of a job. Estimated, well above what a sweep with anchors has.
const MaxStarts = 256

// Way is how the job's plan is found.
func (j *Job) Way() string {
	if len(j.Starts) == 0 {
		return Full
	}
	return cmp.Or(j.Search, Anchors)
}

// Ref is a thing that is built in, by its name, or files that lie in the store.
type Ref struct {
	Name  string `json:"name"`            // as the user wrote it, without folders
	Files []File `json:"files,omitempty"` // the first is the one to open; none: built in
}

// File is a file of the store.
type File struct {
	Name   string `json:"name"` // base name; of a file that the first refers to, its path from the first's folder, with slashes
	SHA256 string `json:"sha256"`
}

// Work is a point of a sweep: its job, and the jobs that are evaluated before it because it times their plans.
type Work struct {
	Index  int // the point's number in its space
	Job    Job
	Starts []*Job // the jobs of Job.Starts, in that order; each is a point of the same sweep, too, or of none
}

// Key hashes the job.
func (j *Job) Key() Key {
	h := sha256.Sum256(encode(j))
	return Key(hex.EncodeToString(h[:]))
}

// encode is the only form of a value that parse reads back: JSON with keys in order, without spaces.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("job: " + err.Error()) // texts and numbers
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Size is the bytes of the job's JSON.
func (j *Job) Size() int { return len(encode(j)) }
