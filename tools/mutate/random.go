package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// packages are those that faults are drawn from: what decides values, times, energies, bounds and
// plans. Each has the same chance, whatever its size.
var packages = []string{
	"internal/op", "internal/graph", "internal/plan", "internal/candidate", "internal/bound", "internal/search", "internal/search/local",
	"internal/run", "internal/pim", "internal/dram", "internal/gpu", "internal/device", "internal/program", "internal/memory",
}

// quick are the tests of a package that are asked first, since others take long.
var quick = map[string]string{
	"internal/search": "^(TestPolicyRows|TestPipelines|TestObjectiveValues|TestObjectivePlans|TestBruteForce|TestExact.*|TestSerial.*|TestAuto|TestDynamic|TestLayers|TestSegments)$",
	"internal/dram":   "^Test(Newton|Aim|Artifact|Check|Mode|Window|Trace|Banks|Shared|Refresh|Overflow|Closed|Errors|OneAfter)",
	"internal/pim":    "^Test(Eval|Epilogue|Products|Parts|Padding|Columns|Accumulators|Shares|Scale|Number|Link|FinishByHand|Energy|Cost|Choice|Terms|Geometry|Access|ReplayTime|ReplayDrawn)",
}

// alone are packages of which no more than the quick tests are asked: their others plan whole networks
// for minutes.
var alone = []string{"internal/search"}

// asked are the tests that are asked of a package, one after the other.
func asked(pkg string) (first killer, more []killer) {
	first = in(pkg, quick[pkg])
	if first.tests != "" && !slices.Contains(alone, pkg) {
		more = []killer{in(pkg, "")}
	}
	return first, more
}

// drawn are the faults that operators make of the packages, in random order, package after
// package in turn.
func drawn(rng *rand.Rand) (list []fault, err error) {
	by := make([][]fault, len(packages))
	most := 0
	for i, pkg := range packages {
		if by[i], err = sites(pkg); err != nil {
			return nil, err
		}
		rng.Shuffle(len(by[i]), func(a, b int) { by[i][a], by[i][b] = by[i][b], by[i][a] })
		most = max(most, len(by[i]))
	}
	for k := range most {
		for i := range by {
			if k < len(by[i]) {
				list = append(list, by[i][k])
			}
		}
	}
	return list, nil
}

// sites are all faults that operators make of a package.
func sites(pkg string) (list []fault, err error) {
	entries, err := fs.Glob(os.DirFS("."), pkg+"/*.go")
	if err != nil {
		return nil, err
	}
	for _, file := range entries {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			return nil, err
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range tree.Decls {
			name := ""
			if fn, ok := decl.(*ast.FuncDecl); ok {
				name = fn.Name.Name
			}
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
				continue
			}
			m := &maker{text: string(text), base: set.File(tree.Pos()).Base(), add: func(at int, context, old, new string) {
				f := fault{what: describe(name, context, old, new), file: file, old: old, new: new, at: at}
				f.killer, f.more = asked(pkg)
				list = append(list, f)
			}}
			ast.Inspect(decl, m.visit)
		}
	}
	return list, nil
}

// describe says what is changed and where: in which function and in which line of code.
func describe(function, line, old, new string) string {
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if new == "" {
		new = "nothing"
	}
	s := fmt.Sprintf("%s => %s", flat(old), flat(new))
	if line = flat(line); line != flat(old) {
		s += " in " + line
	}
	if function != "" {
		s = function + ": " + s
	}
	return s
}

// unseen are calls whose arguments are left alone: words for people, and numbers of which only the sign
// or the capacity counts.
var unseen = []string{"panic", "fmt.Sprintf", "fmt.Errorf", "errors.New", "math.Inf", "make", "rand.NewPCG"}

// maker makes the faults of a syntax tree.
type maker struct {
	text string
	base int // of positions
	add  func(at int, context, old, new string)
}

// exchanged is what operators are exchanged for.
var exchanged = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
	token.LAND: token.LOR, token.LOR: token.LAND, token.SHL: token.SHR, token.SHR: token.SHL, token.AND: token.OR, token.OR: token.AND,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN, token.MUL_ASSIGN: token.QUO_ASSIGN, token.QUO_ASSIGN: token.MUL_ASSIGN,
	token.INC: token.DEC, token.DEC: token.INC, token.BREAK: token.CONTINUE, token.CONTINUE: token.BREAK,
}

// source is the text of a node.
func (m *maker) source(n ast.Node) string {
	return m.text[int(n.Pos())-m.base : int(n.End())-m.base]
}

// line is the line of code around an offset.
func (m *maker) line(at int) string {
	lo := strings.LastIndexByte(m.text[:at], '\n') + 1
	hi := at + strings.IndexByte(m.text[at:], '\n')
	code, _, _ := strings.Cut(m.text[lo:hi], " // ")
	return code
}

// replace replaces a node by text.
func (m *maker) replace(n ast.Node, by string) {
	at := int(n.Pos()) - m.base
	m.add(at, m.line(at), m.source(n), by)
}

// exchange exchanges an operator at a position.
func (m *maker) exchange(pos token.Pos, tok token.Token) {
	if by, ok := exchanged[tok]; ok {
		at := int(pos) - m.base
		m.add(at, m.line(at), tok.String(), by.String())
	}
}

// visit makes the faults of one node.
func (m *maker) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		m.exchange(n.OpPos, n.Op)
	case *ast.AssignStmt:
		m.exchange(n.TokPos, n.Tok)
		if n.Tok != token.DEFINE {
			m.replace(n, "")
		}
	case *ast.IncDecStmt:
		m.exchange(n.TokPos, n.Tok)
	case *ast.BranchStmt:
		m.exchange(n.TokPos, n.Tok)
	case *ast.ExprStmt:
		m.replace(n, "")
	case *ast.UnaryExpr:
		if n.Op == token.SUB || n.Op == token.NOT {
			m.replace(n, m.source(n.X))
		}
	case *ast.IfStmt:
		m.replace(n.Cond, "!("+m.source(n.Cond)+")")
	case *ast.ForStmt:
		if n.Cond != nil {
			m.replace(n.Cond, "("+m.source(n.Cond)+") && false")
		}
	case *ast.BasicLit:
		if v, err := strconv.ParseInt(n.Value, 0, 64); err == nil && n.Kind == token.INT {
			m.replace(n, strconv.FormatInt(v+1, 10))
		}
	case *ast.CallExpr:
		if slices.Contains(unseen, m.source(n.Fun)) {
			return false
		}
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "min" || f.Name == "max") && len(n.Args) > 1 {
			m.replace(n, m.source(n.Args[0]))
			m.replace(n, m.source(n.Args[1]))
		}
	}
	return true
}
