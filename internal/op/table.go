package op

// tables lists every operator, grouped as the files of this package are.
var tables = [][]Op{unaryOps, binaryOps}
