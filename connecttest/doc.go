// Package connecttest helps to test what plugs into package connect. It is for
// tests and examples only.
//
// # Conformance suites
//
// Each contract of package connect has a suite that shows whether an
// implementation keeps it. A driver's own test is a call of it:
//
//	func TestConformance(t *testing.T) {
//		connecttest.TestOffsetStore(t, func(t testing.TB) connect.OffsetStore {
//			return offsets.File(filepath.Join(t.TempDir(), "offsets"))
//		})
//	}
//
// The suites are TestOffsetStore, TestLog and TestConfigStore, TestBroker and
// TestTransactions, TestCoordinator, TestConverter and TestHeaderConverter,
// TestTransform, TestSourceTask, TestSinkTask and TestPlugin. They take a
// testing.TB: with a *testing.T every case is a subtest, with anything else the
// cases run one after the other. Each case opens what it tests anew. They wait
// for conditions, never for the clock, so they also run inside a
// testing/synctest bubble if what they test does; a bubble has no subtests, so
// give them struct{ testing.TB }{t} there.
//
// # Fakes
//
// SourceTask, SinkTask, Connector, Transform, Predicate and Converter are
// structs of functions; a nil function does nothing. Optional abilities are
// types of their own (Opener, PreCommitter, Committer, ...), so that a fake has
// those that the test embeds and no others:
//
//	task := struct {
//		connecttest.SinkTask
//		connecttest.PreCommitter
//	}{PreCommitter: func(...) {...}}
//
// SourceContext, SinkContext and ConnectorContext stand in for the Runtime and
// record what they are asked for. SourcePlugin and its siblings make a plugin of
// a fake.
//
// # Harnesses
//
// Broker is a Kafka cluster in memory. Source and Sink run a connector on a real
// Runtime in memory. Cluster is a Kafka cluster on an in-memory network for
// whole workers inside a testing/synctest bubble.
package connecttest
