package testenv

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	versitygw = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
	moto      = "moto[server]==5.2.5"
)

// ObjectStore is a store that speaks S3.
type ObjectStore struct {
	// URL is its end point; buckets are in the path.
	URL string
	// AccessKey and SecretKey are its one account.
	AccessKey, SecretKey string
}

// objectStoreServer is a process that is one.
type objectStoreServer struct {
	process *process
	store   ObjectStore
}

var sharedS3, sharedMoto shared[*objectStoreServer]

// S3 returns the object store that all tests of the binary share: versitygw, which keeps objects in a folder and heeds conditions.
// Give buckets names of their own. Where TESTENV_S3 is set (URL,access key,secret key), that store is used and nothing is
// started.
func S3(t testing.TB) *ObjectStore {
	t.Helper()
	if text := os.Getenv("TESTENV_S3"); text != "" {
		parts := strings.Split(text, ",")
		if len(parts) != 3 {
			t.Fatalf("TESTENV_S3 is not URL,access key,secret key")
		}
		return &ObjectStore{parts[0], parts[1], parts[2]}
	}
	s := sharedS3.get(t, startVersitygw)
	showLog(t, "versitygw", s.process.dir, logSize(s.process.dir))
	return &s.store
}

// Moto returns another one that all tests of the binary share: moto, which imitates AWS and STS.
func Moto(t testing.TB) *ObjectStore {
	t.Helper()
	needPython(t)
	s := sharedMoto.get(t, startMoto)
	showLog(t, "moto", s.process.dir, logSize(s.process.dir))
	return &s.store
}

func startVersitygw(ctx context.Context) (*objectStoreServer, func() error, error) {
	dir, err := install(ctx, "versitygw", versitygw, func(ctx context.Context, part string) error {
		cmd := exec.CommandContext(ctx, "go", "install", versitygw)
		cmd.Dir = part // outside of the project's module
		cmd.Env = append(os.Environ(), "GOBIN="+part, "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("go install %s: %w\n%s", versitygw, err, tail(string(out)))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	store := ObjectStore{AccessKey: "connect", SecretKey: "connect-secret"}
	return startStore(ctx, "versitygw", store, func(addr, data string) []string {
		return []string{
			filepath.Join(dir, "versitygw"), "--access", store.AccessKey, "--secret", store.SecretKey, "--region", "us-east-1",
			"--health", "/health", "--port", addr, "posix", data,
		}
	}, "/health")
}

func startMoto(ctx context.Context) (*objectStoreServer, func() error, error) {
	dir, err := installPython(ctx, "moto", moto)
	if err != nil {
		return nil, nil, err
	}
	return startStore(ctx, "moto", ObjectStore{AccessKey: "connect", SecretKey: "connect-secret"}, func(addr, _ string) []string {
		host, port, _ := strings.Cut(addr, ":")
		return []string{filepath.Join(dir, "bin", "python"), filepath.Join(dir, "bin", "moto_server"), "-H", host, "-p", port}
	}, "/moto-api/")
}

// startStore starts a store on a port of its own, and keeps its data in a folder of its own.
func startStore(ctx context.Context, name string, store ObjectStore, argv func(addr, data string) []string, ready string) (*objectStoreServer, func() error, error) {
	dir, err := binary.folder(name)
	if err != nil {
		return nil, nil, err
	}
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, nil, err
	}
	at, err := reserve()
	if err != nil {
		return nil, nil, err
	}
	store.URL = "http://" + at.addr()
	s := &objectStoreServer{store: store}
	s.process, err = start(ctx, spec{name: name, dir: dir, argv: argv(at.addr(), data), ready: httpOK(store.URL + ready)})
	if err != nil {
		return nil, nil, errors.Join(err, at.release())
	}
	return s, func() error { return errors.Join(s.process.kill(), at.release()) }, nil
}

// Python returns the command of a Python that has packages, each with its version (name==1.2.3). It is for what reads our files in
// other programs.
func Python(t testing.TB, packages ...string) string {
	t.Helper()
	needPython(t)
	dir, err := installPython(t.Context(), "python", packages...)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "bin", "python")
}

func needPython(t testing.TB) {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import venv, ensurepip").Run(); err != nil {
		unavailable(t, fmt.Errorf("Python 3 with venv is needed (Debian: apt install python3-venv): %w", err)) //nolint:staticcheck // a name
	}
}

// installPython makes an environment of Python with packages.
func installPython(ctx context.Context, name string, packages ...string) (string, error) {
	return install(ctx, name, strings.Join(packages, " "), func(ctx context.Context, part string) error {
		for _, argv := range [][]string{
			{"python3", "-m", "venv", part},
			append([]string{filepath.Join(part, "bin", "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"}, packages...),
		} {
			if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, tail(string(out)))
			}
		}
		return nil
	})
}

// install has fetch fill a folder in the cache, once for each version of what it fetches. Test binaries that install at once wait
// for the first.
func install(ctx context.Context, name, version string, fetch func(ctx context.Context, part string) error) (string, error) {
	root, err := home()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, fmt.Sprintf("%s-%x", name, sha256.Sum256([]byte(version)))[:len(name)+13])
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	lock, err := lockFile(dir+".lock", true)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	ctx, cancel := context.WithTimeout(ctx, installLimit)
	defer cancel()
	part, err := os.MkdirTemp(root, name+".part-")
	if err != nil {
		return "", err
	}
	if err := fetch(ctx, part); err != nil {
		return "", errors.Join(fmt.Errorf("install %s: %w", name, err), os.RemoveAll(part))
	}
	return dir, os.Rename(part, dir)
}
