package objectstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/streamlane/connect"
)

// A local is a Backend that is a folder. An object is a file; its metadata are in a file beside it, whose name begins with a dot:
//
//	T+0+0000000000.json
//	.T+0+0000000000.json.meta
//
// Data are written to a draft and brought to disk first. Then the metadata, which name the draft, get their name by a hard link: that is
// what decides who has created the object. Last the draft gets the object's name; if a crash prevents that, whoever asks for
// the object next does it. Drafts are in the folder .connect, with one folder for each connector, which its tasks sweep.
type local struct {
	root *os.Root
	o    LocalOptions
	link bool         // the file system has hard links
	at   func(string) // called with the name of each step by tests
}

// LocalOptions go with a folder.
type LocalOptions struct {
	// Owner is the name of the connector.
	Owner string
	// Log hears of what was swept. Nil is none.
	Log *slog.Logger
}

// OpenLocal returns the folder dir, which it creates, as a Backend. Keys are paths with slashes, which cannot leave it. Names of files and folders
// that begin with a dot are its own.
func OpenLocal(dir string, o LocalOptions) (Backend, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &local{root: root, o: o}, nil
}

// Capabilities tries whether there are hard links. It also removes what tasks of the connector that were killed have left.
func (l *local) Capabilities(ctx context.Context) (Capabilities, error) {
	if err := l.makeDirs(l.drafts()); err != nil {
		return Capabilities{}, fmt.Errorf("write to the folder: %w", err)
	}
	name := path.Join(l.drafts(), probePrefix+rand.Text())
	if err := l.root.WriteFile(name, nil, 0o644); err != nil {
		return Capabilities{}, fmt.Errorf("write to the folder: %w", err)
	}
	info, err := l.root.Lstat(name)
	if err != nil {
		return Capabilities{}, err
	}
	l.link = l.root.Link(name, name+"-link") == nil
	err = l.root.Remove(name)
	if l.link {
		err = errors.Join(err, l.root.Remove(name+"-link"))
	}
	if err == nil {
		err = l.sweep(ctx, info.ModTime().Add(-restOfTheLiving), info.ModTime().Add(-restWithoutLocks))
	}
	return Capabilities{ConditionalCreate: l.link, Metadata: true}, err
}

// localMeta is the content of a metadata file.
type localMeta struct {
	Key         string            `json:"key"`
	Data        string            `json:"data"` // the draft
	Size        int64             `json:"size"`
	ContentType string            `json:"contentType,omitempty"`
	Metadata    map[string]string `json:"metadata"`
}

func metaName(key string) string { return path.Join(path.Dir(key), "."+path.Base(key)+".meta") }

// checkKey refuses keys that could not be found again.
func checkKey(key string) error {
	if !fs.ValidPath(key) || key == "." {
		return fmt.Errorf("%q is no path within the folder: its parts must not be empty, . or ..", key)
	}
	for part := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(part, ".") || strings.ContainsRune(part, 0) {
			return fmt.Errorf("%q is no name for a file: a part begins with a dot", key)
		}
	}
	return nil
}

// Put implements Backend.
func (l *local) Put(ctx context.Context, key string, content Content, o PutOptions) error {
	if err := checkKey(key); err != nil {
		return err
	}
	dir := path.Dir(key)
	if err := l.makeDirs(dir); err != nil {
		return err
	}
	d, err := l.newDraft(ctx, content)
	if err != nil {
		return err
	}
	defer d.release()
	l.reached("data written")
	meta := localMeta{Key: key, Data: d.data, Size: content.Size(), ContentType: o.ContentType, Metadata: o.Metadata}
	if err := l.claim(ctx, d, meta, o.IfAbsent); err != nil {
		return errors.Join(err, l.discard(d))
	}
	l.reached("claimed")
	if err := l.syncDir(dir); err != nil {
		return err
	}
	l.reached("claim on disk")
	if err := l.complete(d, key); err != nil {
		return err
	}
	l.reached("named")
	if err := l.syncDir(dir); err != nil {
		return err
	}
	l.reached("name on disk")
	return removed(l.root.Remove(d.meta))
}

