//go:build synctests

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
)

const (
	// settleLimit is longer than sessions, delays and pauses between attempts.
	settleLimit = 5 * time.Minute
	lookPause   = 5 * time.Second
	// looks is how often all must be well in a row.
	looks = 4
)

// awaitUser waits until the user has an answer.
func (c *chaos) awaitUser() { <-c.asking }

// settle mends everything and waits until all is as it must be, and stays so.
func (c *chaos) settle() {
	c.t.Helper()
	c.awaitUser()
	c.note("settle")
	for _, p := range c.living() {
		p.line.setCut(false)
		p.line.thaw()
	}
	c.eventually("all to be well", c.problem)
	for name, w := range c.wanted {
		found := c.find(name)
		w.config.settle(found.stored)
		if found.conn != nil {
			w.target.settle(found.conn.Target)
		}
	}
}

// eventually waits in the bubble until there has been no problem for a while.
func (c *chaos) eventually(what string, problem func() string) {
	c.t.Helper()
	limit := time.Now().Add(settleLimit)
	for well := 0; well < looks; time.Sleep(lookPause) {
		c.endSessions()
		p := problem()
		if p == "" {
			well++
			continue
		}
		well = 0
		if time.Now().After(limit) {
			c.tell()
			require.Fail(c.t, "waited in vain for "+what, "%s", p)
		}
	}
}

// tell writes to the log what there is to know of a round that fails.
func (c *chaos) tell() {
	c.note("the group: %+v", c.fake.GroupInfo(groupOfWorkers))
	_ = pprof.Lookup("goroutine").WriteTo(c.log, 1)
	for _, topic := range []string{"configs", "status"} {
		for _, r := range c.read(topic) {
			c.note("%s %d/%d of %s: %s %s", topic, r.Partition, r.Offset, r.Timestamp.UTC().Format("15:04:05.000"), r.Key, r.Value)
		}
	}
}

// everybodyServes asks each worker for a change, which must be done: all is well.
func (c *chaos) everybodyServes() {
	names := slices.Sorted(maps.Keys(classes))
	for i, p := range c.living() {
		name := names[i%len(names)]
		c.insist(p, name, c.putRequest(name))
	}
}

// A found connector is what the first worker knows of it.
type found struct {
	stored stored
	conn   *cluster.Connector // nil: none
}

func (c *chaos) find(name string) found {
	conn, err := c.living()[0].rt.Connector(c.t.Context(), name)
	if err != nil {
		return found{}
	}
	tasks, err := strconv.Atoi(conn.Props["tasks.max"])
	if err != nil {
		return found{}
	}
	return found{stored{conn.Props["revision"], tasks}, conn}
}

// problem says what is not as it must be; "" if all is.
func (c *chaos) problem() string {
	if p := c.lost(); p != "" {
		return p
	}
	instances := make(map[string]map[int][]*instance)
	for _, i := range c.ledger.instances() {
		if instances[i.connector] == nil {
			instances[i.connector] = make(map[int][]*instance)
		}
		instances[i.connector][i.task] = append(instances[i.connector][i.task], i)
	}
	for _, name := range slices.Sorted(maps.Keys(c.wanted)) {
		k := checking{c: c, name: name, wanted: c.wanted[name], found: c.find(name), instances: instances[name]}
		if err := k.check(); err != nil {
			return fmt.Sprintf("%s: %v", name, err)
		}
	}
	return ""
}

