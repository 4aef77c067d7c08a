package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"pimflow/internal/fault"
)

// ownStore is the store of a server of this process, as a sweep has it.
func ownStore(t *testing.T, folder string, warn ...func(string)) (s *Store, end func()) {
	t.Helper()
	warn = append(warn, func(text string) { t.Log(text) })
	srv, err := Serve(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, done, err := srv.Store(t.Context(), version, warn[0])
	if err != nil {
		srv.Close()
		t.Fatal(err)
	}
	return s, func() { done(); srv.Close() }
}

// TestDamage: a byte that is another in the file of the results costs evaluations; the rows are the same.
func TestDamage(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "store")
	s, end := ownStore(t, whole)
	want, _ := run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, points(12))
	end()
	for _, at := range []int64{0, 100, 3000} { // a length, a subject and an entry
		folder := filepath.Join(t.TempDir(), "store")
		if err := os.CopyFS(folder, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		flip(t, filepath.Join(folder, "jetstream", "$G", "streams", resultStream, "msgs", "1.blk"), at)
		for _, evaluated := range []bool{true, false} {
			var told []string
			s, end := ownStore(t, folder, func(text string) { told = append(told, text) })
			got, c := run(t, s, Sweep{patience: 50 * time.Millisecond}, Worker{Evaluator: fake{}, Names: names}, points(12))
			end()
			if lost := fmt.Sprintf("%s: %d results are damaged", folder, c.Evaluated); evaluated != (len(told) == 1 && strings.HasPrefix(told[0], lost)) {
				t.Errorf("byte %d: warnings %q: %q wanted: %v", at, told, lost, evaluated)
			}
			if got != want || (c.Evaluated > 0) != evaluated || c.Failed > 0 {
				t.Errorf("byte %d: %+v, the same rows: %v; evaluations wanted: %v", at, c, got == want, evaluated)
			}
		}
	}
}

// flip changes a byte of a file.
func flip(t *testing.T, file string, at int64) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[at] ^= 0xff
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestInterrupted: blocks that a sweep left in the queue of its own server are not evaluated by the next, and results stay.
func TestInterrupted(t *testing.T) {
	folder := t.TempDir()
	s, end := ownStore(t, folder)
	run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, points(3))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Sweep(ctx, Sweep{}, points(100), lines(new(bytes.Buffer))); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("a sweep without workers:", err)
	}
	end()
	s, end = ownStore(t, folder)
	defer end()
	if _, c := run(t, s, Sweep{}, Worker{Evaluator: fake{}, Names: names}, points(4)); c.Evaluated != 1 {
		t.Errorf("%+v: an evaluation wanted", c)
	}
}

// TestFull: a server of this process that cannot store is an error after a while, which names the folder and the cause.
func TestFull(t *testing.T) {
	s := &Store{folder: filepath.Join(t.TempDir(), "none"), away: 10 * time.Millisecond}
	err := s.try(t.Context(), "result", func(context.Context) error { return context.DeadlineExceeded })
	if err == nil || !strings.Contains(err.Error(), s.folder+": result") || !errors.Is(err, os.ErrNotExist) || fault.Of(err) != fault.Input {
		t.Error(err)
	}
}

// TestCheck: an address in use and those of no machine are errors at once.
func TestCheck(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	used := &Listen{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	if err := used.Check(t.Context()); !errors.Is(err, syscall.EADDRINUSE) || fault.Of(err) != fault.Input {
		t.Error(err)
	}
	for _, host := range []string{"999.1.1.1", "192.0.2.1"} {
		if err := (&Listen{Host: host, Port: 4}).Check(t.Context()); err == nil || fault.Of(err) != fault.Usage {
			t.Error(host, err)
		}
	}
	if err := (&Listen{Host: "127.0.0.1", Port: -1}).Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTaken: an address that is taken after it was looked at is an error at once.
func TestTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	s, err := Serve(t.TempDir(), &Listen{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "a", Password: "b"})
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.HasPrefix(err.Error(), "--listen "+l.Addr().String()) || !strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
	if took := time.Since(began); took > ready/10 {
		t.Errorf("after %v", took)
	}
}

// TestWithoutJetStream: a server that has no queue is an error after the patience.
func TestWithoutJetStream(t *testing.T) {
	srv, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	defer func() { srv.Shutdown(); srv.WaitForShutdown() }()
	nc, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = OpenStore(ctx, nc, version, 50*time.Millisecond, time.Hour, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "-js wanted") || fault.Of(err) != fault.Input {
		t.Error(err)
	}
}
