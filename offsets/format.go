package offsets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	formatName    = "connect-offsets"
	formatVersion = 1
)

// line is one pair in the file. Exactly one of each couple is set.
type line struct {
	Key     *string `json:"key,omitempty"`
	Key64   []byte  `json:"key64,omitempty"`
	Value   *string `json:"value,omitempty"`
	Value64 []byte  `json:"value64,omitempty"`
}

// encode returns the content of the file.
func encode(pairs map[string][]byte) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		var l line
		l.Key, l.Key64 = textOr64([]byte(key))
		l.Value, l.Value64 = textOr64(pairs[key])
		if err := enc.Encode(l); err != nil {
			return nil, fmt.Errorf("encode offset of key %q: %w", key, err)
		}
	}
	head := fmt.Sprintf("%s %d %d %s\n", formatName, formatVersion, len(pairs), checksum(body.Bytes()))
	return append([]byte(head), body.Bytes()...), nil
}

// textOr64 returns b as text if JSON can carry it unchanged, else as bytes,
// which JSON carries as Base64.
func textOr64(b []byte) (text *string, raw []byte) {
	if !utf8.Valid(b) {
		return nil, b
	}
	s := string(b)
	return &s, nil
}

func checksum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// decode undoes encode. It accepts nothing that encode does not write, the
// order of keys and JSON's spelling aside.
func decode(content []byte) (map[string][]byte, error) {
	head, body, found := bytes.Cut(content, []byte{'\n'})
	if !found {
		return nil, fmt.Errorf("found %d bytes without a complete header, want %q", len(content), formatName+" 1 COUNT SHA256")
	}
	count, err := parseHeader(string(head), body)
	if err != nil {
		return nil, err
	}
	pairs := make(map[string][]byte)
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	for n := 1; ; n++ {
		var l line
		err := dec.Decode(&l)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = l.addTo(pairs)
		}
		if err != nil {
			return nil, fmt.Errorf("pair %d: %w", n, err)
		}
	}
	if len(pairs) != count {
		return nil, fmt.Errorf("found %d pairs, the header says %d", len(pairs), count)
	}
	return pairs, nil
}

// parseHeader returns the number of pairs.
func parseHeader(head string, body []byte) (count int, err error) {
	words := strings.Split(head, " ")
	if words[0] != formatName {
		return 0, fmt.Errorf("found a file that starts with %.20q, want %q or a file of Java's standalone worker", head, formatName)
	}
	if len(words) != 4 {
		return 0, fmt.Errorf("found the header %.80q, want %q", head, formatName+" 1 COUNT SHA256")
	}
	if words[1] != strconv.Itoa(formatVersion) {
		return 0, fmt.Errorf("found version %.20q of the format, want %d: the file may be of a later release", words[1], formatVersion)
	}
	count, err = strconv.Atoi(words[2])
	if err != nil || count < 0 {
		return 0, fmt.Errorf("found %.20q in the header, want a number of pairs", words[2])
	}
	if sum := checksum(body); words[3] != sum {
		return 0, fmt.Errorf("found %d bytes with the checksum %s, the header says %.64q: the file was cut off or changed", len(body), sum, words[3])
	}
	return count, nil
}

// addTo checks the line and adds its pair.
func (l *line) addTo(pairs map[string][]byte) error {
	key, err := either("key", l.Key, l.Key64)
	if err != nil {
		return err
	}
	value, err := either("value", l.Value, l.Value64)
	if err != nil {
		return err
	}
	if _, twice := pairs[string(key)]; twice {
		return fmt.Errorf("key %q is there twice", key)
	}
	pairs[string(key)] = value
	return nil
}

func either(what string, text *string, raw []byte) ([]byte, error) {
	switch {
	case text != nil && raw != nil:
		return nil, fmt.Errorf("found both %s and %s64, want one", what, what)
	case text != nil:
		return []byte(*text), nil
	case raw != nil:
		return raw, nil
	}
	return nil, fmt.Errorf("found neither %s nor %s64", what, what)
}
