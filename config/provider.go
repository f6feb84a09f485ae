package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A Provider holds values outside the configuration: secrets in files, in the
// environment, in a vault. Configurations name them by ${provider:path:key}.
// Get is called from several goroutines at once.
type Provider interface {
	// Get returns the values of the given keys below path, of all keys if keys
	// is nil. A key that is not there is left out; an error says that the
	// provider could not be asked, and fails what needed it. Path is "" for
	// ${provider:key}.
	Get(ctx context.Context, path string, keys []string) (ProviderData, error)
}

// ProviderData is what a Provider found.
type ProviderData struct {
	Values map[string]string
	// TTL is how long the values hold, if Expires is true; 0 is a time too.
	TTL     time.Duration
	Expires bool
}

// allowedPaths is the setting that both providers of files have.
type allowedPaths struct {
	AllowedPaths []string
}

func (a *allowedPaths) Describe(d *Def) {
	List(d, &a.AllowedPaths, "allowed.paths").Default(nil).
		Doc("Absolute paths below which files may be read, separated by commas. Empty: everywhere.")
}

// Check refuses paths that are relative or do not exist.
func (a *allowedPaths) Check() error {
	for _, p := range a.AllowedPaths {
		if !filepath.IsAbs(p) {
			return Errorf("allowed.paths", "path %s is not absolute", p)
		}
		if _, err := os.Stat(p); err != nil {
			return Errorf("allowed.paths", "path %s does not exist", p)
		}
	}
	return nil
}

// allows tells whether path lies below an allowed one, and returns it without
// "..". Symbolic links are followed before the comparison: a link below an
// allowed path must not lead out of it. Java compares the names alone.
func (a *allowedPaths) allows(path string) (string, bool) {
	path = filepath.Clean(path)
	if len(a.AllowedPaths) == 0 {
		return path, true
	}
	if !filepath.IsAbs(path) {
		return "", false
	}
	path = realPath(path)
	for _, allowed := range a.AllowedPaths {
		rel, err := filepath.Rel(realPath(allowed), path)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return path, true
		}
	}
	return "", false
}

func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return filepath.Clean(path)
}

// FileProviderConfig configures NewFileProvider.
type FileProviderConfig struct{ allowedPaths }

// FileProvider reads .properties files: path is the file, key the property.
type FileProvider struct{ paths allowedPaths }

// NewFileProvider returns the twin of Java's FileConfigProvider.
func NewFileProvider(c FileProviderConfig) *FileProvider { return &FileProvider{c.allowedPaths} }

// Get reads the file. A path that is not allowed has no values; a file that
// cannot be read is an error.
func (p *FileProvider) Get(_ context.Context, path string, keys []string) (ProviderData, error) {
	file, ok := p.paths.allows(path)
	if !ok || path == "" {
		return ProviderData{}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return ProviderData{}, fmt.Errorf("file provider: %w", err)
	}
	defer func() { _ = f.Close() }()
	props, err := ParseProperties(f)
	if err != nil {
		return ProviderData{}, fmt.Errorf("file provider: %s: %w", file, err)
	}
	return ProviderData{Values: pick(props, keys)}, nil
}

// pick returns the values of keys, all for nil.
func pick(all map[string]string, keys []string) map[string]string {
	if keys == nil {
		return all
	}
	out := make(map[string]string, len(keys))
	for _, k := range keys {
		if v, ok := all[k]; ok {
			out[k] = v
		}
	}
	return out
}

// DirectoryProviderConfig configures NewDirectoryProvider.
type DirectoryProviderConfig struct{ allowedPaths }

// DirectoryProvider reads directories in the manner of mounted Kubernetes
// secrets: path is the directory, key the name of a regular file in it, the value
// its whole content, untrimmed.
type DirectoryProvider struct{ paths allowedPaths }

// NewDirectoryProvider returns the twin of Java's DirectoryConfigProvider.
func NewDirectoryProvider(c DirectoryProviderConfig) *DirectoryProvider {
	return &DirectoryProvider{c.allowedPaths}
}

// Get reads files of the directory. A path that is not allowed or no directory
// has no values.
func (p *DirectoryProvider) Get(_ context.Context, path string, keys []string) (ProviderData, error) {
	dir, ok := p.paths.allows(path)
	if !ok || path == "" {
		return ProviderData{}, nil
	}
	if keys == nil {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return ProviderData{}, fmt.Errorf("directory provider: %w", err)
		}
		for _, e := range entries {
			keys = append(keys, e.Name())
		}
	}
	values := map[string]string{}
	for _, k := range keys {
		v, ok, err := p.file(dir, k)
		if err != nil {
			return ProviderData{}, fmt.Errorf("directory provider: %w", err)
		}
		if ok {
			values[k] = v
		}
	}
	return ProviderData{Values: values}, nil
}

// file reads one regular file; a name that leaves the directory has no value.
func (p *DirectoryProvider) file(dir, name string) (string, bool, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`) {
		return "", false, nil
	}
	path, ok := p.paths.allows(filepath.Join(dir, name))
	if !ok {
		return "", false, nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", false, nil
	}
	b, err := os.ReadFile(path)
	return string(b), err == nil, err
}

// EnvProviderConfig configures NewEnvProvider.
type EnvProviderConfig struct {
	AllowlistPattern string
	// Environ stands in for os.Environ; it is no key.
	Environ func() []string
}

// Describe declares allowlist.pattern.
func (c *EnvProviderConfig) Describe(d *Def) {
	String(d, &c.AllowlistPattern, "allowlist.pattern").Default(".*").Check(Regexp()).
		Doc("Regular expression that the whole name of a variable must match to be read.")
}

// EnvProvider reads environment variables: path is empty, key the variable.
type EnvProvider struct {
	allow   *regexp.Regexp
	environ func() []string
}

// NewEnvProvider returns the twin of Java's EnvVarConfigProvider. An empty
// pattern allows all.
func NewEnvProvider(c EnvProviderConfig) (*EnvProvider, error) {
	pattern := c.AllowlistPattern
	if pattern == "" {
		pattern = ".*"
	}
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil {
		return nil, Errorf("allowlist.pattern", "%w", err)
	}
	if c.Environ == nil {
		c.Environ = os.Environ
	}
	return &EnvProvider{re, c.Environ}, nil
}

// Get reads variables. A path is an error.
func (p *EnvProvider) Get(_ context.Context, path string, keys []string) (ProviderData, error) {
	if path != "" {
		return ProviderData{}, fmt.Errorf("env provider: path %q given, want none: ${env:NAME}", path)
	}
	all := map[string]string{}
	for _, e := range p.environ() {
		if name, v, ok := strings.Cut(e, "="); ok && p.allow.MatchString(name) {
			all[name] = v
		}
	}
	return ProviderData{Values: pick(all, keys)}, nil
}
