package page

import (
	"fmt"
	"strings"
)

// colour is a colour of the page by its variable in the style, on light and on dark paper. Hue says who: blue the GPU, orange the PIM, grey
// the GPU alone. Strength says what: pale launching or standby, middle moving, strong computing. Ink is the plan as a whole.
type colour struct{ name, light, dark string }

var palette = []colour{
	{"paper", "#ffffff", "#14171b"}, {"wash", "#f5f6f8", "#1b1f24"}, {"rule", "#dde1e6", "#2e343b"},
	{"ink", "#1a1d21", "#e9ebee"}, {"soft", "#565e68", "#a9b1bb"}, {"faint", "#6a737d", "#8a939e"},
	{"g1", "#d3e3f5", "#1f3a59"}, {"g2", "#7fabdb", "#3669a3"}, {"g3", "#1d5fa6", "#7fb8f5"}, {"gt", "#1a5797", "#8cbef5"},
	{"p1", "#fbe0c6", "#4d3116"}, {"p2", "#eea564", "#99551d"}, {"p3", "#c2570c", "#f9a25b"}, {"pt", "#a34706", "#f9ae70"},
	{"a1", "#dde1e6", "#363d45"}, {"a2", "#b3bac2", "#5d6670"}, {"a3", "#68707a", "#8d96a1"},
}

// texts are the pairs of colours that text is drawn in, on what.
var texts = [][2]string{
	{"ink", "paper"}, {"soft", "paper"}, {"faint", "paper"}, {"gt", "paper"}, {"pt", "paper"}, {"ink", "wash"}, {"soft", "wash"},
	{"ink", "g1"}, {"ink", "g2"}, {"paper", "g3"}, {"ink", "p1"}, {"ink", "p2"}, {"paper", "p3"},
	{"ink", "a1"}, {"ink", "a2"}, {"paper", "a3"}, {"paper", "ink"},
}

// colours is the palette as style.
func colours() string {
	var light, dark strings.Builder
	for _, c := range palette {
		fmt.Fprintf(&light, "--%s:%s;", c.name, c.light)
		fmt.Fprintf(&dark, "--%s:%s;", c.name, c.dark)
	}
	return ":root{" + light.String() + "color-scheme:light dark}@media (prefers-color-scheme:dark){:root{" + dark.String() + "}}" +
		"@media print{:root{" + light.String() + "}}"
}
