package archtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Dependencies point inwards: cmd and examples on rest and kafka, these on the
// root, the root on cluster, config and data, these on the standard library.
func TestImportDirections(t *testing.T) { check(t, source, importDirections) }

// importDirections judges each import of a file by the layer of its package.
func importDirections(f *file) []string {
	allowed, remedy := layer(f.dir)
	var findings []string
	for _, p := range f.imports() {
		dir, ours := inModule(p)
		if !ours && standard(p) {
			continue
		}
		if !ours {
			dir = p
		}
		if !allowed(dir, ours) {
			findings = append(findings, fmt.Sprintf("%s imports %s; %s", f.path, p, remedy))
		}
	}
	return findings
}

// pure are the packages below the root, in order: each may import those before it.
var pure = []string{"metric", "data", "config", "cluster"}

// notLeaf are packages of internal folders that are no pure leaves: tooling.
var notLeaf = []string{"internal/testenv", "internal/archtest", "internal/docgen", "internal/goldentest", "internal/integration", "internal/certtest", "internal/schematest"}

func leaf(dir string) bool { return under(dir, "internal") && !under(dir, notLeaf...) }

// heavy are leaves that link other modules, for kafka, rest and the clients of schema
// registries alone, with what they may import.
var heavy = map[string][]string{
	"internal/javatls": {"github.com/pavlo-v-chernykh/keystore-go/v4", "software.sslmate.com/src/go-pkcs12"},
}

func light(dir string) bool { return leaf(dir) && heavy[dir] == nil }

// layer returns what the non-test files of a package may import of the module and
// of other modules, and the advice for one that imports something else.
func layer(dir string) (allowed func(dep string, ours bool) bool, remedy string) {
	switch {
	case under(dir, notLeaf...):
		return func(string, bool) bool { return true }, ""
	case under(dir, pure...):
		return func(dep string, ours bool) bool { return ours && belowPure(dir, dep) },
			"metric, data, config and cluster import the standard library, the ones below them in that order, and (cluster, config/framework) pure leaves of internal; " +
				"move what needs more to the root or to a package outside"
	case leaf(dir):
		return func(dep string, ours bool) bool {
				return ours && (under(dep, pure...) || light(dep)) || !ours && slices.Contains(heavy[dir], dep)
			},
			"leaves of internal import the standard library, data, config, cluster and each other; " +
				"pass in what they need as an argument or a function"
	case dir == ".":
		return func(dep string, ours bool) bool {
				if !ours {
					return under(dep, "golang.org/x/sync")
				}
				return under(dep, pure...) || light(dep)
			},
			"the root imports the standard library, golang.org/x/sync, data, config, cluster and pure leaves of internal; " +
				"put it behind an interface that a package outside implements"
	case under(dir, "connectors", "transforms", "converters"):
		return func(dep string, ours bool) bool { return !ours || pluginMay(dir, dep) },
			"plugins import connect, data and config, and live by the public API; " +
				"what several of them share goes to the internal folder beside them (connectors/internal, ...)"
	case under(dir, "offsets", "observe"):
		return func(dep string, ours bool) bool {
				return !ours || dep == "." || under(dep, pure...) || under(dep, "offsets", "observe") && under(dep, dir)
			},
			"drivers import connect, data, config and cluster, and live by the public API"
	case under(dir, "kafka", "rest"):
		return func(dep string, ours bool) bool {
				return !ours || dep == "." || under(dep, pure...) || leaf(dep) || under(dep, first(dir))
			},
			"kafka and rest import connect, what is below it, and pure leaves of internal; they know nothing of each other or of plugins"
	default: // cmd, examples, connecttest, tooling: anything
		return func(string, bool) bool { return true }, ""
	}
}

// belowPure says whether a package of data, config or cluster may import another
// package of the module.
func belowPure(dir, dep string) bool {
	rank := func(d string) int { return slices.Index(pure, first(d)) }
	if under(dep, pure...) {
		return rank(dep) <= rank(dir)
	}
	return under(dir, "cluster", "config/framework") && light(dep)
}

// pluginMay says whether a plugin's package may import another of the module.
func pluginMay(dir, dep string) bool {
	family := first(dir)
	switch {
	case dep == "." || under(dep, "metric", "data", "config"):
		return true
	case under(dep, dir): // lists of plugins, and a plugin's own parts
		return true
	case under(dep, family+"/internal"):
		return true
	case dir != family && under(dep, plugin(dir)): // parts of one plugin know each other
		return true
	case dep == "internal/javajson": // Jackson's text, which the engine's topics, the JSON converter and transforms share
		return family == "converters" || family == "transforms" || family == "connectors"
	case under(dep, "internal/javaregex", "internal/javadate", "internal/jsonpath", "internal/jsonvalue"): // what configurations are written in, and the texts of others
		return family == "transforms" || family == "connectors"
	case under(dep, "internal/jsontree", "internal/names", "internal/mapkeys"): // what the formats of schema registries have in common
		return family == "converters"
	case dep == "internal/avrodata": // Avro's mapping, which the converter and files of Avro and Parquet share
		return under(dir, "converters/avro", "connectors/internal/objectstore/format")
	case dep == "converters": // files of JSON are what the JSON converter writes; payloads of MQTT under a schema are what it reads
		return under(dir, "connectors/internal/objectstore/format", "connectors/mqtt")
	case dep == "internal/javatls": // clients of registries and of other servers speak TLS by Java's keys
		return family == "connectors" || under(dir, "converters/internal/registry")
	case dep == "kafka": // connectors whose other end is Kafka go by our driver
		return under(dir, "connectors/mirror", "connectors/eventhubs")
	}
	return false
}

