package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/trial"
)

// exitSample is the exit code of try if some sample fails.
const exitSample = 4

func tryCommand() command {
	return command{
		name: "try", args: "[flags] connector.json | connector.properties",
		summary: "shows what a connector's converters and transforms make of records, step by step, and starts nothing",
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			t := &try{last: 10}
			f.StringVar(&t.worker, "worker", "", "worker's properties `file`: its converters, config providers and Kafka clients count (default those of connect dev)")
			f.StringVar(&t.samples, "samples", "", "`file` of samples, a JSON object a line; - is the standard input")
			f.StringVar(&t.topic, "topic", "", "read samples from this `topic`, without a group and without commits")
			f.StringVar(&t.bootstrap, "bootstrap", "", "`addresses` of brokers for --topic (default bootstrap.servers of the worker's file)")
			f.Func("last", "`number` of records to read from the end of the topic (default 10)", t.setLast)
			f.BoolVar(&t.letters, "dead-letters", false, "the topic has dead letters: try the records that they were")
			f.Func("o", "`format` of the output: text or json (default text)", t.setFormat)
			return t.run
		},
	}
}

// try is the command that tries a configuration on records.
type try struct {
	worker, samples, topic, bootstrap string
	last                              int
	letters, json                     bool
}

func (t *try) setLast(text string) error {
	if _, err := fmt.Sscanf(text, "%d", &t.last); err != nil || t.last < 1 || fmt.Sprint(t.last) != text {
		return fmt.Errorf("found %q, want a number of 1 or more", text)
	}
	return nil
}

func (t *try) setFormat(text string) error {
	if text != "text" && text != "json" {
		return errors.New("want text or json")
	}
	t.json = text == "json"
	return nil
}

// check looks for flags that do not go together.
func (t *try) check(args []string) error {
	switch {
	case len(args) != 1:
		return usageError("try takes one connector file, found %d", len(args))
	case (t.samples == "") == (t.topic == ""):
		return usageError("try needs samples: either --samples or --topic")
	case t.letters && t.topic == "":
		return usageError("--dead-letters goes with --topic")
	}
	return nil
}

// run tries the samples and prints what became of them.
func (t *try) run(ctx context.Context, p process, args []string) error {
	if err := t.check(args); err != nil {
		return err
	}
	file, err := readConnector(args[0])
	if err != nil {
		return exitWith(exitConnector, err)
	}
	worker, err := t.readWorker(ctx, p)
	if err != nil {
		return exitWith(exitWorker, err)
	}
	rt, err := connect.New(connect.Options{Plugins: plugins(p), Worker: worker.resolved, Providers: worker.providers, Logger: p.log})
	if err != nil {
		return exitWith(exitWorker, err)
	}
	ask := trial.Trial{Name: file.name, Props: file.props}
	if err := t.addSamples(ctx, p, worker, &ask); err != nil {
		return err
	}
	tried, err := trial.Run(ctx, rt, ask)
	if err != nil {
		return exitWith(exitConnector, fmt.Errorf("%s: %w", args[0], err))
	}
	r := &trialReport{ask: ask, tried: tried}
	if t.json {
		err = r.json(p.stdout)
	} else {
		err = r.text(p.stdout)
	}
	if err != nil {
		return exitWith(exitWorker, err)
	}
	if failed := r.failed(); failed > 0 {
		return exitWith(exitSample, fmt.Errorf("%d of %d samples fail", failed, len(tried)))
	}
	return nil
}

// readWorker reads the worker's file, or makes up for it.
func (t *try) readWorker(ctx context.Context, p process) (*workerFile, error) {
	file := &workerFile{resolved: new(dev).workerKeys()}
	delete(file.resolved, "listeners")
	if t.worker != "" {
		var err error
		if file, err = readWorker(ctx, t.worker, p.environ, new(framework.WorkerConfig)); err != nil {
			return nil, err
		}
	}
	if t.bootstrap != "" {
		file.resolved = file.resolved.Merge(config.Props{"bootstrap.servers": t.bootstrap})
	}
	return file, nil
}

// addSamples reads the samples, of the kind that the connector takes.
func (t *try) addSamples(ctx context.Context, p process, worker *workerFile, ask *trial.Trial) (err error) {
	source := kindOf(plugins(p), ask.Props) == connect.SourcePlugin
	switch {
	case t.topic != "" && source && !t.letters:
		return usageError("a source has no topic to read from: give --samples, or --dead-letters of a source with --topic")
	case t.topic != "":
		return t.addFromTopic(ctx, p, worker, ask, source)
	}
	var in io.ReadCloser = io.NopCloser(p.stdin)
	if t.samples != "-" {
		if in, err = os.Open(t.samples); err != nil {
			return exitWith(exitUsage, fmt.Errorf("samples: %w", err))
		}
	}
	defer func() { _ = in.Close() }()
	if source {
		ask.Records, err = readRecords(in)
	} else {
		ask.Messages, err = readMessages(in, firstTopic(ask.Props))
	}
	if err != nil {
		return exitWith(exitUsage, fmt.Errorf("%s: %w", t.samples, err))
	}
	return nil
}

// kindOf returns the kind of the connector that a configuration names; that of a
// sink, if there is none of the name.
func kindOf(all []connect.Plugin, props config.Props) connect.PluginKind {
	for _, p := range all {
		if p.Kind() == connect.SourcePlugin && goesBy(p.Info(), props["connector.class"]) {
			return connect.SourcePlugin
		}
	}
	return connect.SinkPlugin
}

// firstTopic is where samples without a topic are from: the first that the
// connector consumes; "" if it has a pattern.
func firstTopic(props config.Props) string {
	var c framework.SinkConnectorConfig
	_ = config.Decode(props, &c) // what is wrong with it, the trial says
	if len(c.Topics) == 0 {
		return ""
	}
	return c.Topics[0]
}
