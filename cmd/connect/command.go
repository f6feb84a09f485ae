package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/streamlane/connect/rest"
)

// process is what a command sees of the process that it runs in.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        func() []string
	// listen opens the listeners of REST interfaces; nil: TCP.
	listen listenFunc
	// log and the levels behind it are made by command.run, according to the flags.
	log    *slog.Logger
	levels *rest.Loggers
}

// The exit codes of org.apache.kafka.connect.cli.
const (
	exitUsage     = 1
	exitWorker    = 2 // the worker's configuration, or what it needs to begin
	exitConnector = 3 // the running worker, or a connector of the command line
)

// exitError ends a command with a code other than 0.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// exitWith wraps err; nil stays nil.
func exitWith(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

// problems are errors that are reported one by one.
type problems []error

func (p problems) Error() string {
	texts := make([]string, len(p))
	for i, err := range p {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "\n")
}

func (p problems) Unwrap() []error { return p }

// add appends err, the parts of other problems one by one; nil adds nothing.
func (p *problems) add(err error) {
	if several, ok := errors.AsType[problems](err); ok {
		*p = append(*p, several...)
	} else if err != nil {
		*p = append(*p, err)
	}
}

// orNil is p as an error.
func (p problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// A command is one word of the command line.
type command struct {
	name, args, summary string
	// style says where flags may stand.
	style flagStyle
	// hidden commands are not in the help.
	hidden bool
	// words are the arguments as shells complete them; the last repeats.
	words []wordKind
	// prepare declares the flags and returns what runs the command with what is
	// left of the command line.
	prepare func(f *flag.FlagSet) func(ctx context.Context, p process, args []string) error
}

// commands are all that there are, in the order in which help lists them.
func commands() []command {
	return append([]command{
		distributedCommand(),
		standaloneCommand(),
		devCommand(),
		tryCommand(),
		pluginsCommand(),
		configCommand(),
		versionCommand(),
	}, clientCommands()...)
}

// A flagStyle says where the flags of a command may stand.
type flagStyle uint8

const (
	flagsFirst    flagStyle = iota // before the arguments
	flagsAnywhere                  // among them, too
	noFlags                        // what looks like a flag is an argument
)

// parse parses a command line and returns its arguments.
func (s flagStyle) parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	switch s {
	case noFlags:
		return args, nil
	case flagsFirst:
		if err = f.Parse(args); err == nil {
			err = flagAmong(f.Args())
		}
		return f.Args(), err
	}
	args, literal := cutLiteral(args)
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if args = f.Args(); len(args) == 0 {
			return append(rest, literal...), nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// cutLiteral splits off what follows "--".
func cutLiteral(args []string) (before, after []string) {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i], args[i+1:]
	}
	return args, nil
}

// errUsage is wrapped by errors about the command line.
var errUsage = errors.New("run with -h for help")

func usageError(format string, args ...any) error {
	return exitWith(exitUsage, fmt.Errorf(format+"; %w", append(args, errUsage)...))
}

// run carries out a command line, without the program's name, and returns the
// exit code.
func run(ctx context.Context, args []string, p process) int {
	if len(args) == 0 {
		help(p.stderr)
		return exitUsage
	}
	if name := args[0]; name == "help" || name == "-h" || name == "-help" || name == "--help" {
		help(p.stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, p, args[1:])
		}
	}
	fmt.Fprintf(p.stderr, "connect: there is no command %q; connect help lists them\n", args[0])
	return exitUsage
}

// run parses the flags of a command and runs it.
func (c *command) run(ctx context.Context, p process, args []string) int {
	flags := flag.NewFlagSet("connect "+c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	var log logFlags
	log.declare(flags)
	do := c.prepare(flags)
	rest, err := c.style.parse(flags, args)
	p.log, p.levels = log.logger(p.stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(p.stdout)
		fmt.Fprintf(p.stdout, "usage: connect %s %s\n\n%s\n\n", c.name, c.args, c.summary)
		flags.PrintDefaults()
		return 0
	case err != nil && !errors.Is(err, errUsage):
		err = usageError("%w", err)
	case err == nil:
		err = do(ctx, p, rest)
	}
	return c.report(p, log.json, err)
}

// flagAmong refuses a flag behind the first argument, which package flag takes
// for an argument.
func flagAmong(args []string) error {
	for _, a := range args {
		if len(a) > 1 && a[0] == '-' {
			return usageError("flag %s comes after the files; flags go before them", a)
		}
	}
	return nil
}

// report prints what went wrong, a line for each error and in the log's format if
// that is JSON, and returns the exit code.
func (c *command) report(p process, json bool, err error) int {
	if err == nil {
		return 0
	}
	code := exitWorker
	if e, ok := errors.AsType[*exitError](err); ok {
		code = e.code
	}
	var all problems
	all.add(err)
	for _, err := range all {
		if json {
			p.log.Error(err.Error())
			continue
		}
		fmt.Fprintf(p.stderr, "connect %s: %v\n", c.name, err)
	}
	return code
}

// help prints what commands there are.
func help(w io.Writer) {
	fmt.Fprint(w, "connect runs connectors of Kafka Connect.\n\nusage:\n\n")
	for _, c := range commands() {
		if c.hidden {
			continue
		}
		fmt.Fprintf(w, "  connect %s\n        %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	fmt.Fprint(w, "\nconnect COMMAND -h tells the flags of a command.\n")
}
