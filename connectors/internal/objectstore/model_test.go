package objectstore

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// A world is a topic, a group, a store, and tasks of which only the newest owns the partitions; the others do not know it yet.
type world struct {
	t         *testing.T
	r         *rand.Rand
	mu        sync.Mutex // of r
	config    Config
	caps      Capabilities
	store     *memoryStore
	log       map[connect.TopicPartition][]connect.SinkRecord
	committed connect.Offsets
	owner     *worker
	zombies   []*worker
}

// A worker is one run of a task, with the consumer's positions.
type worker struct {
	w      *world
	task   *Task
	life   context.CancelFunc
	c      *workerContext
	next   connect.Offsets
	put    connect.Offsets
	agreed connect.Offsets // last
	failed error
}

// workerContext notes what the task asks for.
type workerContext struct {
	connecttest.SinkContext
	mu     sync.Mutex
	rewind connect.Offsets
	paused map[connect.TopicPartition]bool
	commit bool
}

func (c *workerContext) Rewind(next connect.Offsets) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rewind == nil {
		c.rewind = connect.Offsets{}
	}
	maps.Copy(c.rewind, next)
}
func (c *workerContext) Pause(tps ...connect.TopicPartition)  { c.hold(tps, true) }
func (c *workerContext) Resume(tps ...connect.TopicPartition) { c.hold(tps, false) }
func (c *workerContext) hold(tps []connect.TopicPartition, paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range tps {
		c.paused[tp] = paused
	}
}
func (c *workerContext) RequestCommit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commit = true
}

func (w *world) intn(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.r.IntN(n)
}

// newWorld fills the log.
func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, r: rand.New(rand.NewPCG(seed, 7)), store: newMemoryStore(), committed: connect.Offsets{},
		log: map[connect.TopicPartition][]connect.SinkRecord{}, caps: Capabilities{ConditionalCreate: true, Metadata: true},
	}
	w.config = testConfig()
	w.config.Partitioner, w.config.PartitionFields = FieldPartitioner, []string{"f"}
	w.config.RetryBackoff = 50 * time.Millisecond
	w.config.StoreKeys = w.intn(2) == 0
	w.config.StoreHeaders = w.intn(3) == 0
	w.config.MaxOpenFiles = []int{-1, -1, 2}[w.intn(3)]
	w.config.Memory = []int64{1 << 20, 1 << 20, 4 * fileOverhead}[w.intn(3)]
	if w.config.StoreKeys {
		w.config.NullValues = WriteNull
	}
	folders := 1 + w.intn(4)
	for p := range int32(1 + w.intn(2)) {
		tp := connect.TopicPartition{Topic: "t", Partition: p}
		offset := int64(w.intn(3))
		for range 20 + w.intn(60) {
			w.log[tp] = append(w.log[tp], testRecord(tp, offset, strconv.Itoa(w.intn(folders)), w.config.StoreKeys && w.intn(8) == 0))
			offset += int64(1 + w.intn(10)/9)
		}
		w.committed[tp] = 0
	}
	return w
}

func testConfig() Config {
	return Config{
		TopicsDir: "topics", DirectoryDelim: "/", FileDelim: "+", PadWidth: 10, Partitioner: DefaultPartitioner, Extractor: Wallclock,
		Memory: 1 << 20, Uploads: 3, TombstonePartition: "tombstone", NullValues: FailOnNull, RotateOnPartitionChange: true,
		Compatibility: NoCompatibility, Foreign: FailOnForeign,
	}
}

// testRecord has its offset for a key, and the offset and a field in its value.
func testRecord(tp connect.TopicPartition, offset int64, f string, tombstone bool) connect.SinkRecord {
	var r connect.SinkRecord
	r.Topic, r.Offset, r.Partition = tp.Topic, offset, connect.On(tp.Partition)
	r.Origin = connect.Origin{TopicPartition: tp, Offset: offset}
	r.Key.Value, r.Timestamp = data.Int64(offset), time.UnixMilli(offset*1000)
	r.Headers = []connect.Header{{Key: "h", Datum: connect.Datum{Value: data.Int64(offset)}}}
	if !tombstone {
		r.Value.Value = data.MapOf(data.Pair{Key: data.String("n"), Value: data.Int64(offset)}, data.Pair{Key: data.String("f"), Value: data.String(f)})
	}
	return r
}