// first returns the first element of a path.
func first(dir string) string {
	head, _, _ := strings.Cut(dir, "/")
	return head
}

// plugin returns the folder of the plugin that dir is a part of: connectors/file
// of connectors/file/format.
func plugin(dir string) string {
	parts := strings.SplitN(dir, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// standard says whether an import path is the standard library's: its first
// element has no dot.
func standard(p string) bool { return !strings.Contains(first(p), ".") }

// kafkaClient says whether an import path is a Kafka client's. The clients of
// schema registries that live in the same repository speak HTTP and are none.
func kafkaClient(p string) bool {
	if under(p, "github.com/twmb/franz-go/pkg/sr") {
		return false
	}
	return under(p, "github.com/twmb/franz-go", "github.com/segmentio/kafka-go", "github.com/IBM/sarama", "github.com/confluentinc/confluent-kafka-go")
}

// Only kafka speaks to brokers by a client; the rest goes by connect.Broker.
func TestKafkaClientStaysBehindTheSeam(t *testing.T) {
	check(t, func(*file) bool { return true }, kafkaClientImports)
}

func kafkaClientImports(f *file) []string {
	if under(f.dir, "kafka", "connecttest", "cmd", "examples") ||
		f.test && (under(f.dir, "internal/testenv", "internal/integration") || strings.HasSuffix(f.path, "_integration_test.go")) {
		return nil
	}
	var findings []string
	for _, p := range f.imports() {
		if kafkaClient(p) {
			findings = append(findings, fmt.Sprintf("%s imports the Kafka client %s; go by connect.Broker, "+
				"or move a test that needs a client into an _integration_test.go file", f.path, p))
		}
	}
	return findings
}

// Who embeds a pipeline does not want a web server with it, unless asked for.
func TestHTTPStaysOutside(t *testing.T) { check(t, source, httpImports) }

func httpImports(f *file) []string {
	inner := f.dir == "." || under(f.dir, pure...) || leaf(f.dir) ||
		under(f.dir, "offsets", "transforms") || f.dir == "converters"
	if !inner || !slices.Contains(f.imports(), "net/http") {
		return nil
	}
	return []string{fmt.Sprintf("%s imports net/http; only rest, kafka (for token endpoints), and plugins that speak HTTP, do: "+
		"take a function or an interface in its place, or move it outside", f.path)}
}

// The test harness is for tests.
func TestHarnessIsForTests(t *testing.T) { check(t, source, harnessImports) }

func harnessImports(f *file) []string {
	if under(f.dir, "connecttest", "examples") {
		return nil
	}
	var findings []string
	for _, p := range f.imports() {
		if dir, ok := inModule(p); ok && under(dir, append(notLeaf, "connecttest")...) && !under(f.dir, notLeaf...) {
			findings = append(findings, fmt.Sprintf("%s imports %s, which is for tests and examples; move the use into a _test.go file", f.path, p))
		}
	}
	return findings
}

// listed is what the go command says of a package.
type listed struct {
	ImportPath string
	Deps       []string
}

// goList returns packages with all that they link.
func goList(t *testing.T, patterns ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json=ImportPath,Deps"}, patterns...)...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var packages []listed
	for dec := json.NewDecoder(out); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		packages = append(packages, p)
	}
	require.NoError(t, cmd.Wait())
	return packages
}

// A program that embeds a source with a Receiver links neither a Kafka client nor
// an HTTP server: not by way of a dependency either.
func TestEmbeddedSourceLinksNeitherKafkaNorHTTP(t *testing.T) {
	patterns := []string{"."}
	for _, dir := range append(slices.Clone(pure), "converters", "offsets", "examples/embedded") {
		if found, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go")); err == nil && len(found) > 0 {
			patterns = append(patterns, "./"+dir)
		}
	}
	packages := goList(t, patterns...)
	require.Len(t, packages, len(patterns))
	for _, p := range packages {
		assert.Greater(t, len(p.Deps), 10, "%s: the go command lists what it links", p.ImportPath)
		for _, dep := range p.Deps {
			if dep == "net/http" || kafkaClient(dep) {
				t.Errorf("%s links %s; go list -deps shows by way of what: move that import out to kafka, rest or a plugin", p.ImportPath, dep)
			}
		}
	}
}

