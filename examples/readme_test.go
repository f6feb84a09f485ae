package examples

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readme returns the commands of the README's section "Two commands".
func readme(t *testing.T) (runs, tests string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Two commands\n")
	require.True(t, found, "README.md has no section Two commands")
	section, _, _ = strings.Cut(section, "\n## ")
	commands := regexp.MustCompile("(?s)```\n(.*?)\n```").FindAllStringSubmatch(section, -1)
	require.Len(t, commands, 2)
	return commands[0][1], commands[1][1]
}

// The first command of the README does what the README says. It runs in a copy of
// the files, so that it leaves nothing behind in the tree.
func TestFirstCommandOfTheReadme(t *testing.T) {
	command, _ := readme(t)
	args, found := strings.CutPrefix(command, "go run ./cmd/connect ")
	require.True(t, found, "the command is %q", command)
	dir := t.TempDir()
	binary := filepath.Join(dir, "connect")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/connect").CombinedOutput()
	require.NoError(t, err, "%s", out)
	quickstart := filepath.Join(dir, "examples", "quickstart")
	require.NoError(t, os.MkdirAll(quickstart, 0o755))
	files, err := filepath.Glob(filepath.Join("quickstart", "*.*"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(quickstart, filepath.Base(file)), text, 0o644))
	}
	want, err := os.ReadFile(filepath.Join(quickstart, "lines.txt"))
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	words := strings.Fields(args)
	words = append([]string{words[0], "--rest", "127.0.0.1:0"}, words[1:]...) // the usual port may be in use here
	cmd := exec.CommandContext(ctx, binary, words...)
	cmd.Dir = dir
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	copied := func() string {
		text, _ := os.ReadFile(filepath.Join(quickstart, "data", "copy.txt"))
		return string(text)
	}
	arrived := assert.Eventually(t, func() bool { return copied() == string(want) }, deadline, 20*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	err = cmd.Wait()
	require.NoError(t, err, "log:\n%s", log.String())
	require.True(t, arrived, "found %q, log:\n%s", copied(), log.String())
}

// The second command of the README is what continuous integration runs.
func TestSecondCommandOfTheReadme(t *testing.T) {
	_, command := readme(t)
	ci, err := os.ReadFile(filepath.Join("..", ".ci", "run"))
	require.NoError(t, err)
	tags := regexp.MustCompile(`(?m)^TAGS=(\S+)$`).FindStringSubmatch(string(ci))
	require.NotNil(t, tags)
	section := regexp.MustCompile(`(?s)\nsection_test\(\) \{\n(.*?)\n\}`).FindStringSubmatch(string(ci))
	require.NotNil(t, section)
	run := strings.NewReplacer(`"$TAGS"`, tags[1], " -timeout 10m", "").Replace(section[1])
	assert.Contains(t, strings.Split(run, "\n"), "\t"+command)
	contributing, err := os.ReadFile(filepath.Join("..", "CONTRIBUTING.md"))
	require.NoError(t, err)
	assert.Contains(t, string(contributing), "\n"+command+"\n")
}

// The commands for operators are there.
func TestCommandsOfTheReadme(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "connect")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/connect").CombinedOutput()
	require.NoError(t, err, "%s", out)
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	tried := 0
	for _, m := range regexp.MustCompile(`(?m)^bin/connect (.*)$`).FindAllStringSubmatch(string(text), -1) {
		args := strings.Fields(m[1])
		if args[0] == "standalone" || args[0] == "distributed" { // their files are the reader's
			args = []string{args[0], "-h"}
		}
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Dir = ".." // the folder that the README speaks of
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s", out)
		tried++
	}
	assert.Equal(t, 5, tried)
}

// The README's Go compiles.
func TestGoOfTheReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, blocks, 4)
	program := `package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
	"github.com/streamlane/connect/transforms"
)

func files(ctx context.Context, rt *connect.Runtime) error {
` + blocks[0][1] + `
	return err
}

func embedded(ctx context.Context) error {
` + blocks[1][1] + `
}

func withKafka() (*connect.Runtime, error) {
` + blocks[2][1] + `
	return rt, err
}

` + blocks[3][1] + `
type task struct{ connect.SourceTask }

func newTask(counterConfig) (*task, error) { return nil, nil }

func main() {
	_ = embedded(context.Background())
	rt, _ := withKafka()
	_ = files(context.Background(), rt)
}
`
	// The program is in a folder of the module, as far as the go command can see.
	dir := t.TempDir()
	source, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(source, []byte(program), 0o600))
	folder, err := filepath.Abs("readme")
	require.NoError(t, err)
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(folder, "main.go"): source}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, replace, 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", os.DevNull, "./readme").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// The design names every file in which goroutines may start.
func TestDesignListsGoroutines(t *testing.T) {
	design, err := os.ReadFile(filepath.Join("..", "docs", "design.md"))
	require.NoError(t, err)
	rules, err := os.ReadFile(filepath.Join("..", "internal", "archtest", "goroutines_test.go"))
	require.NoError(t, err)
	_, list, found := strings.Cut(string(rules), "\nvar starters = map[string]string{\n")
	require.True(t, found)
	list, _, _ = strings.Cut(list, "\n}\n")
	files := regexp.MustCompile(`(?m)^\t"([^"]+)":`).FindAllStringSubmatch(list, -1)
	require.NotEmpty(t, files)
	for _, m := range files {
		assert.Contains(t, string(design), "| `"+m[1]+"` |", "the table of goroutines in docs/design.md")
	}
}

// Links within the documentation lead somewhere.
func TestLinksOfTheDocumentation(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	checked := 0
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/*/*.md", "../docs/*/*/*.md", "*/*.md"} {
		pages, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, page := range pages {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				target, _, _ := strings.Cut(m[1], "#")
				if target == "" || strings.Contains(target, "://") {
					continue
				}
				checked++
				_, err := os.Stat(filepath.Join(filepath.Dir(page), target))
				assert.NoError(t, err, "link in %s", page)
			}
		}
	}
	assert.Greater(t, checked, 30)
}
