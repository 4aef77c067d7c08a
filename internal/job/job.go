// Package job is the wire format of a design point: all that decides its result, by content instead of by place, and the
// key under which the result is kept.
//
// In the literature: content-addressed storage.
package job

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
	// Starts are jobs whose plans are timed instead of a search: the best of them is the result. Their own Starts are
	// empty. None: the plan is searched.
	Starts []Key `json:"starts,omitempty"`
}

// Ref is a thing that is built in, by its name, or files that lie in the store.
type Ref struct {
	Name  string `json:"name"`            // as the user wrote it, without folders
	Files []File `json:"files,omitempty"` // the first is the one to open; none: built in
}

// File is a file of the store.
type File struct {
	Name   string `json:"name"` // base name
	SHA256 string `json:"sha256"`
}
