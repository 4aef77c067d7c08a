module pimflow/ortcheck

go 1.26.0

require (
	github.com/yalue/onnxruntime_go v1.27.0
	golang.org/x/sys v0.49.0
	google.golang.org/protobuf v1.36.12
	pimflow v0.0.0
)

require (
	github.com/agnivade/levenshtein v1.2.2 // indirect
	github.com/google/renameio/v2 v2.0.2 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	golang.org/x/image v0.47.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace pimflow => ../
