package wire_test

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/wire"
)

const url = "http://w1:8083/"

// vector makes bytes of hexadecimal text with blanks.
func vector(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

func tasks(connector string, numbers ...int) []cluster.TaskID {
	var ids []cluster.TaskID
	for _, n := range numbers {
		ids = append(ids, cluster.TaskID{Connector: connector, Task: n})
	}
	return ids
}

func TestMetadataVectors(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes string
		want  wire.Metadata
	}{
		{"eager", "0000 000f 687474703a2f2f77313a383038332f 0000000000000005",
			wire.Metadata{URL: url, ConfigOffset: 5}},
		{"sessioned, nothing allocated", "0002 000f 687474703a2f2f77313a383038332f 0000000000000005 ffffffff",
			wire.Metadata{Version: wire.Sessioned, URL: url, ConfigOffset: 5}},
		{"compatible, nothing read, an empty allocation",
			"0001 0000 ffffffffffffffff 0000001c 0001 0000 0000 0000 ffffffffffffffff 00000000 00000000 00000000",
			wire.Metadata{Version: wire.Compatible, ConfigOffset: -1, Allocation: &wire.Assignment{Version: wire.Compatible, ConfigOffset: -1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := vector(t, c.bytes)
			got, err := wire.ParseMetadata(b)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			again, err := c.want.AppendBinary([]byte("x"))
			require.NoError(t, err)
			assert.Equal(t, append([]byte("x"), b...), again)
		})
	}
}

func TestAssignmentVectors(t *testing.T) {
	const head = "0000 0003 6d2d31 000f 687474703a2f2f77313a383038332f 0000000000000005"
	base := wire.Assignment{Leader: "m-1", LeaderURL: url, ConfigOffset: 5}
	with := func(v wire.Version, assigned, revoked cluster.Work, delay time.Duration) wire.Assignment {
		a := base
		a.Version, a.Assigned, a.Revoked, a.Delay = v, assigned, revoked, delay
		return a
	}
	for _, c := range []struct {
		name  string
		bytes string
		want  wire.Assignment
	}{
		{"sessioned", "0002" + head + "00000001 0001 63 00000003 ffffffff 00000000 00000001 00000000 00000000",
			with(wire.Sessioned, cluster.Work{Connectors: []string{"c"}, Tasks: tasks("c", 0, 1)}, cluster.Work{}, 0)},
		{"eager", "0000" + head + "00000002 0001 62 00000001 ffffffff 0001 63 00000001 00000007",
			with(wire.Eager, cluster.Work{Connectors: []string{"b"}, Tasks: tasks("c", 7)}, cluster.Work{}, 0)},
		{"delay and revocation", "0001" + head + "00000000 00000001 0001 63 00000002 00000003 00000002 000493e0",
			with(wire.Compatible, cluster.Work{}, cluster.Work{Tasks: tasks("c", 3, 2)}, 5*time.Minute)},
		{"mismatch", "0002 0001 0000 0000 0000000000000000 00000000 00000000 00000000",
			wire.Assignment{Version: wire.Sessioned, Error: wire.ConfigMismatch}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := vector(t, c.bytes)
			got, err := wire.ParseAssignment(b)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			again, err := c.want.AppendBinary([]byte("x"))
			require.NoError(t, err)
			assert.Equal(t, append([]byte("x"), b...), again)
		})
	}
}

