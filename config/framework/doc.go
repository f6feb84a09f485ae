// Package framework declares Kafka Connect's own configuration keys: those of
// connectors ([SourceConnectorConfig], [SinkConnectorConfig]), of workers
// ([StandaloneConfig], [DistributedConfig]) and of the Kafka clients that a
// connector gets ([Clients]).
//
// The keys of a connector are enriched by those of the plugins that it names:
// transforms=a,b declares transforms.a.type and, once its class is known, the
// keys of that transform. [Plugins] is the list that names are looked up in.
// [Validate] puts it all together into the answer of Kafka Connect's REST
// interface.
//
// Names, types, defaults, limits, groups and messages are those of Apache Kafka
// 4.3.1. Keys that mean something to a Java virtual machine only are declared
// and have no effect; config.Ignored lists them for a warning.
package framework
