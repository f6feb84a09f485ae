package main

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

// fileToFile writes connectors that move the lines of in to out by the topic
// lines, and returns the files to pass to the command.
func fileToFile(t *testing.T, dir, in, out string) []string {
	t.Helper()
	return []string{
		write(t, dir, "source.json", `{"name": "source", "config": {"connector.class": "FileStreamSource", "file": "`+in+`", "topic": "lines"}}`),
		write(t, dir, "sink.properties", "name=sink\nconnector.class=FileStreamSink\ntopics=lines\nfile="+out+"\n"),
	}
}

// numbered returns lines from one number to before another.
func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString("line " + strconv.Itoa(i) + " \"ünïcode\"\t.\n")
	}
	return b.String()
}

func TestDevLosesAndRepeatsNothing(t *testing.T) {
	dir := t.TempDir()
	in, out, data := write(t, dir, "in.txt", numbered(0, 3000)), dir+"/out.txt", dir+"/new/data"
	args := append([]string{"dev", "--data", data}, fileToFile(t, dir, in, out)...)
	for end := 3000; end <= 9000; end += 3000 {
		s := begin(t, "", args...)
		s.eventually("the lines arrive", func() bool { return len(content(out)) >= len(numbered(0, end)) })
		require.Equal(t, 0, s.wait(true))
		require.Equal(t, numbered(0, end), content(out))
		assert.Contains(t, s.stderr.String(), `msg="the Kafka broker is up" bootstrap=127.0.0.1:`)
		assert.Contains(t, s.stderr.String(), "data="+data)
		appendTo(t, in, numbered(end, end+3000))
	}
	b, err := startBroker(listenAddress{"127.0.0.1", 0}, data, plain(&buffer{}))
	require.NoError(t, err)
	defer b.Close()
	assert.Equal(t, int64(9000), records(t, b.ListenAddrs()[0], "lines"))
	assert.Equal(t, int64(9000), committed(t, b.ListenAddrs()[0], "sink", "lines"))
}

// Without a directory each start begins anew, and leaves nothing behind.
func TestDevInMemory(t *testing.T) {
	dir := t.TempDir()
	in, out := write(t, dir, "in.txt", "a\nb\n"), dir+"/out.txt"
	for _, want := range []string{"a\nb\n", "a\nb\na\nb\n"} {
		s := begin(t, "", append([]string{"dev"}, fileToFile(t, dir, in, out)...)...)
		s.eventually("the lines arrive", func() bool { return content(out) == want })
		require.Equal(t, 0, s.wait(true))
	}
}

// Others talk to the broker at the address that was asked for, and topics have
// the partitions that were.
func TestDevListens(t *testing.T) {
	first, err := startBroker(listenAddress{"127.0.0.1", 0}, "", plain(&buffer{}))
	require.NoError(t, err)
	address := first.ListenAddrs()[0]
	first.Close()

	s := begin(t, "", "dev", "--listen", address, "--topics", "orders:3,logs")
	s.eventually("the worker runs", func() bool { return strings.Contains(s.stderr.String(), "connect is running") })
	topics := ask(t, address, func(ctx context.Context, a connect.Admin) (map[string]connect.TopicInfo, error) {
		return a.Topics(ctx, "orders", "logs")
	})
	assert.Equal(t, 3, topics["orders"].Partitions)
	assert.Equal(t, 1, topics["logs"].Partitions)

	code, _, stderr := runToEnd(t, "dev", "--listen", address)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "starting the broker at "+address)
	assert.Equal(t, 0, s.wait(true))
}

// Two processes on one directory would spoil each other's files.
func TestDevLocksItsDirectory(t *testing.T) {
	dir := t.TempDir()
	s := begin(t, "", "dev", "--data", dir)
	s.eventually("the worker runs", func() bool { return strings.Contains(s.stderr.String(), "connect is running") })
	code, _, stderr := runToEnd(t, "dev", "--data", dir)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "--data "+dir)
	assert.Contains(t, stderr, "another worker has the file open")
	assert.Equal(t, 0, s.wait(true))
}

func TestListenAddress(t *testing.T) {
	for _, text := range []string{"127.0.0.1:0", "127.1.2.3:9092", "localhost:65535", "[::1]:9092"} {
		var l listenAddress
		require.NoError(t, l.Set(text))
		assert.Equal(t, text, l.String())
	}
	for _, text := range []string{"", "9092", ":9092", "10.0.0.1:9092", "[::]:9092", "example.org:1", "localhost:-1", "localhost:http", "localhost:"} {
		var l listenAddress
		assert.Error(t, l.Set(text), text)
	}
}
