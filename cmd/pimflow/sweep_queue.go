package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pimflow/internal/dispatch"
	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/queue"
	"pimflow/internal/result"
	"pimflow/internal/space"
)

// queueFlags are those of a sweep's engine, and of the script that starts it elsewhere.
type queueFlags struct {
	clusterFlags
	store, listen, announce string
	emit                    string
	plan                    dispatch.Plan
}

// scripted are the flags that a script does not pass on: it has its own.
var scripted = []string{"emit", "emit-workers", "emit-cpus", "emit-image", "nats", "listen", "announce", "store"}

func (f *queueFlags) add(fl *pflag.FlagSet) {
	f.clusterFlags.add(fl)
	fl.StringVar(&f.store, "store", "", "folder of the results, which later sweeps find again (default: in the user's cache)")
	fl.StringVar(&f.listen, "listen", "", "HOST:PORT where the workers of other machines reach this process, with the user and the password of NATS_USER and NATS_PASSWORD; port 0: any")
	fl.StringVar(&f.announce, "announce", "", "write the address of --listen to this file")
	fl.StringVar(&f.emit, "emit", "", "print a script that runs this sweep on a cluster, slurm or kubernetes, and evaluate nothing")
	fl.IntVar(&f.plan.Workers, "emit-workers", 10, "workers of that script")
	fl.IntVar(&f.plan.CPUs, "emit-cpus", 8, "processors of each worker of that script")
	fl.StringVar(&f.plan.Image, "emit-image", "", "image that has pimflow, for kubernetes")
}

// script prints the script of --emit.
func (f *queueFlags) script(c *cobra.Command, args []string) error {
	if f.login.URL == "" && f.login.Context != "" {
		return fault.Usagef("--emit with --nats-context: --nats wanted, the server that all machines reach")
	}
	f.plan.Args = append([]string{"sweep"}, args...)
	f.plan.Server = f.login.URL
	c.Flags().Visit(func(fl *pflag.Flag) {
		for _, s := range scripted {
			if fl.Name == s {
				return
			}
		}
		values := []string{fl.Value.String()}
		if v, ok := fl.Value.(pflag.SliceValue); ok {
			values = v.GetSlice()
		}
		for _, v := range values {
			to := &f.plan.Args
			if strings.HasPrefix(fl.Name, "nats-") && f.login.URL != "" { // of workers, too
				to = &f.plan.Login
			}
			*to = append(*to, "--"+fl.Name+"="+v)
		}
	})
	return dispatch.Script(c.OutOrStdout(), f.emit, &f.plan)
}

// engine evaluates points.
type engine interface {
	// run evaluates tasks, and emits a row for each in their order; cached says that it was known before. A point that has no
	// result is a row with its error. It ends with the first error of emit or of the context.
	run(ctx context.Context, tasks iter.Seq[space.Task], emit func(r *result.Row, cached bool) error) error
}

// inQueue is the engine of a sweep whose work is in a queue.
type inQueue struct {
	*queueFlags
	warn func(string)
}

