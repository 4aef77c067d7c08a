package tensor

import "testing"

// TestIntersect: the common part and the hull of boxes, against counting their elements.
func TestIntersect(t *testing.T) {
	ranges := []Range{{0, 0}, {0, 2}, {1, 3}, {2, 4}, {0, 4}, {3, 3}}
	for _, a := range ranges {
		for _, b := range ranges {
			c := Box{{0, 3}, a}.Intersect(Box{{1, 5}, b})
			common := 0
			for i := range 5 {
				if a.Lo <= i && i < a.Hi && b.Lo <= i && i < b.Hi {
					common++
					if i < c[1].Lo || i >= c[1].Hi {
						t.Errorf("%v and %v: %v lacks %d", a, b, c, i)
					}
				}
			}
			if c[0] != (Range{1, 3}) || c[1].Len() != common || c.Size() != 2*common {
				t.Errorf("%v and %v have %v in common, want %d", a, b, c, common)
			}
			h := Box{a}.Hull(Box{b})
			if (a.Len() > 0 && (h[0].Lo > a.Lo || h[0].Hi < a.Hi)) || (b.Len() > 0 && (h[0].Lo > b.Lo || h[0].Hi < b.Hi)) || h[0].Len() > max(a.Hi, b.Hi)-min(a.Lo, b.Lo) {
				t.Errorf("the hull of %v and %v is %v", a, b, h)
			}
		}
	}
}
