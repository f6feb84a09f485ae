package objectstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
)

// A local is a Backend that is a folder. An object is a file; its metadata are in a file beside it, whose name begins with a dot:
//
//	T+0+0000000000.json
//	.T+0+0000000000.json.meta
//
// Data are written to a hidden file and brought to disk first. Then the metadata, which name that file, get their name by a hard link: that is
// what decides who has created the object. Last the hidden file gets the object's name; if a crash prevents that, whoever asks for
// the object next does it.
type local struct {
	root *os.Root
	link bool // the file system has hard links
}

// OpenLocal returns the folder dir, which it creates, as a Backend. Keys are paths with slashes, which cannot leave it. Names of files and folders
// that begin with a dot are its own.
func OpenLocal(dir string) (Backend, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	return &local{root: root}, nil
}

// Capabilities tries whether there are hard links.
func (l *local) Capabilities(context.Context) (Capabilities, error) {
	name := ".probe-" + rand.Text()
	if err := l.root.WriteFile(name, nil, 0o644); err != nil {
		return Capabilities{}, fmt.Errorf("write to the folder: %w", err)
	}
	err := l.root.Link(name, name+"-link")
	l.link = err == nil
	err = l.root.Remove(name)
	if l.link {
		err = errors.Join(err, l.root.Remove(name+"-link"))
	}
	return Capabilities{ConditionalCreate: l.link, Metadata: true}, err
}

// localMeta is the content of a metadata file.
type localMeta struct {
	Data        string            `json:"data"` // the hidden file that the data were in first
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
	hidden := path.Join(dir, ".data-"+rand.Text())
	if err := l.writeSynced(ctx, hidden, content); err != nil {
		return err
	}
	meta := localMeta{Data: path.Base(hidden), Size: content.Size(), ContentType: o.ContentType, Metadata: o.Metadata}
	if err := l.claim(ctx, key, meta, o.IfAbsent); err != nil {
		return errors.Join(err, l.root.Remove(hidden))
	}
	if err := l.syncDir(dir); err != nil {
		return err
	}
	if err := l.root.Rename(hidden, key); err != nil && !errors.Is(err, fs.ErrNotExist) { // somebody may have done it
		return fmt.Errorf("name the file %s: %w", key, err)
	}
	return l.syncDir(dir)
}

// claim gives the metadata their name.
func (l *local) claim(ctx context.Context, key string, meta localMeta, ifAbsent bool) error {
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	temp := path.Join(path.Dir(key), ".meta-"+rand.Text())
	if err := l.writeSynced(ctx, temp, memory(text)); err != nil {
		return err
	}
	if !ifAbsent {
		return l.root.Rename(temp, metaName(key))
	}
	// A file without metadata is somebody else's, and not to be replaced either.
	_, err = l.root.Lstat(key)
	if err == nil {
		err = fmt.Errorf("%s: %w", key, ErrExists)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = l.linkMeta(ctx, temp, key)
	}
	return errors.Join(err, l.root.Remove(temp))
}

// linkMeta makes the metadata those of the key. Metadata of a file that was removed do not count.
func (l *local) linkMeta(ctx context.Context, temp, key string) error {
	for range 2 {
		err := l.root.Link(temp, metaName(key))
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if _, err := l.Stat(ctx, key); !errors.Is(err, ErrNotFound) {
			break
		}
		if err := l.root.Remove(metaName(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("%s: %w", key, ErrExists)
}

// writeSynced writes a file and brings it to disk.
func (l *local) writeSynced(ctx context.Context, name string, content Content) error {
	f, err := l.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("create a file: %w", err)
	}
	_, err = io.Copy(f, io.NewSectionReader(content, 0, content.Size()))
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), l.root.Remove(name))
	}
	return nil
}

// makeDirs makes folders, and their names durable.
func (l *local) makeDirs(dir string) error {
	if dir == "." {
		return nil
	}
	if info, err := l.root.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := l.makeDirs(path.Dir(dir)); err != nil {
		return err
	}
	if err := l.root.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the folder %s: %w", dir, err)
	}
	return l.syncDir(path.Dir(dir))
}

// syncDir brings the names in a folder to disk. Windows does so by itself, and can not be told to.
func (l *local) syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := l.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
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
	if strings.HasPrefix(meta.Data, ".data-") && !strings.Contains(meta.Data, "/") {
		dir := path.Dir(key)
		err := l.root.Rename(path.Join(dir, meta.Data), key)
		if err == nil {
			err = l.syncDir(dir)
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
	for _, name := range []string{key, metaName(key)} {
		if err := l.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
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
