package zoo

import "hash/fnv"

// seedOf is the FNV-1a hash of a parameter's network and name: a parameter's
// values do not depend on any other.
func seedOf(network, name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(network + "/" + name))
	return h.Sum64()
}

// uniform returns n values in (-bound, bound) of the generator splitmix64
// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA
// 2014). One rounding a value: the same bits on every platform.
func uniform(seed uint64, n int, bound float32) []float32 {
	v := make([]float32, n)
	step := bound / (1 << 23)
	for i := range v {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		// 24 bits, odd: symmetric around zero and exact in a float32.
		v[i] = float32(int32(z>>40)*2+1-(1<<24)) / 2 * step
	}
	return v
}
