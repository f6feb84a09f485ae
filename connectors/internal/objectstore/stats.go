package objectstore

import (
	"sync/atomic"
	"time"

	"github.com/streamlane/connect/metric"
)

// Stats are the metrics of a task, or of several that are one to Connect.
type Stats struct {
	objects, bytes, records, millis, retries, conflicts, skipped, refused *metric.Counter
	rotations                                                             map[trigger]*metric.Counter
	openFiles, openBytes, uploading                                       atomic.Int64
}

// A trigger is why files end.
type trigger string

const (
	byRecords    trigger = "records"
	byBytes      trigger = "bytes"
	byRecordTime trigger = "record-time"
	bySchedule   trigger = "schedule"
	byOpenTime   trigger = "open-time"
	byIdleTime   trigger = "idle-time"
	bySchema     trigger = "schema"
	byFolder     trigger = "folder"
	byOpenFiles  trigger = "open-files"
	byMemory     trigger = "memory"
)

var triggers = map[trigger]string{
	byRecords:    "flush.size, or the number of records of a file",
	byBytes:      "flush.bytes",
	byRecordTime: "rotate.interval.ms",
	bySchedule:   "rotate.schedule.interval.ms",
	byOpenTime:   "rotate.open.interval.ms",
	byIdleTime:   "rotate.idle.interval.ms",
	bySchema:     "a change of the schema",
	byFolder:     "a record of another folder (rotate.file.on.partition.change)",
	byOpenFiles:  "partitioner.max.open.files",
	byMemory:     "memory.bytes, although all that can be was on disk",
}

// NewStats returns Stats that are in the set.
func NewStats(set *metric.Set) *Stats {
	s := &Stats{
		objects:   set.Counter("objects-written", "Objects that were stored."),
		bytes:     set.Counter("bytes-written", "Bytes of the objects that were stored."),
		records:   set.Counter("records-written", "Records in files that were stored, with their keys and headers."),
		millis:    set.Counter("upload-time-ms", "Milliseconds that storing took, retries included, summed over objects."),
		retries:   set.Counter("upload-retries", "Times that the store failed and was tried again after retry.backoff.ms."),
		conflicts: set.Counter("upload-conflicts", "Times that an object was met which holds records that were to be stored."),
		skipped:   set.Counter("records-skipped", "Records that were left out because they are stored already."),
		refused:   set.Counter("records-refused", "Records that could not be written, and were reported."),
		rotations: make(map[trigger]*metric.Counter, len(triggers)),
	}
	for name, doc := range triggers {
		s.rotations[name] = set.Counter("rotations-by-"+string(name), "Times that the files of a Kafka partition ended by "+doc+".")
	}
	gauge := func(name, doc string, v *atomic.Int64) {
		set.Gauge(name, doc, func() float64 { return float64(v.Load()) })
	}
	gauge("open-files", "Files that are not complete.", &s.openFiles)
	gauge("open-bytes", "Bytes of memory of the files that are not complete.", &s.openBytes)
	gauge("uploads-in-flight", "Files that are being stored.", &s.uploading)
	return s
}

// UseStats has the task count by s. It is called before Start; without it, the task counts by itself.
func (t *Task) UseStats(s *Stats) { t.stats = s }

// stored counts an object.
func (s *Stats) stored(size int64, took time.Duration) {
	s.objects.Add(1)
	s.bytes.Add(size)
	s.millis.Add(took.Milliseconds())
}

// gauge brings the gauges in line.
func (t *Task) gauge() {
	files := int64(0)
	for _, p := range t.parts {
		files += int64(len(p.files) + len(p.sealed))
	}
	t.stats.openFiles.Add(files - t.shownFiles)
	t.stats.openBytes.Add(t.open - t.shownBytes)
	t.shownFiles, t.shownBytes = files, t.open
}
