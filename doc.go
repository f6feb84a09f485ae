// Package connect is Kafka Connect as a library: source and sink pipelines with
// offsets, converters, transforms and error handling, inside any Go program. No
// JVM. Connector configurations, worker properties and internal topics are
// those of Java's Kafka Connect.
//
// # A pipeline in twenty lines
//
//	broker, err := kafka.New(kafka.Options{Worker: config.Props{"bootstrap.servers": "localhost:9092"}})
//	...
//	rt, err := connect.New(connect.Options{
//		Plugins: slices.Concat(connectors.All(), converters.All(), transforms.All()),
//		Broker:  broker,
//		Offsets: offsets.File("connect.offsets"),
//		Worker: config.Props{
//			"key.converter":   "StringConverter",
//			"value.converter": "StringConverter",
//		},
//		Logger: slog.Default(),
//	})
//	...
//	go rt.Run(ctx) // until ctx ends; then everything stops and commits
//
//	_, err = rt.PutConnector(ctx, "lines", config.Props{
//		"connector.class": "FileStreamSource",
//		"file":            "input.txt",
//		"topic":           "lines",
//	})
//
// The examples of this package and the programs under examples/ go on from
// there: a source without Kafka, connectors written from scratch, their tests.
//
// # Who is who
//
// A Runtime runs connectors. A Connector divides its work into tasks; a
// SourceTask is polled for records, a SinkTask is given them. On the way a
// record goes through Transforms, and through Converters between data and
// bytes. A Plugin is any of these as a value that Options list: there is no
// registry to fill by imports.
//
// A Runtime stands on interfaces: Broker for Kafka, OffsetStore, ConfigStore
// and StatusStore for what it must remember, Coordinator for sharing the work
// with other workers. Each has a twin in memory, which is what nil means.
//
//	embedded     Options{Plugins, Receiver}          a source without Kafka
//	             Options{Plugins, Broker}            stores in memory
//	standalone   Options{Plugins, Broker, Offsets: offsets.File(path)}
//
// # What plugin authors must know
//
// A struct, array, map or byte slice is frozen once it sits in a record:
// Transform.Apply assigns to the fields of its Record and never changes a value
// that it did not make.
//
// The slice that Poll returned is the task's again at its next Poll. A buffer
// handed to Decode never changes, so decoded strings may alias it; what
// outlives a batch is cloned (SinkRecord.Clone).
//
// Contexts end as follows:
//
//	Start                                      when Stop has returned
//	Poll                                       at once on stop, not on pause
//	Put, Flush, PreCommit, Close, Commit,
//	CommitRecords, Stop                        when the graceful time-out is over
//
// A panic of a plugin fails its task, with the stack in the status. A task that
// failed stays FAILED until it is restarted.
//
// # Errors
//
// Operations return sentinels (ErrNotFound, ErrExists, ErrConflict, ...),
// *InvalidConfigError and *NotLeaderError, wrapped; pipelines fail with a
// *StageError that names connector, task, stage and record. Retriable marks an
// error as worth another try.
package connect