// start makes a task that owns the partitions. Its triggers are its own: rotation need not be the same each time.
func (w *world) start() {
	c := w.config
	for range 1 + w.intn(3) { // one trigger, or some together
		w.arm(&c)
	}
	lines := lineFormat{ext: ".txt"}
	task, err := NewTask(Options{Config: c, Connector: "c", Value: lines, Keys: lines, Headers: lines, Open: func(context.Context, *slog.Logger) (Backend, error) {
		return &memoryBackend{store: w.store, caps: w.caps, fate: randomFate(w.r, &w.mu, time.Duration(1+w.intn(80))*time.Millisecond)}, nil
	}})
	require.NoError(w.t, err)
	x := &worker{w: w, task: task, c: &workerContext{paused: map[connect.TopicPartition]bool{}}, next: w.committed.Clone(), put: w.committed.Clone()}
	life, end := context.WithCancel(w.t.Context())
	x.life = end
	require.NoError(w.t, task.Start(life, x.c))
	require.NoError(w.t, task.Open(life, slices.Collect(maps.Keys(w.committed))))
	w.owner = x
}

// arm sets a trigger.
func (w *world) arm(c *Config) {
	some := time.Duration(1+w.intn(300)) * time.Millisecond
	switch w.intn(8) {
	case 0:
		c.FlushSize = 1 + w.intn(4)
	case 1:
		c.FlushSize = 5 + w.intn(20)
	case 2:
		c.OpenInterval = some
	case 3:
		c.IdleInterval = some
	case 4:
		c.ScheduleInterval = some
	case 5:
		c.FlushBytes = int64(1 + w.intn(400))
	case 6:
		c.FileRecords = 1 + w.intn(6)
	case 7: // records are a second apart by their own time
		c.RotateInterval, c.Extractor = time.Duration(1+w.intn(20))*time.Second, RecordTime
	}
}

// heed does what the task has asked for, as the engine does before a poll.
func (x *worker) heed() {
	x.c.mu.Lock()
	commit := x.c.commit
	x.c.commit = false
	for tp, o := range x.c.rewind {
		x.next[tp], x.put[tp] = o, o
	}
	x.c.rewind = nil
	x.c.mu.Unlock()
	if commit || x.w.intn(6) == 0 {
		x.commit()
	}
}

func (x *worker) commit() {
	agreed, err := x.task.PreCommit(x.w.t.Context(), x.put.Clone())
	require.NoError(x.w.t, err)
	if !maps.Equal(agreed, x.agreed) {
		x.w.durable(agreed)
		x.agreed = agreed
	}
	for tp, o := range agreed {
		require.LessOrEqual(x.w.t, o, x.put[tp])
		if x == x.w.owner {
			x.w.committed[tp] = o
		}
	}
}

// poll puts some records.
func (x *worker) poll(most int) {
	if x.failed != nil {
		return
	}
	x.heed()
	var batch []connect.SinkRecord
	for tp, log := range x.w.log {
		x.c.mu.Lock()
		paused := x.c.paused[tp]
		x.c.mu.Unlock()
		if paused {
			continue
		}
		from, _ := slices.BinarySearchFunc(log, x.next[tp], func(r connect.SinkRecord, o int64) int { return int(r.Offset - o) })
		n := min(len(log)-from, x.w.intn(most+1))
		batch = append(batch, log[from:from+n]...)
		if n > 0 {
			x.next[tp] = log[from+n-1].Offset + 1
		}
	}
	if x.failed = x.task.Put(x.w.t.Context(), batch); x.failed == nil {
		maps.Copy(x.put, x.next)
	}
}

// step lets one thing happen, in a bubble.
func (w *world) step() {
	switch w.intn(20) {
	case 0: // killed: what was sent may arrive
		w.owner.life()
		w.stop(w.owner)
		w.start()
	case 1: // expelled, and does not know it
		w.zombies = append(w.zombies, w.owner)
		w.start()
	case 2: // a rebalance in order
		w.owner.heed()
		w.owner.commit()
		require.NoError(w.t, w.owner.task.Close(w.t.Context(), slices.Collect(maps.Keys(w.committed))))
		w.stop(w.owner)
		w.start()
	case 3, 4:
		time.Sleep(time.Duration(w.intn(300)) * time.Millisecond)
	case 5, 6, 7, 8:
		if len(w.zombies) > 0 {
			w.zombies[w.intn(len(w.zombies))].poll(15)
		}
	default:
		w.owner.poll(10)
	}
}

