package hostile

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// File is a file that must be refused.
type File struct {
	Path string
	Want string // a part of the error
}

// file is a row of a table: a file's name, a part of the error, and its content, or what makes it.
type file struct {
	name, want string
	data       []byte
	place      func(path string) error // instead of data
}

// tables lists all files by what is wrong with them.
var tables = []func() []file{noModels, wires, names, attributes, tensors, inputs, vast, controls, texts}

// Write writes all files into an empty folder, in order.
func Write(dir string) ([]File, error) {
	for _, name := range slices.Sorted(maps.Keys(beside)) {
		if err := os.WriteFile(filepath.Join(dir, name), beside[name], 0o666); err != nil {
			return nil, err
		}
	}
	var list []File
	seen := map[string]bool{}
	for _, rows := range tables {
		for _, f := range rows() {
			if seen[f.name] {
				return nil, fmt.Errorf("two files %.80q", f.name)
			}
			seen[f.name] = true
			path := filepath.Join(dir, f.name)
			place := f.place
			if place == nil {
				place = func(path string) error { return os.WriteFile(path, f.data, 0o666) }
			}
			if err := place(path); err != nil {
				return nil, fmt.Errorf("%s: %w", f.name, err)
			}
			list = append(list, File{path, f.want})
		}
	}
	return list, nil
}

// beside are the files that models refer to.
var beside = map[string][]byte{"weights.bin": make([]byte, 64)}

// x and y are the input and the output of most models.
var x, y = input("x", 1, 4, 8, 8), output("y")

// good is a model with one of everything that readers look at.
var good = model(x, weight(zeros("w", 4, 4, 3, 3)), node("Conv", "x w", "c", attr("pads", []int{1, 1, 1, 1})),
	weight(ints("s", 1, 256)), node("Reshape", "c s", "y"), y)
