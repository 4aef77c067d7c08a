package main

import (
	"context"
	"io"
	"testing"
	"path/filepath"
	"os"
	"fmt"

	"github.com/spf13/pflag"
	"pimflow/internal/space"
	"pimflow/internal/result"
)

func TestProf(t *testing.T) {
	spec, err := space.Load(os.Getenv("SPEC"))
	if err != nil { t.Fatal(err) }
	s, err := space.New(spec)
	if err != nil { t.Fatal(err) }
	f := &queueFlags{}
	f.add(pflag.NewFlagSet("", pflag.ContinueOnError))
	f.store = filepath.Join(t.TempDir(), "store")
	known := 0
	by, err := inQueue{f, func(text string) { t.Error(text) }}.open(t.Context())
	if err != nil { t.Fatal(err) }
	name := filepath.Join(t.TempDir(), "rows.csv")
	err = sweepSpace(context.Background(), s, counted{by, &known}, name, io.Discard, os.Stdout)
	by.close()
	if err != nil { t.Fatal(err) }
	n := map[string]int{}
	result.Read(name, func(r *result.Row) error { n[r.Search]++; return nil })
	fmt.Println(n)
}
