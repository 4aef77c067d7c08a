package ortcheck

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"pimflow/internal/tensor"
)

// version is that of the library which fetch.sh fetches; the lists of deviations
// are true of it.
const version = "1.28.2"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(withLibrary(m))
}

// withLibrary runs the tests with the library; without it they are skipped, but in CI.
func withLibrary(m *testing.M) int {
	lib, err := Library()
	if err != nil {
		fmt.Printf("%v: run ortcheck/fetch.sh, which gets it from npm\n", err)
		if os.Getenv("CI") == "true" {
			return 1
		}
		fmt.Println("SKIP: nothing was compared")
		return 0
	}
	ort.SetSharedLibraryPath(lib)
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		fmt.Printf("%s: %v\n", lib, err)
		return 1
	}
	defer ort.DestroyEnvironment()
	if v := ort.GetVersion(); v != version {
		fmt.Printf("%s: ONNX Runtime %s: %s wanted\n", lib, v, version)
		return 1
	}
	return m.Run()
}

// onnxRuntime computes the outputs of a model. inputs has one tensor a name.
func onnxRuntime(model []byte, names []string, inputs []*tensor.Tensor, outputs []string) (out []*tensor.Tensor, err error) {
	s, err := ort.NewDynamicAdvancedSessionWithONNXData(model, names, outputs, nil)
	if err != nil {
		return nil, err
	}
	defer s.Destroy()
	in := make([]ort.Value, len(inputs))
	for i, x := range inputs {
		if in[i], err = toORT(x); err != nil {
			return nil, err
		}
		defer in[i].Destroy()
	}
	values := make([]ort.Value, len(outputs))
	if err := s.Run(in, values); err != nil {
		return nil, err
	}
	for _, v := range values {
		defer v.Destroy()
		y, err := fromORT(v)
		if err != nil {
			return nil, err
		}
		out = append(out, y)
	}
	return out, nil
}

func toORT(x *tensor.Tensor) (ort.Value, error) {
	if len(x.Shape) == 0 { // the binding has a type of its own for it
		if x.Type != tensor.Float32 {
			return nil, fmt.Errorf("a scalar of %v as input", x.Type)
		}
		return ort.NewScalar(x.Floats()[0])
	}
	var b bytes.Buffer
	if err := x.WriteBytes(&b); err != nil {
		return nil, err
	}
	s := make(ort.Shape, len(x.Shape))
	for i, d := range x.Shape {
		s[i] = int64(d)
	}
	// ONNX Runtime numbers the element types as ONNX does.
	return ort.NewCustomDataTensor(s, b.Bytes(), ort.TensorElementDataType(x.Type))
}

func fromORT(v ort.Value) (*tensor.Tensor, error) {
	s := tensor.Shape{}
	for _, d := range v.GetShape() {
		s = append(s, int(d))
	}
	switch v := v.(type) {
	case *ort.Tensor[float32]:
		return tensor.Floats32(s, copied(v)), nil
	case *ort.Tensor[int64]:
		return tensor.Ints64(s, copied(v)), nil
	case *ort.Tensor[int32]:
		return integers(tensor.Int32, s, v.GetData()), nil
	case *ort.Tensor[int8]:
		return integers(tensor.Int8, s, v.GetData()), nil
	case *ort.Tensor[uint8]:
		return integers(tensor.Uint8, s, v.GetData()), nil
	case *ort.Tensor[bool]:
		y := tensor.New(tensor.Bool, s)
		for i, b := range v.GetData() {
			if b {
				y.Ints()[i] = 1
			}
		}
		return y, nil
	}
	return nil, fmt.Errorf("an output of type %T", v)
}

// copied returns the values, which the runtime's tensor owns.
func copied[T ort.TensorData](v *ort.Tensor[T]) []T {
	return append([]T(nil), v.GetData()...)
}

func integers[T int8 | uint8 | int32](t tensor.Type, s tensor.Shape, v []T) *tensor.Tensor {
	y := tensor.New(t, s)
	for i, x := range v {
		y.Ints()[i] = int64(x)
	}
	return y
}
