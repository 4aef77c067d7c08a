package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// fault is an edit of a file and what must notice it.
type fault struct {
	what     string // a sentence: what is wrong then
	file     string // below the root of the repository
	old, new string // old stands once in the file, or at offset at
	at       int    // of drawn faults; 0: old stands once
	killer   killer
	more     []killer // tests of the same package that are asked if the killer passes
}

// row is a fault of the table: what is wrong, the text, and what replaces it.
type row struct{ what, old, new string }

// file are faults of a file that the same tests kill.
func file(name string, k killer, rows ...row) (list []fault) {
	for _, r := range rows {
		list = append(list, fault{what: r.what, file: name, old: r.old, new: r.new, killer: k})
	}
	return list
}

// mutated is the file with the fault.
func (f *fault) mutated(root string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, f.file))
	if err != nil {
		return nil, err
	}
	at := f.at
	if at == 0 {
		if n := bytes.Count(text, []byte(f.old)); n != 1 {
			return nil, fmt.Errorf("%s: %q stands there %d times: once wanted", f.file, f.old, n)
		}
		at = bytes.Index(text, []byte(f.old))
	}
	if f.old == f.new {
		return nil, fmt.Errorf("%s: %q is replaced by itself", f.file, f.old)
	}
	return slices.Concat(text[:at], []byte(f.new), text[at+len(f.old):]), nil
}

// overlay writes the mutated file and the overlay that puts it in the place of the original.
func (f *fault) overlay(root, folder string) (path string, err error) {
	text, err := f.mutated(root)
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, filepath.Base(f.file))
	if err := os.WriteFile(file, text, 0o666); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, f.file): file}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(folder, "overlay.json")
	return path, os.WriteFile(path, replace, 0o666)
}
