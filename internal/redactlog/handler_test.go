package redactlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// later is a value that makes itself up when it is logged.
type later struct{}

func (later) LogValue() slog.Value { return slog.StringValue("later hunter2") }

func TestSecretsAreHidden(t *testing.T) {
	var out bytes.Buffer
	hide := func(text string) string { return strings.ReplaceAll(text, "hunter2", "[hidden]") }
	log := slog.New(New(slog.NewTextHandler(&out, nil), hide)).With("user", "bob:hunter2").WithGroup("g")
	log.Info("logging in with hunter2", "err", errors.New("hunter2 is wrong"), "list", []string{"hunter2"}, "n", 7, "later", later{},
		slog.Group("inner", "password", "hunter2"))
	assert.NotContains(t, out.String(), "hunter2")
	assert.Equal(t, 6, strings.Count(out.String(), "[hidden]"), out.String())
	assert.Contains(t, out.String(), "g.n=7")
}

func TestHandlerKeepsTheRules(t *testing.T) {
	var out bytes.Buffer
	h := New(slog.NewJSONHandler(&out, nil), func(text string) string { return text })
	require.NoError(t, slogtest.TestHandler(h, func() []map[string]any { return parse(t, out.Bytes()) }))
}

func parse(t *testing.T, lines []byte) (all []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var m map[string]any
		require.NoError(t, json.Unmarshal(line, &m))
		all = append(all, m)
	}
	return all
}