func (w *world) stop(x *worker) {
	require.NoError(w.t, x.task.Stop(w.t.Context()))
	x.life()
}

// finish has everything written, in a bubble.
func (w *world) finish() {
	for _, z := range w.zombies {
		z.poll(50)
	}
	time.Sleep(time.Second)
	w.owner.life()
	w.stop(w.owner)
	w.start()
	w.owner.task.o.Config.IdleInterval = 10 * time.Millisecond
	for turn := 0; ; turn++ {
		require.Less(w.t, turn, 3000, "no end: committed %v", w.committed)
		w.owner.poll(30)
		require.NoError(w.t, w.owner.failed)
		time.Sleep(20 * time.Millisecond)
		w.owner.heed()
		w.owner.commit()
		done := true
		for tp, log := range w.log {
			done = done && w.committed[tp] > log[len(log)-1].Offset
		}
		if done {
			break
		}
	}
	w.stop(w.owner)
	for _, z := range w.zombies {
		w.stop(z)
	}
	time.Sleep(time.Second)
}

// read reads the store as a user does: how often there is the value, key and headers of each record.
func (w *world) read() map[string]int {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	seen := map[string]int{}
	for key, o := range w.store.objects {
		lines := strings.Split(strings.TrimSuffix(o.body, "\n"), "\n")
		require.Equal(w.t, o.meta[MetaCount], strconv.Itoa(len(lines)), key)
		kind := "value"
		for _, k := range []string{"keys", "headers"} {
			if strings.HasSuffix(key, "."+k+".txt") {
				kind = k
			}
		}
		if strings.Contains(key, "/tombstone/") {
			kind = "tombstone " + kind
		}
		for _, line := range lines {
			seen[kind+" "+o.meta[MetaPartition]+" "+numberIn(line)]++
		}
	}
	return seen
}

// parts are what is to be in the store of a record.
func (w *world) parts(r *connect.SinkRecord) (names []string) {
	prefix, kinds := "", []string{"value"}
	if r.Value.Value.IsNull() {
		prefix, kinds = "tombstone ", nil
	}
	if w.config.StoreKeys {
		kinds = append(kinds, "keys")
	}
	if w.config.StoreHeaders {
		kinds = append(kinds, "headers")
	}
	for _, k := range kinds {
		names = append(names, fmt.Sprint(prefix, k, " ", r.Origin.Partition, " ", r.Offset))
	}
	return names
}

// durable checks that all before an offset is in the store.
func (w *world) durable(agreed connect.Offsets) {
	seen := w.read()
	for tp, offset := range agreed {
		for i := range w.log[tp] {
			r := &w.log[tp][i]
			if r.Offset >= offset {
				break
			}
			for _, part := range w.parts(r) {
				require.Equal(w.t, 1, seen[part], "offset %d was agreed to, and there is no %s", offset, part)
			}
		}
	}
}

// check checks that each record is there once, and nothing else.
func (w *world) check() {
	seen := w.read()
	for _, log := range w.log {
		for i := range log {
			for _, part := range w.parts(&log[i]) {
				require.Equal(w.t, 1, seen[part], "%s; the store has %v", part, w.store.keys())
				delete(seen, part)
			}
		}
	}
	require.Empty(w.t, seen, "nothing else is there")
}

// numberIn returns the offset in a line of a value, a key or headers.
func numberIn(line string) string {
	for _, before := range []string{"n=", "value="} {
		if _, after, ok := strings.Cut(line, before); ok {
			line = after
		}
	}
	end := strings.IndexFunc(line, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		line = line[:end]
	}
	return line
}

// Whatever happens, readers find each record once: tasks die and leave requests behind that arrive later, tasks go on that own nothing any more,
// requests are slow, fail, or fail after they were carried out, and rotation is different each time.
func TestEachRecordOnce(t *testing.T) {
	rounds := 2000
	if testing.Short() || raced() {
		rounds = 300
	}
	for seed := range uint64(rounds) {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed)
				w.start()
				for range 30 + w.intn(60) {
					w.step()
				}
				w.finish()
				w.check()
			})
		})
		if !ok {
			return
		}
	}
}
