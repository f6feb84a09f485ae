package objectstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"runtime"
	"strings"
	"time"
)

const (
	draftsDir   = ".connect"
	dataPrefix  = "data-"
	metaPrefix  = "meta-"
	probePrefix = "probe-"
	lockName    = draftsDir + "/lock"

	// restOfTheLiving is the age at which a draft is swept that nobody has locked. It only has to be more than the time between its creation and
	// its lock.
	restOfTheLiving = time.Minute
	// restWithoutLocks is that where the file system or the operating system has no locks.
	restWithoutLocks = 24 * time.Hour
	// lockPause is the time between two tries to lock the folder.
	lockPause = 10 * time.Millisecond
)

// A draft is what becomes an object: data, and beside them metadata that name the object's key. As long as its task lives it
// is locked, so that nobody takes it for what a crash left.
type draft struct {
	data, meta string   // names
	file       *os.File // locked; nil: there are no locks here
}

// drafts is the folder for those of the connector.
func (l *local) drafts() string {
	name := url.PathEscape(l.o.Owner)
	if len(name) > 150 {
		h := fnv.New64a()
		_, _ = io.WriteString(h, name)
		name = fmt.Sprintf("%s-%x", name[:120], h.Sum64())
	}
	return path.Join(draftsDir, "of-"+name)
}

// newDraft brings data to disk.
func (l *local) newDraft(ctx context.Context, content Content) (*draft, error) {
	if err := l.makeDirs(l.drafts()); err != nil {
		return nil, err
	}
	id := rand.Text()
	d := &draft{data: path.Join(l.drafts(), dataPrefix+id), meta: path.Join(l.drafts(), metaPrefix+id)}
	f, err := l.writeSynced(ctx, d.data, content)
	if err != nil {
		return nil, err
	}
	if held, _ := tryLock(f); held {
		d.file = f
		return d, nil
	}
	return d, f.Close()
}

// release gives the lock back.
func (d *draft) release() {
	if d.file != nil {
		_ = d.file.Close() // it was synced
		d.file = nil
	}
}

// discard removes a draft that is not wanted.
func (l *local) discard(d *draft) error {
	d.release()
	return errors.Join(removed(l.root.Remove(d.data)), removed(l.root.Remove(d.meta)))
}

// removed passes over that there was nothing to remove.
func removed(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (l *local) reached(step string) {
	if l.at != nil {
		l.at(step)
	}
}

// writeSynced writes a file and brings it to disk. It is locked from its beginning on, if there are locks here.
func (l *local) writeSynced(ctx context.Context, name string, content Content) (*os.File, error) {
	f, err := l.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create a file: %w", err)
	}
	l.reached("created")
	_, _ = tryLock(f)
	_, err = io.Copy(f, io.NewSectionReader(content, 0, content.Size()))
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", name, err), f.Close(), l.root.Remove(name))
	}
	return f, nil
}

// sweep removes drafts of the connector that nobody will make an object of: those that are not locked although they are as old as
// idle, and, where there are no locks, as old as old.
func (l *local) sweep(ctx context.Context, idle, old time.Time) error {
	entries, err := fs.ReadDir(l.root.FS(), l.drafts())
	if err != nil {
		return fmt.Errorf("look for what a crash left: %w", err)
	}
	swept := 0
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(idle) {
			continue
		}
		if err == nil {
			err = ctx.Err()
		}
		done := false
		if err == nil {
			done, err = l.sweepOne(ctx, path.Join(l.drafts(), e.Name()), info.ModTime().Before(old))
		}
		if err != nil {
			return fmt.Errorf("remove what a crash left: %w", err)
		}
		if done {
			swept++
		}
	}
	if swept > 0 {
		l.o.Log.InfoContext(ctx, "removed files that a task of this connector left behind when it was killed", "files", swept, "folder", l.drafts())
	}
	return nil
}

// sweepOne removes a draft or a part of one, unless it is alive.
func (l *local) sweepOne(ctx context.Context, name string, old bool) (bool, error) {
	base := path.Base(name)
	data := name
	if id, ok := strings.CutPrefix(base, metaPrefix); ok {
		data = path.Join(path.Dir(name), dataPrefix+strings.TrimSuffix(id, "-link"))
	}
	if strings.HasPrefix(base, probePrefix) {
		return true, removed(l.root.Remove(name))
	}
	f, err := l.root.OpenFile(data, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) { // of metadata, the data are where they belong
		return true, removed(l.root.Remove(name))
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	held, err := tryLock(f)
	if !held && (err == nil || !old) {
		return false, nil
	}
	if base != path.Base(data) {
		return false, nil // goes with the data
	}
	meta := path.Join(path.Dir(data), metaPrefix+strings.TrimPrefix(base, dataPrefix))
	if err := l.completeClaimed(ctx, meta, data); err != nil {
		return false, err
	}
	return true, errors.Join(removed(l.root.Remove(data)), removed(l.root.Remove(meta)), removed(l.root.Remove(meta+"-link")))
}

// completeClaimed names a draft that has won its key, and was killed then.
func (l *local) completeClaimed(ctx context.Context, meta, data string) error {
	var m localMeta
	text, err := l.root.ReadFile(meta)
	if err != nil || json.Unmarshal(text, &m) != nil || checkKey(m.Key) != nil {
		return removed(err) // not written yet
	}
	var claimed localMeta
	text, err = l.root.ReadFile(metaName(m.Key))
	if err != nil || json.Unmarshal(text, &claimed) != nil || claimed.Data != data {
		return removed(err)
	}
	_, err = l.Stat(ctx, m.Key)
	return err
}

// lockFolder waits for the lock of the whole folder. Where there are no locks it is free.
func (l *local) lockFolder(ctx context.Context) (io.Closer, error) {
	f, err := l.root.OpenFile(lockName, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		held, err := tryLock(f)
		if held || err != nil {
			return f, nil
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		}
	}
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
