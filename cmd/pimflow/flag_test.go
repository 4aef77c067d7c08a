package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"pimflow/internal/npy"
	"pimflow/internal/tensor"
)

// TestFlagErrors: the flag, its value and what was wanted, in words.
func TestFlagErrors(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"compare toy --batch 1,x", `--batch "1,x": whole numbers with commas between them wanted`},
		{"run toy --batch x", `--batch "x": a whole number wanted`},
		{"run toy --batch 99999999999999999999", `--batch "99999999999999999999": a whole number of at most 63 bits wanted`},
		{"run toy --launches=maybe", `--launches "maybe": true or false wanted`},
		{"run toy --max-error x", `--max-error "x": a number wanted`},
		{"profile toy --runner-timeout 5", `--runner-timeout "5": a time with its unit, as 90s or 5m, wanted`},
		{"run toy --output", `--output has no value: execute the plan and write each output as .npy to this folder`},
		{"run toy -o", `--out has no value: write the plan to this file`},
		{"run toy --ouput x", `run: flag --ouput is not known (did you mean "--output"?)`},
		{"run toy -k", `run: flag -k is not known: one of -h, -o, -q, -v, or a flag that begins with -- wanted`},
		{"run toy --set =1 --machine toy", `--set: machine toy: "=1": KEY=VALUE wanted, as memory.pim_channels=8`},
		{"layer --in 0x1x1 --out-channels 3", `--in: 0: 1 to 1048576 wanted`},
		{"layer --in 3x8x8 --out-channels 3 --kernel 0x0", `--kernel: 0: 1 to 1048576 wanted`},
		{"layer --in 3x8x8 --out-channels 3 --n-channel 99", `--n-channel: 99: 1 to 32 wanted, the memory channels of machine artifact`},
		{"zoo nosuch", `network "nosuch" is not known`},
		{"zoo resnet-5", `network "resnet-5" is not known (did you mean "resnet-50"?)`},
		{"sweep --model toy --parallel -1", `--parallel -1: 0 or more wanted`},
		{"sweep --model toy --retries 0", `--retries 0: 1 or more wanted`},
		{"sweep --model toy --lease 1ms", `--lease 1ms: 100ms or more wanted`},
		{"run toy --objective fast", `objective "fast" is not known: one of latency, energy, edp wanted`},
	} {
		var out, stderr bytes.Buffer
		if code := command(t.Context(), strings.Fields(c.line), &out, &stderr); code != exitUsage || stderr.String() != "pimflow: "+c.want+"\n" {
			t.Errorf("%s: exit code %d, %s%s wanted", c.line, code, &stderr, c.want)
		}
	}
}

// TestFlagTypes: a value of any type but a text is named in words.
func TestFlagTypes(t *testing.T) {
	for _, c := range rootCommand().Commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if kind := f.Value.Type(); wanted[kind] == "" && kind != "string" && kind != "stringArray" {
				t.Errorf("%s --%s: type %s", c.Name(), f.Name, kind)
			}
		})
	}
}

// TestOutputFiles: each output has a file of its own in the folder, whatever its name is.
func TestOutputFiles(t *testing.T) {
	long := strings.Repeat("é", 300)
	got := outputFiles([]string{"y", "a/y", "a\\y", "..", "./", long, long + "x"})
	want := []string{"y.npy", "a_y.npy", "a_y-2.npy", "output.npy", "output-4.npy", long[:longestName] + ".npy", long[:longestName] + "-6.npy"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, %q wanted", got, want)
	}
}

// TestUnusedInput: values that nothing shows are told.
func TestUnusedInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.npy")
	var b bytes.Buffer
	if err := npy.Write(&b, tensor.New(tensor.Float32, tensor.Shape{1, 8, 16, 16})); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	for flags, warned := range map[string]bool{"": true, " --top 1": false} {
		var out, stderr bytes.Buffer
		code := command(t.Context(), strings.Fields("run toy --policy gpu --launches=false --input "+file+flags), &out, &stderr)
		if want := "warning: --input: no more than its shape is used"; code != 0 || strings.Contains(stderr.String(), want) != warned {
			t.Errorf("%q: exit code %d, %s", flags, code, &stderr)
		}
	}
}

// TestMemoryOfACheck: values that memory does not hold are refused with the model's name.
func TestMemoryOfACheck(t *testing.T) {
	var out, stderr bytes.Buffer
	code := command(t.Context(), strings.Fields("run toy --policy gpu --launches=false --memory 100KB --check"), &out, &stderr)
	if want := `pimflow: toy: node %4 "stem.relu" of 1x16x16x16, what is alive beside it and all weights take `; code == 0 || !strings.HasPrefix(stderr.String(), want) {
		t.Errorf("exit code %d, %s%s wanted", code, &stderr, want)
	}
}
