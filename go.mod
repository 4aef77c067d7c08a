module pimflow

go 1.26.0

require (
	github.com/agnivade/levenshtein v1.2.2
	github.com/x448/float16 v0.8.4
)
