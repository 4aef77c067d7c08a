package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/report"
)

func workerCommand() *cobra.Command {
	var f clusterFlags
	var idle time.Duration
	c := &cobra.Command{
		Use:   "worker --nats URL",
		Short: "Evaluate points of sweeps on other machines",
		Long: `Evaluate points of the sweeps of other machines that have the same NATS server (docs/cluster.md). Any number of workers share
the work; each takes blocks of points, stores each result under its key, and may end at any moment. Only sweeps of a program of
the same version are worked for.

Models, machines and GPUs that are files come from the server, once, and are checked against their SHA-256.`,
		Args: wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if idle < 0 {
				return fault.Usagef("--idle %v: 0 or more wanted", idle)
			}
			if !f.remote() {
				return fault.Usagef("worker: --nats or --nats-context wanted, a NATS server")
			}
			ctx, warn := c.Context(), warner(c.ErrOrStderr())
			nc, err := f.dial(ctx, warn)
			if err != nil {
				return err
			}
			defer nc.Close()
			s, err := f.openStore(ctx, nc, cmp.Or(idle, away), warn)
			if err != nil {
				return err
			}
			cache, err := f.files()
			if err != nil {
				return err
			}
			w, err := f.worker(s, cache)
			if err != nil {
				return err
			}
			w.Idle = idle
			defer wide()()
			count, err := s.Work(ctx, w)
			if quiet(c) {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "pimflow: %s evaluated, %d without a result, %s refused\n", report.Count(int(count.Evaluated), "point"), count.Failed, report.Count(int(count.Refused), "message"))
			return err
		},
	}
	f.add(c.Flags())
	c.Flags().DurationVar(&idle, "idle", 0, "end after so long without work, or without the server; 0: never without work")
	return c
}
