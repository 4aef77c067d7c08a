package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestComplete: what the shell is told of commands, networks, machines, GPUs, policies, layers and keys.
func TestComplete(t *testing.T) {
	for _, c := range []struct {
		line string // the last word is completed
		want string // suggestions, without what they are
	}{
		{"comp ", "compare completion"},
		{"run mobile", "mobilenet-v2"},
		{"run toy --machine new", "newton"},
		{"run toy --gpu t", "t4"},
		{"run toy --policy by-", "by-benefit by-operator"},
		{"compare toy --policy gpu,by-b", "gpu,by-benefit"},
		{"run toy --pin fc", "fc=gpu fc=pim"},
		{"run toy --set memory.pim_", "memory.pim_channels="},
		{"explain toy stem.", "stem.conv stem.pool"},
		{"code toy block.se.fc", "block.se.fc1 block.se.fc2"},
		{"explain no-such-model x", ""},
		{"emit toy --layer stem.c", "stem.conv"},
		{"emit toy --format ", "aim csv pimflow"},
		{"machine new", "newton"},
		{"gpu t", "t4"},
		{"zoo res", "resnet-50"},
		{"profile toy --with ", "onnxruntime torch"},
		{"profile toy --device ", "auto cpu cuda"},
		{"sweep --machine newton,ai", "newton,aim"},
		{"version ", ""},
	} {
		got, directive := completed(t, c.line)
		slices.Sort(got)
		for _, want := range strings.Fields(c.want) {
			if !slices.Contains(got, want) {
				t.Errorf("%s: %q, %q wanted", c.line, got, want)
			}
		}
		if c.want == "" && (len(got) > 0 || c.line == "version " && directive != ":4") {
			t.Errorf("%s: %q %s, none wanted", c.line, got, directive)
		}
		if i := strings.LastIndex(c.line, " "); slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, c.line[i+1:]) }) && !strings.HasPrefix(c.line, "comp") {
			t.Errorf("%s: %q", c.line, got)
		}
	}
	if _, directive := completed(t, "run toy --set memory.pim_"); directive != ":2" {
		t.Errorf("a space after a key: %s", directive)
	}
	if _, directive := completed(t, "run toy --machine x"); directive != ":0" {
		t.Errorf("no file for a machine: %s", directive)
	}
}

// completed asks the hidden command that shells ask.
func completed(t *testing.T, line string) (words []string, directive string) {
	t.Helper()
	var out, stderr bytes.Buffer
	args := strings.Split(line, " ")
	if line == "comp " {
		args = []string{"comp"}
	}
	if code := command(t.Context(), append([]string{"__complete"}, args...), &out, &stderr); code != 0 {
		t.Fatalf("%s: exit code %d, %s", line, code, &stderr)
	}
	for text := range strings.Lines(out.String()) {
		text = strings.TrimSuffix(text, "\n")
		if strings.HasPrefix(text, ":") {
			directive = text
			continue
		}
		word, _, _ := strings.Cut(text, "\t")
		words = append(words, word)
	}
	return words, directive
}

// TestExamples: each command is in a group, and each of its examples is a command line of it.
func TestExamples(t *testing.T) {
	for _, c := range rootCommand().Commands() {
		if c.GroupID == "" {
			t.Errorf("%s is in no group", c.Name())
		}
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		lines := strings.Split(c.Example, "\n")
		if c.Example == "" {
			t.Errorf("%s has no example", c.Name())
		}
		for _, line := range lines {
			line, ok := strings.CutPrefix(line, "  pimflow "+c.Name())
			if !ok {
				if c.Name() != "sweep" || !strings.HasPrefix(line, "  python3 ") {
					t.Errorf("%s: example %q", c.Name(), line)
				}
				continue
			}
			line, _, _ = strings.Cut(line, " >")
			fresh, _, err := rootCommand().Find([]string{c.Name()})
			if err == nil {
				err = fresh.ParseFlags(strings.Fields(line))
			}
			if err == nil {
				err = fresh.ValidateArgs(fresh.Flags().Args())
			}
			if err == nil {
				err = checkFlags(fresh)
			}
			if err != nil {
				t.Errorf("%s%s: %v", c.Name(), line, err)
			}
		}
	}
}

// TestCompletionFlags: flags that complete words are flags of some command, and so are commands that complete arguments.
func TestCompletionFlags(t *testing.T) {
	flags, names := map[string]bool{}, map[string]bool{}
	for _, c := range rootCommand().Commands() {
		names[c.Name()] = true
		for name := range flagWords {
			flags[name] = flags[name] || c.Flags().Lookup(name) != nil
		}
	}
	for name, there := range flags {
		if !there {
			t.Errorf("--%s is no flag", name)
		}
	}
	for name := range argWords {
		if !names[name] {
			t.Errorf("%s is no command", name)
		}
	}
}