// What a member of another version, or a careless one, may send.
func TestTolerance(t *testing.T) {
	const head = "0000 0001 6d 0000 0000000000000005"
	work := "00000001 0001 63 00000001 00000004"
	with := func(assigned, revoked cluster.Work, delay time.Duration) wire.Assignment {
		return wire.Assignment{Version: wire.Compatible, Leader: "m", ConfigOffset: 5, Assigned: assigned, Revoked: revoked, Delay: delay}
	}
	c4 := cluster.Work{Tasks: tasks("c", 4)}
	for _, c := range []struct {
		name  string
		bytes string
		want  wire.Assignment
	}{
		{"all missing", "0001" + head, with(cluster.Work{}, cluster.Work{}, 0)},
		{"revoked missing", "0001" + head + work, with(c4, cluster.Work{}, 0)},
		{"delay missing", "0001" + head + work + work, with(c4, c4, 0)},
		{"null arrays", "0001" + head + "ffffffff ffffffff 00000001", with(cluster.Work{}, cluster.Work{}, time.Millisecond)},
		{"null tasks", "0001" + head + "00000001 0001 63 ffffffff", with(cluster.Work{}, cluster.Work{}, 0)},
		{"more fields", "0001" + head + work + "00000000 00000000 ffff", with(c4, cluster.Work{}, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := wire.ParseAssignment(vector(t, c.bytes))
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}

	m, err := wire.ParseMetadata(vector(t, "0001 0000 0000000000000005"))
	require.NoError(t, err)
	assert.Equal(t, wire.Metadata{Version: wire.Compatible, ConfigOffset: 5}, m)
	m, err = wire.ParseMetadata(vector(t, "0007 0000 0000000000000005 ffffffff 01"))
	require.NoError(t, err)
	assert.Equal(t, wire.Metadata{Version: 7, ConfigOffset: 5}, m, "a later version")
	m, err = wire.ParseMetadata(vector(t, "0000 0000 0000000000000005 00"))
	require.NoError(t, err)
	assert.Equal(t, wire.Metadata{ConfigOffset: 5}, m)
}

func TestBrokenBytes(t *testing.T) {
	const head = "0001 0000 0000 0000 0000000000000005"
	for _, c := range []struct{ bytes, want string }{
		{"", "version: found 0 bytes, want 2"},
		{"ffff", "version: found -1, want 0 or more"},
		{"0001 0000 ffff", "leader: found length -1, want 0 or more"},
		{"0001 0000 0005 61", "leader: found 1 bytes, want 5"},
		{"0000 0000 0000 0000 0000000000000005", "assignment: found 0 bytes, want 4"},
		{head + "00", "assignment: found 1 bytes, want 4"},
		{head + "7fffffff", "assignment: found 2147483647 elements in 0 bytes"},
		{head + "fffffffe", "assignment: found -2 elements in 0 bytes"},
		{head + "00000001 0000 00000002 00000000", "assignment: found 2 elements in 4 bytes"},
		{head + "00000001 0001 63 00000001 fffffffe", `assignment: found task -2 of connector "c", want a number from -1`},
		{head + "00000000 00000000 ffffffff", "delay: found -1ms, want none below zero"},
	} {
		_, err := wire.ParseAssignment(vector(t, c.bytes))
		assert.EqualError(t, err, "assignment: "+c.want, c.bytes)
	}
	for _, c := range []struct{ bytes, want string }{
		{"0001 0000 00000000", "config-offset: found 4 bytes, want 8"},
		{"0001 0000 0000000000000005 fffffffe", "allocation: found length -2, want -1 or more"},
		{"0001 0000 0000000000000005 00000001", "allocation: found 0 bytes, want 1"},
		{"0001 0000 0000000000000005 00000000", "allocation: assignment: version: found 0 bytes, want 2"},
	} {
		_, err := wire.ParseMetadata(vector(t, c.bytes))
		assert.EqualError(t, err, "member metadata: "+c.want, c.bytes)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	long := strings.Repeat("x", math.MaxInt16)
	_, err := wire.Metadata{URL: long}.AppendBinary(nil)
	require.NoError(t, err)
	long += "x"
	for name, a := range map[string]wire.Assignment{
		"leader":    {Leader: long},
		"connector": {Assigned: cluster.Work{Connectors: []string{long}}},
		"revoked":   {Version: wire.Compatible, Revoked: cluster.Work{Tasks: tasks(long, 1)}},
		"negative":  {Version: wire.Compatible, Delay: -time.Second},
		"delay":     {Version: wire.Compatible, Delay: (math.MaxInt32 + 1) * time.Millisecond},
	} {
		b, err := a.AppendBinary(nil)
		require.Error(t, err, name)
		assert.Nil(t, b, name)
	}
	_, err = wire.Metadata{Version: wire.Compatible, Allocation: &wire.Assignment{Leader: long}}.AppendBinary(nil)
	assert.ErrorContains(t, err, "allocation: \"xxx")
	_, err = wire.Metadata{URL: long}.AppendBinary(nil)
	assert.ErrorContains(t, err, "has 32768 bytes, at most 32767 can be sent")
}

func TestVersions(t *testing.T) {
	for name, v := range map[string]wire.Version{"default": wire.Eager, "compatible": wire.Compatible, "sessioned": wire.Sessioned} {
		got, err := wire.ParseVersion(name)
		require.NoError(t, err)
		assert.Equal(t, v, got)
		assert.Equal(t, name, v.String())
	}
	_, err := wire.ParseVersion("eager")
	assert.EqualError(t, err, `group protocol "eager": want default, compatible or sessioned`)
	assert.Equal(t, "version 3", wire.Version(3).String())
	assert.Equal(t, "version -1", wire.Version(-1).String())

	assert.Equal(t, []wire.Version{wire.Eager}, wire.Offers(wire.Eager))
	assert.Equal(t, []wire.Version{wire.Compatible, wire.Eager}, wire.Offers(wire.Compatible))
	assert.Equal(t, []wire.Version{wire.Sessioned, wire.Compatible, wire.Eager}, wire.Offers(wire.Sessioned))
	assert.Len(t, wire.Offers(wire.Version(9)), 3, "no version that nobody knows")
}
