package main

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// badOfType are bad values of the flags of a type, whatever they mean.
var badOfType = map[string][]string{
	"bool":        {"", "maybe", "-1"},
	"int":         {"", "x", "1.5", "NaN", "99999999999999999999", "-1", "9 GB"},
	"float64":     {"", "x", "NaN", "-1", "1e999", "3 in"},
	"duration":    {"", "x", "5", "-5s", "99999999h", "5 minutes"},
	"intSlice":    {"", "x", "-1", "1,x", "0"},
	"string":      {""},
	"stringSlice": {""},
	"stringArray": {""},
}

// badTexts are bad values of flags that take a text, for every command that has them.
var badTexts = map[string][]string{
	"machine": {"nosuch"}, "gpu": {"nosuch"}, "policy": {"nosuch"}, "model": {"nosuch"}, "objective": {"fast"}, "effort": {"x", "-1", "1e9", "99999999999999999999"},
	"set":   {"x", "=1", "nosuch=1", "gpu.sm=x", "gpu.sm=-1", "gpu.sm=NaN", "gpu.sm=1e99", "memory.pim_channels=1.5", "gpu.smem_per_sm_bytes=1", "gpu.threads_per_sm=1", "gpu.registers_per_sm=1"},
	"shape": {"x", "1x0", "x=1xy", "1x-3"}, "dim": {"x", "x=0", "x=y", "=3", "x=99999999999999999999"}, "until": {"nosuch"}, "pin": {"x", "x=tpu", "=pim", "nosuch=pim"},
	"pim-channels": {"x", "-1", "99", "1.5"}, "memory": {"x", "-1GB", "NaN", "5 parsecs", "0"}, "check": {"x"}, "progress": {"x"}, "figure": {"nosuch"}, "view": {"nosuch"},
	"format": {"nosuch"}, "layer": {"nosuch"}, "device": {"tpu"}, "box": {"x", "[0:1", "[0:1 0:9999 0:1 0:1]"}, "in": {"x", "0x1x1", "1x2"}, "kernel": {"x", "0x0", "3"}, "pad": {"x", "-1x0", "1"},
	"by": {"nosuch"}, "where": {"x", "nosuch=1"}, "group": {"nosuch"}, "x": {"nosuch"}, "y": {"nosuch"}, "z": {"nosuch"}, "sample": {"x", "0", "-3", "latin:x", "nosuch:3", "NaN"}, "search": {"nosuch"}, "zip": {"nosuch"},
	"only": {"nosuch"}, "with": {"nosuch"}, "launch": {"nosuch"}, "batch": {"0"}, "input": {"nosuch="}, "emit": {"nosuch"},
}

// bases are command lines that succeed, short, on which a flag is added; FILE is a table of results, RUN what run --json prints.
var bases = map[string]string{
	"run": "run toy --machine toy --launches=false", "compare": "compare toy --machine toy", "explain": "explain toy --machine toy", "report": "report RUN.json -o OUT.html",
	"diff": "diff RUN.plan RUN.plan", "map": "map toy --machine toy", "code": "code toy block.expand --machine toy", "emit": "emit toy --machine toy -o OUT", "graph": "graph toy",
	"export": "export toy --machine toy -o OUT.onnx", "sweep": "sweep --model toy --machine toy --policy gpu --set memory.pim_channels=1,2 --sample 1 -q", "pareto": "pareto FILE",
	"plot": "plot FILE --figure speedup -o OUT.svg", "sensitivity": "sensitivity toy --machine toy --quick --only link", "launches": "launches toy --machine toy",
	"zoo": "zoo toy -o OUT.onnx", "machine": "machine toy", "gpu": "gpu t4", "policy": "policy", "operators": "operators", "profile": "profile toy --machine toy --with torch --runner nosuch",
	"calibrate": "calibrate --eval t4_networks", "validate": "validate --gpu t4", "reproduce": "reproduce toy --view ratios", "layer": "layer --in 4x8x8 --out-channels 4",
	"sim": "sim nosuch.pim", "audit": "audit nosuch.csv", "terms": "terms", "version": "version", "worker": "worker",
}

// goWords are words of the language that no user has to know.
var goWords = regexp.MustCompile(`strconv|invalid syntax|parsing|unmarshal|panic|goroutine|%!|runtime error|\[\]string|<nil>|pflag|0x[0-9a-f]{6}`)

// TestBadValues: a bad value of any flag of any command is exit code 2 and a line with the flag, the value and what was wanted.
func TestBadValues(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var out, stderr bytes.Buffer
	for _, line := range []string{"sweep --model toy --machine toy --policy gpu -o rows.csv -q", "run toy --machine toy --policy gpu --launches=false -q -o run.plan"} {
		if code := command(t.Context(), strings.Fields(line), &out, &stderr); code != 0 {
			t.Fatal(&stderr)
		}
	}
	files := strings.NewReplacer("FILE", "rows.csv", "RUN", "run", "OUT", "out")
	for _, c := range rootCommand().Commands() {
		base := bases[c.Name()]
		if base == "" {
			if c.Name() != "help" && c.Name() != "completion" {
				t.Errorf("%s: no line to add bad values to", c.Name())
			}
			continue
		}
		c.InitDefaultHelpFlag()
		try := func(f *pflag.Flag) {
			values := badOfType[f.Value.Type()]
			if values == nil {
				t.Errorf("%s --%s: bad values of type %s wanted", c.Name(), f.Name, f.Value.Type())
			}
			for _, v := range slices.Concat(values, badTexts[f.Name]) {
				if fine(c.Name(), f.Name, v) {
					continue
				}
				args := append(without(strings.Fields(files.Replace(base)), f), "--"+f.Name+"="+v)
				var out, stderr bytes.Buffer
				ctx, cancel := context.WithCancel(t.Context())
				code := command(ctx, args, &out, &stderr)
				cancel()
				text := stderr.String()
				if code != exitUsage || strings.Count(text, "\n") != 1 || !strings.Contains(strings.ToLower(text), f.Name) || !says(text, v) && !strings.Contains(text, "is for ") || !answers.MatchString(text) || goWords.MatchString(text) {
					t.Errorf("%s: exit code %d, %s", strings.Join(args, " "), code, text)
				}
			}
		}
		c.LocalFlags().VisitAll(try)
		c.InheritedFlags().VisitAll(try)
	}
}

// answers are the words of what was wanted.
var answers = regexp.MustCompile(`wanted|is not known|unknown key|empty: |has no |no layer |no column|none of|inputs are|is for |without`)

// says reports whether a line has a value, or a part of it: of KEY=VALUE either.
func says(text, value string) bool {
	return value == "" || slices.ContainsFunc(strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("=:,+x ", r) }), func(part string) bool { return strings.Contains(text, part) }) || strings.Contains(text, value)
}

// without is a command line without a flag that is given again.
func without(args []string, f *pflag.Flag) (kept []string) {
	for i := 0; i < len(args); i++ {
		if args[i] == "--"+f.Name || f.Shorthand != "" && args[i] == "-"+f.Shorthand {
			if f.NoOptDefVal == "" {
				i++
			}
			continue
		}
		kept = append(kept, args[i])
	}
	return kept
}

// fine reports whether a value is no bad one of a flag of a command, or is told elsewhere: a GPU that commands have no work for, and that
// makes a row of a sweep one with an error; the device of a program that measures, which is its own.
func fine(command, flag, value string) bool {
	return command == "profile" && flag == "device" || flag == "set" && strings.Contains(value, "_per_sm") && slices.Contains([]string{"sim", "audit", "sweep"}, command)
}