func TestImportRules(t *testing.T) {
	for _, c := range []struct {
		rule    rule
		at      string
		imports string
		want    bool // a finding
	}{
		{importDirections, "data/x.go", "strings", false},
		{importDirections, "data/x.go", module + "/config", true},
		{importDirections, "data/x.go", "golang.org/x/sync/errgroup", true},
		{importDirections, "config/framework/x.go", module + "/config", false},
		{importDirections, "config/x.go", module + "/internal/track", true},
		{importDirections, "config/framework/x.go", module + "/internal/track", false},
		{importDirections, "config/x.go", module, true},
		{importDirections, "cluster/x.go", module + "/internal/track", false},
		{importDirections, "cluster/x.go", module + "/internal/testenv", true},
		{importDirections, "internal/track/x.go", module + "/data", false},
		{importDirections, "internal/track/x.go", module, true},
		{importDirections, "internal/track/x.go", module + "/internal/javatls", true},
		{importDirections, "internal/javatls/x.go", "software.sslmate.com/src/go-pkcs12", false},
		{importDirections, "internal/javatls/x.go", "example.org/sdk", true},
		{importDirections, "x.go", "golang.org/x/sync/errgroup", false},
		{importDirections, "x.go", "golang.org/x/text", true},
		{importDirections, "converters/internal/registry/x.go", module + "/internal/javatls", false},
		{importDirections, "converters/avro/x.go", module + "/internal/javatls", true},
		{importDirections, "x.go", module + "/internal/javatls", true},
		{importDirections, "rest/x.go", module + "/internal/javatls", false},
		{importDirections, "x.go", module + "/config/framework", false},
		{importDirections, "x.go", module + "/transforms", true},
		{importDirections, "connectors/file/x.go", module, false},
		{importDirections, "connectors/file/x.go", "example.org/sdk", false},
		{importDirections, "connectors/file/x.go", module + "/connectors/internal/rotate", false},
		{importDirections, "connectors/file/x.go", module + "/connectors/syslog", true},
		{importDirections, "connectors/file/lines/x.go", module + "/connectors/file", false},
		{importDirections, "connectors/filed/x.go", module + "/connectors/file", true},
		{importDirections, "connectors/file/x.go", module + "/internal/track", true},
		{importDirections, "connectors/file/x.go", module + "/kafka", true},
		{importDirections, "connectors/mirror/x.go", module + "/kafka", false},
		{importDirections, "connectors/x.go", module + "/connectors/file", false},
		{importDirections, "converters/x.go", module + "/internal/javajson", false},
		{importDirections, "transforms/x.go", module + "/internal/javajson", false},
		{importDirections, "transforms/x.go", module + "/internal/javaregex", false},
		{importDirections, "converters/x.go", module + "/internal/javadate", true},
		{importDirections, "converters/x.go", module + "/internal/connectjson", true},
		{importDirections, "offsets/x.go", module, false},
		{importDirections, "offsets/x.go", module + "/kafka", true},
		{importDirections, "observe/otel/x.go", module + "/rest", true},
		{importDirections, "kafka/x.go", module + "/internal/wire", false},
		{importDirections, "kafka/x.go", module + "/rest", true},
		{importDirections, "rest/x.go", module + "/rest/ui", false},
		{importDirections, "cmd/connect/x.go", module + "/kafka", false},
		{kafkaClientImports, "kafka/x.go", "github.com/twmb/franz-go/pkg/kgo", false},
		{kafkaClientImports, "connectors/mirror/x.go", "github.com/twmb/franz-go/pkg/kgo", true},
		{kafkaClientImports, "converters/avro/x.go", "github.com/twmb/franz-go/pkg/sr", false},
		{kafkaClientImports, "x_test.go", "github.com/segmentio/kafka-go", true},
		{kafkaClientImports, "x_integration_test.go", "github.com/segmentio/kafka-go", false},
		{kafkaClientImports, "internal/testenv/x_test.go", "github.com/twmb/franz-go/pkg/kadm", false},
		{httpImports, "x.go", "net/http", true},
		{httpImports, "converters/x.go", "net/http", true},
		{httpImports, "converters/avro/x.go", "net/http", false},
		{httpImports, "rest/x.go", "net/http", false},
		{httpImports, "internal/testenv/x.go", "net/http", false},
		{harnessImports, "x.go", module + "/connecttest", true},
		{harnessImports, "connecttest/x.go", module + "/internal/goldentest", false},
		{harnessImports, "examples/embedded/x.go", module + "/connecttest", false},
		{harnessImports, "connectors/file/x.go", module + "/internal/testenv", true},
	} {
		f := parse(t, c.at, fmt.Sprintf("package x\nimport _ %q\n", c.imports))
		assert.Equal(t, c.want, len(c.rule(f)) > 0, "%s imports %s", c.at, c.imports)
	}
}
