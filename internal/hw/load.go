package hw

import (
	"embed"
	"fmt"
	"os"
	"slices"
	"strings"

	"pimflow/internal/nearest"
)

//go:embed machines/*.json
var machines embed.FS

// Names returns the names of the machines that come with the program, sorted.
func Names() []string {
	entries, err := machines.ReadDir("machines")
	if err != nil {
		panic("hw: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	return names
}

// Load returns the machine called name, or reads a file where the argument has a
// slash or ends in .json.
func Load(nameOrPath string) (*Machine, error) {
	if slices.Contains(Names(), nameOrPath) {
		file := "machines/" + nameOrPath + ".json"
		data, err := machines.ReadFile(file)
		if err != nil {
			panic("hw: " + err.Error())
		}
		return Parse(file, data)
	}
	if !strings.Contains(nameOrPath, "/") && !strings.HasSuffix(nameOrPath, ".json") {
		return nil, fmt.Errorf("machine %q is not known%s: one of %s wanted, or a file that ends in .json",
			nameOrPath, nearest.Hint(nameOrPath, Names()), strings.Join(Names(), ", "))
	}
	data, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	return Parse(nameOrPath, data)
}