// lost says which records the sink has skipped, or committed before they arrived,
// as one that was shut out may not.
func (c *chaos) lost() string {
	group := c.fake.GroupInfo(groupOfLedger)
	if group != nil {
		for partition, commit := range group.Commits[numbersTopic] {
			arrived := c.ledger.arrived(connect.TopicPartition{Topic: numbersTopic, Partition: partition})
			if commit.Offset > arrived {
				return fmt.Sprintf("partition %d: %d records are committed, %d have arrived", partition, commit.Offset, arrived)
			}
		}
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	return strings.Join(c.ledger.lost, "; ")
}

// checking is a look at one connector.
type checking struct {
	c         *chaos
	name      string
	wanted    *wanted
	found     found
	instances map[int][]*instance
	status    connect.ConnectorStatus
}

func (k *checking) check() error {
	if !k.wanted.config.allows(k.found.stored) {
		return fmt.Errorf("found configuration %+v, want %+v", k.found.stored, k.wanted.config)
	}
	if err := k.sameEverywhere(); err != nil {
		return err
	}
	if k.found.conn == nil {
		return k.only()
	}
	if !k.wanted.target.allows(k.found.conn.Target) {
		return fmt.Errorf("found target %s, want %+v", k.found.conn.Target, k.wanted.target)
	}
	switch k.found.conn.Target {
	case cluster.TargetStopped:
		return k.stopped()
	case cluster.TargetPaused:
		return k.paused()
	}
	return k.started()
}

// sameEverywhere checks that all workers say the same.
func (k *checking) sameEverywhere() error {
	for i, p := range k.c.living() {
		conn, err := p.rt.Connector(k.c.t.Context(), k.name)
		if errors.Is(err, connect.ErrNotFound) != (k.found.conn == nil) {
			return fmt.Errorf("%s knows it: %v", p.name, err == nil)
		}
		if k.found.conn != nil && (!conn.Props.Equal(k.found.conn.Props) || conn.Target != k.found.conn.Target ||
			!reflect.DeepEqual(conn.Tasks, k.found.conn.Tasks)) {
			return fmt.Errorf("%s has another configuration: %+v, not %+v", p.name, conn, k.found.conn)
		}
		s, err := p.rt.Status(k.c.t.Context(), k.name)
		if err != nil && k.found.conn != nil {
			return fmt.Errorf("%s knows no status: %w", p.name, err)
		}
		if i == 0 {
			k.status = s
		}
		if !reflect.DeepEqual(s, k.status) {
			return fmt.Errorf("%s knows another status: %+v, not %+v", p.name, s, k.status)
		}
	}
	return nil
}

// only checks that nothing runs but the given numbers.
func (k *checking) only(numbers ...int) error {
	for n, all := range k.instances {
		if !slices.Contains(numbers, n) {
			return fmt.Errorf("task %d runs on %s", n, all[0].p.name)
		}
	}
	return nil
}

func (k *checking) stopped() error {
	if s := k.status.Connector.State; s != cluster.Stopped {
		return fmt.Errorf("its status is %s, want STOPPED", s)
	}
	if len(k.found.conn.Tasks) > 0 || len(k.status.Tasks) > 0 {
		return fmt.Errorf("it is stopped and has tasks %v, statuses %v", k.found.conn.Tasks, k.status.Tasks)
	}
	return k.only()
}

func (k *checking) paused() error {
	if err := k.state("connector", k.status.Connector, cluster.Paused); err != nil {
		return err
	}
	return k.tasks(cluster.Paused)
}

func (k *checking) started() error {
	if err := k.state("connector", k.status.Connector, cluster.Running); err != nil {
		return err
	}
	if err := k.one(instanceNumber, k.status.Connector, k.found.stored.revision); err != nil {
		return err
	}
	if got, want := len(k.found.conn.Tasks), min(k.found.stored.tasks, k.wanted.most); got != want {
		return fmt.Errorf("it has %d tasks, want %d", got, want)
	}
	for n, t := range k.found.conn.Tasks {
		if t["revision"] != k.found.stored.revision {
			return fmt.Errorf("task %d is of revision %s, want %s", n, t["revision"], k.found.stored.revision)
		}
	}
	return k.tasks(cluster.Running)
}

// tasks checks the tasks: they run once, or have failed where one was broken.
// Paused ones need not have started.
func (k *checking) tasks(want cluster.State) error {
	numbers := []int{instanceNumber}
	for n, t := range k.found.conn.Tasks {
		s, known := k.status.Tasks[n]
		if !known {
			return fmt.Errorf("task %d has no status", n)
		}
		runs := len(k.instances[n]) > 0
		switch {
		case s.State == cluster.Failed && k.wanted.broken && strings.Contains(s.Trace, errBroken.Error()):
			if runs {
				return fmt.Errorf("task %d is FAILED and runs", n)
			}
			continue
		case want == cluster.Paused && !runs:
			if err := k.state("task "+strconv.Itoa(n), s, want); err != nil {
				return err
			}
			continue
		}
		if err := k.state("task "+strconv.Itoa(n), s, want); err != nil {
			return err
		}
		if err := k.one(n, s, t["revision"]); err != nil {
			return err
		}
		numbers = append(numbers, n)
	}
	if len(k.status.Tasks) != len(k.found.conn.Tasks) {
		return fmt.Errorf("there are %d statuses for %d tasks", len(k.status.Tasks), len(k.found.conn.Tasks))
	}
	return k.only(numbers...)
}

// state checks a status, and that its worker lives.
func (k *checking) state(what string, s cluster.Status, want cluster.State) error {
	if s.State != want {
		return fmt.Errorf("%s is %s on %s, want %s; %s", what, s.State, s.WorkerID, want, s.Trace)
	}
	if !slices.ContainsFunc(k.c.living(), func(p *process) bool { return p.host() == s.WorkerID }) {
		return fmt.Errorf("%s is %s on %s, which is no worker", what, s.State, s.WorkerID)
	}
	return nil
}

// one checks that there is one instance, where its status says.
func (k *checking) one(n int, s cluster.Status, revision string) error {
	all := k.instances[n]
	switch {
	case len(all) != 1:
		var where []string
		for _, i := range all {
			where = append(where, i.p.name)
		}
		return fmt.Errorf("task %d runs %d times, on %v; its status is %s on %s", n, len(all), where, s.State, s.WorkerID)
	case all[0].p.host() != s.WorkerID:
		return fmt.Errorf("task %d runs on %s; its status says %s", n, all[0].p.name, s.WorkerID)
	case all[0].revision != revision:
		return fmt.Errorf("task %d runs revision %s, want %s", n, all[0].revision, revision)
	}
	return nil
}

// finish lets the data come to its end, looks at all of it, and ends the round.
func (c *chaos) finish() {
	p := c.living()[0]
	for _, name := range []string{"numbers", "ledger"} {
		c.insist(p, name, c.putRequest(name))
		c.insist(p, name, request{method: "PUT", path: "connectors/" + name + "/resume", change: change{target: cluster.TargetStarted}})
	}
	c.settle()
	c.ledger.setDry()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.Dialer(c.dial), kgo.DisableClientMetrics())
	require.NoError(c.t, err)
	defer client.Close()
	c.eventually("the records to arrive", func() string { return c.missing(client) })
	c.numbersAreWhole(c.read(numbersTopic))
	c.statusesAreOfWhatIsThere(c.read("status"))
	for _, p := range c.living() {
		p.stop()
	}
}

