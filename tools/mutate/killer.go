package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// killer is what must fail under a fault: tests of a package, or runs of pimflow.
type killer struct {
	pkg   string   // below the root
	tests string   // the pattern of -run; "": all
	runs  []string // command lines of pimflow; each must end with exit code 1
}

// in are tests of a package.
func in(pkg, tests string) killer { return killer{pkg: pkg, tests: tests} }

// check are runs of pimflow with --check on given machines.
func check(line string, machines ...string) (k killer) {
	k.pkg = "cmd/pimflow"
	for _, m := range machines {
		k.runs = append(k.runs, line+" --machine "+m)
	}
	return k
}

func (k killer) String() string {
	switch {
	case k.runs != nil:
		return strings.Join(k.runs, "; ")
	case k.tests == "":
		return k.pkg
	}
	return k.pkg + " " + k.tests
}

// kib bounds the memory of what runs under a fault, which may append without end.
const kib = 8 << 20

// slowest is how long tests may take under a fault at least (estimated: one minute is many times
// what the tests of a package take), and slower how many times as long as without. A fault under
// which they take longer is killed.
const (
	slowest = time.Minute
	slower  = 4
)

// errBuild is wrapped by the error of a package that does not build.
var errBuild = errors.New("does not build")

// build builds the killer's program; the overlay may be "".
func (k killer) build(ctx context.Context, root, folder, overlay string) (binary string, err error) {
	binary = filepath.Join(folder, "binary")
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w"}
	if k.runs != nil {
		args = []string{"build"}
	}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-o", binary, "./"+k.pkg)...)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s %w: %v\n%s", k.pkg, errBuild, err, text)
	}
	if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("%s has no tests", k.pkg)
	}
	return binary, nil
}

// result is how a killer's program ended.
type result struct {
	passed bool
	how    string // the test that failed first, or another end
	took   time.Duration
}

var (
	failed   = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	panicked = regexp.MustCompile(`(?m)^(?:panic|fatal error): (.{1,60})`)
)

// run runs the killer's program for at most a time.
func (k killer) run(ctx context.Context, root, binary string, limit time.Duration) (result, error) {
	start := time.Now()
	if k.runs != nil {
		for _, line := range k.runs {
			text, code, err := limited(ctx, root, limit, binary, strings.Fields(line)...)
			if err != nil {
				return result{}, err
			}
			if code == 0 {
				return result{passed: true, how: line, took: time.Since(start)}, nil
			}
			if code != 1 && !panicked.MatchString(text) {
				return result{}, fmt.Errorf("%s: exit code %d, want 0 or 1\n%s", line, code, text)
			}
		}
		return result{how: "--check", took: time.Since(start)}, nil
	}
	args := []string{"-test.short", "-test.failfast", "-test.run", k.tests, "-test.timeout", limit.String()}
	text, code, err := limited(ctx, filepath.Join(root, k.pkg), limit+10*time.Second, binary, args...)
	switch m, p := failed.FindStringSubmatch(text), panicked.FindStringSubmatch(text); {
	case err != nil:
		return result{}, err
	case code == 0 && strings.Contains(text, "no tests to run"):
		return result{}, fmt.Errorf("%s: no such test", k)
	case code == 0:
		return result{passed: true, took: time.Since(start)}, nil
	case m != nil:
		return result{how: m[1], took: time.Since(start)}, nil
	case p != nil:
		return result{how: p[1], took: time.Since(start)}, nil
	}
	return result{how: fmt.Sprintf("exit code %d", code), took: time.Since(start)}, nil
}

// limited runs a program with bounded memory and time.
func limited(ctx context.Context, dir string, limit time.Duration, name string, args ...string) (text string, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", fmt.Sprintf(`ulimit -v %d; exec "$0" "$@"`, kib), name}, args...)...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=true") // what a fault fails on is no test case
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return string(out), cmd.ProcessState.ExitCode(), err
}
