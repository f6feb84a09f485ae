// Package testing shows how a connector is tested: a source that reads an
// article feed and a sink that fills a search index, each with its tests.
//
// Read feed_test.go and index_test.go. They go from small to large:
//
//   - the plugin's declaration, by the suite connecttest.TestPlugin;
//   - the task by hand, on a context that records what it is asked for;
//   - the task's contract, by the suites connecttest.TestSourceTask and
//     connecttest.TestSinkTask;
//   - the connector on a real Runtime in memory, with converters, transforms,
//     offsets, failures and restarts, by the harnesses connecttest.Source and
//     connecttest.Sink.
//
// No broker and no network are needed. What a connector talks to is an interface,
// handed to its plugin, so a test puts a fake in its place.
package testing
