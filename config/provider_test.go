package config_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// vault is a Provider that notes its calls.
type vault struct {
	data   config.ProviderData
	err    error
	calls  []string
	closed error
	isOpen bool
}

func (v *vault) Get(_ context.Context, path string, keys []string) (config.ProviderData, error) {
	v.calls = append(v.calls, path+"="+strings.Join(keys, ","))
	return v.data, v.err
}

func (v *vault) Close() error { v.isOpen = false; return v.closed }

func TestResolve(t *testing.T) {
	v := &vault{data: config.ProviderData{Values: map[string]string{"k": "K", "l": "${v:p:k}", "": "E", "a}": "no"}}}
	r := config.NewResolver(map[string]config.Provider{"v": v})
	tests := []struct{ text, want string }{
		{"plain", "plain"},
		{"${v:p:k}", "K"},
		{"a${v:p:k}b${v:k}c", "aKbKc"},
		{"${v:p:l}", "${v:p:k}"}, // not looked at again
		{"${v:p:}", "E"},
		{"${w:p:k}", "${w:p:k}"},
		{"${v:p:none}", "${v:p:none}"},
		{"${v}", "${v}"},
		{"${v:p:k", "${v:p:k"},
		{"$${v:k}}", "$K}"},
		{"${v:a:b:k}", "${v:a:b:k}"}, // the key is b:k
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			res, err := r.Resolve(t.Context(), config.Props{"x": tt.text})
			require.NoError(t, err)
			assert.Equal(t, tt.want, res.Props["x"])
			assert.Equal(t, tt.text, res.Raw["x"])
		})
	}
}

func TestResolveAsksOncePerPlace(t *testing.T) {
	v := &vault{data: config.ProviderData{Values: map[string]string{"a": "A", "b": "B"}}}
	res, err := config.NewResolver(map[string]config.Provider{"v": v}).Resolve(t.Context(), config.Props{
		"1": "${v:p:b}${v:p:a}", "2": "${v:p:a}", "3": "${v:q:a}", "4": "${v:a}", "5": "${v:p:c}", "6": "${x:p:a}"})
	require.NoError(t, err)
	assert.Equal(t, []string{"=a", "p=a,b,c", "q=a"}, v.calls)
	assert.Equal(t, []config.UnresolvedPlaceholder{{"5", "${v:p:c}"}, {"6", "${x:p:a}"}}, res.Unresolved)
	_, expires := res.TTL()
	assert.False(t, expires)
}

func TestResolveTTL(t *testing.T) {
	short := &vault{data: config.ProviderData{Values: map[string]string{"k": "1"}, TTL: time.Minute, Expires: true}}
	long := &vault{data: config.ProviderData{Values: map[string]string{"k": "2"}, TTL: time.Hour, Expires: true}}
	never := &vault{data: config.ProviderData{Values: map[string]string{"k": "3"}}}
	r := config.NewResolver(map[string]config.Provider{"s": short, "l": long, "n": never})
	res, err := r.Resolve(t.Context(), config.Props{"a": "${s:k}${l:p:k}${n:k}"})
	require.NoError(t, err)
	assert.Equal(t, map[config.Place]time.Duration{{Provider: "s"}: time.Minute, {Provider: "l", Path: "p"}: time.Hour}, res.TTLs)
	ttl, ok := res.TTL()
	assert.True(t, ok)
	assert.Equal(t, time.Minute, ttl)
}

func TestResolveFails(t *testing.T) {
	boom := errors.New("sealed")
	v := &vault{err: boom}
	_, err := config.NewResolver(map[string]config.Provider{"v": v}).Resolve(t.Context(), config.Props{"a": "${v:p:k}"})
	require.ErrorIs(t, err, boom)
	assert.EqualError(t, err, `config provider v, path "p": sealed`)
}

func TestNilResolverReplacesNothing(t *testing.T) {
	var r *config.Resolver
	res, err := r.Resolve(t.Context(), config.Props{"a": "${v:p:k}"})
	require.NoError(t, err)
	assert.Equal(t, "${v:p:k}", res.Props["a"])
	require.NoError(t, r.Close())
}

func TestResolverClose(t *testing.T) {
	boom := errors.New("boom")
	a, b := &vault{closed: boom, isOpen: true}, &vault{isOpen: true}
	err := config.NewResolver(map[string]config.Provider{"a": a, "b": b}).Close()
	require.ErrorIs(t, err, boom)
	assert.False(t, a.isOpen || b.isOpen)
}

func TestRestorePlaceholders(t *testing.T) {
	raw := config.Props{"pw": "${v:p:k}", "url": "http://${v:h}/", "x": "1", "gone": "${v:k}"}
	task := config.Props{"pw": "secret", "url": "http://host/", "x": "2", "task": "0"}
	assert.Equal(t, config.Props{"pw": "${v:p:k}", "url": "http://${v:h}/", "x": "2", "task": "0"}, config.RestorePlaceholders(task, raw))
}

