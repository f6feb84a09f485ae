package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A wordKind says what an argument of a command is.
type wordKind uint8

const (
	wordNothing wordKind = iota // nothing that could be told
	wordName                    // a connector's name
	wordFile
	wordPlugin
	wordShell
	wordOffsetsVerb
)

// The scripts that have shells ask "connect __complete". They know nothing of
// commands and flags themselves.
var (
	//go:embed completion/connect.bash
	bashScript string
	//go:embed completion/connect.zsh
	zshScript string
	//go:embed completion/connect.fish
	fishScript string
)

// filesWanted is the answer by which a script is to complete files.
const filesWanted = ":files"

// completionTime bounds the wait for a worker's names: somebody holds a key down.
const completionTime = 2 * time.Second

func completionCommand() command {
	return command{
		name: "completion", args: "bash|zsh|fish", summary: "prints a script that completes commands, flags and names of connectors in a shell",
		words: []wordKind{wordShell, wordNothing},
		prepare: func(*flag.FlagSet) func(context.Context, process, []string) error {
			return func(_ context.Context, p process, args []string) error {
				script := ""
				if len(args) == 1 {
					script = map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[args[0]]
				}
				if script == "" {
					return usageError("completion takes bash, zsh or fish, found %q", args)
				}
				_, err := io.WriteString(p.stdout, script)
				return err
			}
		},
	}
}

// completeCommand is what the scripts call: with the words of a command line up
// to the cursor, the program's own left out, it prints what the last one may
// become, one a line.
func completeCommand() command {
	return command{
		name: "__complete", args: "[WORD ...]", summary: "prints completions of the last word", style: noFlags, hidden: true,
		prepare: func(*flag.FlagSet) func(context.Context, process, []string) error {
			return func(ctx context.Context, p process, words []string) error {
				for _, c := range completions(ctx, p, words) {
					fmt.Fprintln(p.stdout, c)
				}
				return nil
			}
		},
	}
}

// completions returns what the last word may become.
func completions(ctx context.Context, p process, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	candidates := func() []string {
		if len(words) == 1 {
			return commandNames()
		}
		for _, c := range commands() {
			if c.name == words[0] {
				return c.complete(ctx, p, words[1:len(words)-1], last)
			}
		}
		return nil
	}()
	if slices.Equal(candidates, []string{filesWanted}) {
		return candidates
	}
	return slices.DeleteFunc(candidates, func(c string) bool { return !strings.HasPrefix(c, last) || strings.ContainsAny(c, "\n\r") })
}

func commandNames() []string {
	names := []string{"help"}
	for _, c := range commands() {
		if !c.hidden {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return names
}

// complete returns candidates for a word of this command, after others.
func (c *command) complete(ctx context.Context, p process, before []string, last string) []string {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	var log logFlags
	log.declare(f)
	c.prepare(f)
	line := readWords(f, before)
	switch {
	case line.open != "":
		return valuesOf(f.Lookup(line.open))
	case strings.HasPrefix(last, "-") && !line.literal:
		return flagNames(f)
	case len(c.words) == 0:
		return []string{filesWanted}
	}
	switch c.words[min(len(line.args), len(c.words)-1)] {
	case wordName:
		return slices.DeleteFunc(connectorNames(ctx, p, line.flags), func(name string) bool { return slices.Contains(line.args, name) })
	case wordFile:
		return []string{filesWanted}
	case wordPlugin:
		return pluginNames(p)
	case wordShell:
		return []string{"bash", "fish", "zsh"}
	case wordOffsetsVerb:
		return []string{"get", "reset", "set"}
	}
	return nil
}

// A typedLine is a command line as far as it was typed.
type typedLine struct {
	args    []string
	flags   map[string]string
	open    string // the flag that the next word is the value of; "": none
	literal bool   // after "--"
}

// readWords tells flags, their values and arguments apart, as package flag does.
func readWords(f *flag.FlagSet, words []string) typedLine {
	line := typedLine{flags: make(map[string]string)}
	for _, word := range words {
		name := strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-")
		switch {
		case line.open != "":
			line.flags[line.open], line.open = word, ""
		case line.literal || word == "-" || !strings.HasPrefix(word, "-"):
			line.args = append(line.args, word)
		case word == "--":
			line.literal = true
		default:
			name, value, given := strings.Cut(name, "=")
			known := f.Lookup(name)
			switch {
			case given:
				line.flags[name] = value
			case known != nil && !isSwitch(known):
				line.open = name
			default:
				line.flags[name] = "true"
			}
		}
	}
	return line
}

// isSwitch tells that a flag needs no value.
func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

func flagNames(f *flag.FlagSet) []string {
	var names []string
	f.VisitAll(func(f *flag.Flag) {
		if len(f.Name) == 1 {
			names = append(names, "-"+f.Name)
			return
		}
		names = append(names, "--"+f.Name)
	})
	return names
}

// valuesOf returns what a flag may be.
func valuesOf(f *flag.Flag) []string {
	switch f.Name {
	case "o":
		return []string{"json", "table", "wide"}
	case "log-level":
		return []string{"debug", "error", "info", "warn"}
	case "log-format":
		return []string{"json", "text"}
	case "ca", "cert", "key", "file", "data":
		return []string{filesWanted}
	}
	return nil
}

// connectorNames asks the worker that the flags lead to. Whatever goes wrong,
// there are no names: a completion has nobody to tell.
func connectorNames(ctx context.Context, p process, given map[string]string) []string {
	var flags clientFlags
	f := flag.NewFlagSet("", flag.ContinueOnError)
	flags.declareWorker(f)
	for name, value := range given {
		_ = f.Set(name, value) // those of the command's own are not known here
	}
	cl, err := flags.connect(p)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	answer, err := cl.send(ctx, http.MethodGet, "/connectors", nil)
	var names []string
	if err != nil || json.Unmarshal(answer, &names) != nil {
		return nil
	}
	slices.Sort(names)
	return names
}

func pluginNames(p process) []string {
	var names []string
	for _, plugin := range plugins(p) {
		names = append(names, plugin.Info().Class)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
