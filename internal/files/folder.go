package files

import (
	"fmt"
	"os"
	"path/filepath"
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
		return err
	}
	return temporary.settle(place, name)
}

// TryNewFolder returns the error of NewFolder now.
func TryNewFolder(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s: it exists: the name of a new folder wanted", name)
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
