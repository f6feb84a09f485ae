package protobuf

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/streamlane/connect/converters/internal/registry"
)

// known are the files that every schema may import without a reference, beside
// google/protobuf: what Confluent's ProtobufSchema knows.
//
//go:embed known
var known embed.FS

// rootFile is the name of the file that a schema is.
const rootFile = "schema.proto"

// parse compiles a schema and what it refers to.
func parse(s registry.Resolved) (protoreflect.FileDescriptor, error) {
	sources := map[string]string{rootFile: s.Text}
	for _, part := range s.Parts {
		if part.Type != registry.Protobuf {
			return nil, dataError("schema %d refers to %q, which is of type %s", s.ID, part.Name, part.Type)
		}
		sources[part.Name] = part.Text
	}
	file, err := compile(sources)
	if err != nil && s.ID > 0 {
		return nil, dataError("schema %d: %v", s.ID, err)
	}
	return file, err
}

// compile links a schema.proto with the files that it imports.
func compile(sources map[string]string) (file protoreflect.FileDescriptor, err error) {
	c := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(protocompile.ResolverFunc(func(path string) (protocompile.SearchResult, error) { return find(sources, path) })),
		MaxParallelism: 1,
		SourceInfoMode: protocompile.SourceInfoNone,
	}
	defer func() {
		// A compiler that meets what it did not expect must not end the process.
		if p := recover(); p != nil {
			err = dataError("a Protobuf schema that cannot be compiled: %v", p)
		}
	}()
	files, err := c.Compile(context.Background(), rootFile)
	if err != nil {
		return nil, dataError("a Protobuf schema that cannot be compiled: %v", err)
	}
	return files[0], nil
}

// find returns a file: one of the sources, else a known one.
func find(sources map[string]string, path string) (protocompile.SearchResult, error) {
	text, ok := sources[path]
	if !ok {
		b, err := known.ReadFile("known/" + path)
		if errors.Is(err, fs.ErrNotExist) || err != nil {
			return protocompile.SearchResult{}, fmt.Errorf("import %q is no reference of the schema: %w", path, fs.ErrNotExist)
		}
		text = string(b)
	}
	r, err := withoutDefaults(path, text)
	if err != nil {
		return protocompile.SearchResult{}, err
	}
	return protocompile.SearchResult{ParseResult: r}, nil
}

// withoutDefaults parses a file. Java's converter writes defaults into proto3,
// which has none: they are left out.
func withoutDefaults(path, text string) (parser.Result, error) {
	handler := reporter.NewHandler(nil)
	if depth := nesting(text); depth > maxDepth {
		return nil, fmt.Errorf("%s is nested deeper than %d levels", path, maxDepth)
	}
	ast, err := parser.Parse(path, strings.NewReader(text), handler)
	if err != nil {
		return nil, err
	}
	r, err := parser.ResultFromAST(ast, false, handler)
	if err != nil {
		return nil, err
	}
	proto := r.FileDescriptorProto()
	if proto.GetSyntax() != "proto3" {
		return parser.ResultFromAST(ast, true, handler)
	}
	for _, m := range proto.MessageType {
		dropDefaults(m)
	}
	return r, nil
}

// nesting returns how deep brackets go, so that a parser by recursive descent is not
// asked for more than it can.
func nesting(text string) int {
	depth, deepest := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '{', '[', '(', '<':
			depth++
			deepest = max(deepest, depth)
		case '}', ']', ')', '>':
			depth--
		}
	}
	return deepest
}

func dropDefaults(m *descriptorpb.DescriptorProto) {
	for _, f := range m.Field {
		if f.Options == nil {
			continue
		}
		kept := f.Options.UninterpretedOption[:0]
		for _, o := range f.Options.UninterpretedOption {
			if len(o.Name) != 1 || o.Name[0].GetIsExtension() || o.Name[0].GetNamePart() != "default" {
				kept = append(kept, o)
			}
		}
		f.Options.UninterpretedOption = kept
	}
	for _, inner := range m.NestedType {
		dropDefaults(inner)
	}
}

// messageAt returns the message at a path: an index in the file, then one in each
// message.
func messageAt(f protoreflect.FileDescriptor, path []int) (protoreflect.MessageDescriptor, error) {
	messages := f.Messages()
	var found protoreflect.MessageDescriptor
	for _, i := range path {
		if i < 0 || i >= messages.Len() {
			return nil, dataError("message indexes %v: there is no such message in the schema", path)
		}
		found = messages.Get(i)
		messages = found.Messages()
	}
	if found == nil {
		return nil, dataError("message indexes %v: there is no such message in the schema", path)
	}
	return found, nil
}

// pathOf is the way back.
func pathOf(m protoreflect.MessageDescriptor) []int {
	var path []int
	for d := protoreflect.Descriptor(m); d != nil; d = d.Parent() {
		if _, ok := d.(protoreflect.FileDescriptor); ok {
			break
		}
		path = append([]int{d.Index()}, path...)
	}
	return path
}

// byName returns the message of a full name, nil for none.
func byName(messages protoreflect.MessageDescriptors, name protoreflect.FullName) protoreflect.MessageDescriptor {
	for i := range messages.Len() {
		m := messages.Get(i)
		if m.FullName() == name {
			return m
		}
		if strings.HasPrefix(string(name), string(m.FullName())+".") {
			if found := byName(m.Messages(), name); found != nil {
				return found
			}
		}
	}
	return nil
}
