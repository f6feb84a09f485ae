package testenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// session is what one test binary holds on the machine: a folder for the data
// of its servers, its ports, and the shared servers to end at the end. The folder
// is locked, so that another binary can tell a live one from a left one.
type session struct {
	mu      sync.Mutex
	dir     string
	lock    *os.File
	closers []func() error
}

// binary is this test binary's session. Shared servers are shared by the whole
// binary, so this is the one variable of package scope that changes.
var binary session

// Main runs the tests of m, ends the shared servers, removes what they left and
// returns the code to exit with. Call it from TestMain, in a package whose tests
// use shared servers:
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if err := binary.close(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		code = max(code, 1)
	}
	return code
}

// home is the folder in which jars and the data of servers are kept, shared by
// all test binaries of the user.
func home() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("testenv: no cache folder for servers (set HOME or XDG_CACHE_HOME): %w", err)
	}
	dir := filepath.Join(cache, "connect-testenv")
	return dir, os.MkdirAll(dir, 0o755)
}

// folder returns a new folder for the data of one server.
func (s *session) folder(server string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		if err := s.open(); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(s.dir, server+"-")
}

// open makes and locks the session's folder and removes the folders of sessions
// that are gone. The caller holds s.mu.
func (s *session) open() error {
	root, err := home()
	if err != nil {
		return err
	}
	runs := filepath.Join(root, "run")
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return err
	}
	// One at a time: a sweep must not meet a folder that is made but not yet locked.
	gate, err := lockFile(filepath.Join(root, "run.lock"), true)
	if err != nil {
		return err
	}
	defer gate.Close()
	sweep(runs)
	dir, err := os.MkdirTemp(runs, strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return err
	}
	lock, err := lockFile(filepath.Join(dir, "lock"), false)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	s.dir, s.lock = dir, lock
	return nil
}

// sweep removes the folders in runs whose owner is gone. What cannot be removed
// (another user's, say) is left: it harms nobody.
func sweep(runs string) {
	entries, err := os.ReadDir(runs)
	if err != nil {
		return
	}
	for _, e := range entries {
		dir := filepath.Join(runs, e.Name())
		lock, err := lockFile(filepath.Join(dir, "lock"), false)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		lock.Close()
	}
}

// atEnd has f called when the binary's tests are done, last one first.
func (s *session) atEnd(f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, f)
}

func (s *session) close() error {
	s.mu.Lock()
	closers, dir, lock := s.closers, s.dir, s.lock
	s.closers, s.dir, s.lock = nil, "", nil
	s.mu.Unlock()
	var errs []error
	for _, f := range slices.Backward(closers) {
		errs = append(errs, f())
	}
	if dir != "" {
		errs = append(errs, os.RemoveAll(dir), lock.Close())
	}
	return errors.Join(errs...)
}

// The ports of servers lie below the ranges from which systems take ports for
// outgoing connections (Linux from 32768, others from 49152).
const (
	firstPort = 20000
	lastPort  = 32000
)

// port is a loopback port that no other test binary takes while it is held,
// whether or not somebody listens on it.
type port struct {
	number int
	lock   *os.File
}

// reserve returns a free port. Release it when its server is gone for good.
func reserve() (*port, error) {
	root, err := home()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "ports")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for range 1000 {
		n := firstPort + rand.IntN(lastPort-firstPort)
		lock, err := lockFile(filepath.Join(dir, strconv.Itoa(n)), false)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(n))
		if err != nil {
			lock.Close()
			continue
		}
		return &port{number: n, lock: lock}, l.Close()
	}
	return nil, fmt.Errorf("testenv: no free port found between %d and %d", firstPort, lastPort)
}

func (p *port) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number)) }

func (p *port) release() error { return p.lock.Close() }
