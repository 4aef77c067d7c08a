package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// NewFolder makes a folder of a name that nothing has: write puts files into a folder beside it, which gets the name once
// write has returned without an error. Otherwise nothing is left.
func NewFolder(name string, write func(folder string) error) error {
	if err := TryNewFolder(name); err != nil {
		return err
	}
	private, err := temporary.folder(name)
	if err != nil {
		return named(name, err)
	}
	defer temporary.remove(private)
	place := filepath.Join(private, "new") // with the permissions of any other folder
	if err := os.Mkdir(place, 0o777); err != nil {
		return named(name, err)
	}
	if err := write(place); err != nil {
		return &renamed{err, place, name}
	}
	return temporary.settle(place, name)
}

// renamed is an error of a file in a folder before it has its name.
type renamed struct {
	error
	from, to string
}

// Error has the name that was given.
func (r *renamed) Error() string { return strings.ReplaceAll(r.error.Error(), r.from, r.to) }

// Unwrap is the error as it was.
func (r *renamed) Unwrap() error { return r.error }

// TryNewFolder returns the error of NewFolder now.
func TryNewFolder(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s: it exists: the name of a new folder wanted", name)
	}
	if in := filepath.Dir(filepath.Clean(name)); in != "." {
		if _, err := os.Stat(in); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: there is no folder %s: the name of a new folder in one that exists wanted", name, in)
		}
	}
	return TryFolder(name)
}

// folder makes a temporary folder beside a place.
func (l *leftovers) folder(place string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name, err := os.MkdirTemp(filepath.Dir(filepath.Clean(place)), ".pimflow")
	if err == nil {
		l.folders[name] = true
	}
	return name, err
}

// settle gives a temporary folder its name.
func (l *leftovers) settle(folder, name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := os.Rename(folder, name); err != nil {
		return fmt.Errorf("%s: it was made meanwhile: the name of a new folder wanted", name)
	}
	return nil
}

// remove removes a temporary folder.
func (l *leftovers) remove(folder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.folders, folder)
	os.RemoveAll(folder)
}
