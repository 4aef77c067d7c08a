package generator

import (
	"slices"
	"testing"

	"pimflow/internal/dram"
)

// conv is a square layer, 16 PIM channels and up to gw groups.
func square(oc, ic, hw, k, p, s, channels, gw int) Layer {
	return Layer{OC: oc, IC: ic, H: hw, W: hw, KH: k, KW: k, PH: p, PW: p, Stride: s, Channels: channels, Buffers: gw}
}

func cycles(t *testing.T, c *dram.Channel) func(*Code, error) dram.Cycle {
	return func(code *Code, err error) dram.Cycle {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c.Time(code.Channels[0]).Cycles
	}
}

// TestPublishedLayers: cycles of the published tools, run on layers of VGG-16,
// ResNet, MobileNetV2 and MnasNet: without latency hiding at gw 1, with it at
// gw 1, 2 and 4; and the last one's GWRITE, G_ACT0, COMP, READRES and groups.
func TestPublishedLayers(t *testing.T) {
	plain, hiding := cycles(t, artifactChannel(t, false)), cycles(t, artifactChannel(t, true))
	for _, row := range []struct {
		oc, ic, hw, k, p, s int
		cycles              [4]dram.Cycle
		counts              [4]int64
		groups              int
	}{
		{32, 3, 224, 3, 1, 2, [4]dram.Cycle{128284, 72950, 39836, 23596}, [4]int64{196, 196, 3136, 1568}, 4},
		{64, 3, 224, 7, 3, 2, [4]dram.Cycle{745954, 452159, 274156, 161076}, [4]int64{1046, 1046, 31380, 3138}, 4},
		{64, 3, 224, 3, 1, 1, [4]dram.Cycle{541376, 321887, 189797, 123999}, [4]int64{784, 784, 25088, 12544}, 4},
		{16, 32, 112, 1, 0, 1, [4]dram.Cycle{124828, 69236, 36138, 19910}, [4]int64{196, 196, 1568, 784}, 4},
		{96, 16, 112, 1, 0, 1, [4]dram.Cycle{70834, 43456, 27150, 27150}, [4]int64{196, 196, 4704, 4704}, 2},
		{24, 96, 56, 1, 0, 1, [4]dram.Cycle{105872, 61608, 35082, 19682}, [4]int64{157, 157, 2826, 471}, 4},
		{144, 24, 56, 1, 0, 1, [4]dram.Cycle{37740, 24416, 24416, 22169}, [4]int64{49, 147, 4704, 2352}, 4},
		{24, 144, 56, 1, 0, 1, [4]dram.Cycle{171682, 97609, 53664, 29197}, [4]int64{262, 262, 3144, 786}, 4},
		{64, 384, 14, 1, 0, 1, [4]dram.Cycle{33000, 18883, 10739, 6649}, [4]int64{49, 49, 1176, 196}, 4},
		{384, 64, 14, 1, 0, 1, [4]dram.Cycle{9198, 7493, 5644, 5644}, [4]int64{13, 39, 1248, 312}, 2},
		{960, 160, 7, 1, 0, 1, [4]dram.Cycle{10944, 10045, 10045, 10045}, [4]int64{17, 68, 2040, 204}, 1},
		{320, 960, 7, 1, 0, 1, [4]dram.Cycle{36920, 29899, 22561, 19616}, [4]int64{26, 130, 3900, 130}, 4},
		{1280, 320, 7, 1, 0, 1, [4]dram.Cycle{34739, 31068, 31068, 31068}, [4]int64{49, 245, 4900, 245}, 1},
		{64, 64, 56, 1, 0, 1, [4]dram.Cycle{67580, 39884, 23604, 15125}, [4]int64{98, 98, 3136, 784}, 4},
		{256, 64, 56, 1, 0, 1, [4]dram.Cycle{87364, 61832, 61816, 59531}, [4]int64{98, 392, 12544, 3136}, 4},
		{64, 64, 56, 3, 1, 1, [4]dram.Cycle{612360, 364005, 214632, 139467}, [4]int64{882, 882, 28224, 3920}, 4},
		{128, 128, 28, 3, 1, 1, [4]dram.Cycle{339212, 216379, 140011, 139467}, [4]int64{441, 882, 28224, 1960}, 4},
		{256, 256, 14, 3, 1, 1, [4]dram.Cycle{202694, 142478, 139727, 138340}, [4]int64{245, 882, 28224, 980}, 4},
		{512, 512, 7, 3, 1, 1, [4]dram.Cycle{167249, 139857, 139857, 139857}, [4]int64{441, 882, 28224, 882}, 1},
		{2048, 512, 7, 1, 0, 1, [4]dram.Cycle{64280, 60861, 60861, 60861}, [4]int64{49, 392, 12544, 392}, 1},
		{40, 240, 28, 1, 0, 1, [4]dram.Cycle{67068, 39252, 22589, 12834}, [4]int64{98, 98, 2058, 294}, 4},
	} {
		layer := func(gw int) Layer { return square(row.oc, row.ic, row.hw, row.k, row.p, row.s, 16, gw) }
		got := [4]dram.Cycle{
			plain(Conv(layer(1))), hiding(Conv(layer(1))), hiding(Conv(layer(2))), hiding(Conv(layer(4))),
		}
		if got != row.cycles {
			t.Errorf("%v: cycles %d, %d wanted", layer(4), got, row.cycles)
		}
		code, _ := Conv(layer(4))
		n, _ := commandCounts(code.Channels[0])
		if got := [4]int64{n[0], n[1], n[5], n[6]}; got != row.counts || code.Groups[0] != row.groups {
			t.Errorf("%v: counts %d in %d groups, %d in %d wanted", layer(4), got, code.Groups[0], row.counts, row.groups)
		}
	}
}

