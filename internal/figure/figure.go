package figure

// Figure is a picture before it has a size: panels, the key to their series, and a title.
type Figure struct {
	Title  string  `json:"title,omitempty"`
	Keys   []Key   `json:"keys,omitempty"`   // the legend
	Shades *Shades `json:"shades,omitempty"` // the key of boxes that have a Shade; nil: none has
	Panels []Panel `json:"panels"`
	Beside bool    `json:"beside,omitempty"` // panels may stand beside each other
}

// Key is an entry of the legend.
type Key struct {
	Name  string `json:"name"`
	Style int    `json:"style"`
	Kind  string `json:"kind"` // box, line or mark
}

// The kinds of keys.
const (
	boxKey  = "box"
	lineKey = "line"
	markKey = "mark"
)

// Shades is the range of numbers that shades stand for.
type Shades struct {
	Label string  `json:"label"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Panel is a pair of axes and what is between them.
type Panel struct {
	Title string  `json:"title,omitempty"`
	X     Axis    `json:"x"`
	Y     Axis    `json:"y"`
	Boxes []Box   `json:"boxes,omitempty"`
	Lines []Line  `json:"lines,omitempty"`
	Rule  float64 `json:"rule,omitempty"` // a dashed line across at this y; 0: none
}

// Group is a name below those of some categories: from the first to before the last.
type Group struct {
	Name string `json:"name"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// Axis is the range of an axis: of numbers or, with names, of categories at 0, 1, 2 and so on.
type Axis struct {
	Label  string    `json:"label"`
	Names  []string  `json:"names,omitempty"`
	Groups []Group   `json:"groups,omitempty"` // of names
	Low    float64   `json:"low"`
	High   float64   `json:"high"`
	Log    bool      `json:"log,omitempty"`
	At     []float64 `json:"at,omitempty"` // where ticks should be; nil: at round numbers
}

// Box is a rectangle, in the numbers of the axes.
type Box struct {
	X0    float64 `json:"x0"`
	X1    float64 `json:"x1"`
	Y0    float64 `json:"y0"`
	Y1    float64 `json:"y1"`
	Style int     `json:"style"`
	Shade float64 `json:"shade,omitempty"` // from 0 to 1; Style is -1 then
	Span  *Span   `json:"span,omitempty"`  // of Y1
	Text  string  `json:"text,omitempty"`  // shown where there is room
}

// Span is an interval: the error bar.
type Span struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Line is a series of points.
type Line struct {
	Style  int     `json:"style"`
	Points []Point `json:"points"`
	Bare   bool    `json:"bare,omitempty"`   // no markers
	Apart  bool    `json:"apart,omitempty"`  // no line between the points
	Hollow bool    `json:"hollow,omitempty"` // small markers
	Shift  float64 `json:"shift,omitempty"`  // points to the right, so that intervals of several lines are seen
	Steps  bool    `json:"steps,omitempty"`  // at right angles, first to the right
}

// Point is a point of a line.
type Point struct {
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Span *Span   `json:"span,omitempty"` // of Y
}
