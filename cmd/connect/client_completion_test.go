package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompletions(t *testing.T) {
	c := newCanned(t, map[string]string{"GET /connectors": `["orders","a b","other:x","two\nlines"]`})
	env := []string{"CONNECT_URL=" + c.URL}
	for _, tt := range []struct {
		line string // words separated by |, the last one to complete
		want []string
	}{
		{"", commandNames()},
		{"re", []string{"restart", "resume"}},
		{"nix|", nil},
		{"pause|", []string{"a b", "orders", "other:x"}},
		{"pause|o", []string{"orders", "other:x"}},
		{"pause|orders|o", []string{"other:x"}},
		{"pause|--wait|o", []string{"orders", "other:x"}},
		{"pause|--timeout|5s|or", []string{"orders"}},
		{"pause|--wa", []string{"--wait"}},
		{"pause|--url=http://127.0.0.1:1|o", nil},
		{"pause|--url|http://127.0.0.1:1|o", nil},
		{"pause|--url|nix|o", nil},
		{"pause|--|-", nil},
		{"logs|-f|or", []string{"orders"}},
		{"logs|orders|", nil},
		{"offsets|", []string{"get", "reset", "set"}},
		{"offsets|get|or", []string{"orders"}},
		{"offsets|get|orders|", nil},
		{"status|-o|", []string{"json", "table", "wide"}},
		{"status|-o|j", []string{"json"}},
		{"status|--log-level|w", []string{"warn"}},
		{"status|--ca|", []string{":files"}},
		{"apply|se", []string{":files"}},
		{"apply|set|--p", []string{"--plan", "--prune"}},
		{"standalone|", []string{":files"}},
		{"dev|--data|x", []string{":files"}},
		{"config|FileStreamSo", []string{"FileStreamSource"}},
		{"completion|", []string{"bash", "fish", "zsh"}},
		{"restart|--task|", nil},
		{"rollback|or", []string{"orders"}},
	} {
		var stdout, stderr strings.Builder
		p := process{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, environ: func() []string { return env }}
		code := run(t.Context(), append([]string{"__complete"}, strings.Split(tt.line, "|")...), p)
		assert.Equal(t, 0, code, tt.line)
		assert.Equal(t, tt.want, lines(stdout.String()), tt.line)
		assert.Empty(t, stderr.String(), tt.line)
	}
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// Every command says what its arguments are, and completes its flags.
func TestEveryCommandCompletes(t *testing.T) {
	for _, c := range commands() {
		if c.hidden {
			continue
		}
		assert.Contains(t, completions(t.Context(), process{}, []string{c.name, "--log-f"}), "--log-format", c.name)
	}
}

// FuzzCompletions completes any words.
func FuzzCompletions(f *testing.F) {
	f.Add("pause", "--url", "x")
	f.Add("status", "-o", "")
	f.Add("", "--", "-")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		p := process{environ: func() []string { return []string{"CONNECT_URL=nix"} }}
		for _, found := range completions(t.Context(), p, []string{a, b, "--url=nix", c}) {
			if found != filesWanted && !strings.HasPrefix(found, c) {
				t.Fatalf("%q %q %q: %q", a, b, c, found)
			}
		}
	})
}

// shell returns a shell that is there, and a folder with connect on its way.
func shell(t *testing.T, name string, c *canned) (path string, env []string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		t.Skipf("there is no %s on this machine", name)
	}
	require.NoError(t, err)
	dir := t.TempDir()
	self, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "connect")))
	return path, append(os.Environ(), asCommand+"=1", "CONNECT_URL="+c.URL, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir)
}

// What a shell makes of the script, for command lines up to the cursor.
func TestCompletionInBash(t *testing.T) {
	c := newCanned(t, map[string]string{"GET /connectors": `["orders","a b","other:x","other:y$z"]`})
	bash, env := shell(t, "bash", c)
	check := exec.CommandContext(t.Context(), bash, "-n", filepath.Join("completion", "connect.bash"))
	out, err := check.CombinedOutput()
	require.NoError(t, err, "%s", out)
	dir := t.TempDir()
	write(t, dir, "set.json", "")
	write(t, dir, "set two.json", "")
	script := `
		eval "$(connect completion bash)"
		COMP_LINE=$1 COMP_POINT=${#1}
		_connect
		printf '%s\n' "${COMPREPLY[@]}"
		complete -p connect >&2`
	for line, want := range map[string]string{
		"connect paus":                   "pause",
		"connect pause or":               "orders",
		"connect pause orders other":     `other:x|other:y\$z`,
		"connect pause other:":           `x|y\$z`,
		"connect pause a":                `a\ b`,
		"connect pause ":                 `a\ b|orders|other:x|other:y\$z`,
		"connect status -o w":            "wide",
		"connect pause --url=http://x o": "",
		"connect apply set":              `set two.json|set.json`,
	} {
		cmd := exec.CommandContext(t.Context(), bash, "-c", script, "bash", line)
		cmd.Env, cmd.Dir = env, dir
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%s: %s", line, stderr.String())
		got := lines(strings.TrimSuffix(string(out), "\n"))
		slices.Sort(got)
		assert.Equal(t, want, strings.Join(got, "|"), line)
		assert.Contains(t, stderr.String(), "complete -F _connect connect")
	}
}

func TestCompletionInZsh(t *testing.T) {
	c := newCanned(t, map[string]string{"GET /connectors": `["orders","a b","other:x"]`})
	zsh, env := shell(t, "zsh", c)
	out, err := exec.CommandContext(t.Context(), zsh, "-n", filepath.Join("completion", "connect.zsh")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	// compadd is the shell's own and works only while it completes.
	script := `
		compdef() { print -r -- "compdef $*" >&2 }
		eval "$(connect completion zsh)"
		compadd() { shift; print -rl -- "${(@P)1}" }
		_files() { print files }
		words=("$@") CURRENT=$#
		_connect`
	for line, want := range map[string]string{
		"connect|paus": "pause", "connect|pause|o": "orders|other:x", "connect|pause|": "a b|orders|other:x", "connect|apply|": "files", "connect|nix|": "",
	} {
		cmd := exec.CommandContext(t.Context(), zsh, append([]string{"-f", "-c", script, "zsh"}, strings.Split(line, "|")...)...)
		cmd.Env = env
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%s: %s", line, stderr.String())
		assert.Equal(t, want, strings.Join(lines(strings.TrimSuffix(string(out), "\n")), "|"), line)
		assert.Contains(t, stderr.String(), "compdef _connect connect")
	}
}

func TestCompletionInFish(t *testing.T) {
	c := newCanned(t, map[string]string{"GET /connectors": `["orders","a b","other:x"]`})
	fish, env := shell(t, "fish", c)
	out, err := exec.CommandContext(t.Context(), fish, "-n", filepath.Join("completion", "connect.fish")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for line, want := range map[string]string{
		"connect paus": "pause", "connect pause o": "orders|other:x", "connect pause ": "a b|orders|other:x",
	} {
		cmd := exec.CommandContext(t.Context(), fish, "--no-config", "-c", "connect completion fish | source; complete --do-complete "+`"`+line+`"`)
		cmd.Env = env
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%s: %s", line, stderr.String())
		assert.Equal(t, want, strings.Join(lines(string(out)), "|"), line)
	}
}
