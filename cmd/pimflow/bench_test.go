package main

import (
	"context"
	"io"
	"strings"
	"testing"
)

// BenchmarkRun times whole commands in this process.
func BenchmarkRun(b *testing.B) {
	for _, args := range []string{
		"run mobilenet-v2", "run mobilenet-v2 --check", "run efficientnet-b0", "run mnasnet-1.0",
		"run resnet-50", "run resnet-50 --machine newton", "run vgg-16", "run vgg-16 --machine newton", "run vgg-16 --check", "reproduce mobilenet-v2",
	} {
		b.Run(strings.ReplaceAll(args, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				if code := command(context.Background(), strings.Fields(args), io.Discard, io.Discard); code != 0 {
					b.Fatalf("exit code %d", code)
				}
			}
		})
	}
}