// connect finds the store of the server that is named, or of one that it starts. done ends both.
func (e inQueue) connect(ctx context.Context) (store *queue.Store, done func(), err error) {
	if e.remote() {
		return e.connectRemote(ctx)
	}
	listen, err := e.listener(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, remove, err := e.serve(ctx, listen)
	if err != nil {
		return nil, nil, err
	}
	store, end, err := s.Store(ctx, version(), e.warn)
	if err == nil && e.announce != "" {
		if err = announce(ctx, e.announce, s); err != nil {
			end()
		}
	}
	if err != nil {
		s.Close()
		remove()
		return nil, nil, err
	}
	return store, func() { end(); s.Close(); remove() }, nil
}

// connectRemote is connect to a server that is named.
func (e inQueue) connectRemote(ctx context.Context) (*queue.Store, func(), error) {
	if e.store != "" || e.listen != "" {
		return nil, nil, fault.Usagef("--store and --listen are for a sweep that has its own server: leave them out with --nats")
	}
	nc, err := e.dial(ctx, e.warn)
	if err != nil {
		return nil, nil, err
	}
	s, err := e.openStore(ctx, nc, away, e.warn)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return s, nc.Close, nil
}

// serve starts a server in the folder of --store. Where none is named and that of the user cannot be used, the results are not
// kept.
func (e inQueue) serve(ctx context.Context, listen *queue.Listen) (s *queue.Server, remove func(), err error) {
	in := func(folder string) (*queue.Server, error) {
		return within(ctx, func() (*queue.Server, error) { return queue.Serve(folder, listen) })
	}
	folder, err := userFolder(e.store, "results")
	if err == nil {
		s, err = in(folder)
	}
	if err == nil || e.store != "" || ctx.Err() != nil {
		return s, func() {}, err
	}
	e.warn(fmt.Sprintf("the results are not kept for later sweeps: %v", err))
	if folder, err = os.MkdirTemp("", "pimflow-"); err != nil {
		return nil, nil, err
	}
	remove = func() { os.RemoveAll(folder) }
	if s, err = in(folder); err != nil {
		remove()
	}
	return s, remove, err
}

// listener is where --listen says; nil for nowhere.
func (e inQueue) listener(ctx context.Context) (*queue.Listen, error) {
	if e.listen == "" {
		if e.announce != "" {
			return nil, fault.Usagef("--announce %s: --listen wanted, too", e.announce)
		}
		return nil, nil
	}
	host, text, err := net.SplitHostPort(e.listen)
	port, bad := strconv.Atoi(text)
	if err != nil || bad != nil || port < 0 || port > 65535 {
		return nil, fault.Usagef("--listen %.80q: HOST:PORT wanted, as 0.0.0.0:4222", e.listen)
	}
	if port == 0 {
		port = -1 // any
	}
	l := &queue.Listen{Host: host, Port: port, User: os.Getenv("NATS_USER"), Password: os.Getenv("NATS_PASSWORD"), Cert: e.login.Cert, Key: e.login.Key}
	if l.User == "" || l.Password == "" {
		return nil, fault.Usagef("--listen: a user and a password, in NATS_USER and NATS_PASSWORD, wanted")
	}
	return l, l.Check(ctx)
}

// announce writes where other machines reach a server.
func announce(ctx context.Context, file string, s *queue.Server) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	return files.Write(ctx, files.File{Name: file, Write: func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "nats://%s:%d\n", host, s.Port())
		return err
	}})
}

// evaluation is an engine at work: a store, and workers until it is closed.
type evaluation struct {
	store  *queue.Store
	jobs   *dispatch.Jobs
	upload bool
	ctx    context.Context // ends with the workers' error, which is then its cause
	close  func()
}

// open starts an engine. What it evaluates ends with ctx.
func (e inQueue) open(ctx context.Context) (*evaluation, error) {
	s, done, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	v := &evaluation{store: s, jobs: &dispatch.Jobs{Version: version()}, upload: e.remote() || e.listen != ""}
	cache, err := e.files()
	if err != nil && e.remote() { // else all files are on this machine
		done()
		return nil, err
	}
	cache.Local = &v.jobs.Files
	w, err := e.worker(s, cache)
	if err != nil {
		done()
		return nil, err
	}
	working, stop := context.WithCancelCause(ctx)
	var workers sync.WaitGroup
	if !e.remote() || e.parallel > 0 {
		workers.Go(func() {
			defer wide()()
			if _, err := s.Work(working, w); err != nil {
				stop(err)
			}
		})
	}
	v.ctx, v.close = working, func() { stop(nil); workers.Wait(); done() }
	return v, nil
}

// run implements engine. Several may run at once.
func (v *evaluation) run(ctx context.Context, tasks iter.Seq[space.Task], emit func(*result.Row, bool) error) error {
	both, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(v.ctx, stop)()
	o := queue.Sweep{Files: &v.jobs.Files, Upload: v.upload}
	tasks, emit = named(tasks, emit)
	err := v.store.Sweep(both, o, v.jobs.Works(both, tasks), emit)
	if err != nil && v.ctx.Err() != nil && ctx.Err() == nil {
		return context.Cause(v.ctx)
	}
	return err
}

// named gives rows the names of their points, which may be paths of this machine.
func named(tasks iter.Seq[space.Task], emit func(*result.Row, bool) error) (iter.Seq[space.Task], func(*result.Row, bool) error) {
	var points []space.Point // without a row
	noting := func(yield func(space.Task) bool) {
		for t := range tasks {
			points = append(points, t.Point)
			if !yield(t) {
				return
			}
		}
	}
	return noting, func(r *result.Row, known bool) error {
		r.Model, r.Machine, r.GPU = points[0].Model, points[0].Machine, points[0].GPU
		points = points[1:]
		return emit(r, known)
	}
}
