//go:build integration

package protobuf

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/schematest"
	"github.com/streamlane/connect/internal/testenv"
)

// question is one line for Messages.java, and its answer.
type question struct {
	Files   []byte `json:"files,omitempty"`
	Message string `json:"message,omitempty"`
	Data    []byte `json:"data"`
	Error   string `json:"error,omitempty"`
}

// TestJava: Google's Java classes read what we write with the schemas that we make,
// write the same bytes, and we read theirs.
func TestJava(t *testing.T) {
	type asked struct {
		c codec
		v data.Value
		b []byte
	}
	var all []asked
	var lines bytes.Buffer
	write := json.NewEncoder(&lines)
	for _, keys := range [][]string{{enhanced}, {enhanced, optionals}, {enhanced, wrapped}} {
		o := optionsOf(t, keys...)
		for seed := range uint64(100) {
			r := schematest.NewRandom(seed)
			r.Flat = true
			s := r.Struct(3)
			a := asked{c: codecOf(t, o, s), v: r.Value(s)}
			var err error
			a.b, err = a.c.enc.Append([]byte{}, a.v)
			require.NoError(t, err)
			all = append(all, a)
			require.NoError(t, write.Encode(question{Files: filesOf(t, a.c.message.ParentFile()), Message: string(a.c.message.Name()), Data: a.b}))
		}
	}
	answers := json.NewDecoder(bytes.NewReader(testenv.JavaProgram(t, "testdata/java/Messages.java", lines.Bytes())))
	for i, a := range all {
		var theirs question
		require.NoError(t, answers.Decode(&theirs))
		require.Empty(t, theirs.Error, a.c.text)
		assert.Equal(t, theirs.Data, a.b, "%d: Java's bytes and ours of %v under\n%s", i, a.v, a.c.text)
		ours, err := a.c.dec.Decode(a.b)
		require.NoError(t, err)
		back, err := a.c.dec.Decode(theirs.Data)
		require.NoError(t, err)
		assert.True(t, data.Equal(ours, back))
	}
}

// filesOf is a file with all that it imports, in the order in which they are needed.
func filesOf(t *testing.T, root protoreflect.FileDescriptor) []byte {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	var add func(protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
	}
	add(root)
	b, err := proto.Marshal(set)
	require.NoError(t, err)
	return b
}
