package offsets

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The files java*.offsets and *.ser were written by ObjectOutputStream.

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return b
}

// javaWant is what java.offsets has; its null value is no offset.
func javaWant() map[string]string {
	return map[string]string{
		`["local-file-source",{"filename":"/tmp/test.txt"}]`: `{"position":42}`,
		`["local-file-source",{"filename":"/tmp/ü"}]`:        `{"position":0}`,
		`["shared",{"x":1}]`:                                 `["shared",{"x":1}]`, // one array, twice
		"empty":                                              "",
		"\xff\x00\x80":                                       "\xfe",
	}
}

func TestTakesOverJavasFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "connect.offsets")
	original := testdata(t, "java.offsets")
	require.NoError(t, os.WriteFile(path, original, 0o644))
	s := opened(t, path)
	assert.Equal(t, javaWant(), contents(t, s))
	put(t, s, "new", "1")
	require.NoError(t, s.CloseStore(t.Context()))

	kept, err := os.ReadFile(path + ".java-backup")
	require.NoError(t, err)
	assert.Equal(t, original, kept)
	want := javaWant()
	want["new"] = "1"
	again := opened(t, path)
	assert.Equal(t, want, contents(t, again), "the file is ours now")
	require.NoError(t, again.CloseStore(t.Context()))

	// Java ran again meanwhile: its newer file is taken over, the older backup kept.
	newer := testdata(t, "java-empty.offsets")
	require.NoError(t, os.WriteFile(path, newer, 0o644))
	assert.Empty(t, contents(t, opened(t, path)))
	kept, err = os.ReadFile(path + ".java-backup")
	require.NoError(t, err)
	assert.Equal(t, original, kept)
	second, err := os.ReadFile(path + ".java-backup.1")
	require.NoError(t, err)
	assert.Equal(t, newer, second)
}

// TestTakeOverIsAllOrNothing fails each step of the take-over: Java's file stays
// until ours replaces it, and another try needs no second backup.
func TestTakeOverIsAllOrNothing(t *testing.T) {
	original := testdata(t, "java.offsets")
	for at := 1; at <= 9; at++ {
		path := filepath.Join(t.TempDir(), "o")
		require.NoError(t, os.WriteFile(path, original, 0o644))
		s := File(path)
		s.fsys = &faulty{at: at, killed: true, partial: 7}
		require.ErrorIs(t, s.OpenStore(t.Context()), errDisk, "step %d", at)
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, original, left, "step %d", at)
		assert.Equal(t, javaWant(), contents(t, opened(t, path)), "step %d", at)
		assert.NoFileExists(t, path+".java-backup.1", "step %d", at)
	}
}

func TestDecodeJava(t *testing.T) {
	big, err := decodeJava(testdata(t, "java-big.offsets"))
	require.NoError(t, err)
	assert.Len(t, big, 300)
	for i := range 300 {
		assert.Equal(t, fmt.Sprintf(`{"o":%d}`, i), string(big[fmt.Sprintf(`["c",{"n":%d}]`, i)]))
	}
	nothing, err := decodeJava(testdata(t, "java-nullkey.ser"))
	require.NoError(t, err)
	assert.Empty(t, nothing, "a null key is nobody's offset")
}

func TestDecodeJavaRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"java-treemap.ser": `class "java.util.TreeMap", want java.util.HashMap`,
		"java-strings.ser": "want a byte[]",
		"java-string.ser":  "want an object",
	} {
		_, err := decodeJava(testdata(t, name))
		assert.ErrorContains(t, err, want, name)
	}
	whole := testdata(t, "java.offsets")
	for n := len(javaMagic); n < len(whole); n++ {
		_, err := decodeJava(whole[:n])
		require.Error(t, err, "cut at byte %d", n)
	}
	_, err := decodeJava(append(bytes.Clone(whole), 0x70))
	assert.ErrorContains(t, err, "1 bytes after the map")
	_, err = decodeJava(bytes.Replace(whole, []byte{0x71, 0x00, 0x7e, 0x00, 0x05}, []byte{0x71, 0x00, 0x7e, 0x7f, 0xff}, 1))
	assert.ErrorContains(t, err, "found a reference to object 32767")
	_, err = decodeJava(bytes.Replace(whole, []byte{0x71, 0x00, 0x7e, 0x00, 0x05}, []byte{0x71, 0x00, 0x7e, 0x00, 0x00}, 1))
	assert.ErrorContains(t, err, "want a byte[]")
}

func FuzzDecodeJava(f *testing.F) {
	for _, name := range []string{"java.offsets", "java-empty.offsets", "java-nullkey.ser", "java-treemap.ser"} {
		f.Add(testdata(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !isJava(b) {
			return
		}
		pairs, err := decodeJava(b)
		size := 0
		for k, v := range pairs {
			size += len(k)
			if v == nil {
				t.Errorf("key %q has a nil value", k)
			}
		}
		if err == nil && size > len(b)*len(b) {
			t.Errorf("%d bytes of keys from %d bytes", size, len(b))
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, pairs := range []map[string][]byte{nil, {"a": []byte("1")}, {"\xff": {}, "": {0xfe}}} {
		b, err := encode(pairs)
		require.NoError(f, err)
		f.Add(b)
		if _, body, ok := bytes.Cut(b, []byte("\n")); ok {
			f.Add(body) // given a right header below
		}
	}
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"key":"a","key64":"YQ==","value":""}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		withHeader := fmt.Appendf(nil, "%s 1 %d %s\n%s", formatName, bytes.Count(b, []byte("\n")), checksum(b), b)
		for _, content := range [][]byte{b, withHeader} {
			pairs, err := decode(content)
			if err != nil {
				continue
			}
			again, err := encode(pairs)
			if err != nil {
				t.Fatal(err)
			}
			back, err := decode(again)
			if err != nil || len(back) != len(pairs) {
				t.Fatalf("%d pairs came back as %d: %v", len(pairs), len(back), err)
			}
			for k, v := range pairs {
				if !bytes.Equal(back[k], v) {
					t.Fatalf("key %q: %q came back as %q", k, v, back[k])
				}
			}
		}
	})
}

func TestRoundTrip(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	pairs := map[string][]byte{"": {}, string(all): all, "ü\u2028\uFFFD<&>\n": []byte("\x00"), "\xff": {0xff}}
	b, err := encode(pairs)
	require.NoError(t, err)
	back, err := decode(b)
	require.NoError(t, err)
	assert.Equal(t, pairs, back)
}
