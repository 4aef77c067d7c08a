package jsontext

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

type Inner struct {
	Whole int `json:"whole"`
}

type sample struct {
	Inner
	Clocks struct {
		GPU float64 `json:"gpu_ps"`
	} `json:"clocks"`
	Layers []struct {
		Name string `json:"name"`
	} `json:"layers"`
	Exact bool     `json:"exact"`
	Bytes uint     `json:"bytes"`
	Bound *float64 `json:"bound"`
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "it is empty: JSON wanted",
		" \n":                             "it is empty: JSON wanted",
		"\ufeff":                          "it is empty: JSON wanted",
		`{"clocks":`:                      "it ends early: the end of the JSON wanted",
		`{"clocks":{}`:                    "it ends early: the end of the JSON wanted",
		"{\n\"clocks\": \"x\"}":           "byte 15, line 2, key clocks: an object wanted, not a text",
		`{"clocks":{"gpu_ps":[1]}}`:       "byte 21, key clocks.gpu_ps: a finite number wanted, not a list",
		`{"clocks":{"gpu_ps":1e999}}`:     "byte 25, key clocks.gpu_ps: a finite number wanted, not 1e999",
		`{"whole":1.5}`:                   "byte 12, key whole: a whole number wanted, not 1.5",
		`{"layers":{}}`:                   "byte 11, key layers: a list wanted, not an object",
		`{"layers":[{"name":true}]}`:      "byte 23, key layers.name: a text wanted, not true or false",
		`{"exact":1}`:                     "byte 10, key exact: true or false wanted, not a number",
		`{"bytes":-1}`:                    "byte 11, key bytes: a whole number of 0 or more wanted, not -1",
		`{"bound":"x"}`:                   "byte 12, key bound: a finite number wanted, not a text",
		`[]`:                              "byte 1: an object wanted, not a list",
		"{\"exact\": true,\n\"bytes\" 1}": `byte 25, line 2: it is no JSON: '1' is not expected`,
		`{"exact": NaN}`:                  `byte 11: it is no JSON: 'N' is not expected`,
		"{} {}":                           `byte 4: it is no JSON: '{' is not expected`,
		"\xff":                            "byte 1: it is no JSON",
	} {
		var s sample
		if err := Decode([]byte(text), &s); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	var s sample
	if err := Decode([]byte("\ufeff{\"whole\": 3, \"other\": 1}\n"), &s); err != nil || s.Whole != 3 {
		t.Errorf("with a byte order mark: %v, %v", s.Whole, err)
	}
}

func TestWords(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(`{"totel": 1}`))
	d.DisallowUnknownFields()
	if got := Words([]byte(`{"totel": 1}`), d.Decode(&sample{})); got != "key totel is not known" {
		t.Error(got)
	}
	if got := Words([]byte(`{"a": 1}`), errors.New("a: an object of\nnumbers wanted")); got != "a: an object of numbers wanted" {
		t.Error(got)
	}
}

func TestStrict(t *testing.T) {
	for text, want := range map[string]string{
		`{"totel": 1}`:                      "key totel is not known",
		`{"whole": 1} {}`:                   "byte 14: more after the end of the JSON: nothing wanted",
		`{"whole": 1, "whole": 2}`:          "key whole: twice, once wanted",
		`{"whole": 1`:                       "it ends early: the end of the JSON wanted",
		`{"whole": "x"}`:                    "byte 13, key whole: a whole number wanted, not a text",
		"\ufeff{\"whole\": 1, \"exact\": x": "byte 23: it is no JSON: 'x' is not expected",
	} {
		if err := Strict([]byte(text), &sample{}); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	var s sample
	if err := Strict([]byte("\ufeff{\"whole\": 3}\n"), &s); err != nil || s.Whole != 3 {
		t.Errorf("%v, %v", s.Whole, err)
	}
}

func TestMembers(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeff" + `{"a": 1, "b": [2]}`:   "a=1 b=[2]",
		`{}`:                              "",
		``:                                "it is empty: JSON wanted",
		`[1]`:                             "byte 1: an object wanted, not a list",
		` null`:                           "byte 5: an object wanted, not null",
		`7`:                               "byte 1: an object wanted, not a number",
		`{"a": 1, "b"`:                    "a=1 it ends early: the end of the JSON wanted",
		`{"a": 1, b: 2}`:                  "a=1 byte 10: it is no JSON: 'b' is not expected",
		`{"a": 1, "b": x}`:                "a=1 byte 15: it is no JSON: 'x' is not expected",
		`{"a": 1} 2`:                      "a=1 byte 10: more after the end of the JSON: nothing wanted",
		`{"a": 1, "bad": 2, "c": 3}`:      "a=1 bad is refused",
		`{"a": 1, "b": {"a": 2}, "a": 3}`: `a=1 b={"a": 2} key a: twice, once wanted`,
	} {
		got := ""
		err := Members([]byte(text), func(key string, value json.RawMessage) error {
			if key == "bad" {
				return errors.New("bad is refused")
			}
			got += key + "=" + string(value) + " "
			return nil
		})
		if err != nil {
			got += err.Error()
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestOnce(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeff" + `{"schema": "a", "x": {"y": 1, "y": 2}, "schema": "b"}`: "key schema: twice, once wanted",
		`{"a": 1, "b": {"a": 2}}`: "", `[1]`: "", `{"a": 1, "a"`: "key a: twice, once wanted", "": "",
	} {
		got := ""
		if err := Once([]byte(text)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