func FuzzResolve(f *testing.F) {
	f.Add("a${v:p:k}b${w:x}${${v:p:k}}")
	f.Add("${v:")
	f.Fuzz(func(t *testing.T, text string) {
		v := &vault{data: config.ProviderData{Values: map[string]string{"k": "K"}}}
		res, err := config.NewResolver(map[string]config.Provider{"v": v}).Resolve(t.Context(), config.Props{"x": text})
		if err != nil {
			t.Fatal(err)
		}
		if !config.HasPlaceholder(text) && res.Props["x"] != text {
			t.Fatalf("%q became %q", text, res.Props["x"])
		}
		// What stayed is in the result, in order; what was replaced is not.
		rest := res.Props["x"]
		for _, u := range res.Unresolved {
			_, after, found := strings.Cut(rest, u.Placeholder)
			if !found {
				t.Fatalf("%q stayed but is not in %q", u.Placeholder, res.Props["x"])
			}
			rest = after
		}
	})
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestFileProvider(t *testing.T) {
	dir := t.TempDir()
	inside := write(t, filepath.Join(dir, "in", "a.properties"), "k=v\nl=m")
	outside := write(t, filepath.Join(dir, "out.properties"), "k=v")
	bad := write(t, filepath.Join(dir, "in", "bad.properties"), `k=\u1`)
	link := filepath.Join(dir, "in", "link.properties")
	require.NoError(t, os.Symlink(outside, link))
	c := config.FileProviderConfig{}
	require.NoError(t, config.Decode(config.Props{"allowed.paths": filepath.Join(dir, "in")}, &c))
	p := config.NewFileProvider(c)

	data, err := p.Get(t.Context(), inside, []string{"k", "none"})
	require.NoError(t, err)
	assert.Equal(t, config.ProviderData{Values: map[string]string{"k": "v"}}, data)
	data, err = p.Get(t.Context(), inside, nil)
	require.NoError(t, err)
	assert.Len(t, data.Values, 2)
	for _, path := range []string{outside, filepath.Join(dir, "in", "..", "out.properties"), link, "", "relative", dir + "/inside/x"} {
		data, err = p.Get(t.Context(), path, nil)
		require.NoError(t, err, path)
		assert.Empty(t, data.Values, path)
	}
	_, err = p.Get(t.Context(), filepath.Join(dir, "in", "none"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = p.Get(t.Context(), bad, nil)
	require.ErrorContains(t, err, bad)

	free := config.NewFileProvider(config.FileProviderConfig{})
	data, err = free.Get(t.Context(), link, nil)
	require.NoError(t, err)
	assert.Len(t, data.Values, 1)
}

func TestAllowedPathsAreChecked(t *testing.T) {
	err := config.Decode(config.Props{"allowed.paths": "relative,/does/not/exist"}, new(config.FileProviderConfig))
	require.ErrorContains(t, err, "relative is not absolute")
	err = config.Decode(config.Props{"allowed.paths": "/does/not/exist"}, new(config.DirectoryProviderConfig))
	require.ErrorContains(t, err, "/does/not/exist does not exist")
}

func TestDirectoryProvider(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "in", "user"), "  me\n")
	write(t, filepath.Join(dir, "in", "sub", "x"), "no")
	write(t, filepath.Join(dir, "secret"), "no")
	c := config.DirectoryProviderConfig{}
	require.NoError(t, config.Decode(config.Props{"allowed.paths": filepath.Join(dir, "in")}, &c))
	p := config.NewDirectoryProvider(c)
	data, err := p.Get(t.Context(), filepath.Join(dir, "in"), nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"user": "  me\n"}, data.Values, "whole content, regular files only")
	data, err = p.Get(t.Context(), filepath.Join(dir, "in"), []string{"user", "sub", "../secret", "..", "none"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"user": "  me\n"}, data.Values)
	data, err = p.Get(t.Context(), dir, nil)
	require.NoError(t, err)
	assert.Empty(t, data.Values)
}

func TestEnvProvider(t *testing.T) {
	env := func() []string { return []string{"APP_A=1", "APP_B=x=y", "OTHER=2", "broken"} }
	c := config.EnvProviderConfig{Environ: env}
	require.NoError(t, config.Decode(config.Props{"allowlist.pattern": "APP_.*"}, &c))
	p, err := config.NewEnvProvider(c)
	require.NoError(t, err)
	data, err := p.Get(t.Context(), "", nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"APP_A": "1", "APP_B": "x=y"}, data.Values)
	data, err = p.Get(t.Context(), "", []string{"APP_A", "OTHER"})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"APP_A": "1"}, data.Values)
	_, err = p.Get(t.Context(), "path", nil)
	require.ErrorContains(t, err, `path "path"`)

	_, err = config.NewEnvProvider(config.EnvProviderConfig{AllowlistPattern: "["})
	require.ErrorContains(t, err, "allowlist.pattern")
	all, err := config.NewEnvProvider(config.EnvProviderConfig{})
	require.NoError(t, err)
	t.Setenv("CONFIG_TEST", "set")
	data, err = all.Get(t.Context(), "", []string{"CONFIG_TEST"})
	require.NoError(t, err)
	assert.Equal(t, "set", data.Values["CONFIG_TEST"])
	assert.True(t, slices.Contains(os.Environ(), "CONFIG_TEST=set"))
}
