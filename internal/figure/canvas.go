package figure

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/nearest"
)

// formats makes the canvas of each format.
var formats = map[string]func(w, h vg.Length) vg.CanvasWriterTo{
	"svg": func(w, h vg.Length) vg.CanvasWriterTo { return svg{vgsvg.New(w, h)} },
	"png": func(w, h vg.Length) vg.CanvasWriterTo {
		return vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))}
	},
	"pdf": func(w, h vg.Length) vg.CanvasWriterTo {
		fpdf.SetDefaultCreationDate(date) // else bytes differ from run to run
		fpdf.SetDefaultModificationDate(date)
		fpdf.SetDefaultCatalogSort(true)
		return pdf{vgpdf.New(w, h)}
	},
}

// dpi is the resolution of pictures in dots an inch: what journals ask of line art at least.
const dpi = 300

// date is that of every PDF.
var date = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Format returns the format that the name of a file ends with: svg, png or pdf.
func Format(name string) (string, error) {
	known := []string{"svg", "pdf", "png"}
	end := strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
	if formats[end] == nil {
		return "", fault.Usagef("%s: a name that ends in .%s wanted%s", name, strings.Join(known, ", ."), nearest.Hint(end, known))
	}
	return end, nil
}

// Write writes the figure in a format, so many inches wide and as high as it needs to be.
func (f *Figure) Write(w io.Writer, format string, inches float64) error {
	if format == "pdf" { // its fonts are made in temporary files
		done, err := elsewhere()
		if err != nil {
			return err
		}
		defer done()
	}
	across := vg.Length(inches) * vg.Inch
	l := f.layout(across)
	c := formats[format](across, l.height)
	l.draw(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

// elsewhere lets temporary files be made in a folder that does not outlive the process.
func elsewhere() (done func(), err error) {
	const variable = "TMPDIR"
	folder, remove, err := files.Folder()
	if err != nil {
		return nil, err
	}
	before, there := os.LookupEnv(variable)
	if err := os.Setenv(variable, folder); err != nil {
		remove()
		return nil, err
	}
	return func() {
		if there {
			os.Setenv(variable, before)
		} else {
			os.Unsetenv(variable)
		}
		remove()
	}, nil
}

// svg is a canvas whose texts are as wide in any font as they are in Liberation Sans, and set in what is like it.
type svg struct{ *vgsvg.Canvas }

// svgText is a text as vgsvg writes it: its place, the style of its font and the rest of its style, and its letters.
var svgText = regexp.MustCompile(`(<text x="[^"]*" y="[^"]*" transform="scale\(1, -1\)")\s+style="font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;([^"]*)">([^<]*)</text>`)

func (s svg) WriteTo(w io.Writer) (int64, error) {
	b := &bytes.Buffer{}
	if _, err := s.Canvas.WriteTo(b); err != nil {
		return 0, err
	}
	data := svgText.ReplaceAllFunc(b.Bytes(), func(text []byte) []byte {
		m := svgText.FindSubmatch(text)
		wide := width(html.UnescapeString(string(m[3])))
		return fmt.Appendf(nil, `%s textLength="%.2f" lengthAdjust="spacingAndGlyphs" style="font-family:Liberation Sans,Arial,Helvetica,sans-serif;%s">%s</text>`, m[1], wide, m[2], m[3])
	})
	n, err := w.Write(data)
	return int64(n), err
}

// pdf is a canvas that takes text in UTF-8, not in the code page of its font.
type pdf struct{ *vgpdf.Canvas }

func (p pdf) FillString(f font.Face, at vg.Point, s string) {
	var codes []byte
	for _, r := range s {
		if r == dots {
			r = 0x85
		}
		if r > 0xFF {
			panic(fmt.Sprintf("figure: %q is not plain", s))
		}
		codes = append(codes, byte(r))
	}
	p.Canvas.FillString(f, at, string(codes))
}
