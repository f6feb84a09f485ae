// Command docgen writes the reference pages of all configuration keys, from the
// declarations that also decode and validate them. go generate runs it; a test
// fails where a page is not as it would be written.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("found %d arguments, want the directory of the pages", len(args))
	}
	want, err := pages()
	if err != nil {
		return err
	}
	return write(args[0], want)
}

// write makes the pages of the directory those given: pages of plugins that are
// no more are removed.
func write(dir string, want map[string]string) error {
	have, err := read(dir)
	if err != nil {
		return err
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	for name, text := range want {
		path := filepath.Join(dir, name)
		if have[name] == text {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// read returns the pages that are in the directory, by their path within it.
func read(dir string) (map[string]string, error) {
	have := make(map[string]string)
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return have, nil
	}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".md") {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		have[filepath.FromSlash(name)] = string(text)
		return err
	})
	return have, err
}
