package hw

import (
	"embed"
	"fmt"
	"os"
	"slices"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/nearest"
)

//go:embed machines/*.json
var machines embed.FS

// Names returns the names of the built-in machines, sorted.
func Names() []string { return namesIn(machines, "machines") }

// Load returns the built-in machine of that name, or reads a file if the argument contains a
// slash or ends in .json. "newton+t4" is newton with the GPU t4; either may be a file. The
// error names the nearest known name, or the file, line and key.
func Load(nameOrPath string) (*Machine, error) { return load(nameOrPath, nil) }

// load reads a machine that is the base of others.
func load(nameOrPath string, others []string) (*Machine, error) {
	if base, with, both := strings.Cut(nameOrPath, "+"); both && !isFile(nameOrPath) {
		m, err := load(base, others)
		if err != nil {
			return nil, err
		}
		b, err := LoadBoard(with)
		if err != nil {
			return nil, err
		}
		return m.WithGPU(b)
	}
	name, data, err := find(machines, "machines", "machine", nameOrPath)
	if err != nil {
		return nil, err
	}
	return parse(name, data, others)
}

// LoadWith loads a machine, replaces its GPU unless gpu is "", and sets keys of it. It also
// returns the name by which Load gives the machine before its keys are set.
func LoadWith(nameOrPath, gpu string, changes []string) (m *Machine, from string, err error) {
	from = nameOrPath
	if gpu != "" {
		if base, _, both := strings.Cut(nameOrPath, "+"); both && !isFile(nameOrPath) {
			nameOrPath = base
		}
		from = nameOrPath + "+" + gpu
	}
	if m, err = Load(from); err == nil {
		m, err = m.Set(changes...)
	}
	return m, from, err
}

// maxFile bounds a file of a machine or a GPU, in bytes. Estimated: the built-in ones have 20,000.
const maxFile = 16 << 20

// isPath reports whether an argument is a file's path, and no name.
func isPath(nameOrPath string) bool {
	return strings.Contains(nameOrPath, "/") || strings.HasSuffix(nameOrPath, ".json")
}

func isFile(path string) bool {
	_, err := os.Stat(files.At(path))
	return err == nil
}

func namesIn(builtIn embed.FS, folder string) []string {
	entries, err := builtIn.ReadDir(folder)
	if err != nil {
		panic("hw: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// find reads the built-in file of a name in a folder, or the file of a path.
func find(builtIn embed.FS, folder, what, nameOrPath string) (name string, data []byte, err error) {
	names := namesIn(builtIn, folder)
	if slices.Contains(names, nameOrPath) {
		name = folder + "/" + nameOrPath + ".json"
		data, err := builtIn.ReadFile(name)
		if err != nil {
			panic("hw: " + err.Error())
		}
		return name, data, nil
	}
	if !isPath(nameOrPath) {
		return "", nil, fault.Usagef("%s %.80q is not known%s: one of %s wanted, or a file that ends in .json",
			what, nameOrPath, nearest.Hint(nameOrPath, names), strings.Join(names, ", "))
	}
	if data, err = files.Read(nameOrPath, maxFile); err != nil {
		return "", nil, fmt.Errorf("%s: %w", what, err)
	}
	return nameOrPath, data, nil
}
