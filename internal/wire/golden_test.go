package wire_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/wire"
)

// recorded is one line of testdata/group: a group of Java's workers as the
// broker described it. Lines about events have no members.
type recorded struct {
	Protocol string `json:"protocolData"`
	Members  []struct {
		Metadata          []byte              `json:"metadata"`
		MetadataDecoded   *recordedMetadata   `json:"metadataDecoded"`
		Assignment        []byte              `json:"assignment"`
		AssignmentDecoded *recordedAssignment `json:"assignmentDecoded"`
	} `json:"members"`
}

type recordedMetadata struct {
	Version      wire.Version        `json:"version"`
	URL          string              `json:"url"`
	ConfigOffset int64               `json:"configOffset"`
	Allocation   *recordedAssignment `json:"allocation"`
}

type recordedAssignment struct {
	Version      wire.Version   `json:"version"`
	Error        wire.ErrorCode `json:"error"`
	Leader       string         `json:"leader"`
	LeaderURL    string         `json:"leaderUrl"`
	ConfigOffset int64          `json:"configOffset"`
	Assignment   recordedWork   `json:"assignment"`
	Revoked      recordedWork   `json:"revoked"`
	Delay        int64          `json:"delay"`
}

type recordedWork []struct {
	Connector string `json:"connector"`
	Tasks     []int  `json:"tasks"`
}

func (m *recordedMetadata) want() wire.Metadata {
	want := wire.Metadata{Version: m.Version, URL: m.URL, ConfigOffset: m.ConfigOffset}
	if m.Allocation != nil {
		a := m.Allocation.want()
		want.Allocation = &a
	}
	return want
}

func (a *recordedAssignment) want() wire.Assignment {
	return wire.Assignment{
		Version: a.Version, Error: a.Error, Leader: a.Leader, LeaderURL: a.LeaderURL, ConfigOffset: a.ConfigOffset,
		Assigned: a.Assignment.want(), Revoked: a.Revoked.want(), Delay: time.Duration(a.Delay) * time.Millisecond,
	}
}

func (w recordedWork) want() cluster.Work {
	var work cluster.Work
	for _, c := range w {
		for _, t := range c.Tasks {
			if t == -1 {
				work.Connectors = append(work.Connectors, c.Connector)
			} else {
				work.Tasks = append(work.Tasks, cluster.TaskID{Connector: c.Connector, Task: t})
			}
		}
	}
	return work
}

// recordings calls f with every line of every recording.
func recordings(t testing.TB, f func(r recorded)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "group", "*.jsonl"))
	require.NoError(t, err)
	require.Len(t, paths, 6)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, len(b))
		for lines.Scan() {
			var r recorded
			require.NoError(t, json.Unmarshal(lines.Bytes(), &r), path)
			f(r)
		}
		require.NoError(t, lines.Err())
	}
}

// TestJavaGroups: all that Java's workers of 4.3.1 sent while workers came and
// went is read as it was meant, and written again with the same bytes. Equal
// bytes also tell that the reader left nothing over.
func TestJavaGroups(t *testing.T) {
	metadata, assignments := map[wire.Version]int{}, map[wire.Version]int{}
	recordings(t, func(r recorded) {
		for _, m := range r.Members {
			if m.MetadataDecoded != nil {
				got, err := wire.ParseMetadata(m.Metadata)
				require.NoError(t, err)
				require.Equal(t, m.MetadataDecoded.want(), got)
				again, err := got.AppendBinary(nil)
				require.NoError(t, err)
				require.Equal(t, m.Metadata, again)
				require.Equal(t, r.Protocol, got.Version.String(), "the name of the protocol in force")
				metadata[got.Version]++
			}
			if m.AssignmentDecoded != nil {
				got, err := wire.ParseAssignment(m.Assignment)
				require.NoError(t, err)
				require.Equal(t, m.AssignmentDecoded.want(), got)
				again, err := got.AppendBinary(nil)
				require.NoError(t, err)
				require.Equal(t, m.Assignment, again)
				assignments[got.Version]++
			}
		}
	})
	t.Logf("metadata by version: %v, assignments: %v", metadata, assignments)
	for v := wire.Eager; v <= wire.Sessioned; v++ {
		assert.Greater(t, metadata[v], 10, v)
		assert.Greater(t, assignments[v], 10, v)
	}
}
