package files

import (
	"errors"
	"os"
	"path/filepath"
)

// beside is a file in the folder of its place. It is what systems without renameio use.
type beside struct {
	*os.File
	place string
	over  bool // closed: at its place, or removed
}

func newBeside(place string) (*beside, error) {
	f, err := os.CreateTemp(filepath.Dir(place), "."+filepath.Base(place)+"*")
	if err != nil {
		return nil, err
	}
	return &beside{File: f, place: place}, nil
}

// CloseAtomicallyReplace puts the file in its place, or removes it.
func (b *beside) CloseAtomicallyReplace() error {
	b.over = true
	err := errors.Join(b.Sync(), b.Close())
	if err == nil {
		err = os.Rename(b.Name(), b.place)
	}
	if err != nil {
		os.Remove(b.Name()) // its error is not the first
	}
	return err
}

// Cleanup removes a file that is not at its place.
func (b *beside) Cleanup() error {
	if b.over {
		return nil
	}
	b.over = true
	return errors.Join(b.Close(), os.Remove(b.Name()))
}
