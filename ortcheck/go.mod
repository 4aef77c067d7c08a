module pimflow/ortcheck

go 1.26.0

require (
	github.com/yalue/onnxruntime_go v1.27.0
	google.golang.org/protobuf v1.36.12
	pimflow v0.0.0
)

replace pimflow => ../
