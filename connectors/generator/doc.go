// Package generator makes records up: for demonstrations, for tests of load, and as the source of the benchmarks.
//
// GeneratorSource runs tasks.max tasks, each of which makes records 1, 2, 3 and so on, as many as the key records says, and then idles.
// What a record holds depends on nothing but its task and its number, so a task that starts again goes on exactly where it was told to:
// the source partition is {"task": "0"}, the source offset {"n": records made so far}.
//
// The key mode chooses what is made:
//
//   - bytes: values of size bytes that look random, without a key
//   - struct: rows of eight fields under the schema perf.Record, without a key
//   - template: people, orders or sensor readings with a STRING key, by the key template
//
// Records are made as fast as they are taken, or rate of them a second in each task, evenly spread: a batch holds what fell due, and after
// being held up a task catches up with one second's worth at most.
package generator
