package pim

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/device"
	"pimflow/internal/hw"
)

// TestLinkByHand: of 4 channels 2 compute; the GPU has the other 2, of 10 GB/s each, so
// that 20 B pass them in a nanosecond. Clocks are 1 ns.
func TestLinkByHand(t *testing.T) {
	m := &hw.Machine{
		Memory: hw.Memory{Channels: 4, ChannelGBps: 10},
		GPU: hw.GPU{Clock: hw.Period{Num: 1000, Den: 1}, Model: hw.GPUModel{EtaD: 1},
			Energy: hw.GPUEnergy{L2: hw.Range{Value: 2, Low: 1, High: 3}, DRAM: hw.Range{Value: 20, Low: 10, High: 30}}},
		Link: hw.Link{PerByte: 100, Latency: 50, Launch: 300, Memory: true,
			Finish: hw.Finish{PerOp: 500, Energy: hw.Range{Value: 4, Low: 3, High: 5}}},
	}
	for _, c := range []struct {
		name   string
		stream int64 // cycles
		Traffic
		time, ticks int64 // ns
		bound       string
	}{
		{"streams", 1000, Traffic{bytes: 1000, unique: 400, ops: 800}, 400 + 1000, 1400, "mac"},
		{"around", 100, Traffic{bytes: 1000, unique: 400, ops: 800}, 400 + 200, 600, "launch"}, // 800 operations, 400 a channel, take 200 ns
		{"travel", 500, Traffic{bytes: 10000, unique: 400, ops: 800}, 400 + 1000, 1400, "link"},
		{"finish", 500, Traffic{bytes: 1000, unique: 400, ops: 8000}, 400 + 2000, 2400, "finish"},
	} {
		ns := device.Time(1000)
		cost := device.Cost{Time: device.Time(c.stream) * ns, Ticks: c.stream, Bound: "mac"}
		if err := NewLink(m, 2).Charge(&cost, hw.Period{Num: 1000, Den: 1}, c.Traffic); err != nil {
			t.Fatal(err)
		}
		b, u, o := float64(c.bytes), float64(c.unique), float64(c.ops)
		want := device.Cost{
			Time: device.Time(c.time) * ns, Launch: 300 * ns, Memory: device.Time(c.unique) * ns / 20, Ticks: c.ticks, Stream: c.stream, Bound: c.bound,
			Energy: device.Ledger{
				device.GPUL2: {Value: 2 * b, Low: b, High: 3 * b}, device.GPUDRAM: {Value: 20 * u, Low: 10 * u, High: 30 * u},
				device.PIMFinish: {Value: 4 * o, Low: 3 * o, High: 5 * o},
			},
		}
		if d := cmp.Diff(want, cost); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}
