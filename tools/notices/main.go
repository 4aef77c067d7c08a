// Command notices prints the licences of what a binary of pimflow links: of each module that a package of it is of,
// and of Go's library.
//
// In goes the repository that tools is a folder of; out comes its file THIRD_PARTY:
//
//	go run -C tools ./notices >THIRD_PARTY
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	text, err := notices("..")
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

// systems lists the operating systems that binaries are built for.
var systems = []string{"linux", "darwin", "windows"}

// module is a module and the folders of its packages that are linked.
type module struct {
	Path, Version, Dir string
	folders            []string
}

// notices returns the text for the repository in a folder.
func notices(repository string) ([]byte, error) {
	modules, err := linked(repository)
	if err != nil {
		return nil, err
	}
	root, err := goRoot(repository)
	if err != nil {
		return nil, err
	}
	library := &module{Path: "Go's library", Dir: root}
	b := &bytes.Buffer{}
	fmt.Fprintf(b, "What a binary of pimflow links, and its licences. Made by: go run -C tools ./notices >THIRD_PARTY\n\n")
	for _, m := range append(modules, library) {
		fmt.Fprintf(b, "%s\n", strings.TrimSpace(m.Path+" "+m.Version))
	}
	for _, m := range append(modules, library) {
		texts, err := m.licences()
		if err != nil {
			return nil, err
		}
		for _, t := range texts {
			fmt.Fprintf(b, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("-", 80), m.Path, t.name, t.text)
		}
	}
	return b.Bytes(), nil
}

// linked lists the modules of the packages of a binary, on any system.
func linked(repository string) ([]*module, error) {
	found := map[string]*module{}
	for _, system := range systems {
		c := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/pimflow")
		c.Dir, c.Stderr = repository, os.Stderr
		c.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := c.Output()
		if err != nil {
			return nil, fmt.Errorf("go list for %s: %w", system, err)
		}
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				Dir    string
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			if err := d.Decode(&p); err == io.EOF {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module == nil || p.Module.Main {
				continue
			}
			m := found[p.Module.Path]
			if m == nil {
				m = &module{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir}
				found[m.Path] = m
			}
			if !slices.Contains(m.folders, p.Dir) {
				m.folders = append(m.folders, p.Dir)
			}
		}
	}
	var list []*module
	for _, m := range found {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *module) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// goRoot returns the root of Go.
func goRoot(repository string) (string, error) {
	c := exec.Command("go", "env", "GOROOT")
	c.Dir = repository
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// licenceFile matches the names of files with terms.
var licenceFile = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|notice|patents)`)

// thirdParties is the folder in which some modules have the licences of what they took.
const thirdParties = "THIRD_PARTY_LICENSES"

type licence struct{ name, text string }

// licences returns the files with terms of a module, and of the folders of its linked packages.
func (m *module) licences() (list []licence, err error) {
	folders := []string{m.Dir, filepath.Join(m.Dir, thirdParties)}
	for _, f := range m.folders {
		for ; len(f) > len(m.Dir) && !slices.Contains(folders, f); f = filepath.Dir(f) {
			folders = append(folders, f)
		}
	}
	slices.Sort(folders)
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() || !licenceFile.MatchString(e.Name()) && filepath.Base(folder) != thirdParties {
				continue
			}
			name := filepath.Join(folder, e.Name())
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			short, err := filepath.Rel(m.Dir, name)
			if err != nil {
				return nil, err
			}
			list = append(list, licence{filepath.ToSlash(short), strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no licence in %s", m.Path, m.Dir)
	}
	return list, nil
}
