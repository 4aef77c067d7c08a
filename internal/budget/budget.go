// Package budget bounds the memory that a command takes for the values of networks and pictures. What wants more is refused
// before any of it is allocated.
package budget

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Memory is a number of bytes that may be held at once; 0 is Default.
type Memory int64

// key is the key of a context's Memory.
type key struct{}

// With returns a context under which at most so much memory is taken.
func With(ctx context.Context, m Memory) context.Context { return context.WithValue(ctx, key{}, m) }

// Of is the memory that may be taken under a context.
func Of(ctx context.Context) Memory {
	m, _ := ctx.Value(key{}).(Memory)
	return m
}

// Bytes is the bound as a number.
func (m Memory) Bytes() int64 {
	if m == 0 {
		m = Default()
	}
	return int64(m)
}

// Default is three quarters of the memory that the operating system gives the process (estimated: the rest is for the
// collector and for other processes).
var Default = sync.OnceValue(func() Memory { return Memory(machine() / 4 * 3) })

// unknown is the memory of a machine that does not tell (estimated).
const unknown = 8 << 30

// Holds returns an error if more bytes than the bound are wanted at once. what names who wants them, in the plural.
func (m Memory) Holds(bytes int64, what string) error {
	if bytes <= m.Bytes() {
		return nil
	}
	return fmt.Errorf("%s take %v of memory: at most %v wanted, or another --memory", what, Memory(bytes), Memory(m.Bytes()))
}

// units are those of String and Parse, the largest first.
var units = []struct {
	name  string
	bytes float64
}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}

// others are units that Parse reads beside those.
var others = []struct {
	name  string
	bytes float64
}{{"KB", 1e3}, {"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// String prints three digits at least, as "18.9 GB".
func (m Memory) String() string {
	for _, u := range units {
		if v := float64(m) / u.bytes; v >= 1 && u.bytes > 1 {
			return strconv.FormatFloat(v, 'f', 1, 64) + " " + u.name
		}
	}
	return fmt.Sprintf("%d B", int64(m))
}

// Parse reads what String prints, with or without the space, and the binary units.
func Parse(text string) (Memory, error) {
	for _, u := range slices.Concat(others, units) { // "B" ends them all
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err == nil && v*u.bytes >= 1 && v*u.bytes < 1<<62 {
			return Memory(v * u.bytes), nil
		}
		break
	}
	return 0, fmt.Errorf("memory %.80q: a size as 8GB, 500MB or 2GiB wanted", text)
}
