// Package config declares, decodes, validates and documents configuration.
//
// A configuration is a struct with one method, Describe, which binds its fields
// to keys, as package flag does with command line options:
//
//	type Config struct {
//		Topic string
//		Every time.Duration
//	}
//
//	func (c *Config) Describe(d *config.Def) {
//		config.String(d, &c.Topic, "topic").Importance(config.High).Doc("Topic to write to.")
//		config.Millis(d, &c.Every, "every.ms").Default(time.Second).Check(config.AtLeast(time.Millisecond)).
//			Doc("Pause between batches.")
//	}
//
// Everything else follows from that method: [Decode] and [Encode] go between the
// struct and its raw text, [Validate] answers key by key as Kafka Connect's REST
// interface does, [Keys] and [Markdown] document, [Unknown] finds typing errors.
//
// Raw text is what travels: [Props] holds it as it was written, placeholders of
// config providers included. A [Resolver] replaces these right before decoding.
//
// The rules of parsing, the error texts and the order of errors are those of
// Java's org.apache.kafka.common.config.ConfigDef.
package config