// complete gives the draft the object's name. Somebody else may have done it.
func (l *local) complete(d *draft, key string) error {
	err := l.root.Rename(d.data, key)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err = l.root.Lstat(key); err != nil {
			return connect.Retriable(fmt.Errorf("the draft of %s is gone: %w", key, err), 0)
		}
	}
	if err != nil {
		return fmt.Errorf("name the file %s: %w", key, err)
	}
	return nil
}

// claim gives the metadata their name.
func (l *local) claim(ctx context.Context, d *draft, meta localMeta, ifAbsent bool) error {
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	f, err := l.writeSynced(ctx, d.meta, memory(text))
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	l.reached("metadata written")
	if !ifAbsent {
		return l.replaceMeta(d.meta, meta.Key)
	}
	// A file without metadata is somebody else's, and not to be replaced either.
	_, err = l.root.Lstat(meta.Key)
	if err == nil {
		return fmt.Errorf("%s: %w", meta.Key, ErrExists)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.linkMeta(ctx, d.meta, meta.Key)
}

// replaceMeta makes the metadata those of the key, whatever it had.
func (l *local) replaceMeta(meta, key string) error {
	if !l.link {
		return l.root.Rename(meta, metaName(key))
	}
	second := meta + "-link"
	if err := l.root.Link(meta, second); err != nil {
		return err
	}
	return l.root.Rename(second, metaName(key))
}

// linkMeta makes the metadata those of the key, if it has none. Metadata of a file that was removed do not count; to replace them takes
// a lock, or two that do it would both believe to have created the object.
func (l *local) linkMeta(ctx context.Context, meta, key string) error {
	err := l.root.Link(meta, metaName(key))
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	exists := fmt.Errorf("%s: %w", key, ErrExists)
	if _, err := l.Stat(ctx, key); !errors.Is(err, ErrNotFound) {
		return errors.Join(exists, err)
	}
	lock, err := l.lockFolder(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := l.Stat(ctx, key); !errors.Is(err, ErrNotFound) {
		return errors.Join(exists, err)
	}
	if err := removed(l.root.Remove(metaName(key))); err != nil {
		return err
	}
	if err = l.root.Link(meta, metaName(key)); errors.Is(err, fs.ErrExist) {
		return exists
	}
	return err
}

// Stat implements Backend. It also ends what a crash left half done.
func (l *local) Stat(_ context.Context, key string) (Object, error) {
	if err := checkKey(key); err != nil {
		return Object{}, err
	}
	text, err := l.root.ReadFile(metaName(key))
	if errors.Is(err, fs.ErrNotExist) {
		return l.statBare(key)
	}
	if err != nil {
		return Object{}, err
	}
	var meta localMeta
	if err := json.Unmarshal(text, &meta); err != nil {
		return Object{}, fmt.Errorf("metadata of %s: %w", key, err)
	}
	if strings.HasPrefix(meta.Data, draftsDir+"/") {
		err := l.root.Rename(meta.Data, key)
		if err == nil {
			err = l.syncDir(path.Dir(key))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Object{}, err
		}
	}
	if _, err := l.root.Lstat(key); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s: %w", key, ErrNotFound)
		}
		return Object{}, err
	}
	return Object{Key: key, Size: meta.Size, Metadata: meta.Metadata}, nil
}

// statBare returns a file that has no metadata.
func (l *local) statBare(key string) (Object, error) {
	info, err := l.root.Lstat(key)
	if errors.Is(err, fs.ErrNotExist) {
		return Object{}, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	if err != nil {
		return Object{}, err
	}
	return Object{Key: key, Size: info.Size()}, nil
}

// List implements Backend.
func (l *local) List(ctx context.Context, prefix, after string, limit int) ([]Object, error) {
	var found []Object
	err := fs.WalkDir(l.root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case p != "." && strings.HasPrefix(path.Base(p), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || !strings.HasPrefix(p, prefix) || p <= after:
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		found = append(found, Object{Key: p, Size: info.Size()})
		return nil
	})
	slices.SortFunc(found, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	return found[:min(len(found), limit)], err
}

// Delete implements Backend.
func (l *local) Delete(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return errors.Join(removed(l.root.Remove(key)), removed(l.root.Remove(metaName(key))))
}

// Close implements Backend.
func (l *local) Close() error { return l.root.Close() }

// memory is Content in memory.
type memory []byte

// ReadAt implements Content.
func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Size implements Content.
func (m memory) Size() int64 { return int64(len(m)) }
