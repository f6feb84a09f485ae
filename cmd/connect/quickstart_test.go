//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repository is the root of the module.
const repository = "../.."

// shellBlocks returns the commands of a Markdown file.
func shellBlocks(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, path))
	require.NoError(t, err)
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)\n```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// quickstart runs the commands of the page in a copy of the example, through a
// shell, as they stand there.
type quickstart struct {
	t   *testing.T
	dir string
	// prelude says what the word go means.
	prelude string
}

func newQuickstart(t *testing.T) *quickstart {
	q := &quickstart{t: t, dir: t.TempDir()}
	example := filepath.Join(q.dir, "examples/quickstart")
	for _, name := range []string{"lines.txt", "file-source.json", "file-sink.json"} {
		text, err := os.ReadFile(filepath.Join(repository, "examples/quickstart", name))
		require.NoError(t, err)
		write(t, example, name, string(text))
	}
	return q
}

// start starts a command in a process group of its own, as a terminal does.
func (q *quickstart) start(command string) *child {
	c := &child{Cmd: exec.CommandContext(q.t.Context(), "sh", "-c", q.prelude+command)}
	c.Dir, c.Stderr = q.dir, &c.stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.start(q.t)
	q.t.Cleanup(func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
	return c
}

// interrupt is Ctrl-C: a signal for the whole group.
func (q *quickstart) interrupt(c *child) {
	q.t.Helper()
	require.NoError(q.t, syscall.Kill(-c.Process.Pid, syscall.SIGINT))
	_ = c.Wait()
	require.Contains(q.t, c.stderr.String(), "msg=stopped")
}

func (q *quickstart) output(command string) string {
	q.t.Helper()
	c := exec.CommandContext(q.t.Context(), "sh", "-c", command)
	c.Dir = q.dir
	out, err := c.CombinedOutput()
	require.NoError(q.t, err, "%s: %s", command, out)
	return string(out)
}

// follow does what the page says.
func (q *quickstart) follow() {
	blocks := shellBlocks(q.t, "docs/quickstart.md")
	require.Len(q.t, blocks, 5)
	run, add, show, compare := blocks[0], blocks[1], blocks[2], blocks[3]
	lines, copied := filepath.Join(q.dir, "examples/quickstart/lines.txt"), filepath.Join(q.dir, "examples/quickstart/data/copy.txt")
	arrived := func() bool { return content(copied) == content(lines) }

	c := q.start(run)
	eventually(q.t, "the lines of the example arrive", arrived)
	q.output(add)
	eventually(q.t, "the line that was added arrives", arrived)
	assert.Contains(q.t, q.output(show), "A line that came later.\n")
	q.interrupt(c)

	q.output(strings.Repeat(add+"\n", 3))
	c = q.start(run)
	eventually(q.t, "the lines that were added meanwhile arrive", arrived)
	q.interrupt(c)
	assert.Equal(q.t, "the same\n", q.output(compare))
}

// The commands are run as they stand in the page, save that go run ./cmd/connect
// runs this test's binary; the integration tests let go do it.
func TestQuickstart(t *testing.T) {
	q := newQuickstart(t)
	binary, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	q.prelude = `go() {
	test "$1 $2" = "run ./cmd/connect" || exit 99
	shift 2
	` + asCommand + `=1 exec "` + binary + `" "$@"
}
`
	q.follow()
}

func TestQuickstartIsTheSameInTheExample(t *testing.T) {
	assert.Equal(t, shellBlocks(t, "docs/quickstart.md")[:1], shellBlocks(t, "examples/quickstart/README.md"))
}

// The page names commands and keys that there are.
func TestQuickstartCommands(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repository, "docs/quickstart.md"))
	require.NoError(t, err)
	known := map[string]bool{}
	for _, c := range commands() {
		known[c.name] = true
	}
	named := regexp.MustCompile(`go run \./cmd/connect (\w+)`).FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, named)
	for _, m := range named {
		assert.True(t, known[m[1]], "connect %s", m[1])
	}
	for _, m := range regexp.MustCompile(`\]\(\.\./([^)]+)\)`).FindAllStringSubmatch(string(page), -1) {
		_, err := os.Stat(filepath.Join(repository, m[1]))
		assert.NoError(t, err)
	}
}
