// Package queue is the engine of a sweep: it evaluates jobs on any number of workers and hands their rows back in order.
//
// A coordinator (Sweep) puts blocks of jobs into a work queue; workers (Work) take them, evaluate job after job, store each
// result under the job's key, and acknowledge a block when all its results are stored. Queue, results and files lie in
// NATS JetStream: in a server of this process, whose files are in a folder, or in one that many machines reach.
//
//	          blocks, work queue                   results, by key
//	Sweep ───▶ pimflow.job.VERSION.BLOCK ───▶ Work ───▶ pimflow-results ───▶ Sweep ──▶ rows in order
//	  └──────▶ pimflow-files, by SHA-256 ──────┘
//
// Coordinator, workers and server may be killed at any moment: what was stored stays, and at most the jobs in flight are
// evaluated again. The package does not know what a job is about: an Evaluator does.
//
// In the literature: master-worker with a durable work queue; at-least-once delivery with idempotent tasks.
package queue
