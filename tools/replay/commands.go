package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// layersFile stands for the table of layers in a command line, and tracked is where a
// revision has it.
const (
	layersFile = "LAYERS"
	tracked    = "docs/newton-layers.csv"
)

var (
	untimed   = regexp.MustCompile(`(?m)^ *"(search_s|version)": .*\n|^pimflow: .*\b[0-9]+ %, [0-9hms.]+(, about [0-9hms.]+ left)?\n`)
	operation = regexp.MustCompile(`(?m)^%\d+ "(.+)" = [A-Z][A-Za-z]*\(`)
)

// commands lists the command lines to compare: all on toy, and of the others the given
// share, chosen by a hash of the line. What one revision has alone is told.
func commands(ctx context.Context, base, head *revision, sample int, out io.Writer) ([]string, error) {
	base.layers = filepath.Join(base.folder, filepath.Base(tracked))
	head.layers = base.layers
	text, err := git(ctx, "show", base.commit+":"+tracked)
	if err == nil {
		err = place(base.layers, []byte(text+"\n"))
	}
	if err != nil {
		return nil, err
	}
	common := map[string][]string{}
	for _, list := range []string{"machine", "zoo", "policy"} {
		if common[list], err = listed(ctx, base, head, list, out); err != nil {
			return nil, err
		}
	}
	var lines []string
	add := func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		if words := strings.Fields(line); sample > 1 && (len(words) < 2 || words[1] != "toy") {
			h := fnv.New64a()
			io.WriteString(h, line)
			if h.Sum64()%uint64(sample) != 0 {
				return
			}
		}
		lines = append(lines, line)
	}
	for _, line := range []string{"zoo", "policy", "gpu", "machine", "reproduce", "reproduce --json"} {
		add("%s", line)
	}
	for _, machine := range common["machine"] {
		add("machine %s", machine)
		add("layer --csv %s --all --machine %s", layersFile, machine)
	}
	for _, network := range common["zoo"] {
		add("graph %s", network)
		graph, err := base.output(ctx, "graph "+network)
		if err != nil {
			return nil, err
		}
		var layers []string
		for _, m := range operation.FindAllSubmatch(graph, -1) {
			layers = append(layers, string(m[1]))
		}
		for _, machine := range common["machine"] {
			on := network + " --machine " + machine
			for _, policy := range common["policy"] {
				add("run %s --policy %s --json", on, policy)
			}
			add("run %s -v", on)
			add("run %s --objective energy --json", on)
			add("run %s --objective edp --json", on)
			add("compare %s", on)
			add("map %s -v", on)
			add("explain %s", on)
			for i, layer := range layers {
				if i%12 == 0 {
					add("explain %s %s --all --machine %s", network, layer, machine)
				}
				add("code %s %s --machine %s", network, layer, machine)
			}
		}
	}
	for _, machine := range common["machine"] {
		add("sensitivity toy --machine %s --energy --json", machine)
		add("launches toy --machine %s --json", machine)
		add("run toy --machine %s --pim-channels auto --json", machine)
		add("compare toy --machine %s --pim-channels auto --json", machine)
	}
	return lines, nil
}

// listed is the names that a list of both revisions begins its lines with.
func listed(ctx context.Context, base, head *revision, list string, out io.Writer) (common []string, err error) {
	var names [2][]string
	for i, r := range []*revision{base, head} {
		text, err := r.output(ctx, list)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			names[i] = append(names[i], name)
		}
	}
	for i, r := range []*revision{base, head} {
		for _, n := range names[i] {
			if !slices.Contains(names[1-i], n) {
				fmt.Fprintf(out, "only %s has %s %s\n", r, list, n)
			} else if i == 0 {
				common = append(common, n)
			}
		}
	}
	return common, nil
}
