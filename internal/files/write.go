package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// File is a file to write.
type File struct {
	Name  string
	Write func(io.Writer) error

	Folder bool // make its folder
}

// Write writes files, each as a whole or not at all. Regular files are replaced together after all of
// them were written beside their places; links and permissions stay. Pipes and devices are written to.
// An error of one file does not keep the others from being written. If ctx ends, no further byte is written.
func Write(ctx context.Context, list ...File) error {
	var errs []error
	var written []*pending
	for _, f := range list {
		p, err := f.prepare(ctx)
		if err != nil {
			errs = append(errs, err)
		}
		if p != nil {
			written = append(written, p)
		}
	}
	for _, p := range written {
		if ctx.Err() != nil {
			temporary.drop(p)
		} else if err := temporary.commit(p); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// prepare writes the file; nil where it already is at its place.
func (f *File) prepare(ctx context.Context) (*pending, error) {
	if info, err := os.Stat(f.Name); err == nil && !info.Mode().IsRegular() {
		out, err := os.OpenFile(f.Name, os.O_WRONLY, 0) // a pipe or a device cannot be replaced
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(f.Write(&writer{ctx, out}), out.Close())
	}
	if f.Folder {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o777); err != nil {
			return nil, err
		}
	}
	p, err := pend(f.Name)
	if err != nil {
		return nil, err
	}
	if err = f.Write(&writer{ctx, p}); err == nil {
		err = p.Sync() // before the lock of commit
	}
	if err != nil {
		temporary.drop(p)
		return nil, named(f.Name, err)
	}
	return p, nil
}

// writer writes until its context ends.
type writer struct {
	ctx context.Context
	to  io.Writer
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.to.Write(p)
}

// Try returns the error of writing a file now, and leaves everything as it is.
func Try(name string) error {
	switch info, err := os.Stat(name); {
	case err != nil:
	case info.IsDir():
		return fmt.Errorf("%s: a file wanted, not a folder", name)
	case !info.Mode().IsRegular():
		return nil // opening a pipe would wait for its reader
	default:
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		f.Close()
	}
	p, err := pend(name)
	if err == nil {
		temporary.drop(p)
	}
	return err
}

// TryFolder is Try of a folder that is made with MkdirAll.
func TryFolder(name string) error {
	for at := filepath.Clean(name); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(at) != at {
			continue
		}
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s: a folder wanted", at)
		}
		return named(name, Try(filepath.Join(at, ".pimflow")))
	}
}

// pend begins a file beside its place, which is the target of links.
func pend(name string) (*pending, error) {
	place, err := followed(name)
	if err != nil {
		return nil, err
	}
	p, err := temporary.pend(place)
	return p, named(name, err)
}

// followed is the place that links lead to, whether there is a file or not.
func followed(name string) (string, error) {
	const most = 40 // as Linux
	for range most {
		to, err := os.Readlink(name)
		if err != nil {
			return name, nil // no link, or its error is that of writing
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(name), to)
		}
		name = to
	}
	return "", fmt.Errorf("%s: more than %d links", name, most)
}

// named puts the name that was given into an error of a file.
func named(name string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		at.Path = name // not that of the file to be renamed
	}
	return err
}

// leftovers holds what must not outlive the process.
type leftovers struct {
	mu      sync.Mutex
	files   map[*pending]bool
	folders map[string]bool
}

var temporary = leftovers{files: map[*pending]bool{}, folders: map[string]bool{}}

func (l *leftovers) pend(place string) (*pending, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := newPending(place)
	if err == nil {
		l.files[p] = true
	}
	return p, err
}

func (l *leftovers) commit(p *pending) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.files, p)
	return p.CloseAtomicallyReplace()
}

func (l *leftovers) drop(p *pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.files, p)
	p.Cleanup() // its error is not the first
}

// Folder makes a temporary folder, and returns its name and a function that removes it.
func Folder() (name string, remove func(), err error) {
	temporary.mu.Lock()
	defer temporary.mu.Unlock()
	if name, err = os.MkdirTemp("", "pimflow"); err != nil {
		return "", nil, err
	}
	temporary.folders[name] = true
	return name, func() {
		temporary.mu.Lock()
		defer temporary.mu.Unlock()
		delete(temporary.folders, name)
		os.RemoveAll(name)
	}, nil
}

// Abandon removes what the process has not finished writing. No file is written afterwards: who
// tries waits for ever. It is for the end of a process.
func Abandon() {
	temporary.mu.Lock() // for ever
	for p := range temporary.files {
		os.Remove(p.Name())
	}
	for name := range temporary.folders {
		os.RemoveAll(name)
	}
	Drop()
}
