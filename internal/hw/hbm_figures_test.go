package hw

import "testing"

// TestHBMFigures: peaks and rates of a pseudo-channel, by hand: 8 units of 16 lanes, two operations each 4 ns; inside, four times the pins. At
// 2.4 Gb/s a cube of 16 has the published 1.2 TFLOP/s (HBM-PIM, ISSCC 2021).
func TestHBMFigures(t *testing.T) {
	for _, c := range []struct {
		machine string
		set     []string
		key     string
		want    float64
	}{
		{"hbm-pim", nil, "pim_peak_gflop_per_s_of_a_channel", 64},
		{"hbm-pim", nil, "internal_gb_per_s_of_a_channel", 64},
		{"hbm-pim", nil, "channel_gb_per_s_from_pim", 16},
		{"hbm-pim", nil, "memory_gb_per_s", 1024},
		{"hbm-pim", nil, "capacity_gb", 64 * 16 * 16384 * 1024 / 1e9},
		{"hbm-pim", nil, "pim_capacity_gb", 32 * 16 * 16377 * 1024 / 1e9},
		{"newton", nil, "pim_capacity_gb", 16 * 16 * 16384 * 2048 / 1e9},
		{"hbm-pim", nil, "mac_cadence_ck", 4},
		{"hbm-pim", []string{"memory.channel_gb_per_s=19.2", "memory.pim_channels=16"}, "pim_peak_gflop_per_s", 1228.8},
		{"hbm3-pim", nil, "mac_cadence_ck", 6},
		{"hbm3-pim", []string{"pim.timing.ccdab_ck=4"}, "pim_peak_gflop_per_s_of_a_channel", 83.2},
	} {
		m, err := Load(c.machine)
		if err == nil {
			m, err = m.Set(c.set...)
		}
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range m.Figures() {
			if f.Key == c.key {
				found = true
				if d := f.Value/c.want - 1; d > 1e-9 || d < -1e-9 {
					t.Errorf("%s %v: %s %v: %v wanted", c.machine, c.set, c.key, f.Value, c.want)
				}
			}
		}
		if !found {
			t.Errorf("no figure %s", c.key)
		}
	}
}
