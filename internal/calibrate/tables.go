package calibrate

import (
	"embed"
	"io"
	"strings"
)

// tables are public measurements. Their sources are in measured/SOURCE.md.
//
//go:embed measured/*.csv
var tables embed.FS

// Tables returns the names of the built-in tables of measurements.
func Tables() []string {
	entries, err := tables.ReadDir("measured")
	if err != nil {
		panic("calibrate: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".csv"))
	}
	return names
}

// OpenTable opens one of Tables; nil if there is none of the name.
func OpenTable(name string) (io.ReadCloser, error) {
	for _, n := range Tables() {
		if n == name {
			return tables.Open("measured/" + name + ".csv")
		}
	}
	return nil, nil
}
