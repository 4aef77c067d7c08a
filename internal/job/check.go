package job

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names are the things that are built in.
type Names struct{ Models, Machines, GPUs, Policies, Objectives []string }

// Bounds of a job. Estimated, well above what a sweep has.
const (
	maxName   = 255 // bytes of a name, as file systems have it
	maxDepth  = 16  // folders of a file's path
	maxFiles  = 1024
	maxSet    = 256
	MaxBatch  = 1 << 20     // images at once
	MaxEffort = 999_999_999 // steps a layer
)

var (
	hash    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	effort  = regexp.MustCompile(`^(low|normal|high|[0-9]{1,9})$`)
	setting = regexp.MustCompile(`^[a-z0-9_.]{1,100}=[^[:cntrl:]]{1,150}$`)
)

// check refuses what no coordinator of the version sends.
func (j *Job) check(version string, known *Names) error {
	for _, w := range []struct {
		what, got string
		ok        bool
		want      string
	}{
		{"schema", j.Schema, j.Schema == Schema, Schema},
		{"version", j.Version, j.Version == version, version},
		{"policy", j.Policy, slices.Contains(known.Policies, j.Policy), "the name of a policy"},
		{"objective", j.Objective, slices.Contains(known.Objectives, j.Objective), "the name of an objective"},
		{"effort", j.Effort, effort.MatchString(j.Effort), "low, normal, high or a number of steps"},
		{"batch", fmt.Sprint(j.Batch), j.Batch >= 0 && j.Batch <= MaxBatch, fmt.Sprint("0 to ", MaxBatch)},
		{"changed keys", fmt.Sprint(len(j.Set)), len(j.Set) <= maxSet, fmt.Sprint("at most ", maxSet)},
		{"search", j.Search, j.Search == "" || j.Search == All && len(j.Starts) > 0, All + ", or none,"},
		{"starts", fmt.Sprint(len(j.Starts)), len(j.Starts) <= MaxStarts, fmt.Sprint("at most ", MaxStarts)},
	} {
		if !w.ok {
			return fmt.Errorf("%s %.80q: %s wanted", w.what, w.got, w.want)
		}
	}
	for _, s := range j.Set {
		if !setting.MatchString(s) || !utf8.ValidString(s) {
			return fmt.Errorf("changed key %.80q: KEY=VALUE wanted", s)
		}
	}
	for _, k := range j.Starts {
		if !hash.MatchString(string(k)) {
			return fmt.Errorf("start %.80q: a SHA-256 in hexadecimal wanted", k)
		}
	}
	for _, r := range []struct {
		what  string
		ref   *Ref
		known []string
	}{{"model", &j.Model, known.Models}, {"machine", &j.Machine, known.Machines}, {"gpu", j.GPU, known.GPUs}} {
		if r.ref == nil {
			continue
		}
		if err := r.ref.check(r.known); err != nil {
			return fmt.Errorf("%s: %w", r.what, err)
		}
	}
	return nil
}

// check refuses names that are not built in, and files that could lie elsewhere than in the folder that they are put in.
func (r *Ref) check(known []string) error {
	if !plain(r.Name) {
		return fmt.Errorf("name %.80q: a name without folders wanted", r.Name)
	}
	if len(r.Files) == 0 && !slices.Contains(known, r.Name) {
		return fmt.Errorf("name %.80q: files, or a name that is built in, wanted", r.Name)
	}
	if len(r.Files) > maxFiles {
		return fmt.Errorf("%d files: at most %d wanted", len(r.Files), maxFiles)
	}
	names := map[string]bool{}
	for i, f := range r.Files {
		if err := f.check(i == 0); err != nil {
			return err
		}
		if name := strings.ToLower(f.Name); !names[name] { // file systems may not tell them apart
			names[name] = true
			continue
		}
		return fmt.Errorf("file %.80q: it is there twice", f.Name)
	}
	return nil
}

func (f *File) check(first bool) error {
	parts := strings.Split(f.Name, "/")
	switch {
	case !hash.MatchString(f.SHA256):
		return fmt.Errorf("file %.80q: a SHA-256 in hexadecimal wanted, not %.80q", f.Name, f.SHA256)
	case first && len(parts) > 1, len(parts) > maxDepth, len(f.Name) > 4*maxName:
		return fmt.Errorf("file %.80q: a name without folders wanted", f.Name)
	case slices.ContainsFunc(parts, func(p string) bool { return !plain(p) }):
		return fmt.Errorf("file %.80q: a path within the folder of the first file wanted", f.Name)
	}
	return nil
}

// plain reports whether a name is that of a file in a folder, on any operating system.
func plain(name string) bool {
	return name != "" && len(name) <= maxName && name != "." && name != ".." && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return strings.ContainsRune(`/\:*?"<>|`, r) || !unicode.IsPrint(r) }) &&
		!strings.HasSuffix(name, ".") && !strings.HasSuffix(name, " ")
}

// Check refuses a job that no worker would evaluate, before it is sent.
func (j *Job) Check(known *Names) error {
	if j.Version == "" || len(j.Version) > maxName {
		return errors.New("no version of the program, or a long one")
	}
	return j.check(j.Version, known)
}
