package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// cyclonedx lists the modules of a binary in CycloneDX's format. Apache-2.0; it is not linked.
const cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"

// lister is the built program.
type lister struct{ program string }

func newLister(ctx context.Context, folder string) (*lister, error) {
	if _, err := run(ctx, folder, []string{"GOBIN=" + folder, "CGO_ENABLED=0", "GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH}, "go", "install", cyclonedx); err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(folder, "cyclonedx-gomod*"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("go install %s left %d programs: one wanted", cyclonedx, len(found))
	}
	return &lister{found[0]}, nil
}

// list writes the modules of a binary, their licences not included: THIRD_PARTY has those.
func (l *lister) list(ctx context.Context, b built, file string) error {
	if _, err := run(ctx, filepath.Dir(b.file), nil, l.program, "bin", "-json", "-noserial", "-notimestamp", "-std", "-version", b.version, "-output", file, b.file); err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if data, err = anywhere(data); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, data, 0o644)
}

// anywhere leaves out the hashes of the program that made a list, which are others on another machine.
func anywhere(data []byte) ([]byte, error) {
	var list map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	about, _ := list["metadata"].(map[string]any)
	tools, _ := about["tools"].([]any)
	if len(tools) == 0 {
		return nil, fmt.Errorf("no metadata.tools")
	}
	for _, t := range tools {
		if t, ok := t.(map[string]any); ok {
			delete(t, "hashes")
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(list); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