// missing says what has not arrived, or is not committed.
func (c *chaos) missing(client *kgo.Client) string {
	ends, err := kadm.NewClient(client).ListEndOffsets(c.t.Context(), numbersTopic)
	require.NoError(c.t, err)
	group := c.fake.GroupInfo(groupOfLedger)
	if group == nil {
		return "the sink has no group"
	}
	for _, end := range ends[numbersTopic] {
		tp := connect.TopicPartition{Topic: end.Topic, Partition: end.Partition}
		if arrived := c.ledger.arrived(tp); arrived != end.Offset {
			return fmt.Sprintf("%v: %d of %d records have arrived", tp, arrived, end.Offset)
		}
		if committed := group.Commits[end.Topic][end.Partition].Offset; committed != end.Offset {
			return fmt.Sprintf("%v: %d of %d records are committed", tp, committed, end.Offset)
		}
	}
	return ""
}

// read returns all records of a topic.
func (c *chaos) read(topic string) []*kgo.Record {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.Dialer(c.dial), kgo.DisableClientMetrics(), kgo.ConsumeTopics(topic),
		kgo.KeepControlRecords(), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	require.NoError(c.t, err)
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(c.t.Context(), topic)
	require.NoError(c.t, err)
	left := make(map[int32]bool)
	for _, end := range ends[topic] {
		if end.Offset > 0 {
			left[end.Partition] = true
		}
	}
	var records []*kgo.Record
	for len(left) > 0 {
		ctx, cancel := context.WithTimeout(c.t.Context(), settleLimit)
		fetches := client.PollFetches(ctx)
		cancel()
		require.NoError(c.t, fetches.Err())
		for r := range fetches.RecordsAll() {
			if r.Offset == ends[topic][r.Partition].Offset-1 {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() {
				records = append(records, r)
			}
		}
	}
	return records
}

// numbersAreWhole checks what the source has written: each number of each part,
// and none before the one before it.
func (c *chaos) numbersAreWhole(records []*kgo.Record) {
	next := make(map[int]int64)
	for _, r := range records {
		var part int
		var n int64
		_, err := fmt.Sscanf(string(r.Value), "%d/%d", &part, &n)
		require.NoError(c.t, err)
		require.LessOrEqual(c.t, n, next[part], "record %s is there before the one before it", r.Value)
		next[part] = max(next[part], n+1)
	}
	require.Len(c.t, next, sourceParts, "parts of the source")
}

// statusesAreOfWhatIsThere checks that nothing is left of what was deleted.
func (c *chaos) statusesAreOfWhatIsThere(records []*kgo.Record) {
	var fold cluster.StatusFold
	for _, r := range records {
		require.NoError(c.t, fold.Apply(cluster.Record{Key: string(r.Key), Value: r.Value}))
	}
	for name := range c.wanted {
		found := c.find(name)
		if found.conn == nil {
			require.NotContains(c.t, fold.Connectors(), name)
			require.Empty(c.t, fold.Tasks(name), name)
			require.Empty(c.t, fold.Topics(name), name)
		}
	}
}
