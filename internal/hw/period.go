package hw

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Period is a clock period in picoseconds, an exact fraction in lowest terms:
// "8000/7" or 625.
type Period struct{ Num, Den int64 }

// maxPeriod bounds both parts of a fraction: 1 s, far from overflow.
const maxPeriod = 1_000_000_000_000

// ParsePeriod reads the text that String prints. The fraction must be positive and each part
// at most 1e12.
func ParsePeriod(text string) (Period, error) {
	num, den, fraction := strings.Cut(text, "/")
	if !fraction {
		den = "1"
	}
	n, err1 := strconv.ParseUint(num, 10, 63)
	d, err2 := strconv.ParseUint(den, 10, 63)
	if err1 != nil || err2 != nil || n == 0 || d == 0 || n > maxPeriod || d > maxPeriod {
		return Period{}, fmt.Errorf("%.80q: picoseconds wanted, a positive whole number or a fraction as 8000/7", text)
	}
	a, b := int64(n), int64(d)
	for b != 0 {
		a, b = b, a%b
	}
	return Period{int64(n) / a, int64(d) / a}, nil
}

// String prints the fraction, or the whole number.
func (p Period) String() string {
	if p.Den == 1 {
		return strconv.FormatInt(p.Num, 10)
	}
	return fmt.Sprintf("%d/%d", p.Num, p.Den)
}

// PS is the duration of ck ≥ 0 cycles in picoseconds, rounded to the nearest. It saturates at
// the largest int64.
func (p Period) PS(ck int64) int64 {
	hi, lo := bits.Mul64(uint64(ck), uint64(p.Num))
	lo, carry := bits.Add64(lo, uint64(p.Den/2), 0)
	if hi += carry; hi >= uint64(p.Den) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(p.Den))
	return int64(min(q, math.MaxInt64))
}

// GHz is the frequency in cycles a nanosecond.
func (p Period) GHz() float64 { return 1e3 * float64(p.Den) / float64(p.Num) }

// Picoseconds is the period as a float, for display.
func (p Period) Picoseconds() float64 { return float64(p.Num) / float64(p.Den) }

// Cycles is the number of cycles in ps picoseconds, rounded to the nearest.
func (p Period) Cycles(ps int64) int64 {
	return int64(math.Round(float64(ps) * float64(p.Den) / float64(p.Num)))
}