// TestPublishedChannels: cycles of the published tools for 4, 8, … 32 channels.
func TestPublishedChannels(t *testing.T) {
	time := cycles(t, artifactChannel(t, true))
	for i, want := range [][2]dram.Cycle{
		{238169, 552582}, {118930, 278934}, {89098, 232986}, {59531, 139467}, {58154, 124655}, {45105, 116389}, {45105, 107632}, {30900, 106872},
	} {
		n := 4 * (i + 1)
		got := [2]dram.Cycle{
			time(Conv(square(256, 64, 56, 1, 0, 1, n, 4))), time(Conv(square(64, 64, 56, 3, 1, 1, n, 4))),
		}
		if got != want {
			t.Errorf("%d channels: cycles %d, %d wanted", n, got, want)
		}
	}
}

// TestPublishedGemv: cycles of the published tools without latency hiding at gw
// 1 and with it at gw 4. The last two compute nothing: the generator loses what
// it cannot divide.
func TestPublishedGemv(t *testing.T) {
	plain, hiding := cycles(t, artifactChannel(t, false)), cycles(t, artifactChannel(t, true))
	for _, row := range []struct {
		rows, cols int
		cycles     [2]dram.Cycle
	}{
		{1000, 512, [2]dram.Cycle{581, 518}},
		{1000, 1280, [2]dram.Cycle{1599, 1410}},
		{1000, 2048, [2]dram.Cycle{2661, 2030}},
		{1000, 4096, [2]dram.Cycle{5314, 4768}},
		{4096, 4096, [2]dram.Cycle{20298, 19752}},
		{4096, 25088, [2]dram.Cycle{125017, 122166}},
		{32, 1, [2]dram.Cycle{130, 67}},
		{8, 32, [2]dram.Cycle{96, 33}},
	} {
		got := [2]dram.Cycle{plain(Gemv(row.rows, row.cols, 16, 1, Repairs{})), hiding(Gemv(row.rows, row.cols, 16, 4, Repairs{}))}
		if got != row.cycles {
			t.Errorf("%dx%d: cycles %d, %d wanted", row.rows, row.cols, got, row.cycles)
		}
		if row.cols <= 32 {
			code, _ := Gemv(row.rows, row.cols, 16, 4, Repairs{})
			if n, _ := commandCounts(code.Channels[0]); n[5] != 0 {
				t.Errorf("%dx%d: %d COMP, 0 wanted", row.rows, row.cols, n[5])
			}
		}
	}
}

// TestPublishedGemvChannel: cycles, commands and refreshes of the published simulator
// for a product of 4096x1024 on one channel.
func TestPublishedGemvChannel(t *testing.T) {
	code, err := Gemv(4096, 1024, 1, 1, Repairs{})
	if err != nil {
		t.Fatal(err)
	}
	r := artifactChannel(t, true).Time(code.Channels[0])
	want := []int64{2, 512, 512, 512, 512, 16384, 512, 41, 41} // GWRITE, G_ACT0 to 3, COMP, READRES, PREA, REF
	if r.Cycles != 79333 || !slices.Equal(r.Issued, want) {
		t.Errorf("%d cycles, commands %d: 79333, %d wanted", r.Cycles, r.Issued, want)
	}
}
